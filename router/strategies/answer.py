"""What a strategy says: one PLAN row, and small steps that strategies share."""

from __future__ import annotations

from typing import Final

from numba import njit

from router.rows import get, put
from router.tables import PARENT, PLAN, WAIT

NEVER: Final = 0  # of times in a plan

PARAMETERS: Final = int(PARENT.parameters)
MEMORY: Final = int(PARENT.memory)


@njit(nogil=True)
def answer(plan, row, style, quantity, next_ns, done):
    """Fills a plan; the limit is the parent's, everything is shown."""
    put(plan, PLAN.style, style)
    put(plan, PLAN.quantity, quantity)
    put(plan, PLAN.limit, get(row, PARENT.limit))
    put(plan, PLAN.shown, 0)
    put(plan, PLAN.next_ns, next_ns)
    put(plan, PLAN.done, done)


@njit(nogil=True)
def give_up(plan, row):
    """What is left is not wanted any more."""
    answer(plan, row, WAIT, 0, NEVER, 1)


@njit(nogil=True, forceinline=True)
def parameter(row, place):
    """A parameter of a parent, by its place."""
    return get(row, PARAMETERS + 8 * place)


@njit(nogil=True, forceinline=True)
def remembered(row, place):
    """A word of a parent's memory."""
    return get(row, MEMORY + 8 * place)


@njit(nogil=True, forceinline=True)
def remember(row, place, value):
    """Sets a word of a parent's memory."""
    put(row, MEMORY + 8 * place, value)


@njit(nogil=True, forceinline=True)
def sooner(one, other):
    """The earlier of two times, where 0 is never."""
    if one == NEVER or (other != NEVER and other < one):
        return other
    return one


@njit(nogil=True, forceinline=True)
def begin_of(row):
    """When the parent's time began: at its start, or when it came if that was later."""
    return max(get(row, PARENT.start_ns), get(row, PARENT.arrived_ns))


@njit(nogil=True, forceinline=True)
def finish_of(row, finish_ns):
    """From when on what is left is taken before the end; 0: never."""
    end = get(row, PARENT.end_ns)
    return end - finish_ns if end != 0 and finish_ns != 0 else NEVER


@njit(nogil=True, forceinline=True)
def in_lots(shares, quantity, lot):
    """Shares rounded down to lots, but for the whole quantity."""
    return quantity if shares >= quantity else shares - shares % lot
