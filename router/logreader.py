"""Reading the router's log from the control side, while the loop writes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nic.block import Block
from router import log

MOST_LINES: Final = 1 << 15  # of one record: the count has 16 bits


class Record(NamedTuple):
    """One record of the log.

    Attributes:
        kind: PAD to COMMAND of `router.log`; pads are never given.
        time_ns: of the event it belongs to.
        words: the six of its first line.
        more: the bytes of its further lines.
    """

    kind: int
    time_ns: int
    words: tuple[int, ...]
    more: bytes


def log_sections(line_count: int) -> list[tuple[str, np.dtype[Any], int]]:
    """What a log is in a block. Raises ValueError where the count is no power of two."""
    if line_count < 2 or line_count & (line_count - 1):
        raise ValueError(f"log of {line_count} lines: expected a power of two")
    return [("log", log.LOG_DTYPE, 1), ("lines", log.FIRST_DTYPE, line_count)]


def open_log(block: Block) -> int:
    """Makes the log of a fresh block ready; the address for kernels."""
    row, lines = block["log"][0], block["lines"]
    row["lines"], row["line_count"] = block.section_address("lines"), len(lines)
    return block.section_address("log")


class LogReader:
    """The one consumer of a log.

    Attributes:
        lost: records that are known to be missing.
    """

    def __init__(self, block: Block) -> None:
        self._row, self._lines = block["log"], block["lines"]
        self.lost = 0

    def read(self) -> Iterator[Record]:
        """What has been written since; the room of each record is given back behind it."""
        mask = len(self._lines) - 1
        at, end = int(self._row["read"][0]), int(self._row["written"][0])
        while at < end:
            line = at & mask
            first: NDArray[np.void] = self._lines[line]
            count, kind = int(first["lines"]), int(first["kind"])
            if kind != log.PAD:
                words = tuple(first["words"].tolist())
                more = self._lines[line + 1 : line + count].tobytes()
                if kind == log.LOST:
                    self.lost += words[0]
                yield Record(kind, int(first["time_ns"]), words, more)
            at += count
            self._row["read"] = at
