"""A table of symbols for the kernels that take price scales and clocks from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from feedhandler.context import SYMBOL_DTYPE
from feedhandler.prices import multiplier


class Symbols:
    """The table that a channel's context points to.

    Args:
        count: rows; a symbol index at or above it has none.
    """

    def __init__(self, count: int = 8192) -> None:
        self.table = np.zeros(count, SYMBOL_DTYPE)

    def set(self, index: int, decimals: int, system: int) -> None:
        """Maps a symbol as its index mapping message would."""
        self.table[index] = (multiplier(decimals), 1 + system)

    def given(self) -> dict[str, Any]:
        """What `action_rig.run_packet` needs to let kernels use the table."""
        place = {"symbols_address": self.table.ctypes.data, "symbols_count": len(self.table)}
        return {"also": (self.table,), **place}
