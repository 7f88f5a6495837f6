"""Shares that a venue still shows although they are not there: taken by us, or never had.

Between an execution of ours and the feed's word of it the shares look free; and what an order that
takes did not get was gone before it came. Both are left alone until the venue's quote changes, or
for GONE_NS: then what is shown may have come anew.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.layout import QUOTE_BYTES, QUOTE_SHOWN
from feedhandler.consolidated.quotes import quotes_of
from nic.raw import load_i64le
from router.routing.gonetable import GONE, GONE_BYTES, GONE_NS, MISSING, MISSING_BYTES
from router.rows import child_row, get, put, venue_row
from router.tables import CHILD, HEAD, TAKES, VENUE


@njit(nogil=True, forceinline=True)
def gone_row(router, instrument, side):
    """Where what is missing of an instrument is; `side` is 0 for bids, 1 for offers."""
    return get(router, HEAD.gone) + GONE_BYTES * (2 * instrument + side)


@njit(nogil=True, forceinline=True)
def missing_shares(row, venue, price, shown, now):
    """Shares of a venue's best ones that are not there, while its quote is this."""
    at = row + GONE.venues + MISSING_BYTES * venue
    if get(at, MISSING.until_ns) <= now:
        return 0
    same = get(at, MISSING.price) == price and get(at, MISSING.shown) == shown
    return get(at, MISSING.shares) if same else 0


@njit(nogil=True)
def quote_taken(router, row):
    """Where a venue shows what a child, by its row, takes; 0 where it shows nothing."""
    quotes = get(venue_row(router, get(row, CHILD.venue)), VENUE.quotes)
    if quotes < 0 or get(router, HEAD.market) == 0:
        return 0
    side = 1 if get(row, CHILD.side) == BUY else 0
    quote = quotes_of(get(router, HEAD.market), get(row, CHILD.instrument)) + QUOTE_BYTES * quotes
    return quote + QUOTE_SHOWN + 16 * side


@njit(nogil=True)
def note_seen(router, child):
    """Keeps what a new order that takes has seen at its venue."""
    row = child_row(router, child)
    shown = quote_taken(router, row)
    if shown != 0:
        put(row, CHILD.seen_price, load_i64le(shown))
        put(row, CHILD.seen_shares, load_i64le(shown + 8))


@njit(nogil=True)
def note_gone(router, child, now):
    """An order that takes is over: what it asked for is gone, if the quote still stands."""
    row = child_row(router, child)
    shown = quote_taken(router, row)
    if get(row, CHILD.flags) & TAKES == 0 or shown == 0 or get(row, CHILD.heard_ns) == 0:
        return
    price, shares = load_i64le(shown), load_i64le(shown + 8)
    if price != get(row, CHILD.seen_price) or shares != get(row, CHILD.seen_shares):
        return
    side, venue = 1 if get(row, CHILD.side) == BUY else 0, get(row, CHILD.venue)
    gone = gone_row(router, get(row, CHILD.instrument), side)
    before = missing_shares(gone, venue, price, shares, now)
    at = gone + GONE.venues + MISSING_BYTES * venue
    put(at, MISSING.shares, before + get(row, CHILD.quantity))
    put(at, MISSING.until_ns, now + GONE_NS)
    put(at, MISSING.price, price)
    put(at, MISSING.shown, shares)
    put(gone, GONE.until_ns, now + GONE_NS)
