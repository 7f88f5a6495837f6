"""Calls from Python into the kernels of order messages."""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit, types

from nic.raw import load_i64le, load_u8, store_u8, store_u64le
from router.entry.encode import can_say, encode_cancel, encode_order, encode_replace
from router.entry.formkernels import fill, read, recognise
from router.entry.layout import SESSION, session_row
from router.entry.transmit import transmit


@njit(nogil=True, cache=True)
def run_fill(form, words, out):
    return fill(form, words, out)


@njit(nogil=True, cache=True)
def run_read(form, data, length, words):
    return read(form, data, length, words)


@njit(nogil=True, cache=True)
def run_recognise(forms, count, data, length, words):
    return recognise(forms, count, data, length, words)


@njit(nogil=True, cache=True)
def run_can_say(router, venue, instrument, side, tif, flags, price, minimum, shown):
    return can_say(router, venue, instrument, side, tif, flags, price, minimum, shown)


@njit(nogil=True, cache=True)
def run_encode(router, kind, row, out):
    """1 enters an intent, 2 replaces by one, 3 cancels a child."""
    if kind == 1:
        return encode_order(router, row, out)
    if kind == 2:
        return encode_replace(router, row, out)
    return encode_cancel(router, row, out)


@njit(nogil=True, cache=True)
def run_send(router, number, kind, row, child, token):
    """Encodes into the session's room and sends: bytes, or -errno."""
    data = load_i64le(session_row(router, number) + SESSION.out)
    length = run_encode(router, kind, row, data)
    if length == 0:
        return length
    error = transmit(router, number, child, kind, token, data, length)
    return error if error != 0 else length


@njit(nogil=True, cache=True)
def run_transmit(router, number, data, length):
    return transmit(router, number, 0, 1, 0, data, length)


@cfunc(types.int32(types.int64, types.int64, types.uint32, types.int64))
def sink(port, data, length, cookie):
    """A port's tx: appends to memory that begins with a count of bytes and an error to give."""
    error, used = load_i64le(port + 8), load_i64le(port)
    if error != 0:
        return error
    for at in range(np.int64(length)):
        store_u8(port + 16 + used + at, load_u8(data + at))
    store_u64le(port, used + np.int64(length))
    return 0
