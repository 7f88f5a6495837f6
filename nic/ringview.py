"""The control side's end of a ring: plain Python objects over `nic.ring`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from nic.regions import CHECKED, allowed
from nic.ring import ring_pop, ring_push


class Ring:
    """One ring of a block. A thread may be its producer or its consumer, and only one of each.

    `row` is a one-row array of a `ring_dtype`, for example `block["commands"]`. A ring whose
    `slot_count` is still 0 is set up here.
    """

    def __init__(self, row: np.ndarray[Any, Any]) -> None:
        if row.size != 1 or row.dtype.names is None or "records" not in row.dtype.names:
            raise ValueError(f"expected one row of a ring dtype, found {row.size} of {row.dtype}")
        self._row = row.reshape(1)
        self._record = np.zeros(1, row.dtype["records"].base)
        self._record_address = np.uint64(self._record.ctypes.data)
        self.address = np.uint64(row.ctypes.data)
        self.slot_count = int(row.dtype["records"].shape[0])
        if row.flags.writeable:
            self._row["config"]["slot_count"] = self.slot_count

    def __len__(self) -> int:
        head = int(self._row["consumer"]["head"][0])  # first: no later tail is behind it
        return int(self._row["producer"]["tail"][0]) - head

    @property
    def refused_count(self) -> int:
        """Records that did not fit."""
        return int(self._row["producer"]["refused"][0])

    def push(self, **fields: Any) -> bool:
        """Adds a record with these fields, all others zero. False when the ring is full."""
        self._record[:] = np.zeros((), self._record.dtype)
        for name, value in fields.items():
            self._record[name] = value
        with self._allowed():
            return bool(ring_push(self.address, self._record_address))

    def pop(self) -> np.ndarray[Any, Any] | None:
        """A copy of the oldest record as a one-row array, or None."""
        with self._allowed():
            if not ring_pop(self.address, self._record_address):
                return None
        return self._record.copy()

    def _allowed(self) -> AbstractContextManager[None]:
        return allowed(self._row, self._record) if CHECKED else nullcontext()

    def drain(self) -> Iterator[np.ndarray[Any, Any]]:
        """Every record there is now and until the ring is found empty."""
        while (record := self.pop()) is not None:
            yield record
