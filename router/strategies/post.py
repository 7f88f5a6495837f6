"""Post: rest in the market with all of it; taken after a while, or shortly before the end."""

from __future__ import annotations

from typing import Final

from numba import njit

from router.routing.parameters import OWN_FIRST, OWN_SECOND
from router.rows import get, put
from router.strategies.answer import NEVER, answer, begin_of, finish_of, parameter, sooner
from router.tables import PARENT, PASSIVE, PLAN, TAKE

TAKE_AFTER_NS: Final = OWN_FIRST  # parameter: patience; 0: for ever
FINISH_NS: Final = OWN_SECOND  # parameter, of every strategy that ends by taking; 0: it does not


@njit(nogil=True)
def rest(row, left, now, take_at, shown, plan):
    """Rests until a time (0: never), or until the parent's last stretch; takes from then on."""
    take_at = sooner(take_at, finish_of(row, parameter(row, FINISH_NS)))
    end = get(row, PARENT.end_ns)
    if take_at != NEVER and now >= take_at:
        answer(plan, row, TAKE, left, end, 0)
    else:
        answer(plan, row, PASSIVE, left, sooner(take_at, end), 0)
        put(plan, PLAN.shown, shown)


@njit(nogil=True)
def post(row, left, now, plan):
    """Writes what a resting parent with so many shares left wants."""
    patience = parameter(row, TAKE_AFTER_NS)
    rest(row, left, now, begin_of(row) + patience if patience != 0 else NEVER, 0, plan)
