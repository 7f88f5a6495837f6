"""Stopping at the first impossible input: looked for behind a burst, and only on request."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.books.layout import FAULT_NAMES, FAULTS
from feedhandler.booksink import FAULTS_SEEN, SINK_AT
from feedhandler.context import BOOK, VENUE, get
from feedhandler.handler import batch_of, context_of
from feedhandler.state import CHANNEL_COUNT, STRICT
from nic.raw import load_i64le, store_u64le

KINDS: Final = len(FAULT_NAMES)


@njit(nogil=True)
def faults_of_books(state):
    """Impossible inputs of all channels' books; books of several channels count several times."""
    total = 0
    for channel in range(load_i64le(state + CHANNEL_COUNT)):
        context = context_of(state, channel)
        if context == np.int64(state):  # a channel that is counted, not decoded
            continue
        row = get(context, VENUE)
        book = load_i64le(row) if row != 0 else get(context, BOOK)
        if book != 0:
            for kind in range(KINDS):
                total += load_i64le(book + FAULTS + 8 * kind)
    return total


@njit(nogil=True)
def flush_strict(state, packet_count):
    """1 when a strict loop has met an impossible input since it last looked, else 0."""
    if load_i64le(state + STRICT) == 0:
        return np.int64(0)
    sink = batch_of(state) + SINK_AT
    faults = faults_of_books(state)
    if faults == load_i64le(sink + FAULTS_SEEN):
        return np.int64(0)
    store_u64le(sink + FAULTS_SEEN, faults)
    return np.int64(1)
