"""What is due when: a heap in memory, the earliest first, equal times in the order they came.

Who keeps a heap keeps the number of its rows and gives out `order`. Source: the binary heap of
Williams (1964), "Algorithm 232: Heapsort".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.block import offsets_of
from nic.raw import load_i64le, store_u64le

DUE_DTYPE: Final = np.dtype([("due_ns", "i8"), ("order", "i8"), ("kind", "i8"), ("who", "i8")])
DUE: Final = offsets_of(DUE_DTYPE)
DUE_BYTES: Final = DUE_DTYPE.itemsize


@njit(nogil=True, forceinline=True)
def heap_row(heap, place):
    """Where a place of the heap is; 0 is the earliest."""
    return heap + DUE_BYTES * place


@njit(nogil=True, forceinline=True)
def is_earlier(one, other):
    """Whether a row comes before another."""
    first, second = load_i64le(one + DUE.due_ns), load_i64le(other + DUE.due_ns)
    if first != second:
        return first < second
    return load_i64le(one + DUE.order) < load_i64le(other + DUE.order)


@njit(nogil=True, forceinline=True)
def exchange(one, other):
    """Lets two rows change places."""
    for offset in range(0, DUE_BYTES, 8):
        kept = load_i64le(one + offset)
        store_u64le(one + offset, load_i64le(other + offset))
        store_u64le(other + offset, kept)


@njit(nogil=True)
def heap_push(heap, count, due_ns, order, kind, who):
    """Enters a row into a heap of `count` rows; there must be room for it."""
    row = heap_row(heap, count)
    store_u64le(row + DUE.due_ns, due_ns)
    store_u64le(row + DUE.order, order)
    store_u64le(row + DUE.kind, kind)
    store_u64le(row + DUE.who, who)
    while count > 0:
        above = (count - 1) >> 1
        if not is_earlier(heap_row(heap, count), heap_row(heap, above)):
            return
        exchange(heap_row(heap, count), heap_row(heap, above))
        count = above


@njit(nogil=True)
def heap_drop(heap, count):
    """Takes the earliest of `count` rows off; there must be one."""
    count -= 1
    exchange(heap_row(heap, 0), heap_row(heap, count))
    at = 0
    while True:
        least, left = at, 2 * at + 1
        for below in range(left, min(left + 2, count)):
            if is_earlier(heap_row(heap, below), heap_row(heap, least)):
                least = below
        if least == at:
            return
        exchange(heap_row(heap, at), heap_row(heap, least))
        at = least
