"""The work on one parent: what is due by its strategy, where to send it, through the gate.

A parent is looked at when its instrument's quotes change, when something is heard of a child, when
its time has come and when someone says so. All of it is one pass; nothing in it waits.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from nic.raw import load_i32le
from router.intents import want_cancel
from router.loop.gate import gate
from router.loop.stages import ROUTE, end_stage
from router.loop.timers import set_timer
from router.rows import child_row, get, parent_row, put
from router.tables import CHILD, DARK, DARK_FIRST, HEAD, PARENT, PARENT_TIMER, PASSIVE, PLAN, TAKE, TAKES

SUSPENDING_REFUSALS: Final = 20  # of a parent's orders by the gate, in a row


@njit(nogil=True)
def remind(router, parent, due_ns):
    """Looks at a parent again then, unless it is looked at sooner anyway."""
    row = parent_row(router, parent)
    set_for = get(row, PARENT.next_ns)
    if due_ns != 0 and (set_for == 0 or due_ns < set_for):
        put(row, PARENT.next_ns, due_ns)
        set_timer(router, due_ns, PARENT_TIMER, parent)


@njit(nogil=True)
def cancel_open(router, parent, passive_only):
    """Wants the open children of a parent canceled; how many are still open afterwards.

    Those that take, or are in the dark, end by themselves: with `passive_only` they are left.
    """
    child, still = get(parent_row(router, parent), PARENT.first_open), 0
    while child != 0:
        row = child_row(router, child)
        still += 1
        leaves = passive_only != 0 and get(row, CHILD.flags) & (TAKES | DARK) != 0
        if not leaves and can_be_canceled(get(row, CHILD.state)):
            want_cancel(router, child, get(row, CHILD.decision))
        child = get(row, CHILD.next_sibling)
    return still
