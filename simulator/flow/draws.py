"""Random numbers as integers: splitmix64 streams, and tables that give them a distribution.

Nothing here depends on a library's logarithm or on a processor's floating point, so that a seed
gives the same numbers everywhere. A stream is one word of memory, moved on by each draw.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import count_leading_zeros, load_fixed, load_u64le, store_u64le
from simulator.flow.layout import (
    DECAY_BITS,
    H_DRAWS,
    LOGARITHM,
    ONE_BITS,
    POWER,
    TABLE_BITS,
    TABLE_MASK,
)

# Unsigned: numba's signed sums and products may not overflow, these have to.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))
LN2 = 11629080  # 24 bits behind the point
BILLION = 1_000_000_000
POWER_BITS = 22
REST_BITS = 28  # of what is between two places of the table
UNIFORM_BITS = 48


@njit(nogil=True, forceinline=True)
def mixed(state):
    """The output of splitmix64 for a state, a u64; as an int64."""
    value = (state ^ (state >> SHIFTS[0])) * FIRST_FACTOR
    value = (value ^ (value >> SHIFTS[1])) * SECOND_FACTOR
    return np.int64(value ^ (value >> SHIFTS[2]))


@njit(nogil=True, forceinline=True)
def draw(place):
    """64 random bits of the stream at an address."""
    state = load_u64le(place) + GOLDEN
    store_u64le(place, state)
    return mixed(state)


@njit(nogil=True, forceinline=True)
def bits(value, first, count):
    """`count` (below 63) bits of a value from bit `first` on."""
    return (value >> first) & ((1 << count) - 1)


@njit(nogil=True, forceinline=True)
def below(value, count):
    """An integer from 0 to count - 1 (count up to 42 bits) from 31 random bits, no division."""
    if count < (1 << 31):
        return (bits(value, 1, 31) * count) >> 31
    return (bits(value, 1, 31) * (count >> 10)) >> 21


@njit(nogil=True, forceinline=True)
def share_of(value, share):
    """A share (16 bits) of an integer, rounded down."""
    return (value * share) >> ONE_BITS


@njit(nogil=True, forceinline=True)
def looked_up(flow, table, index):
    """A value of one of the tables; the index has TABLE_BITS bits."""
    return load_fixed(load_fixed(flow + H_DRAWS) + table + 8 * index)


@njit(nogil=True, forceinline=True)
def exponential(flow, value):
    """A standard exponential number from random bits, with 24 bits behind the point."""
    uniform = bits(value, 16, UNIFORM_BITS) + 1
    top = 63 - np.int64(count_leading_zeros(uniform))
    shifted = uniform << (UNIFORM_BITS - top)
    index = (shifted >> (UNIFORM_BITS - TABLE_BITS)) & TABLE_MASK
    return max(0, (UNIFORM_BITS - top) * LN2 - looked_up(flow, LOGARITHM, index))


@njit(nogil=True, forceinline=True)
def decayed(flow, rate, elapsed_ns, decay, span_ns):
    """A rate after some time of exponential decay: 2 to the -(elapsed * decay).

    Straight between the places of the table: many small steps are one large one.
    """
    if elapsed_ns >= span_ns:
        return 0
    exponent = elapsed_ns * decay
    index = (exponent >> (DECAY_BITS - TABLE_BITS)) & TABLE_MASK
    factor = looked_up(flow, POWER, index)
    beyond = bits(exponent, DECAY_BITS - TABLE_BITS - REST_BITS, REST_BITS)
    factor -= (((factor * LN2) >> 24) * beyond) >> (REST_BITS + TABLE_BITS)
    return (rate * factor) >> (POWER_BITS + (exponent >> DECAY_BITS))
