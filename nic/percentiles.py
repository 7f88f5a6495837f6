"""Reading histograms: percentiles and means of what the kernels counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nic.histogram import BUCKET_COUNT, SUB_BUCKET_BITS, SUB_BUCKET_COUNT


def bucket_bounds(index: int) -> tuple[int, int]:
    """Smallest and largest value that a bucket counts."""
    if not 0 <= index < BUCKET_COUNT:
        raise IndexError(f"bucket {index}: expected 0 to {BUCKET_COUNT - 1}")
    if index < SUB_BUCKET_COUNT:
        return index, index
    shift = (index >> SUB_BUCKET_BITS) - 1
    low = (SUB_BUCKET_COUNT + (index & (SUB_BUCKET_COUNT - 1))) << shift
    return low, low + (1 << shift) - 1


def percentiles(histogram: np.ndarray[Any, Any], ranks: Sequence[float]) -> list[int]:
    """Values at these percentile ranks (0 to 100), each the upper bound of its bucket.

    `histogram` is one row of HISTOGRAM_DTYPE. The true value is at most 3.2 % smaller; the last is
    cut to the largest value seen. All zero when nothing was counted.
    """
    row = np.asarray(histogram).reshape(-1)[0]
    running = np.cumsum(row["buckets"], dtype=np.uint64)
    total = int(running[-1])
    found = []
    for rank in ranks:
        if not 0 <= rank <= 100:
            raise ValueError(f"percentile {rank}: expected 0 to 100")
        if total == 0:
            found.append(0)
            continue
        wanted = max(1, int(np.ceil(total * rank / 100)))
        index = int(np.searchsorted(running, wanted))
        found.append(min(bucket_bounds(index)[1], int(row["maximum"])))
    return found


def mean(histogram: np.ndarray[Any, Any]) -> float:
    """Mean of the values counted, 0.0 when there are none."""
    row = np.asarray(histogram).reshape(-1)[0]
    return float(row["total"]) / float(row["count"]) if row["count"] else 0.0
