"""What a venue shows at the moment, less what of it is already ours.

A capture does not react to our orders: shares that we took stay displayed. They are remembered by
venue, instrument, side and price, and are not there for us again. The memory of them fades with
what the feed says: shares that leave the level in it, by executions or cancels, are counted as ours
first; a level that is gone, and a level of the one-level feeds that moved, is forgotten; so is what
we took longer than `forget_ns` ago.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY, STATUS_TRADING, STATUS_UNKNOWN
from feedhandler.books.farlevels import far_count
from feedhandler.books.ladder import (
    best_level,
    better,
    key_of_price,
    ladder_address,
    level_address,
    level_at_price,
    window_bits,
)
from feedhandler.books.layout import LEVEL_QUANTITY, LIVE, NO_KEY
from feedhandler.books.notes import is_stop
from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import (
    MARKET_HALTED,
    QUOTE_BYTES,
    QUOTE_DTYPE,
    QUOTE_STATUS,
    RECORD_STATE,
    UNKNOWN_TRADES,
)
from feedhandler.consolidated.quotes import quotes_of, venue_row
from nic.block import field_offset
from nic.raw import load_i64le, load_n8, load_n32le
from router.rows import add, get, put
from simulator.replay.layout import (
    CLOSED,
    HALTED,
    HEAD,
    MOST_TAKEN,
    NO_REASON,
    TAKEN,
    TAKEN_BYTES,
    VENUE,
)

QUOTE_NUMBER = field_offset(QUOTE_DTYPE, "venue_instrument")
QUOTE_TRUST = field_offset(QUOTE_DTYPE, "trust")


@njit(nogil=True, forceinline=True)
def quote_of(sim, venue, instrument):
    """Where a venue's quote of an instrument is. The venue has a feed."""
    quotes = quotes_of(get(sim, HEAD.market), instrument)
    return quotes + QUOTE_BYTES * get(venue, VENUE.quotes)


@njit(nogil=True, forceinline=True)
def own_number(sim, venue, instrument):
    """The venue's own number of an instrument; 0: it never said anything of it."""
    return load_n32le(quote_of(sim, venue, instrument) + QUOTE_NUMBER)


@njit(nogil=True, forceinline=True)
def book_of(sim, venue):
    """Where the book of a venue with a feed is."""
    return load_i64le(venue_row(get(sim, HEAD.market), get(venue, VENUE.quotes)))


@njit(nogil=True, forceinline=True)
def is_live(sim, venue, instrument):
    """Whether the venue's book of an instrument can be believed."""
    return load_n8(quote_of(sim, venue, instrument) + QUOTE_TRUST) == LIVE


@njit(nogil=True)
def why_no_trading(sim, venue, instrument):
    """HALTED, CLOSED, or NO_REASON where the instrument trades at a venue."""
    market = get(sim, HEAD.market)
    flags = load_n8(record_address(market, instrument) + RECORD_STATE + 1)
    if flags & MARKET_HALTED:
        return HALTED
    if get(venue, VENUE.quotes) < 0:
        return NO_REASON
    status = load_n8(quote_of(sim, venue, instrument) + QUOTE_STATUS)
    if status == STATUS_TRADING:
        return NO_REASON
    if status == STATUS_UNKNOWN and load_i64le(market + UNKNOWN_TRADES) != 0:
        return NO_REASON
    return HALTED if is_stop(status) else CLOSED


@njit(nogil=True)
def shown_at(sim, venue, instrument, side, price):
    """Displayed shares of a side at a price, ours or not."""
    number = own_number(sim, venue, instrument)
    if number == 0:
        return np.int64(0)
    book, ladder = book_of(sim, venue), 2 * number + side - 1
    row = ladder_address(book, ladder)
    if best_level(row) == 0:
        return np.int64(0)
    level = level_at_price(book, row, ladder, price)
    if level == 0:
        return np.int64(0)
    return load_i64le(level_address(book, level) + LEVEL_QUANTITY)


@njit(nogil=True, forceinline=True)
def taken_row(venue, number):
    """Where a memory of shares taken is."""
    return get(venue, VENUE.taken) + TAKEN_BYTES * number


@njit(nogil=True)
def find_taken(venue, instrument, side, price):
    """The memory of shares taken at a level; 0: none."""
    for number in range(get(venue, VENUE.taken_count)):
        row = taken_row(venue, number)
        same = get(row, TAKEN.price) == price and get(row, TAKEN.side) == side
        if same and get(row, TAKEN.instrument) == instrument:
            return row
    return np.int64(0)


@njit(nogil=True)
def drop_taken(venue, row):
    """Forgets; the last memory goes to its place."""
    count = get(venue, VENUE.taken_count) - 1
    last = taken_row(venue, count)
    for offset in range(0, TAKEN_BYTES, 8):
        put(row, offset, get(last, offset))
    put(venue, VENUE.taken_count, count)


@njit(nogil=True)
def open_at(sim, venue, instrument, side, price, shown, now_ns):
    """How many of the shares shown at a level are there for us."""
    row = find_taken(venue, instrument, side, price)
    if row == 0:
        return shown
    if now_ns - get(row, TAKEN.time_ns) > get(sim, HEAD.forget_ns):
        drop_taken(venue, row)
        return shown
    if get(row, TAKEN.quantity) > shown:
        put(row, TAKEN.quantity, shown)
    return shown - get(row, TAKEN.quantity)


@njit(nogil=True)
def remember(sim, venue, instrument, side, price, shares, now_ns):
    """Notes that shares of a level are ours; 0 where there is no room (counted)."""
    row = find_taken(venue, instrument, side, price)
    if row == 0:
        count = get(venue, VENUE.taken_count)
        if count == MOST_TAKEN:
            add(sim, HEAD.full, 1)
            return 0
        put(venue, VENUE.taken_count, count + 1)
        row = taken_row(venue, count)
        put(row, TAKEN.instrument, instrument)
        put(row, TAKEN.side, side)
        put(row, TAKEN.price, price)
        put(row, TAKEN.quantity, 0)
    elif now_ns - get(row, TAKEN.time_ns) > get(sim, HEAD.forget_ns):
        put(row, TAKEN.quantity, 0)
    add(row, TAKEN.quantity, shares)
    put(row, TAKEN.time_ns, now_ns)
    put(venue, VENUE.taken_until, now_ns + get(sim, HEAD.forget_ns))
    refresh_watch(sim, venue)
    return 1


@njit(nogil=True)
def gone_from_level(venue, instrument, side, price, shares):
    """Shares left a level in the feed: they count as those we took, first of all."""
    row = find_taken(venue, instrument, side, price)
    if row != 0:
        put(row, TAKEN.quantity, get(row, TAKEN.quantity) - shares)
        if get(row, TAKEN.quantity) <= 0:
            drop_taken(venue, row)


@njit(nogil=True)
def forget_taken(venue, instrument):
    """Forgets what was taken of an instrument; of all for 0."""
    number = 0
    while number < get(venue, VENUE.taken_count):
        row = taken_row(venue, number)
        if instrument == 0 or get(row, TAKEN.instrument) == instrument:
            drop_taken(venue, row)
        else:
            number += 1


@njit(nogil=True)
def refresh_watch(sim, venue):
    """Notes whether the venue's packets concern us: something rests or was taken there."""
    quotes = get(venue, VENUE.quotes)
    if quotes < 0:
        return
    bit = np.int64(1) << quotes
    busy = get(venue, VENUE.resting) + get(venue, VENUE.taken_count) != 0
    watched = get(sim, HEAD.watched)
    put(sim, HEAD.watched, watched | bit if busy else watched & ~bit)


@njit(nogil=True)
def limit_key(price, side):
    """The worst key of the other side that an order takes: any, for one without a price."""
    return key_of_price(price, 2 - side) if price != 0 else np.int64(NO_KEY)


@njit(nogil=True)
def best_open(sim, venue, instrument, side, now_ns):
    """The best price of a side with shares that are there for us; 0: none."""
    number = own_number(sim, venue, instrument)
    if number == 0 or not is_live(sim, venue, instrument):
        return np.int64(0)
    book = book_of(sim, venue)
    row = ladder_address(book, 2 * number + side - 1)
    level, _, bits, far = better(row, window_bits(row), far_count(row))
    while level != 0:
        address = level_address(book, level)
        price, shown = load_i64le(address), load_i64le(address + LEVEL_QUANTITY)
        if open_at(sim, venue, instrument, side, price, shown, now_ns) > 0:
            return price
        level, _, bits, far = better(row, bits, far)
    return np.int64(0)


@njit(nogil=True)
def reachable(sim, venue, instrument, side, price, most, levels, now_ns):
    """Shares that an order may take, up to `most` of them from up to so many levels.

    `side` is the order's, `price` its limit; 0: none.
    """
    number = own_number(sim, venue, instrument)
    if number == 0 or not is_live(sim, venue, instrument):
        return np.int64(0)
    contra, worst = 3 - side, limit_key(price, side)
    book, found = book_of(sim, venue), np.int64(0)
    row = ladder_address(book, 2 * number + contra - 1)
    level, key, bits, far = better(row, window_bits(row), far_count(row))
    while level != 0 and key >= worst and found < most and levels > 0:
        address = level_address(book, level)
        at, shown = load_i64le(address), load_i64le(address + LEVEL_QUANTITY)
        there = open_at(sim, venue, instrument, contra, at, shown, now_ns)
        found += there
        if there > 0:
            levels -= 1
        level, key, bits, far = better(row, bits, far)
    return min(found, most)


@njit(nogil=True, forceinline=True)
def is_better(side, a, b):
    """Whether a price is better than another for those who trade against that side."""
    return a > b if side == BUY else a < b
