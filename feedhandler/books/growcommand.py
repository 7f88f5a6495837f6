"""The command that moves books into larger tables."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.messages import GROW_REFUSED, GROWN, publish_event
from nic.call import call_rx_burst as call_grow  # a function of the same form
from nic.raw import load_i64le


@njit(nogil=True)
def grow(state, record):
    """Takes a GROW command and says in an event what came of it.

    The moving is a function of its own, called by address: what the loop knows of the tables'
    places from before the call is not good behind it.
    """
    now, function = load_i64le(record + 8), load_i64le(record + 16)
    book, growth, generation = (
        load_i64le(record + 24),
        load_i64le(record + 32),
        load_i64le(record + 40),
    )
    orders, levels = load_i64le(record + 48), load_i64le(record + 56)
    done = call_grow(function, book, growth, generation)
    kind = GROWN if done != 0 else GROW_REFUSED
    publish_event(state, kind, now, book, generation, orders, levels)
    return np.int64(1)
