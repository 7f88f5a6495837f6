"""Queues of the market as passive orders find them: who is ahead, and the best without us."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from feedhandler.books.farlevels import far_count
from feedhandler.books.ladder import (
    better,
    key_of_price,
    ladder_address,
    level_address,
    window_bits,
)
from feedhandler.books.layout import LEVEL_QUANTITY
from feedhandler.consolidated.layout import (
    QUOTE_BYTES,
    QUOTE_PROTECTED,
    QUOTE_SHOWN,
    QUOTE_STATUS,
    VENUE_COUNT,
    VENUE_DTYPE,
)
from feedhandler.consolidated.quotes import quotes_of
from feedhandler.consolidated.quotes import venue_row as market_venue
from nic.block import field_offset
from nic.raw import load_n8, load_n32le
from router.rows import child_row, get, parent_row
from router.tables import CHILD, DARK, HEAD, PARENT, TAKES

MARKET_BOOK: Final = field_offset(VENUE_DTYPE, "book")
USABLE: Final = QUOTE_STATUS + 2
VENUE_INSTRUMENT: Final = QUOTE_STATUS + 4
MOST_LEVELS = 64  # that are looked at: behind them a queue is long enough to say so


@njit(nogil=True)
def quote_row(market, number, instrument):
    """Where what a venue of the market shows of an instrument is."""
    return quotes_of(market, instrument) + QUOTE_BYTES * number


@njit(nogil=True)
def is_usable(market, number, instrument):
    """Whether a venue of the market trades the instrument and its book is live."""
    return load_n8(quote_row(market, number, instrument) + USABLE) != 0


@njit(nogil=True)
def is_passive(child):
    """Whether an order, by its row, is one that stands and waits in a lit book."""
    return get(child, CHILD.flags) & (TAKES | DARK) == 0


@njit(nogil=True)
def own_shares(router, parent, venue, price):
    """Shares of the parent's passive orders at a venue and price."""
    child, total = get(parent_row(router, parent), PARENT.first_open), np.int64(0)
    while child != 0:
        row = child_row(router, child)
        if is_passive(row) and get(row, CHILD.venue) == venue and get(row, CHILD.price) == price:
            total += get(row, CHILD.leaves)
        child = get(row, CHILD.next_sibling)
    return total


@njit(nogil=True)
def level_queue(book, ladder, price):
    """Shares on a ladder at a price and at better ones."""
    row, key = ladder_address(book, ladder), key_of_price(price, ladder)
    level, at, bits, far = better(row, window_bits(row), far_count(row))
    total, seen = np.int64(0), 0
    while level != 0 and at >= key and seen < MOST_LEVELS:
        total += get(level_address(book, level), LEVEL_QUANTITY)
        level, at, bits, far = better(row, bits, far)
        seen += 1
    return total


@njit(nogil=True)
def level_behind(book, ladder, price):
    """The first price of a ladder that is worse than a price; 0 where there is none."""
    row, key = ladder_address(book, ladder), key_of_price(price, ladder)
    level, at, bits, far = better(row, window_bits(row), far_count(row))
    seen = 0
    while level != 0 and at >= key and seen < MOST_LEVELS:
        level, at, bits, far = better(row, bits, far)
        seen += 1
    if level == 0 or at >= key:
        return np.int64(0)
    return get(level_address(book, level), 0)


@njit(nogil=True)
def queue_ahead(market, number, instrument, side, price):
    """Shares that a venue of the market shows at a price and at better ones.

    Where the venue's book is not at hand, of prices behind its best no more than the best's shares
    are known.
    """
    quote = quote_row(market, number, instrument)
    best = get(quote, QUOTE_SHOWN + 16 * (side - 1))
    shares = get(quote, QUOTE_SHOWN + 16 * (side - 1) + 8)
    if shares == 0 or (price > best if side == BUY else price < best):
        return np.int64(0)
    book = get(market_venue(market, number), MARKET_BOOK)
    if price == best or book == 0:
        return shares
    ladder = 2 * load_n32le(quote + VENUE_INSTRUMENT) + side - 1
    return max(level_queue(book, ladder, price), shares)


@njit(nogil=True)
def others_at(router, market, parent, number, instrument, side):
    """The best protected price of a venue of the market where not only the parent stands; or 0."""
    quote, word = quote_row(market, number, instrument), 16 * (side - 1)
    price, shares = get(quote, QUOTE_PROTECTED + word), get(quote, QUOTE_PROTECTED + word + 8)
    if shares == 0:
        return np.int64(0)
    if get(quote, QUOTE_SHOWN + word) == price:
        shares = get(quote, QUOTE_SHOWN + word + 8)
    venue = get(get(router, HEAD.routed), 8 * number)
    if venue < 0 or own_shares(router, parent, venue, price) < shares:
        return price
    book = get(market_venue(market, number), MARKET_BOOK)
    if book == 0:
        return np.int64(0)
    return level_behind(book, 2 * load_n32le(quote + VENUE_INSTRUMENT) + side - 1, price)


@njit(nogil=True)
def best_of_others(router, parent, instrument, side):
    """The best protected price of a side that is not the parent's own doing; 0: there is none.

    A peg to a best that is only its own order would follow itself.
    """
    market, best = get(router, HEAD.market), np.int64(0)
    for number in range(get(market, VENUE_COUNT)):
        price = others_at(router, market, parent, number, instrument, side)
        if price == 0:
            continue
        if best == 0 or (price > best if side == BUY else price < best):
            best = price
    return best
