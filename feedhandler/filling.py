"""A loop that is stepped from outside gives the control side its turn before a table is full.

Tables of books grow beside a running loop (`feedhandler.books.grower`). Where the loop is stepped,
so many rounds at a time, what comes in one step could fill a small table between two looks. So it
ends a step early when a table of orders is half full, with its round: that is by what came, not by
a clock, and where steps end changes nothing.
"""

from __future__ import annotations

from numba import njit

from feedhandler.books.layout import LIVE_ORDERS, MOST_ORDERS
from feedhandler.context import BOOK, VENUE, get
from feedhandler.handler import context_of
from feedhandler.state import CHANNEL_COUNT, ROUND_LIMIT
from feedhandler.strict import flush_strict
from nic.raw import load_i64le, store_u64le

FULL = 0.5  # of a table of orders, from which on a stepped loop waits for a larger one


@njit(nogil=True)
def is_filling(state):
    """Whether some channel's books have a table of orders that is half full."""
    for channel in range(load_i64le(state + CHANNEL_COUNT)):
        context = context_of(state, channel)
        if context == state:  # a channel that is counted, not decoded
            continue
        row = get(context, VENUE)
        book = load_i64le(row) if row != 0 else get(context, BOOK)
        if book != 0 and 2 * load_i64le(book + LIVE_ORDERS) > load_i64le(book + MOST_ORDERS):
            return True
    return False


@njit(nogil=True)
def flush_filling(state, packet_count):
    """The end of a burst: ends a step where a table is filling up; as `flush_strict` otherwise."""
    if load_i64le(state + ROUND_LIMIT) != 0 and is_filling(state):
        store_u64le(state + ROUND_LIMIT, 1)
    return flush_strict(state, packet_count)
