"""Moving bytes in memory, against slices in Python; and products that wrap around."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from nic.move import move_bytes, move_each
from nic.raw import wrapping_product
from nic.regions import allowed

SIZE = 200
WORDS = st.integers(-(1 << 63), (1 << 63) - 1)


@njit
def move(target, source, length):
    move_bytes(target, source, length)


@njit
def each(target, source, length):
    move_each(target, source, length)


@njit
def product(a, b):
    return wrapping_product(a, b)


@given(source=st.integers(0, SIZE), target=st.integers(0, SIZE), length=st.integers(0, SIZE))
def test_runs_that_overlap_arrive_whole(source, target, length):
    length = min(length, SIZE - max(source, target))
    for kernel in (move, each):
        memory = np.arange(SIZE, dtype=np.uint8)
        expected = memory.copy()
        expected[target : target + length] = np.arange(source, source + length)
        start = int(memory.ctypes.data)
        with allowed(memory):
            kernel(start + target, start + source, length)
        assert memory.tolist() == expected.tolist()


@given(a=WORDS, b=WORDS)
def test_a_product_keeps_its_low_bits(a, b):
    low = a * b & ((1 << 64) - 1)
    assert product(a, b) == (low - (1 << 64) if low >> 63 else low)
