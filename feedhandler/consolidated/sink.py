"""Books and the consolidated book behind them as the sink of a packet's actions.

Each packet is applied as soon as it is decoded: what the market says after a packet does not depend
on where a burst was cut. A packet with many messages still has its memory asked for together.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.books.staged import apply_staged
from feedhandler.consolidated.follow import after, before, follow_all
from feedhandler.consolidated.layout import VENUE_MARKET, VENUE_NUMBER
from feedhandler.context import CAPTURE_NS, VENUE, get
from feedhandler.handler import batch_of, context_of
from feedhandler.lines.asides import back, refresh_instruments
from feedhandler.lines.layout import TELL_MARKED, TELL_REFRESH
from feedhandler.lines.tells import tell_books
from nic.raw import load_i64le


@njit(nogil=True)
def apply_packet(market, venue, book, actions, count, time_ns):
    """A packet's actions into a venue's books, and what they changed into the market."""
    before(market, book, actions, count)
    apply_staged(book, actions, count)
    after(market, venue, book, actions, count, time_ns)


@njit(nogil=True)
def consolidate(context, actions, count):
    """A packet's actions into the books and the market of its channel's venue."""
    row = get(context, VENUE)
    if row == 0 or count == 0:
        return
    market, venue = load_i64le(row + VENUE_MARKET), load_i64le(row + VENUE_NUMBER)
    apply_packet(market, venue, load_i64le(row), actions, count, get(context, CAPTURE_NS))


@njit(nogil=True)
def refresh_market(market, venue, book, stream, actions, count, time_ns):
    """A packet of messages that say everything of their instruments, and what that changed."""
    before(market, book, actions, count)
    apply_staged(book, actions, count)
    refresh_instruments(book, stream, actions, count)
    after(market, venue, book, actions, count, time_ns)


@njit(nogil=True)
def tell_market(state, channel, stream, what, timestamp_ns):
    """What arbitration tells: the channel's books first, then the market what became of them.

    Parts of images and what is replayed behind them go into stale books: the market hears of all at
    once when they are live.
    """
    context = context_of(np.uint64(state), channel)
    if what == TELL_REFRESH:
        made, row = back(context, stream), get(context, VENUE)
        if row != 0 and made > 0:
            market, venue = load_i64le(row + VENUE_MARKET), load_i64le(row + VENUE_NUMBER)
            actions = batch_of(state)
            refresh_market(market, venue, load_i64le(row), stream, actions, made, timestamp_ns)
        return 0
    answer = tell_books(state, channel, stream, what, timestamp_ns)
    row = get(context, VENUE)
    if row != 0 and what <= TELL_MARKED:
        market, venue = load_i64le(row + VENUE_MARKET), load_i64le(row + VENUE_NUMBER)
        follow_all(market, venue, load_i64le(row), timestamp_ns)
    return answer
