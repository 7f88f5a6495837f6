"""Schedules (TWAP, VWAP, implementation shortfall): a curve says how much is to be done by when.

The time is cut into equal slices. In each, what is due by its end rests in the market; what is
missing against the curve by more than the tolerance is taken. The last stretch (FINISH_NS) takes
all that is left. Beginnings of slices may move by a jitter, so that nobody can tell the clock by
them: a hash of the head's seed, the parent's number and the slice, the same every time.

A parent that came when its schedule had begun goes by the rest of the curve, stretched to the
whole.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from nic.raw import wrapping_product
from router.rows import get
from router.strategies.answer import NEVER, answer, finish_of, give_up, in_lots, parameter, sooner
from router.strategies.curves import CURVE
from router.strategies.interpolate import curve_row, part_by, scaled, span_of, time_of
from router.strategies.post import FINISH_NS
from router.tables import HEAD, PARENT, PART, PASSIVE, TAKE, WAIT

HASH_BITS: Final = 29
FIRST_FACTOR: Final = 0x7F4A7C15_9E3779B1  # odd
SECOND_FACTOR: Final = 0x1CE4E5B9_BF58476D  # odd


@njit(nogil=True)
def drawn(seed, parent, slice_number):
    """A number of HASH_BITS bits, the same for the same seed, parent and slice."""
    mixed = wrapping_product(seed ^ (parent << 20) ^ slice_number, FIRST_FACTOR)
    mixed = wrapping_product(mixed ^ (mixed >> 31), SECOND_FACTOR)
    mixed = wrapping_product(mixed ^ (mixed >> 27), FIRST_FACTOR)
    return (mixed >> 33) & ((1 << HASH_BITS) - 1)


@njit(nogil=True)
def edge(router, parent, curve, number):
    """Where a slice begins, ns from the start; that of the slice behind the last is the span."""
    span, slices = span_of(curve), get(curve, CURVE.slices)
    nominal = scaled(number, span, slices)
    width = scaled(get(curve, CURVE.jitter), span // slices, PART)
    if width == 0 or number <= 0 or number >= slices:
        return nominal
    moved = scaled(drawn(get(router, HEAD.seed), parent, number), width, 1 << HASH_BITS)
    return nominal - width // 2 + moved


@njit(nogil=True)
def slice_at(router, parent, curve, offset_ns):
    """The slice that a time within the span falls into, from 0."""
    slices = get(curve, CURVE.slices)
    number = min(scaled(slices, offset_ns, span_of(curve)), slices - 1)
    if offset_ns < edge(router, parent, curve, number):
        return number - 1
    if number + 1 < slices and offset_ns >= edge(router, parent, curve, number + 1):
        return number + 1
    return number


@njit(nogil=True)
def missed(row, curve):
    """The part of the curve that was over when the parent came."""
    return part_by(curve, get(row, PARENT.arrived_ns) - get(row, PARENT.start_ns))


@njit(nogil=True)
def due_by(row, curve, offset_ns):
    """Shares to be done by a time, rounded down."""
    quantity, before = get(row, PARENT.quantity), missed(row, curve)
    if before >= PART:
        return quantity
    return quantity * max(part_by(curve, offset_ns) - before, 0) // (PART - before)


@njit(nogil=True)
def when_due(row, curve, shares):
    """The first time by which so many shares are due, ns from the start."""
    before = missed(row, curve)
    rest = shares * (PART - before)
    quantity = get(row, PARENT.quantity)
    return time_of(curve, before + (rest + quantity - 1) // quantity)


@njit(nogil=True)
def allowance(row, curve):
    """Shares that may be missing against the curve."""
    return get(row, PARENT.quantity) * get(curve, CURVE.tolerance) // PART


@njit(nogil=True)
def when_behind(row, curve):
    """When what is done now is behind by too much, ns from the start; 0: never."""
    quantity, cum, lot = get(row, PARENT.quantity), get(row, PARENT.cum), get(curve, CURVE.lot)
    a_lot_more = min(cum - cum % lot + lot, quantity)
    shares = max(cum + allowance(row, curve) + 1, a_lot_more)
    return when_due(row, curve, shares) if shares <= quantity else NEVER


@njit(nogil=True)
def follow(router, row, parent, left, now, plan):
    """Writes what a parent on a schedule wants, with so many shares left."""
    curve = curve_row(router, get(row, PARENT.curve))
    start, end = get(row, PARENT.start_ns), get(row, PARENT.end_ns)
    offset = now - start
    if offset >= span_of(curve):
        give_up(plan, row)
        return
    finish = finish_of(row, parameter(row, FINISH_NS))
    if finish != NEVER and now >= finish:
        answer(plan, row, TAKE, left, end, 0)
        return
    number = slice_at(router, parent, curve, offset)
    next_ns = sooner(start + edge(router, parent, curve, number + 1), sooner(finish, end))
    cum, quantity, lot = get(row, PARENT.cum), get(row, PARENT.quantity), get(curve, CURVE.lot)
    due = due_by(row, curve, offset)
    missing = in_lots(due, quantity, lot) - cum
    if due - cum > allowance(row, curve) and missing > 0:
        answer(plan, row, TAKE, missing, next_ns, 0)
        return
    behind = when_behind(row, curve)
    if behind > offset:
        next_ns = sooner(next_ns, start + behind)
    by_then = scaled(number + 1, span_of(curve), get(curve, CURVE.slices))
    wanted = in_lots(due_by(row, curve, by_then), quantity, lot) - cum
    answer(plan, row, PASSIVE if wanted > 0 else WAIT, max(wanted, 0), next_ns, 0)
