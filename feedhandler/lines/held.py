"""The packets that wait behind a hole: a doubly linked list a stream, over one pool of slots."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import add, get, put
from feedhandler.lines.layout import (
    FREE,
    HEAD,
    HELD,
    SLOT_CHANNEL,
    SLOT_COUNT,
    SLOT_HEAD_BYTES,
    SLOT_LENGTH,
    SLOT_LINE,
    SLOT_NEXT,
    SLOT_PREVIOUS,
    SLOT_ROOM,
    SLOT_SEQUENCE,
    SLOT_TIME,
    TAIL,
)
from nic.move import move_bytes


@njit(nogil=True)
def place_behind(stream, sequence):
    """The last waiting packet whose sequence is not above this one; 0 when it would be the first.

    Looked for from the end: what comes now mostly belongs there.
    """
    slot = get(stream, TAIL)
    while slot != 0 and get(slot, SLOT_SEQUENCE) > sequence:
        slot = get(slot, SLOT_PREVIOUS)
    return slot


@njit(nogil=True)
def covered(slot, sequence, count):
    """Whether a waiting packet already has all these messages."""
    if slot == 0:
        return False
    return get(slot, SLOT_SEQUENCE) + get(slot, SLOT_COUNT) >= sequence + count


@njit(nogil=True)
def take_slot(arbiter, length):
    """A free slot for a packet of that length; 0 when there is none."""
    slot = get(arbiter, FREE)
    if slot == 0 or length > get(arbiter, SLOT_ROOM):
        return 0
    put(arbiter, FREE, get(slot, SLOT_NEXT))
    return slot


@njit(nogil=True)
def insert(stream, slot, before):
    """Links a slot behind `before` (0: in front of all)."""
    after = get(before, SLOT_NEXT) if before != 0 else get(stream, HEAD)
    put(slot, SLOT_PREVIOUS, before)
    put(slot, SLOT_NEXT, after)
    if before != 0:
        put(before, SLOT_NEXT, slot)
    else:
        put(stream, HEAD, slot)
    if after != 0:
        put(after, SLOT_PREVIOUS, slot)
    else:
        put(stream, TAIL, slot)
    add(stream, HELD, 1)


@njit(nogil=True)
def fill_slot(slot, sequence, count, payload, length, now, line, channel):
    """Copies a packet, and what is known of it, into a slot."""
    put(slot, SLOT_SEQUENCE, sequence)
    put(slot, SLOT_COUNT, count)
    put(slot, SLOT_LENGTH, length)
    put(slot, SLOT_TIME, now)
    put(slot, SLOT_LINE, line)
    put(slot, SLOT_CHANNEL, channel)
    move_bytes(slot + SLOT_HEAD_BYTES, payload, length)


@njit(nogil=True)
def drop_head(arbiter, stream):
    """Gives the first waiting packet's slot back."""
    slot = get(stream, HEAD)
    after = get(slot, SLOT_NEXT)
    put(stream, HEAD, after)
    if after != 0:
        put(after, SLOT_PREVIOUS, 0)
    else:
        put(stream, TAIL, 0)
    put(slot, SLOT_NEXT, get(arbiter, FREE))
    put(arbiter, FREE, slot)
    add(stream, HELD, -1)


@njit(nogil=True)
def drop_all(arbiter, stream):
    """Forgets every waiting packet of a stream."""
    while get(stream, HEAD) != 0:
        drop_head(arbiter, stream)
