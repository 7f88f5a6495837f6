"""Schedules: how much of a parent is to be done by when, as curves beside the parents' table.

A curve is a rising line of points (ns from the parent's start, part of the whole in 1e-9) from
(0, 0) to (its span, PART), with the settings that its strategy has beside the parameters of the
parent. Row 0 is no curve: there the control side counts the rows that it has given out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from nic.block import offsets_of

MOST_POINTS: Final = 128
MOST_SPAN_NS: Final = 86_400 * 1_000_000_000  # a day: products with fractions stay in 64 bits
MOST_SHARES: Final = (1 << 31) - 1  # of a parent

CURVE_DTYPE: Final = np.dtype(
    [
        ("points", "i8"),  # in use
        ("slices", "i8"),  # equal parts of the time
        ("jitter", "i8"),  # 1e-9 of a slice that its beginning may move by, half to either side
        ("tolerance", "i8"),  # 1e-9 of the quantity that may be missing before it is taken
        ("lot", "i8"),  # what is due is rounded down to so many shares, but for the last
        ("most", "i8"),  # shares to have open at once; 0: any number
        ("interval_ns", "i8"),  # between two looks
        ("unused", "i8", (7,)),
        ("used_curves", "i8"),  # of row 0: rows given out
        ("used_parents", "i8"),  # of row 0: rows of the parents' table given out
        ("times", "i8", (MOST_POINTS,)),
        ("parts", "i8", (MOST_POINTS,)),
    ]
)
CURVE_BYTES: Final = CURVE_DTYPE.itemsize
CURVE: Final = offsets_of(CURVE_DTYPE)


def curve_sections(count: int) -> list[tuple[str, np.dtype[Any], int]]:
    """The table's section of a block, with room for numbers 1 to `count`."""
    return [("curves", CURVE_DTYPE, count + 1)]
