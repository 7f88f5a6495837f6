"""Which orders may be changed: those that a venue has acknowledged and nothing is asked about."""

from __future__ import annotations

from numba import njit

from router.orders.states import STATE
from router.rows import get
from router.tables import CHILD


@njit(nogil=True)
def is_settled(child):
    """Whether an order, by its row, works at its venue and waits for no answer."""
    state = get(child, CHILD.state)
    works = state == STATE.new or state == STATE.partially_filled
    return works and get(child, CHILD.new_token) == 0


@njit(nogil=True)
def is_leaving(child):
    """Whether its cancel is under way."""
    return get(child, CHILD.state) == STATE.pending_cancel
