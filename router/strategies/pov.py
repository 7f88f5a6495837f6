"""POV: a part of the volume, its own executions counted out.

Of a volume V of others a rate r is kept by r / (1 - r) * V shares of ours: then ours are r of all.
What is due rests in the market, and is taken where more than the tolerance is missing. It ends at
its end, done or not.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from router.routing.parameters import OWN_FIRST
from router.rows import get, instrument_row
from router.strategies.answer import answer, in_lots, parameter, sooner
from router.strategies.curves import CURVE
from router.strategies.interpolate import curve_row, scaled
from router.tables import INSTRUMENT, PARENT, PART, PASSIVE, TAKE, WAIT

RATE: Final = OWN_FIRST  # parameter: 1e-9 of all volume
MOST_VOLUME: Final = (1 << 47) - 1


@njit(nogil=True)
def others_volume(router, row):
    """Shares that others have traded since the parent came."""
    instrument = instrument_row(router, get(row, PARENT.instrument))
    volume = get(instrument, INSTRUMENT.volume) - get(row, PARENT.arrival_volume)
    return min(max(volume - get(row, PARENT.cum), 0), MOST_VOLUME)


@njit(nogil=True)
def pov(router, row, left, now, plan):
    """Writes what such a parent with so many shares left wants."""
    curve, rate = curve_row(router, get(row, PARENT.curve)), parameter(row, RATE)
    quantity, most = get(row, PARENT.quantity), get(curve, CURVE.most)
    target = scaled(rate, others_volume(router, row), PART - rate)
    due = max(in_lots(target, quantity, get(curve, CURVE.lot)) - get(row, PARENT.cum), 0)
    style = PASSIVE if due > 0 else WAIT
    if due > quantity * get(curve, CURVE.tolerance) // PART:
        style = TAKE
    if most != 0:
        due = min(due, most)
    next_ns = sooner(now + get(curve, CURVE.interval_ns), get(row, PARENT.end_ns))
    answer(plan, row, style, min(due, left), next_ns, 0)
