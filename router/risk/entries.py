"""The gate's kernels as the control side and tests enter them: compiled once, then cached."""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import store_release_u64
from router.risk.judge import count_passed, count_rejected, give_back_locates, judge_fully


@njit(nogil=True, cache=True)
def judged(router, intent, now):
    """`judge_fully`: reason, seen, allowed."""
    return judge_fully(np.int64(router), np.int64(intent), np.int64(now))


@njit(nogil=True, cache=True)
def passed(router, intent, now):
    """`count_passed`."""
    count_passed(np.int64(router), np.int64(intent), np.int64(now))


@njit(nogil=True, cache=True)
def rejected(router, intent, reason, now):
    """`count_rejected`."""
    count_rejected(np.int64(router), np.int64(intent), np.int64(reason), np.int64(now))


@njit(nogil=True, cache=True)
def given_back(router, child):
    """`give_back_locates`."""
    give_back_locates(np.int64(router), np.int64(child))


@njit(nogil=True, cache=True)
def publish_word(address, value):
    """Stores a word behind everything that this thread stored before."""
    store_release_u64(np.uint64(address), np.uint64(value))
