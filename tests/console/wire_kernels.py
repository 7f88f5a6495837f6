"""A session's port in memory: what is sent is kept, what comes is prepared."""

from __future__ import annotations

import numpy as np
from numba import cfunc, types

from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_u8, store_u8, store_u64le

# Words at the beginning of its memory.
SENT, SEND_ERROR, COMING, COUNT, END_CODE, RELEASED = range(6)
DATA_AT = 64


@cfunc(types.int32(types.int64, types.int64, types.uint32, types.int64))
def wire_tx(port, data, length, cookie):
    """Keeps a message, or gives the error that it was told to give."""
    error, used = load_i64le(port + 8 * SEND_ERROR), load_i64le(port)
    if error != 0:
        return error
    for at in range(np.int64(length)):
        store_u8(port + DATA_AT + used + at, load_u8(data + at))
    store_u64le(port, used + np.int64(length))
    return 0


@cfunc(types.int64(types.int64, types.int64, types.int64))
def wire_rx_burst(port, out, most):
    """Hands out what was prepared, then the code of the end."""
    count, source = load_i64le(port + 8 * COUNT), load_i64le(port + 8 * COMING)
    if count == 0:
        return load_i64le(port + 8 * END_CODE)
    count = min(count, most)
    for at in range(0, DESCRIPTOR_BYTES * count, 8):
        store_u64le(out + at, load_i64le(source + at))
    store_u64le(port + 8 * COMING, source + DESCRIPTOR_BYTES * count)
    store_u64le(port + 8 * COUNT, load_i64le(port + 8 * COUNT) - count)
    return count


@cfunc(types.void(types.int64, types.int64, types.int64))
def wire_release(port, _frames, count):
    """Counts what came back."""
    store_u64le(port + 8 * RELEASED, load_i64le(port + 8 * RELEASED) + count)
