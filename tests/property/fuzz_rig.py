"""Runs a feed's compiled walk over any bytes between two pages that may not be touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from action_rig import entry, faults
from fault_judge import disagreement
from guarded_memory import Guarded

from feedhandler.actions import ACTION_BYTES, ACTION_DTYPE, KINDS
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.feed import Feed
from feedhandler.wire.walk import BATCH
from nic.regions import allowed, reset, violations

ROOM_BYTES = 1 << 16
SYMBOLS = 256
KNOWN_NS = 1_700_000_000_000_000_000


class Fuzzed:
    """A feed's compiled walk with memory of its own; `check` says what is wrong, or None."""

    def __init__(self, feed: Feed) -> None:
        self.feed, self.memory = feed, Guarded(ROOM_BYTES)
        self.out = np.zeros(BATCH, ACTION_DTYPE)
        self.symbols = np.zeros(SYMBOLS, SYMBOL_DTYPE)
        self.symbols["price_multiplier"][::2], self.symbols["clock"][::3] = 100, 2
        self.start = np.zeros(1, CONTEXT_DTYPE)
        self.start["midnight_ns"], self.start["clock_ns"][0][::2] = KNOWN_NS, KNOWN_NS
        self.start["symbols_address"] = self.symbols.ctypes.data
        self.start["symbols_count"] = SYMBOLS
        self.row = self.start.copy()
        self._run = entry(*feed.kernels())

    @contextmanager
    def open(self) -> Iterator[Fuzzed]:
        """Lets the kernels touch what is theirs, for the time of a `with`."""
        with allowed(self.row, self.out, self.symbols):
            yield self

    def _walk(self, address: int, length: int) -> int:
        reset()
        with allowed((address, length)):
            made = self._run(address, length, self.row.ctypes.data, self.out.ctypes.data)
        assert violations().count == 0, violations()
        return int(made)

    def _afresh(self, address: int, length: int) -> bytes:
        """Records and context of a packet by a decoder that has seen none before."""
        self.row[:] = self.start
        made = self._walk(address, length)
        return self.out[:made].tobytes() + self.row.tobytes()

    def in_pieces(self, data: bytes, cuts: list[int]) -> tuple[bytes, int, dict[str, int], bytes]:
        """Records, message count, faults and the rest of a stream that arrives in pieces."""
        self.row[:] = self.start
        records, left = b"", b""
        for start, end in pairwise([0, *cuts, len(data)]):
            left += data[start:end]
            made = self._walk(self.memory.at_end(left), len(left))
            records += self.out[:made].tobytes()
            left = left[int(self.row[0]["consumed"]) :]
        return records, int(self.row[0]["messages"]), faults(self.row[0]), left

    def check(self, data: bytes) -> str | None:
        """What is wrong with the handling of these bytes."""
        symbols = self.symbols.copy()
        first = self._afresh(self.memory.at_start(data), len(data))
        self.symbols[:] = symbols
        if self._afresh(self.memory.at_end(data), len(data)) != first:
            return "the result hangs on what lies around the packet"
        self.symbols[:] = symbols
        made = (len(first) - self.row.nbytes) // ACTION_BYTES
        if not all(0 < kind < len(KINDS) for kind in set(self.out["kind"][:made].tolist())):
            return "a record that is no action"
        row = self.row[0]
        if self.feed.transport.stream and not 0 <= row["consumed"] <= len(data):
            return f"consumed {row['consumed']} of {len(data)} bytes"
        return disagreement(self.feed, data, int(row["messages"]), faults(row))
