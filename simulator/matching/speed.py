"""Delays and chances from a seed: a table of quantiles and a 64-bit generator, integers only."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.block import field_offset
from nic.raw import load_fixed, load_i64le, store_u8, store_u64le

QUANTILES: Final = 1024
CHANCES: Final = 1 << 32  # a chance is a number of these
SPEED_DTYPE: Final = np.dtype(
    [
        ("random", "u8"),  # state of the generator
        ("base_ns", "i8"),
        ("spike_chance", "i8"),
        ("spike_ns", "i8"),
        ("gap_ns_256", "i8"),  # between messages at full capacity, in 1/256 ns; 0: no limit
        ("free_at_256", "i8"),  # when the next message may leave the queue, in 1/256 ns
        ("last_ns", "i8"),  # when the last message came out: none overtakes another
        ("origin_ns", "i8"),  # of the first message: what counts in 1/256 ns counts from here
        ("jitter_ns", "i8", (QUANTILES + 1,)),
    ]
)
BASE: Final = field_offset(SPEED_DTYPE, "base_ns")
SPIKE_CHANCE: Final = field_offset(SPEED_DTYPE, "spike_chance")
SPIKE: Final = field_offset(SPEED_DTYPE, "spike_ns")
GAP: Final = field_offset(SPEED_DTYPE, "gap_ns_256")
FREE_AT: Final = field_offset(SPEED_DTYPE, "free_at_256")
LAST_NS: Final = field_offset(SPEED_DTYPE, "last_ns")
ORIGIN_NS: Final = field_offset(SPEED_DTYPE, "origin_ns")
JITTER: Final = field_offset(SPEED_DTYPE, "jitter_ns")
FRACTION_BITS: Final = 22  # of 32 random bits, below the 10 that choose a quantile
LOW_BITS: Final = 0xFFFFFFFF
GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
MIX_2: Final = np.uint64(0x94D049BB133111EB)


@njit(nogil=True)
def next_random(state):
    """The next 62 random bits, by splitmix64."""
    value = np.uint64(load_i64le(state)) + GOLDEN
    store_u64le(state, value)
    value = (value ^ (value >> np.uint64(30))) * MIX_1
    value = (value ^ (value >> np.uint64(27))) * MIX_2
    return np.int64((value ^ (value >> np.uint64(31))) >> np.uint64(2))


@njit(nogil=True)
def chance(state, of_all):
    """Whether something happens whose chance is `of_all` / CHANCES."""
    return next_random(state) & LOW_BITS < of_all


@njit(nogil=True)
def delay(state):
    """A latency, ns."""
    random = next_random(state) & LOW_BITS
    place = state + JITTER + 8 * (random >> FRACTION_BITS)
    low, high = load_i64le(place), load_i64le(place + 8)
    part = random & ((1 << FRACTION_BITS) - 1)
    jitter = low + (((high - low) * part) >> FRACTION_BITS)
    spike = load_fixed(state + SPIKE) if chance(state, load_fixed(state + SPIKE_CHANCE)) else 0
    return load_fixed(state + BASE) + jitter + spike


@njit(nogil=True)
def pass_through(state, time_ns):
    """When a message that comes at a time is out again: behind those before it, after a delay.

    The queue counts in 1/256 ns, so that a capacity is kept to the message over a whole day.
    """
    origin_ns = load_i64le(state + ORIGIN_NS)
    if origin_ns == 0:
        origin_ns = time_ns
        store_u64le(state + ORIGIN_NS, origin_ns)
    start = max((time_ns - origin_ns) << 8, load_i64le(state + FREE_AT))
    store_u64le(state + FREE_AT, start + load_fixed(state + GAP))
    out = max(origin_ns + (start >> 8) + delay(state), load_i64le(state + LAST_NS))
    store_u64le(state + LAST_NS, out)
    return out


@njit(nogil=True, cache=True)
def pass_all(state, times, count, out):
    """As `pass_through`, for `count` ascending times (i8) at an address."""
    for number in range(count):
        store_u64le(out + 8 * number, pass_through(state, load_i64le(times + 8 * number)))


@njit(nogil=True, cache=True)
def draw_all(state, of_all, count, out):
    """`count` bytes at `out`: 1 where a chance of `of_all` / CHANCES came true."""
    for number in range(count):
        store_u8(out + number, 1 if chance(state, of_all) else 0)
