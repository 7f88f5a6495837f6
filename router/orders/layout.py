"""The table of executions as they are booked, and what it needs in a router's memory.

`RouterTables(sizes, more=order_sections(sizes))` has all that the kernels of this folder touch.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from nic.block import offsets_of
from router.tablespace import Sizes

FILL_DTYPE: Final = np.dtype(
    [
        ("execution", "i8"),  # the venue's id
        ("child", "i8"),
        ("shares", "i8"),  # as booked now: 0 once busted
        ("price", "i8"),
        ("fee", "i8"),
        ("liquidity", "i8"),  # of router.tables.LIQUIDITY
        ("time_ns", "i8"),
        ("busted", "i8"),  # 1: taken back
    ]
)
FILL: Final = offsets_of(FILL_DTYPE)
FILL_BYTES: Final = FILL_DTYPE.itemsize
assert FILL_BYTES == 64


def most_fills(slots: int) -> int:
    """How many executions a hash set of so many slots takes: three quarters of them."""
    return slots // 4 * 3


def order_sections(sizes: Sizes) -> list[tuple[str, np.dtype[Any], int]]:
    """The sections that order state has beside the router's own tables."""
    return [("fills", FILL_DTYPE, most_fills(sizes.executions) + 1)]
