"""Dark, then lit: ask the dark venues first, then take what is left where it is shown.

    phase   the plan says                              what leads on
    DARK    DARK_FIRST with what is left               the loop sets DRY; or the patience is over
    DRY     WAIT with 0: nothing may stay open         no child is open any more
    LIT     TAKE with what is left                     the sweep is over: another round, or the last

The loop sets DRY when its step for dark venues has sent nothing and no child is open: they have
nothing more to give. It sets no other phase. A round is one pass through dark and lit; behind the
last an IOC parent gives up, a DAY parent goes on taking whatever is offered.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from router.routing.parameters import OWN_FIRST, PATIENCE_NS
from router.rows import get, put
from router.strategies.answer import NEVER, answer, give_up, parameter, remember, remembered, sooner
from router.tables import DARK_FIRST, IOC, PARENT, TAKE, WAIT

ROUNDS: Final = OWN_FIRST  # parameter: passes through dark and lit; 0 and 1: one

# Phases.
DARK: Final = 0
DRY: Final = 1
LIT: Final = 2

# Memory.
DONE_ROUNDS: Final = 0
SINCE: Final = 1  # when this round in the dark began; 0: it has not


@njit(nogil=True)
def dark_until(row, now):
    """When the patience of this round is over; 0: never."""
    if remembered(row, SINCE) == 0:
        remember(row, SINCE, now)
    patience = parameter(row, PATIENCE_NS)
    return remembered(row, SINCE) + patience if patience != 0 else NEVER


@njit(nogil=True)
def go_on(row):
    """Begins another round if the sweep of this one is over and it was not the last."""
    if get(row, PARENT.phase) != LIT or get(row, PARENT.open_children) != 0:
        return
    rounds = remembered(row, DONE_ROUNDS) + 1
    if rounds < parameter(row, ROUNDS):
        remember(row, DONE_ROUNDS, rounds)
        remember(row, SINCE, 0)
        put(row, PARENT.phase, DARK)


@njit(nogil=True)
def take_the_rest(row, left, plan):
    """What the last round's lit phase says behind its sweep, or while it is open."""
    end = get(row, PARENT.end_ns)
    if get(row, PARENT.tif) != IOC:
        answer(plan, row, TAKE, left, end, 0)
    elif get(row, PARENT.open_children) != 0:
        answer(plan, row, TAKE, min(left, get(row, PARENT.open)), end, 0)
    else:
        give_up(plan, row)


@njit(nogil=True)
def dark_then_lit(row, left, now, plan):
    """Writes what such a parent with so many shares left wants."""
    go_on(row)
    end = get(row, PARENT.end_ns)
    if get(row, PARENT.phase) == DARK:
        until = dark_until(row, now)
        if until == NEVER or now < until:
            answer(plan, row, DARK_FIRST, left, sooner(until, end), 0)
            return
        put(row, PARENT.phase, DRY)
    if get(row, PARENT.phase) == LIT:
        take_the_rest(row, left, plan)
    elif get(row, PARENT.open_children) != 0:
        answer(plan, row, WAIT, 0, end, 0)
    else:
        put(row, PARENT.phase, LIT)
        answer(plan, row, TAKE, left, now, 0)  # again at once: there may be nothing to take
