"""Counts of values in logarithmic buckets: 32 to each power of two, so within 3.2 % of the value.

Covers all of u64. Values below 32 have a bucket each. A record is one row of HISTOGRAM_DTYPE.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.block import field_offset
from nic.raw import count_leading_zeros, load_u64le, store_u64le

SUB_BUCKET_BITS = 5
SUB_BUCKET_COUNT = 1 << SUB_BUCKET_BITS
BUCKET_COUNT = (64 - SUB_BUCKET_BITS + 1) * SUB_BUCKET_COUNT

HISTOGRAM_DTYPE = np.dtype(
    [("count", "<u8"), ("total", "<u8"), ("maximum", "<u8"), ("buckets", "<u8", (BUCKET_COUNT,))]
)
COUNT = field_offset(HISTOGRAM_DTYPE, "count")
TOTAL = field_offset(HISTOGRAM_DTYPE, "total")
MAXIMUM = field_offset(HISTOGRAM_DTYPE, "maximum")
BUCKETS = field_offset(HISTOGRAM_DTYPE, "buckets")


@njit(nogil=True)
def bucket_index(value):
    """Bucket of a uint64 value."""
    if value < np.uint64(SUB_BUCKET_COUNT):
        return np.uint64(value)
    shift = np.uint64(63 - SUB_BUCKET_BITS) - count_leading_zeros(value)
    low = (value >> shift) & np.uint64(SUB_BUCKET_COUNT - 1)
    return (shift + np.uint64(1)) * np.uint64(SUB_BUCKET_COUNT) + low


@njit(nogil=True)
def histogram_add(histogram, value):
    """Counts one uint64 value; `histogram` is the address of its row."""
    bucket = histogram + BUCKETS + bucket_index(value) * np.uint64(8)
    store_u64le(bucket, load_u64le(bucket) + 1)
    store_u64le(histogram + COUNT, load_u64le(histogram + COUNT) + 1)
    store_u64le(histogram + TOTAL, load_u64le(histogram + TOTAL) + value)
    if value > load_u64le(histogram + MAXIMUM):
        store_u64le(histogram + MAXIMUM, value)
