"""How long orders lived in a venue's public events, and how they ended."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ADD, DELETE, EXECUTE, EXECUTE_PRICE, MODIFY, REDUCE, REPLACE

KINDS: Final = (ADD, DELETE, EXECUTE, EXECUTE_PRICE, REDUCE, REPLACE, MODIFY)
COLUMNS: Final = ["kind", "order_id", "quantity", "aux", "time_ns"]


class Lifetimes:
    """Lives of one order in `sample`; that many ids are enough, and the others cost nothing.

    Attributes:
        canceled, executed: ns from an order's entry to its end.
    """

    def __init__(self, sample: int = 4) -> None:
        self.sample = sample
        self.canceled: list[int] = []
        self.executed: list[int] = []
        self._open: dict[int, list[int]] = {}  # entry time and open shares by order

    def take(self, events: NDArray[np.void]) -> None:
        """Follows ACTION_DTYPE records of one venue, in order."""
        kinds, sampled = events["kind"], events["order_id"] % self.sample == 0
        entering = (kinds == REPLACE) & (events["aux"] % self.sample == 0)
        chosen = events[(sampled & np.isin(kinds, KINDS)) | entering]
        for kind, order, quantity, other, time_ns in chosen[COLUMNS].tolist():
            self._one(kind, order, quantity, other, time_ns)

    def _one(self, kind: int, order: int, quantity: int, other: int, time_ns: int) -> None:
        if kind == ADD:
            self._open[order] = [time_ns, quantity]
            return
        if kind == REPLACE and other % self.sample == 0:
            self._open[other] = [time_ns, quantity]
        found = self._open.get(order)
        if found is None:
            return
        if kind == MODIFY:
            found[1] = quantity
        elif kind in (DELETE, REPLACE):
            del self._open[order]
            if kind == DELETE:
                self.canceled.append(time_ns - found[0])
        else:
            found[1] -= quantity
            if found[1] <= 0:
                del self._open[order]
                ended = self.canceled if kind == REDUCE else self.executed
                ended.append(time_ns - found[0])
