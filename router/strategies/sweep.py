"""Sweep: take what the market offers within the limit.

A DAY parent takes again whenever there is more; an IOC parent gives up what its first sweep did not
get, once none of its orders is open.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from router.rows import get, put
from router.strategies.answer import NEVER, answer, give_up
from router.tables import IOC, PARENT, TAKE

# Phases.
FRESH: Final = 0
SWEPT: Final = 1


@njit(nogil=True)
def sweep(row, left, now, plan):
    """Writes what a sweeping parent with so many shares left wants."""
    if get(row, PARENT.tif) != IOC:
        answer(plan, row, TAKE, left, get(row, PARENT.end_ns), 0)
    elif get(row, PARENT.phase) == FRESH:
        put(row, PARENT.phase, SWEPT)
        answer(plan, row, TAKE, left, now, 0)  # again at once: a sweep that found nothing is over
    elif get(row, PARENT.open_children) != 0:
        answer(plan, row, TAKE, min(left, get(row, PARENT.open)), NEVER, 0)
    else:
        give_up(plan, row)
