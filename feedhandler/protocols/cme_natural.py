"""CME's incremental messages where lines are arbitrated: with the counts of instruments.

Two things are added to what the messages mean: an instrument of which nothing was lost is said to
be whole, with its levels anew, in its first message behind a loss; and what the image of an
instrument has already is left out, where packets are held while images come.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ALL,
    CLEAR,
    EVENT_OPEN,
    NO_PRICE,
    REFRESH,
    SNAPSHOT_END,
    emit,
    head,
)
from feedhandler.actions import LEVEL as LEVEL_KIND
from feedhandler.context import SYMBOLS_ADDRESS, UNIT, count_fault, get
from feedhandler.faults import NO_ROOM
from feedhandler.protocols.cme_books import MOST_RECORDS, Stamp, places_of, say
from feedhandler.protocols.cme_counts import (
    BROKEN,
    IMAGE,
    LIFE,
    NEWEST_IMAGE,
    WHOLE,
    counted,
    forget_before,
    goes_on,
)
from feedhandler.protocols.cme_entries import DIMENSION_BYTES, first_group, transact_time
from feedhandler.protocols.cme_layouts import TYPE, column, layout_of, load_n16
from feedhandler.protocols.cme_levels import (
    DEPTH,
    IMPLIED_DEPTH,
    PAIR,
    PLACES,
    first_row,
    next_row,
    row_count,
    row_of,
)
from feedhandler.transports.cme_walk import MESSAGE_ROOM
from feedhandler.wire.constants import constant_i32
from feedhandler.wire.sbe import MOST_ENTRIES
from nic.move import move_bytes
from nic.raw import load_i32le, load_i64le, load_n8, load_n32le, store_u8, store_u64le

WHOLE_RECORDS = PLACES + 2  # of one instrument that is whole
BOOK_RECORDS = MOST_ENTRIES * MOST_RECORDS  # of the message itself
NATURAL_ROOM = 512  # records of instruments that are whole, in front of those of the message
NOTHING = 0  # an entry type that is no side of a book
COPY_AT = ACTION_BYTES * (NATURAL_ROOM + BOOK_RECORDS)  # of a message of which a part is left out
COPY_BYTES = ACTION_BYTES * MESSAGE_ROOM - COPY_AT
assert COPY_BYTES > 16_384


@njit(nogil=True)
def say_side(out, of, row, side, implied, depth):
    """The levels of one side of the direct or the implied book; gives the number of records."""
    places, made = places_of(row, side, implied), 0
    for place in range(depth):
        price = load_i64le(places + PAIR * place)
        if price != NO_PRICE:
            size = load_i64le(places + PAIR * place + 8)
            made += say(out + ACTION_BYTES * made, of, row, side, implied, price, size)
    return made


@njit(nogil=True)
def say_whole(row, unit, key, time_ns, sequence, out):
    """The book of a security anew, whatever became of it meanwhile, and that it is whole."""
    made = emit(out, head(CLEAR, 0, REFRESH) | unit, key, 0, 0, 0, 0, time_ns, sequence)
    for side in range(2):
        first = head(LEVEL_KIND, side + 1, EVENT_OPEN | REFRESH) | unit
        of = Stamp(first, key, time_ns, sequence)
        made += say_side(out + ACTION_BYTES * made, of, row, side, False, DEPTH)
        made += say_side(out + ACTION_BYTES * made, of, row, side, True, IMPLIED_DEPTH)
    place, first = out + ACTION_BYTES * made, head(SNAPSHOT_END, 0, REFRESH) | unit
    return made + emit(place, first, key, sequence, 0, 0, 0, time_ns, sequence)


@njit(nogil=True)
def take_count(context, row, security, count, time_ns, sequence, out):
    """One entry's count, of a security whose row that is; gives the number of records."""
    life, whole = load_i64le(get(context, SYMBOLS_ADDRESS) + LIFE), load_i64le(row + WHOLE)
    if not goes_on(row, count, life):
        store_u64le(row + WHOLE, BROKEN)
        return 0
    if whole == life or whole == BROKEN:
        return 0
    store_u64le(row + WHOLE, life)
    return say_whole(row, get(context, UNIT) << 32, security, time_ns, sequence, out)


@njit(nogil=True)
def take_counts(code, address, sequence, context, out):
    """The counts of a message's entries; gives the number of records.

    A security that an image is newer of than the message keeps its count.
    """
    about = counted(code)
    if about == 0:
        return 0
    security_at, count_at = constant_i32(about), constant_i32(about + 4)
    group = first_group(address)
    stride, entries = load_n16(group), load_n8(group + 2)
    entry, made, row, known = group + DIMENSION_BYTES, 0, np.int64(0), 0
    for _ in range(entries):
        security, count = load_i32le(entry + security_at), load_n32le(entry + count_at)
        if row == 0 or security != known:
            row, known = row_of(context, security), security
        has = count != 0 and row != 0 and load_i64le(row + IMAGE) < sequence
        if has and made <= NATURAL_ROOM - WHOLE_RECORDS:
            place = out + ACTION_BYTES * made
            time_ns = transact_time(address)
            made += take_count(context, row, security, count, time_ns, sequence, place)
        entry += stride
    return made


@njit(nogil=True, forceinline=True)
def may_be_old(context, sequence):
    """Whether there is any image that is newer than a packet."""
    return 0 < sequence <= load_i64le(get(context, SYMBOLS_ADDRESS) + NEWEST_IMAGE)


@njit(nogil=True, forceinline=True)
def is_old(context, security, sequence):
    """Whether the image of a security has what a packet says."""
    row = row_of(context, security)
    return row != 0 and sequence <= load_i64le(row + IMAGE)


@njit(nogil=True)
def copy_of(address, length, out):
    """A copy of a message that may be changed; 0 for one that has no room."""
    if length > COPY_BYTES:
        return np.int64(0)
    move_bytes(out + COPY_AT, address, length)
    return out + COPY_AT


@njit(nogil=True)
def leave_out_levels(code, copy, sequence, context):
    """Levels that images have already become entries that mean nothing."""
    layout, group = layout_of(code), first_group(copy)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, security_at = group + DIMENSION_BYTES, constant_i32(counted(code))
    for _ in range(count):
        if is_old(context, load_i32le(entry + security_at), sequence):
            store_u8(entry + column(layout, TYPE), NOTHING)
        entry += stride


@njit(nogil=True)
def empty_older(address, sequence, context, out):
    """Books of a reset channel that no newer image is in: each is empty, and whole as such."""
    unit, time_ns, made = get(context, UNIT) << 32, transact_time(address), 0
    row = first_row(context)
    for _ in range(row_count(context)):
        if row == 0:
            break
        if made > MESSAGE_ROOM - 2:
            count_fault(context, NO_ROOM)
            break
        key, place = np.int64(load_i32le(row)), out + ACTION_BYTES * made
        if load_i64le(row + IMAGE) < sequence:
            made += emit(place, head(CLEAR, 0, 0) | unit, key, 0, 0, 0, 0, time_ns, sequence)
            place, first = place + ACTION_BYTES, head(SNAPSHOT_END, 0, REFRESH) | unit
            made += emit(place, first, key, sequence, 0, 0, 0, time_ns, sequence)
        row = next_row(context, row)
    return made


@njit(nogil=True)
def reset_counted(address, sequence, context, out):
    """All books of the channel are empty, but those that a newer image is in."""
    forget_before(context, sequence)
    if may_be_old(context, sequence):
        return empty_older(address, sequence, context, out)
    first = head(CLEAR, 0, ALL) | (get(context, UNIT) << 32)
    return emit(out, first, 0, 0, 0, 0, 0, transact_time(address), sequence)
