"""What arbitration tells the books: stale, live again, or that all orders are gone."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.bookhandler import apply_waiting
from feedhandler.books.trust import unit_live, unit_stale
from feedhandler.books.whole import clear_unit
from feedhandler.context import BOOK, UNIT, get
from feedhandler.handler import context_of
from feedhandler.lines.layout import TELL_CLEAR, TELL_STALE


@njit(nogil=True)
def tell_books(state, channel, unit, what, timestamp_ns):
    """Tells the channel's books, behind all actions that still wait for them."""
    context = context_of(np.uint64(state), channel)
    book = get(context, BOOK)
    if book == 0:
        return 0
    apply_waiting(np.uint64(state))
    if unit == 0:
        unit = get(context, UNIT)
    if what == TELL_CLEAR:
        clear_unit(book, unit, timestamp_ns)
    elif what == TELL_STALE:
        unit_stale(book, unit)
    else:
        unit_live(book, unit)
    return 0
