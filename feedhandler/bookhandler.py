"""Books as the sink of a packet's actions: collected over a burst, applied in order.

A few actions of several packets wait together, so that the memory of all is asked for before the
first is applied; a lone packet's are applied at the end of its burst, at once. Where a burst was
cut changes nothing: the actions of a book are applied in the order they came.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.books.layout import APPLY
from feedhandler.books.staged import TOGETHER
from feedhandler.booksink import APPLIED, SINK_AT, WAITING, WAITING_BOOK
from feedhandler.context import BOOK, get
from feedhandler.filling import flush_filling
from feedhandler.handler import batch_of
from nic.call import call_release as call_apply  # a function of the same form
from nic.raw import load_i64le, store_u64le


@njit(nogil=True)
def apply_waiting(state):
    """Applies what waits."""
    batch = batch_of(state)
    sink = batch + SINK_AT
    count = load_i64le(sink + WAITING)
    if count != 0:
        book = load_i64le(sink + WAITING_BOOK)
        call_apply(load_i64le(book + APPLY), book, batch, count)
        store_u64le(sink + WAITING, np.int64(0))
        store_u64le(sink + APPLIED, load_i64le(sink + APPLIED) + count)


@njit(nogil=True)
def room_for(state, context):
    """Where the packet's actions go: behind those that wait for the same books."""
    batch = batch_of(state)
    sink = batch + SINK_AT
    if load_i64le(sink + WAITING_BOOK) != get(context, BOOK):
        apply_waiting(state)
        store_u64le(sink + WAITING_BOOK, get(context, BOOK))
    return batch + ACTION_BYTES * load_i64le(sink + WAITING)


@njit(nogil=True)
def collect(state, made):
    """Keeps the packet's actions for the books; enough of them are applied now."""
    sink = batch_of(state) + SINK_AT
    if made == 0 or load_i64le(sink + WAITING_BOOK) == 0:
        return
    waiting = load_i64le(sink + WAITING) + made
    store_u64le(sink + WAITING, waiting)
    if waiting >= TOGETHER:
        apply_waiting(state)


@njit(nogil=True)
def flush_books(state, packet_count):
    """The end of a burst: nothing waits longer. 1 when a strict loop must stop."""
    apply_waiting(state)
    return flush_filling(state, packet_count)
