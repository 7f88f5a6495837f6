"""What every message handler of the loop does around a feed's own kernels.

The feed's kernels are chosen per configuration, see `feedhandler.specialise`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import ACTION_COUNTS, CAPTURE_NS, FEED, MESSAGES, add, get, put
from feedhandler.loop import channel_row
from feedhandler.state import CHANNEL_HANDLER_STATE, HANDLER_OFFSET
from nic.raw import load_i64le, load_u8


@njit(nogil=True)
def context_of(state, channel):
    """Address of a channel's context."""
    return np.int64(state) + load_i64le(channel_row(state, channel) + CHANNEL_HANDLER_STATE)


@njit(nogil=True)
def batch_of(state):
    """Address of the batch that one packet's actions are written to."""
    return np.int64(state) + load_i64le(np.int64(state) + HANDLER_OFFSET)


@njit(nogil=True)
def begin(context, timestamp_ns):
    """Notes the packet's arrival; gives the number of its channel's feed."""
    put(context, CAPTURE_NS, timestamp_ns)
    return get(context, FEED)


@njit(nogil=True)
def messages_so_far(context):
    """Messages decoded by a channel since the start."""
    return get(context, MESSAGES)


@njit(nogil=True)
def count_actions(context, out, made):
    """Counts a packet's actions by kind."""
    for number in range(made):
        add(context, ACTION_COUNTS + 8 * np.int64(load_u8(out + ACTION_BYTES * number)), 1)
