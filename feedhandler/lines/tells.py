"""What arbitration tells the books: stale, live again, empty, and what to make of messages."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.bookhandler import apply_waiting
from feedhandler.books.keys import instrument_of
from feedhandler.books.layout import APPLY, TOP_FAULT
from feedhandler.books.tops import top_address
from feedhandler.books.trust import (
    forget_marks,
    mark_empty,
    marked_live,
    mend_unit,
    set_mark,
    unit_again,
    unit_live,
    unit_stale,
    unmarked,
)
from feedhandler.books.whole import clear_instrument, clear_unit
from feedhandler.context import BOOK, UNIT, get
from feedhandler.handler import batch_of, context_of
from feedhandler.lines.asides import (
    aside,
    back,
    image_actions,
    mark_instrument,
    refresh_instruments,
    replay_actions,
)
from feedhandler.lines.layout import (
    KEY,
    KEYED,
    TELL_AGAIN,
    TELL_ASIDE,
    TELL_CLEAR,
    TELL_EMPTY,
    TELL_EMPTY_RIGHT,
    TELL_FORGET,
    TELL_IMAGE,
    TELL_LIVE,
    TELL_MARK,
    TELL_MARKED,
    TELL_REFRESH,
    TELL_REPLAY,
    TELL_STALE,
    TELL_UNMARKED,
    TOLD,
)
from feedhandler.lines.layout import UNIT as STREAM_UNIT
from nic.call import call_release as call_apply  # a function of the same form
from nic.raw import load_i64le, store_u8


@njit(nogil=True)
def unit_of(context, stream):
    """The unit as the books know it."""
    unit = get(stream, STREAM_UNIT)
    return unit if unit != 0 else get(context, UNIT)


@njit(nogil=True)
def empty_books(book, unit, stream, timestamp_ns):
    """An image begins: its books are emptied, and their faults and marks go with what they had."""
    if get(stream, KEYED) == 0:
        clear_unit(book, unit, timestamp_ns)
        mend_unit(book, unit, False)
        forget_marks(book, unit)
        return
    instrument = instrument_of(book, get(stream, KEY))
    if instrument >= 0:
        clear_instrument(book, instrument, timestamp_ns)
        set_mark(book, instrument, 0)
        store_u8(top_address(book, instrument) + TOP_FAULT, 0)


@njit(nogil=True)
def tell_trust(book, unit, stream, what, timestamp_ns):
    """What concerns whole books."""
    if what == TELL_CLEAR:
        clear_unit(book, unit, timestamp_ns)
        mend_unit(book, unit, get(stream, TOLD) == 0)
        forget_marks(book, unit)
    elif what == TELL_STALE:
        unit_stale(book, unit)
    elif what == TELL_LIVE:
        unit_live(book, unit)
    elif what == TELL_AGAIN:
        unit_again(book, unit)
    elif what == TELL_MARKED:
        marked_live(book, unit)
    elif what == TELL_FORGET:
        forget_marks(book, unit)
    elif what == TELL_EMPTY:
        empty_books(book, unit, stream, timestamp_ns)
    elif what == TELL_MARK:
        mark_instrument(book, unit, stream)
    elif what == TELL_EMPTY_RIGHT:
        mark_empty(book, unit)
    elif what == TELL_UNMARKED:
        return unmarked(book, unit)
    return 0


@njit(nogil=True)
def tell_books(state, channel, stream, what, timestamp_ns):
    """Tells the channel's books, behind all actions that still wait for them.

    TELL_IMAGE gives below 0 when the image cannot be, TELL_UNMARKED a number, the others 0.
    """
    context = context_of(np.uint64(state), channel)
    if what == TELL_ASIDE:
        apply_waiting(np.uint64(state))
        return aside(context, stream)
    batch, made = batch_of(state), np.int64(0)
    if what == TELL_IMAGE or what == TELL_REPLAY or what == TELL_REFRESH:
        made = back(context, stream)
    else:
        apply_waiting(np.uint64(state))
    book = get(context, BOOK)
    if book == 0:
        return 0
    unit = unit_of(context, stream)
    if what == TELL_IMAGE:
        return image_actions(context, book, unit, stream, batch, made)
    if what == TELL_REPLAY:
        replay_actions(book, unit, stream, batch, made)
        return 0
    if what == TELL_REFRESH:
        if made > 0:
            call_apply(load_i64le(book + APPLY), book, batch, made)
        refresh_instruments(book, stream, batch, made)
        return 0
    return tell_trust(book, unit, stream, what, timestamp_ns)
