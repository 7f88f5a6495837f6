"""Where the rows of the tables are, and what venues show."""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.layout import (
    DAY_SHAPE,
    DAY_SLOTS,
    H_DAY_SHAPE,
    H_DRAWS,
    H_INSTRUMENTS,
    H_OPEN_NS,
    H_QUOTES,
    H_SHAPES_NS,
    H_SLOT_NS,
    H_SPREAD_SHAPE,
    H_VENUE_COUNT,
    H_VENUES,
    INSTRUMENT_BYTES,
    NEVER,
    QUOTE_BYTES,
    SPREAD_SHAPE,
    VENUE_BYTES,
)


@njit(nogil=True, forceinline=True)
def instrument_row(flow, instrument):
    """Address of an instrument's row."""
    return load_fixed(flow + H_INSTRUMENTS) + INSTRUMENT_BYTES * instrument


@njit(nogil=True, forceinline=True)
def venue_row(flow, venue):
    """Address of a venue's row."""
    return load_fixed(flow + H_VENUES) + VENUE_BYTES * venue


@njit(nogil=True, forceinline=True)
def quote_row(flow, instrument, venue):
    """Address of the top of a venue's book of an instrument."""
    number = instrument * load_fixed(flow + H_VENUE_COUNT) + venue
    return load_fixed(flow + H_QUOTES) + QUOTE_BYTES * number


@njit(nogil=True, forceinline=True)
def national_best(flow, instrument):
    """Best bid and best offer of all venues; 0 where there is none."""
    bid, offer = 0, 0
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        quote = quote_row(flow, instrument, venue)
        if load_i64le(quote + 8) > 0:
            bid = max(bid, load_i64le(quote))
        price = load_i64le(quote + 16)
        if load_i64le(quote + 24) > 0 and (offer == 0 or price < offer):
            offer = price
    return bid, offer


@njit(nogil=True)
def follow_day(flow, now_ns):
    """Keeps the shapes of the day, as shares of their mean, those of the time."""
    since_ns = max(0, now_ns - load_fixed(flow + H_OPEN_NS))
    slot = min(DAY_SLOTS - 1, since_ns // load_fixed(flow + H_SLOT_NS))
    draws = load_fixed(flow + H_DRAWS)
    store_u64le(flow + H_DAY_SHAPE, load_fixed(draws + DAY_SHAPE + 8 * slot))
    store_u64le(flow + H_SPREAD_SHAPE, load_fixed(draws + SPREAD_SHAPE + 8 * slot))
    following_ns = load_fixed(flow + H_OPEN_NS) + (slot + 1) * load_fixed(flow + H_SLOT_NS)
    store_u64le(flow + H_SHAPES_NS, following_ns if slot < DAY_SLOTS - 1 else NEVER)
