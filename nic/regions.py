"""Which memory the kernels of a checked build may touch, and what they touched outside of it.

In the fast build all of this does nothing, so that callers need not know which build they have.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import binding

from nic import kernelcache

CHECKED = kernelcache.checked_build()

if CHECKED:
    from nic._core import ffi, lib

    _check = ffi.cast("uintptr_t", ffi.addressof(lib, "swr_check"))
    binding.add_symbol("swr_check", int(_check))


@dataclass(frozen=True, slots=True)
class Violations:
    """How many accesses fell outside every region since the last `reset`, and the first of them."""

    count: int
    first_address: int
    first_width_bytes: int


def _bounds(memory: Any, size_bytes: int | None) -> tuple[int, int]:
    """First address and size of an address with a size, a block, an array or any buffer."""
    if isinstance(memory, int | np.integer):
        if size_bytes is None:
            raise ValueError("an address needs a size in bytes")
        return int(memory), size_bytes
    if hasattr(memory, "address") and hasattr(memory, "size_bytes"):
        return int(memory.address), int(memory.size_bytes)
    array = memory if isinstance(memory, np.ndarray) else np.frombuffer(memory, np.uint8)
    if not array.flags.c_contiguous:
        raise ValueError("a region must be contiguous memory")
    return int(array.ctypes.data), array.nbytes if size_bytes is None else size_bytes


def allow(memory: Any, size_bytes: int | None = None) -> int:
    """Lets kernels touch `memory` (an address with a size, a block, an array or a buffer).

    Returns the address, for `forbid`. Raises ValueError when empty, MemoryError when there are too
    many regions. The caller keeps the memory alive until it is forbidden again.
    """
    address, length = _bounds(memory, size_bytes)
    if CHECKED:
        if length < 1:
            raise ValueError(f"region of {length} bytes: expected at least one")
        if lib.swr_region_register(address, address + length) < 0:
            raise MemoryError(f"no room for another region; {lib.swr_region_count()} are in use")
    return address


def forbid(address: int) -> None:
    """Takes back the region that starts at `address`. Raises KeyError when there is none."""
    if CHECKED and lib.swr_region_unregister(int(address)) < 0:
        raise KeyError(f"no region starts at {int(address):#x}")


@contextlib.contextmanager
def allowed(*memories: Any) -> Iterator[None]:
    """Allows blocks, arrays, buffers or (address, size) pairs for the time of a `with`."""
    with contextlib.ExitStack() as stack:
        for memory in memories:
            pair = memory if isinstance(memory, tuple) else (memory, None)
            if CHECKED and _bounds(*pair)[1] == 0:
                continue  # an empty buffer allows nothing, and a fuzzer does come to it
            stack.callback(forbid, allow(*pair))
        yield


def violations() -> Violations:
    """What kernels have touched outside every region since `reset`. All zero in the fast build."""
    if not CHECKED:
        return Violations(0, 0, 0)
    found = ffi.new("swr_violations *")
    lib.swr_violations_read(found)
    return Violations(int(found.count), int(found.first_address), int(found.first_width_bytes))


def reset() -> None:
    """Forgets the violations seen so far."""
    if CHECKED:
        lib.swr_violations_reset()
