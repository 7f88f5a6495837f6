"""Writing commands: each venue has its own row of them, in the order of their times.

A command reaches a venue later than it was decided, by the venue's delay and some jitter, and never
before one that was sent earlier. So the venues hear of the same thing at different moments.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import NO_PRICE
from nic.raw import load_fixed, load_i64le, store_u32le, store_u64le
from simulator.flow.draws import bits, draw, share_of
from simulator.flow.layout import (
    CLOCK_OWNER,
    H_CAPACITY,
    H_COMMANDS,
    H_COUNTS,
    H_FULLEST,
    H_VENUE_COUNT,
    ROOM,
    V_DELAY_NS,
    V_JITTER_NS,
    V_LAST_NS,
    V_RANDOM,
)
from simulator.flow.rows import venue_row
from simulator.matching.records import COMMAND_DTYPE

COMMAND_BYTES = COMMAND_DTYPE.itemsize
FLAGS_SHIFT = 32


@njit(nogil=True, forceinline=True)
def has_room(flow):
    """Whether every venue's row has room for what one event can give it."""
    return load_i64le(flow + H_FULLEST) + ROOM <= load_i64le(flow + H_CAPACITY)


@njit(nogil=True, forceinline=True)
def arrival_ns(flow, venue, now_ns):
    """When what is sent to a venue now is there."""
    row = venue_row(flow, venue)
    jitter_ns = share_of(load_fixed(row + V_JITTER_NS), bits(draw(row + V_RANDOM), 0, 16))
    arrival = now_ns + load_fixed(row + V_DELAY_NS) + jitter_ns
    arrival = max(arrival, load_i64le(row + V_LAST_NS) + 1)
    store_u64le(row + V_LAST_NS, arrival)
    return arrival


@njit(nogil=True, forceinline=True)
def head_of(kind, side, order_type, time_in_force, flags):
    """The first word of a command."""
    return kind | (side << 8) | (order_type << 16) | (time_in_force << 24) | (flags << FLAGS_SHIFT)


@njit(nogil=True)
def send(flow, venue, now_ns, head, instrument, owner, token, target, price, quantity):
    """Writes a command for a venue; its address, for the fields that few commands have."""
    place = load_i64le(flow + H_COUNTS) + 8 * venue
    count = load_i64le(place)
    store_u64le(place, count + 1)
    store_u64le(flow + H_FULLEST, max(load_i64le(flow + H_FULLEST), count + 1))
    number = venue * load_i64le(flow + H_CAPACITY) + count
    out = load_i64le(flow + H_COMMANDS) + COMMAND_BYTES * number
    store_u64le(out, head)
    store_u32le(out + 8, instrument)
    store_u32le(out + 12, owner)
    store_u64le(out + 16, arrival_ns(flow, venue, now_ns))
    store_u64le(out + 24, token)
    store_u64le(out + 32, target)
    store_u64le(out + 40, price)
    store_u64le(out + 48, quantity)
    store_u64le(out + 56, 0)
    store_u64le(out + 64, 0)
    store_u64le(out + 72, NO_PRICE)
    for word in range(10, COMMAND_BYTES // 8):
        store_u64le(out + 8 * word, 0)
    return out


@njit(nogil=True, forceinline=True)
def set_display(out, quantity):
    """Gives a command the displayed part of a reserve order."""
    store_u64le(out + 56, quantity)


@njit(nogil=True, forceinline=True)
def set_minimum(out, quantity):
    """Gives a command its least execution."""
    store_u64le(out + 64, quantity)


@njit(nogil=True, forceinline=True)
def set_cap(out, price):
    """Gives a command the price in `cap`."""
    store_u64le(out + 72, price)


@njit(nogil=True)
def steer(flow, venue, now_ns, kind, flags, instrument):
    """Sends a command of the market's own: a halt, an auction, a session's state."""
    head = head_of(kind, 0, 0, 0, flags)
    return send(flow, venue, now_ns, head, instrument, CLOCK_OWNER, 0, 0, NO_PRICE, 0)


@njit(nogil=True)
def steer_all(flow, now_ns, kind, flags, instrument):
    """Sends such a command to every venue."""
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        steer(flow, venue, now_ns, kind, flags, instrument)


@njit(nogil=True)
def band_all(flow, now_ns, kind, instrument, price, cap):
    """Sends two prices of an instrument to every venue: BANDS."""
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        out = send(
            flow, venue, now_ns, head_of(kind, 0, 0, 0, 0), instrument, CLOCK_OWNER, 0, 0, price, 0
        )
        set_cap(out, cap)
