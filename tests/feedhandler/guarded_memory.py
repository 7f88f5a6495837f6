"""Memory between two pages that may not be touched: a read beside it ends the process."""

from __future__ import annotations

import ctypes
import mmap

PROT_NONE = 0


class Guarded:
    """A piece of memory whose neighbours are out of bounds.

    Args:
        least_bytes: how much is needed; rounded up to pages.
    """

    def __init__(self, least_bytes: int) -> None:
        page = mmap.PAGESIZE
        self.size_bytes = -(-least_bytes // page) * page
        self._memory = mmap.mmap(-1, self.size_bytes + 2 * page)
        whole = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.start = whole + page
        self.end = self.start + self.size_bytes
        libc = ctypes.CDLL(None, use_errno=True)
        for address in (whole, self.end):
            if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(page), PROT_NONE) != 0:
                raise OSError(ctypes.get_errno(), "mprotect")

    def at_end(self, data: bytes) -> int:
        """Puts bytes where the memory ends; their address."""
        ctypes.memmove(self.end - len(data), data, len(data))
        return self.end - len(data)

    def at_start(self, data: bytes) -> int:
        """Puts bytes where the memory starts; their address."""
        ctypes.memmove(self.start, data, len(data))
        return self.start
