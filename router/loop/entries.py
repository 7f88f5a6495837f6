"""The loop's kernels that the control side calls while the loop stands still."""

from __future__ import annotations

from numba import njit

from router.loop.timers import note_due
from router.loop.work import note_placed, remind
from router.rows import get, parent_row
from router.tables import PARENT


@njit(nogil=True, cache=True)
def ready(router):
    """Makes fresh tables ready for the loop: nothing is due."""
    note_due(router)


@njit(nogil=True, cache=True)
def place(router, parent):
    """A parent whose row was written waits for its time."""
    note_placed(router, parent)
    remind(router, parent, get(parent_row(router, parent), PARENT.start_ns))
