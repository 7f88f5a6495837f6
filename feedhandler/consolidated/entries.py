"""The consolidated book's kernels as the control side enters them: compiled once, then cached."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.consolidated.best import recompute
from feedhandler.consolidated.follow import follow_all
from feedhandler.consolidated.sink import apply_packet
from nic.ring import copy_record, ring_drop, ring_front
from nic.ringlayout import RECORD_BYTES


@njit(nogil=True, cache=True)
def refresh_all(market, venue, book, time_ns):
    """Brings all instruments of a venue up to date."""
    follow_all(np.int64(market), np.int64(venue), np.int64(book), np.int64(time_ns))


@njit(nogil=True, cache=True)
def refresh_record(market, instrument, time_ns):
    """Brings one instrument's record up to date; gives what changed."""
    return recompute(np.int64(market), np.int64(instrument), np.int64(time_ns))


@njit(nogil=True, cache=True)
def apply_actions(market, venue, book, actions, count, time_ns):
    """`apply_packet` for the control side: `count` ACTION_DTYPE records at `actions`."""
    m, v, b = np.int64(market), np.int64(venue), np.int64(book)
    apply_packet(m, v, b, np.int64(actions), np.int64(count), np.int64(time_ns))


@njit(nogil=True, cache=True)
def drain_ring(ring, out, most):
    """Copies up to `most` records of a ring to `out`, oldest first; how many there were."""
    count = np.int64(0)
    while count < most:
        slot = ring_front(ring)
        if slot == 0:
            break
        copy_record(np.uint64(out) + np.uint64(RECORD_BYTES * count), slot)
        ring_drop(ring)
        count += 1
    return count
