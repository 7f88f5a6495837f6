"""Calls from Python into the kernels of timers, log and intents."""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import store_u64le
from router import log
from router.intents import want_cancel, want_order, want_replace
from router.loop.timers import note_due, set_timer, take_timer
from router.risk.collar import within_collars
from router.routing.gone import note_gone, note_seen

WHO_BITS = 32


@njit(nogil=True, cache=True)
def run_note_due(router):
    note_due(router)


@njit(nogil=True, cache=True)
def run_set_timer(router, due_ns, kind, who):
    return np.int64(set_timer(router, due_ns, kind, who))


@njit(nogil=True, cache=True)
def run_take_timer(router):
    """Kind and who of the earliest timer, in one number."""
    kind, who = take_timer(router)
    return kind << WHO_BITS | who


@njit(nogil=True, cache=True)
def run_write(address, kind, now, first):
    """A record of one line; its words are `first` and the five numbers behind it."""
    log.write(address, kind, now, first, first + 1, first + 2, first + 3, first + 4, first + 5)


@njit(nogil=True, cache=True)
def run_write_lines(address, kind, now, lines, first):
    """A record of several lines, all words behind the head filled with numbers from `first` on."""
    line = log.claim(address, kind, lines, now)
    if line == 0:
        return
    for word in range(2, 8 * lines):
        store_u64le(line + 8 * word, first + word - 2)
    log.publish(address, lines)


@njit(nogil=True, cache=True)
def run_want_order(router, parent, venue, quantity, price, tif, flags, decision, send_ns):
    return want_order(router, parent, venue, quantity, price, tif, flags, decision, send_ns)


@njit(nogil=True, cache=True)
def run_want_replace(router, child, quantity, price, decision):
    return want_replace(router, child, quantity, price, decision)


@njit(nogil=True, cache=True)
def run_want_cancel(router, child, decision):
    return want_cancel(router, child, decision)


@njit(nogil=True, cache=True)
def run_note_seen(router, child):
    note_seen(router, child)


@njit(nogil=True, cache=True)
def run_note_gone(router, child, now):
    note_gone(router, child, now)


@njit(nogil=True, cache=True)
def run_within_collars(router, account, instrument, side, limit):
    return np.int64(within_collars(router, account, instrument, side, limit))
