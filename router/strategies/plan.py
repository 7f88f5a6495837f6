"""How much of a parent is due, and how: the one entry to all strategies.

A plan is a function of the parent's row, its curve, its instrument's volume and the time. Nothing
is written but the plan and the parent's `phase` and `memory`.

    style       quantity                                what the loop does
    WAIT        shares that may stay open               cancels what is open beyond
    TAKE        shares to take now                      sweeps; orders that rest are cancelled first
    DARK_FIRST  shares to offer the dark venues         asks them; sets DRY, see dark_then_lit
    PASSIVE     shares to have resting, `shown` of them posts, cancels what is beyond

A quantity is never above what is left, and what is open counts: the same plan said twice sends
nothing twice.
"""

from __future__ import annotations

from numba import njit

from router.rows import get, parent_row
from router.strategies.answer import NEVER, answer, give_up, sooner
from router.strategies.dark_then_lit import dark_then_lit
from router.strategies.iceberg import iceberg
from router.strategies.post import post
from router.strategies.pov import pov
from router.strategies.schedule import follow
from router.strategies.sweep import sweep
from router.tables import (
    DARK_THEN_LIT,
    ICEBERG,
    PARENT,
    POST,
    POV,
    SHORTFALL,
    SWEEP,
    TWAP,
    VWAP,
    WAIT,
)


@njit(nogil=True)
def choose(router, row, parent, left, now, plan):
    """Asks the parent's strategy."""
    strategy = get(row, PARENT.strategy)
    if strategy == SWEEP:
        sweep(row, left, now, plan)
    elif strategy == DARK_THEN_LIT:
        dark_then_lit(row, left, now, plan)
    elif strategy == POST:
        post(row, left, now, plan)
    elif strategy == ICEBERG:
        iceberg(row, left, now, plan)
    elif strategy == POV:
        pov(router, row, left, now, plan)
    elif strategy == TWAP or strategy == VWAP or strategy == SHORTFALL:
        follow(router, row, parent, left, now, plan)
    else:
        give_up(plan, row)


@njit(nogil=True, cache=True)
def plan(router, parent, now, plan_row):
    """Writes into a PLAN row what a parent (its number) wants at a time."""
    row = parent_row(router, parent)
    left = get(row, PARENT.quantity) - get(row, PARENT.cum)
    start, end = get(row, PARENT.start_ns), get(row, PARENT.end_ns)
    if left <= 0:
        answer(plan_row, row, WAIT, 0, NEVER, 0)
    elif end != 0 and now >= end:
        give_up(plan_row, row)
    elif now < start:
        answer(plan_row, row, WAIT, 0, sooner(start, end), 0)
    else:
        choose(router, row, parent, left, now, plan_row)
