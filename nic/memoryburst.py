"""The two functions of a port whose frames already lie in memory, compiled for calls by address."""

from __future__ import annotations

import numpy as np
from numba import cfunc, types

from nic.block import field_offset
from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_u64le, store_u64le

MEMORY_PORT_DTYPE = np.dtype(
    [
        ("next_address", "<u8"),  # of the next descriptor to give
        ("left", "<i8"),
        ("burst_max", "<i8"),  # gives no more than this at once, whatever is asked
        ("idle_polls", "<i8"),  # answers "nothing now" this often before each burst
        ("idle_left", "<i8"),
        ("end_code", "<i8"),  # RX_END or RX_ERROR when all are given; 0 waits for ever
        ("released", "<i8"),
        ("polls", "<i8"),
    ]
)
NEXT_ADDRESS = field_offset(MEMORY_PORT_DTYPE, "next_address")
LEFT = field_offset(MEMORY_PORT_DTYPE, "left")
BURST_MAX = field_offset(MEMORY_PORT_DTYPE, "burst_max")
IDLE_POLLS = field_offset(MEMORY_PORT_DTYPE, "idle_polls")
IDLE_LEFT = field_offset(MEMORY_PORT_DTYPE, "idle_left")
END_CODE = field_offset(MEMORY_PORT_DTYPE, "end_code")
RELEASED = field_offset(MEMORY_PORT_DTYPE, "released")
POLLS = field_offset(MEMORY_PORT_DTYPE, "polls")


@cfunc(types.int64(types.uint64, types.uint64, types.int64), nopython=True, cache=True)
def memory_rx_burst(port, out, most):
    """`rx_burst` of a port whose frames lie in memory."""
    store_u64le(port + POLLS, load_i64le(port + POLLS) + 1)
    left = load_i64le(port + LEFT)
    if left == 0:
        return load_i64le(port + END_CODE)
    idle = load_i64le(port + IDLE_LEFT)
    if idle > 0:
        store_u64le(port + IDLE_LEFT, idle - 1)
        return np.int64(0)
    store_u64le(port + IDLE_LEFT, load_i64le(port + IDLE_POLLS))
    count = min(most, left, load_i64le(port + BURST_MAX))
    source = load_u64le(port + NEXT_ADDRESS)
    for offset in range(0, count * DESCRIPTOR_BYTES, 8):
        store_u64le(out + np.uint64(offset), load_u64le(source + np.uint64(offset)))
    store_u64le(port + NEXT_ADDRESS, source + np.uint64(count * DESCRIPTOR_BYTES))
    store_u64le(port + LEFT, left - count)
    return count


@cfunc(types.void(types.uint64, types.uint64, types.int64), nopython=True, cache=True)
def memory_release(port, _frames, count):
    """`release` of such a port: it counts."""
    store_u64le(port + RELEASED, load_i64le(port + RELEASED) + count)
