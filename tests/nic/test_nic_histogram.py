"""Histogram kernel against numpy's exact percentiles."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from nic.histogram import BUCKET_COUNT, HISTOGRAM_DTYPE, bucket_index, histogram_add
from nic.percentiles import bucket_bounds, mean, percentiles
from nic.regions import allowed

VALUES = st.one_of(st.integers(0, 100), st.integers(0, 2**20), st.integers(0, 2**64 - 1))


@njit
def index_of(value):
    return bucket_index(value)


@njit
def add_all(histogram, values):
    for value in values:
        histogram_add(histogram, value)


def filled(values):
    histogram = np.zeros(1, HISTOGRAM_DTYPE)
    with allowed(histogram):
        add_all(np.uint64(histogram.ctypes.data), np.array(values, np.uint64))
    return histogram


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrow(value):
    low, high = bucket_bounds(int(index_of(np.uint64(value))))
    assert low <= value <= high
    assert (high - low) * 32 <= low


def test_buckets_cover_u64_without_gap_or_overlap():
    bounds = [bucket_bounds(index) for index in range(BUCKET_COUNT)]
    assert bounds[0][0] == 0
    assert bounds[-1][1] == 2**64 - 1
    assert all(after[0] == before[1] + 1 for before, after in pairwise(bounds))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=200), st.floats(0, 100))
def test_percentiles_are_within_a_bucket_of_the_exact_ones(values, rank):
    histogram = filled(values)
    found = percentiles(histogram, [rank, 100])
    exact = sorted(values)[max(1, int(np.ceil(len(values) * rank / 100))) - 1]
    assert exact <= found[0] <= exact + exact / 32
    assert found[1] == max(values)
    assert mean(histogram) == pytest.approx(sum(values) / len(values))


def test_nothing_counted_gives_zeros():
    histogram = np.zeros(1, HISTOGRAM_DTYPE)
    assert percentiles(histogram, [50, 99]) == [0, 0]
    assert mean(histogram) == 0.0


def test_rank_and_bucket_out_of_range_are_refused():
    with pytest.raises(ValueError, match="percentile 101"):
        percentiles(filled([1]), [101])
    with pytest.raises(IndexError, match=str(BUCKET_COUNT)):
        bucket_bounds(BUCKET_COUNT)
