"""How much a dark pool is likely to have: censored observations, Kaplan-Meier, optimism.

Asked for v, a pool that gave less had exactly that; one that gave v had v or more. With N(s) the
times that more than s was asked for and at least s was there, and D(s) the times among those that
it was s exactly, the chance of s or more is T(s) = product over s' < s of 1 - D(s') / N(s').

Source: Ganchev, Kearns, Nevmyvaka, Vaughan, "Censored exploration and the dark pool problem" (UAI
2009, CACM 2010): their OptimisticKM. Behind the cut-off c, the largest size with enough
observations, the next size is taken to be as likely as c itself, so that it is tried. Their bound
for "enough" grows with (s V / epsilon)^2 and is for the proof; here it is a number in the settings.
Chances are in PART and never below the settings' least.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import load_n32le, store_u32le
from router.routing.dark_sizes import BUCKETS
from router.routing.learning import LEARNING, POOL, POOL_BYTES, SIDES, WEIGHT
from router.rows import get


@njit(nogil=True)
def pool_row(learning, venue, instrument, side):
    """Where what is known of a dark pool is; 0 for a venue that is none."""
    slot = get(get(learning, LEARNING.slots), 8 * venue)
    if slot < 0:
        return np.int64(0)
    row = (slot * get(learning, LEARNING.instrument_count) + instrument) * SIDES + side - 1
    return get(learning, LEARNING.pools) + POOL_BYTES * row


@njit(nogil=True)
def risk_of(pool, bucket):
    """N of a bucket, in weight."""
    return load_n32le(pool + POOL.risk + 4 * bucket)


@njit(nogil=True)
def short_of(pool, bucket):
    """D of a bucket, in weight."""
    return load_n32le(pool + POOL.short + 4 * bucket)


@njit(nogil=True)
def forget_half(pool):
    """Halves all counts: what comes now counts twice as much as what came."""
    for bucket in range(BUCKETS):
        at = 4 * bucket
        store_u32le(pool + POOL.risk + at, load_n32le(pool + POOL.risk + at) >> 1)
        store_u32le(pool + POOL.short + at, load_n32le(pool + POOL.short + at) >> 1)


@njit(nogil=True)
def observe(learning, pool, asked, got, exact):
    """Takes an answer: buckets asked for and got; `exact` if no more than that was there.

    An exact answer within the bucket that was asked for says no more than that it was reached.
    """
    if risk_of(pool, 0) >= get(learning, LEARNING.memory):
        forget_half(pool)
    ends = exact and got < asked
    for bucket in range(got + 1 if ends else got):
        store_u32le(pool + POOL.risk + 4 * bucket, risk_of(pool, bucket) + WEIGHT)
    if ends:
        store_u32le(pool + POOL.short + 4 * got, short_of(pool, got) + WEIGHT)


@njit(nogil=True)
def tail_step(pool, bucket, tail):
    """T of the next bucket from T of this one, without optimism."""
    risk = risk_of(pool, bucket)
    if risk == 0:
        return tail
    return tail * (risk - short_of(pool, bucket)) // risk


@njit(nogil=True)
def next_tail(learning, pool, bucket, tail):
    """The chance of the next bucket as the split believes it; `tail` is T of this one."""
    known = get(learning, LEARNING.known)
    behind_known = bucket == 0 or risk_of(pool, bucket - 1) >= known
    if behind_known and risk_of(pool, bucket) < known:
        return max(tail, get(learning, LEARNING.least_tail))
    return max(tail_step(pool, bucket, tail), get(learning, LEARNING.least_tail))
