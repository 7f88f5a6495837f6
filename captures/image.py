"""The bytes that a cursor walks over: a window of the file, and how to get the next one."""

from __future__ import annotations

import mmap
from typing import Protocol

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


class Image(Protocol):
    """A window of `data` that begins `origin` bytes into the file.

    `final` says that no bytes come after the window. `advance` gives up what lies before
    `position_bytes` and reads more; arrays and views of an older window stay valid.
    """

    data: Bytes
    origin: int
    final: bool

    def advance(self, position_bytes: int) -> None: ...

    def close(self) -> None: ...


class MappedImage:
    """A whole file, mapped read-only; the kernel reads ahead and drops what was passed."""

    origin = 0
    final = True

    def __init__(self, file_descriptor: int, size_bytes: int) -> None:
        self._map: mmap.mmap | None = None
        if size_bytes == 0:  # an empty file cannot be mapped
            self.data: Bytes = np.empty(0, dtype=np.uint8)
            return
        self._map = mmap.mmap(file_descriptor, size_bytes, access=mmap.ACCESS_READ)
        self._map.madvise(mmap.MADV_SEQUENTIAL)
        self.data = np.frombuffer(self._map, dtype=np.uint8)

    def advance(self, position_bytes: int) -> None:
        """Does nothing: the window is the file."""

    def close(self) -> None:
        """Gives the mapping up. Frames that are still held keep it alive until they are dropped."""
        self.data = np.empty(0, dtype=np.uint8)
        mapping, self._map = self._map, None
        if mapping is not None:
            try:
                mapping.close()
            except BufferError:
                del mapping
