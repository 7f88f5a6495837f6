"""A port over frames that already lie in memory: simulated venues, benches and tests use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nic.layout import DESCRIPTOR_DTYPE, LINK_TYPE_SHIFT, RX_END
from nic.memoryburst import MEMORY_PORT_DTYPE, memory_release, memory_rx_burst

LINK_ETHERNET = 1


def pack_frames(
    frames: Iterable[tuple[int, bytes]], link_type: int = LINK_ETHERNET
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(descriptors, bytes) of (timestamp_ns, frame) pairs; the descriptors point into the bytes.

    Frames lie in one array without gaps, so keep it as long as the descriptors.
    """
    pairs = list(frames)
    lengths = np.array([len(data) for _, data in pairs], np.uint32)
    memory = np.frombuffer(b"".join(data for _, data in pairs), np.uint8).copy()
    descriptors = np.zeros(len(pairs), DESCRIPTOR_DTYPE)
    descriptors["address"] = memory.ctypes.data
    descriptors["address"][1:] += np.cumsum(lengths[:-1], dtype=np.uint64)
    descriptors["length_bytes"] = lengths
    descriptors["flags"] = link_type << LINK_TYPE_SHIFT
    descriptors["timestamp_ns"] = [timestamp_ns for timestamp_ns, _ in pairs]
    return descriptors, memory


class MemoryPort:
    """Gives the frames of a DESCRIPTOR_DTYPE array, in order, then `end_code`.

    `handle` and `ops` are what `nic.port.Port` has. `burst_max` limits what one poll gives,
    `idle_polls` puts that many empty polls before each burst.
    """

    def __init__(
        self,
        descriptors: np.ndarray[Any, Any],
        *,
        burst_max: int = 1 << 30,
        idle_polls: int = 0,
        end_code: int = RX_END,
    ) -> None:
        self.descriptors = np.ascontiguousarray(descriptors, DESCRIPTOR_DTYPE)
        self.row = np.zeros(1, MEMORY_PORT_DTYPE)
        self.row["burst_max"], self.row["end_code"] = burst_max, end_code
        self.row["idle_polls"] = self.row["idle_left"] = idle_polls
        self.handle = int(self.row.ctypes.data)
        self.ops = {"rx_burst": memory_rx_burst.address, "release": memory_release.address}
        self.rewind()

    def rewind(self) -> None:
        """Starts again with the first frame."""
        self.row["next_address"] = self.descriptors.ctypes.data
        self.row["left"] = self.descriptors.size

    @property
    def released_count(self) -> int:
        """Frames given back."""
        return int(self.row["released"][0])
