"""Comparisons of several words at once, against a loop in Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from nic import vector
from nic.regions import allowed

WORDS = st.sampled_from([0, 1, -1, 5, -(1 << 63), (1 << 63) - 1])


@njit
def equal(address, value):
    return vector.equal_mask_4_of_16(address, value)


@njit
def not_below(address, value):
    return vector.not_below_mask_16(address, value)


@njit
def bits(value):
    return vector.count_ones(value), vector.count_trailing_zeros(value)


@given(words=st.lists(WORDS, min_size=8, max_size=8), value=WORDS)
def test_the_mask_of_equal_words(words, value):
    memory = np.array(words, np.int64)
    with allowed(memory):
        mask = equal(int(memory.ctypes.data), value)
    assert [bool(mask >> i & 1) for i in range(4)] == [word == value for word in words[::2]]
    assert mask >> 4 == 0


@given(words=st.lists(WORDS, min_size=16, max_size=16), value=WORDS)
def test_the_mask_of_words_that_are_not_below(words, value):
    memory = np.array(words, np.int64)
    with allowed(memory):
        mask = not_below(int(memory.ctypes.data), value)
    assert [bool(mask >> i & 1) for i in range(16)] == [word >= value for word in words]


@given(value=st.integers(1, (1 << 63) - 1))
def test_counting_bits(value):
    assert bits(value) == (value.bit_count(), (value & -value).bit_length() - 1)
