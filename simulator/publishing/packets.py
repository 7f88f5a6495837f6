"""Packets in memory: a row each and their payloads in one buffer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.publishing.layout import PACKET_DTYPE


@dataclass(frozen=True)
class Packets:
    """Packets in the order of their times.

    Attributes:
        rows: PACKET_DTYPE; `offset` and `length` say where in `data` the UDP payload is.
        data: uint8.
    """

    rows: NDArray[np.void]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """(time, payload) of every packet."""
        raw = memoryview(self.data)  # type: ignore[arg-type]
        places = zip(*(self.rows[n].tolist() for n in ("time_ns", "offset", "length")), strict=True)
        for time_ns, offset, length in places:
            yield time_ns, bytes(raw[offset : offset + length])

    def payload(self, number: int) -> bytes:
        """The bytes of one packet."""
        row = self.rows[number]
        return self.data[row["offset"] : row["offset"] + row["length"]].tobytes()

    @property
    def message_count(self) -> int:
        """Messages in all packets."""
        return int(self.rows["count"].sum())

    def take(self, numbers: NDArray[np.integer]) -> Packets:
        """Some of the packets, in the order given; the payloads stay where they are."""
        return Packets(self.rows[numbers], self.data)

    def compact(self) -> Packets:
        """The same packets with their payloads alone, in order, one behind the other."""
        rows, lengths = self.rows.copy(), self.rows["length"].astype(np.int64)
        starts = np.cumsum(lengths) - lengths
        places = np.repeat(rows["offset"] - starts, lengths) + np.arange(int(lengths.sum()))
        rows["offset"] = starts
        return Packets(rows, self.data[places])


def no_packets() -> Packets:
    """None at all."""
    return Packets(np.zeros(0, PACKET_DTYPE), np.zeros(0, np.uint8))


def join(parts: Sequence[Packets]) -> Packets:
    """Packets of several runs, one behind the other."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else no_packets()
    rows = np.concatenate([part.rows for part in parts])
    starts = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
    rows["offset"] += np.repeat(starts, [len(part) for part in parts])
    return Packets(rows, np.concatenate([part.data for part in parts]))


def merge(parts: Sequence[Packets]) -> Packets:
    """Packets of several units by time; of equal times the first unit's before the others'."""
    whole = join(parts)
    if len([part for part in parts if len(part)]) < 2:
        return whole
    return whole.take(np.argsort(whole.rows["time_ns"], kind="stable"))
