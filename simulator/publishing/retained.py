"""The messages that a unit has sent, by sequence: what request servers answer from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


class Retained:
    """Messages by sequence, without their packets.

    Args:
        most: how many are kept at least, the newest ones; None keeps all.
        first: sequence of the first message.

    Attributes:
        first: sequence of the oldest message that is kept.
        next: sequence of the next message that will be sent.
        chunks: the messages themselves, as `append` took them.
    """

    def __init__(self, most: int | None = None, first: int = 1) -> None:
        self.most, self.first, self.next = most, first, first
        self._firsts: list[int] = []
        self.chunks: list[tuple[NDArray[np.void], NDArray[np.uint8]]] = []
        self._starts: list[int] = []  # bytes of all messages before a chunk's
        self._bytes = 0

    def __len__(self) -> int:
        return self.next - self.first

    def append(self, rows: NDArray[np.void], data: NDArray[np.uint8]) -> None:
        """Adds messages: MESSAGE_DTYPE rows whose offsets count in `data`; both are kept."""
        if len(rows) == 0:
            return
        self._firsts.append(self.next)
        self.chunks.append((rows, data))
        self._starts.append(self._bytes)
        self._bytes += int(rows["length"].sum())
        self.next += len(rows)
        while self.most is not None and len(self._firsts) > 1:
            if self.next - self._firsts[1] < self.most:
                break
            del self._firsts[0], self._starts[0], self.chunks[0]
            self.first = self._firsts[0]

    def message(self, sequence: int) -> bytes:
        """One message. Raises KeyError when it is not kept, or not sent yet."""
        if not self.first <= sequence < self.next:
            raise KeyError(f"sequence {sequence}: {self.first} to {self.next - 1} are kept")
        return next(self._from(sequence))

    def messages(self, sequence: int, count: int) -> list[bytes]:
        """Up to `count` messages from a sequence on, as many as are kept there without a gap."""
        if not self.first <= sequence < self.next:
            return []
        found = self._from(sequence)
        return [next(found) for _ in range(min(count, self.next - sequence))]

    def made_ns(self, sequence: int) -> int:
        """When a message that is kept was made, epoch."""
        chunk, place = self._place(sequence)
        return int(self.chunks[chunk][0]["time_ns"][place])

    def bytes_before(self, sequence: int) -> int:
        """Bytes of all messages before one that is kept, the first ever included."""
        chunk, place = self._place(sequence)
        return self._starts[chunk] + int(self.chunks[chunk][0]["length"][:place].sum())

    def _place(self, sequence: int) -> tuple[int, int]:
        chunk = bisect_right(self._firsts, sequence) - 1
        return chunk, sequence - self._firsts[chunk]

    def _from(self, sequence: int) -> Iterator[bytes]:
        chunk, skip = self._place(sequence)
        for rows, data in self.chunks[chunk:]:
            for row in rows[skip:]:
                yield data[row["offset"] : row["offset"] + row["length"]].tobytes()
            skip = 0
