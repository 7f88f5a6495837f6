"""The loop's kernels that the control side calls while the loop stands still."""

from __future__ import annotations

from numba import njit

from router.loop.timers import note_due
from router.loop.work import remind
from router.orders.states import STATE
from router.rows import get, parent_row, put
from router.tables import HEAD, PARENT


@njit(nogil=True, cache=True)
def ready(router):
    """Makes fresh tables ready for the loop: nothing is due."""
    note_due(router)


@njit(nogil=True, cache=True)
def place(router, parent):
    """A parent whose row was written waits for its time."""
    row = parent_row(router, parent)
    put(row, PARENT.state, STATE.new)
    put(router, HEAD.parent_count, max(get(router, HEAD.parent_count), parent))
    remind(router, parent, get(row, PARENT.start_ns))
