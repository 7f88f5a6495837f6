"""Time that comes from elsewhere than a channel with lines: packets of others, and ticks."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import get
from feedhandler.lines.layout import EARLIEST
from feedhandler.lines.settle import expire
from feedhandler.state import ARBITER_OFFSET
from nic.raw import load_i64le


@njit(nogil=True)
def expire_due(state, now, deliver, tell):
    """Sees to the streams whose time is over; gives the messages decoded because of it."""
    offset = load_i64le(state + ARBITER_OFFSET)
    if offset == 0 or now < get(state + offset, EARLIEST):
        return 0
    return expire(state, state + offset, now, deliver, tell)
