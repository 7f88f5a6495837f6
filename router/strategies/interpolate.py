"""Points of a curve and what lies between them, in integers.

Products of a part (below 2^30) and a time (below 2^47 ns) do not fit in 64 bits: `scaled` divides
them in two steps, as one does with long division, and loses nothing.
"""

from __future__ import annotations

from numba import njit

from router.rows import get
from router.strategies.curves import CURVE, CURVE_BYTES
from router.tables import HEAD, PART


@njit(nogil=True)
def curve_row(router, number):
    """Where a curve is."""
    return get(router, HEAD.curves) + CURVE_BYTES * number


@njit(nogil=True)
def scaled(part, value, whole):
    """part * value / whole, rounded down: part below 2^30, value and whole below 2^47.

    The result must stay below 2^62.
    """
    high, low = part >> 15, part & 0x7FFF
    upper = high * value
    return (upper // whole << 15) + ((upper % whole << 15) + low * value) // whole


@njit(nogil=True, forceinline=True)
def time_at(curve, point):
    """Time of a point, ns from the beginning."""
    return get(curve, CURVE.times + 8 * point)


@njit(nogil=True, forceinline=True)
def part_at(curve, point):
    """Part of a point, 1e-9."""
    return get(curve, CURVE.parts + 8 * point)


@njit(nogil=True)
def span_of(curve):
    """Time of the last point."""
    return time_at(curve, get(curve, CURVE.points) - 1)


@njit(nogil=True)
def point_before(curve, field, value):
    """The last point with a time (or part: the field's offset) not above a value; not the last."""
    low, high = 0, get(curve, CURVE.points) - 1
    while high - low > 1:
        middle = (low + high) >> 1
        if get(curve, field + 8 * middle) <= value:
            low = middle
        else:
            high = middle
    return low


@njit(nogil=True)
def part_by(curve, offset_ns):
    """What part is to be done by a time, 1e-9 rounded down: from 0 to PART, never falling."""
    if offset_ns <= 0:
        return 0
    if offset_ns >= span_of(curve):
        return PART
    point = point_before(curve, CURVE.times, offset_ns)
    since, begun = time_at(curve, point), part_at(curve, point)
    rise = part_at(curve, point + 1) - begun
    return begun + scaled(rise, offset_ns - since, time_at(curve, point + 1) - since)


@njit(nogil=True)
def time_of(curve, part):
    """The first time at which `part_by` is at least a part; its span for PART and above."""
    if part <= 0:
        return 0
    point = point_before(curve, CURVE.parts, part - 1)
    since, begun = time_at(curve, point), part_at(curve, point)
    length, rise = time_at(curve, point + 1) - since, part_at(curve, point + 1) - begun
    wanted = part - begun
    if wanted >= rise:
        return since + length
    ns = scaled(wanted, length, rise)
    return since + ns + (1 if scaled(rise, ns, length) < wanted else 0)
