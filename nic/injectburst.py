"""The two functions of a port that another thread of the process feeds, compiled for the loop.

It hands out one frame at a time: what comes this way is rare, and a frame's memory goes back to
whoever feeds the port as soon as it is released.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc, types

from nic.block import field_offset
from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_u64le, store_u64le
from nic.ring import ring_drop, ring_front
from nic.ringlayout import ring_dtype

SLOTS = 128
RECORD_DTYPE = np.dtype([("descriptor", "<u8", (4,)), ("unused", "<u8", (4,))])
INJECT_DTYPE = np.dtype(
    [
        ("handed_out", "<i8"),  # 1: a frame is, and not released
        ("unused", "<i8", (7,)),
        ("ring", ring_dtype(SLOTS, RECORD_DTYPE)),
    ]
)
HANDED_OUT = field_offset(INJECT_DTYPE, "handed_out")
RING = field_offset(INJECT_DTYPE, "ring")


@cfunc(types.int64(types.uint64, types.uint64, types.int64), nopython=True, cache=True)
def inject_rx_burst(port, out, most):
    """`rx_burst` of such a port: the oldest frame, if it is not handed out."""
    if load_i64le(port + HANDED_OUT) != 0:
        return np.int64(0)
    record = ring_front(port + np.uint64(RING))
    if record == 0:
        return np.int64(0)
    for offset in range(0, DESCRIPTOR_BYTES, 8):
        store_u64le(out + np.uint64(offset), load_u64le(record + np.uint64(offset)))
    store_u64le(port + HANDED_OUT, 1)
    return np.int64(1)


@cfunc(types.void(types.uint64, types.uint64, types.int64), nopython=True, cache=True)
def inject_release(port, _frames, count):
    """`release` of such a port."""
    if count == 1 and load_i64le(port + HANDED_OUT) != 0:
        store_u64le(port + HANDED_OUT, 0)
        ring_drop(port + np.uint64(RING))
