"""Whose a security is, asked by its root: the capital letters that its text begins with.

The root is what every venue spells alike, so a loop can ask as soon as it sees the text on the
wire, and all classes and issues of an issuer are in one place. It is a word: at most eight letters,
the first in the highest byte, so that words compare as texts do. 0 stands for a text without any.

    rule       one row: where the tables are
    intervals  roots from `low` to `high` and whose they are, ascending, none within another
    classes    by remainder of the scattered root: whose it is, if no interval has it; -1 nobody's
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.block import offsets_of
from nic.raw import load_i64le, wrapping_product

LETTERS: Final = 8
NOBODY: Final = -1
FIRST: Final = 0  # the shard that has what nobody else has: texts without letters
SCATTER: Final = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT: Final = 32
SCATTER_MASK: Final = (1 << 31) - 1

RULE_DTYPE: Final = np.dtype(
    [
        ("intervals", "i8"),  # address
        ("interval_count", "i8"),
        ("classes", "i8"),  # address of i8
        ("class_count", "i8"),  # at least 1
        ("rest", "i8"),  # whose all others are
        ("unused", "i8", (3,)),
    ]
)
INTERVAL_DTYPE: Final = np.dtype([("low", "i8"), ("high", "i8"), ("shard", "i8")])
RULE: Final = offsets_of(RULE_DTYPE)
INTERVAL: Final = offsets_of(INTERVAL_DTYPE)
INTERVAL_BYTES: Final = INTERVAL_DTYPE.itemsize


@njit(nogil=True)
def root_of(text):
    """The root of a text whose first eight bytes are a word, the first in the lowest byte."""
    root = np.int64(0)
    for place in range(LETTERS):
        letter = (text >> 8 * place) & 0xFF
        if letter < 0x41 or letter > 0x5A:
            break
        root |= letter << 8 * (LETTERS - 1 - place)
    return root


@njit(nogil=True)
def interval_owner(rule, root):
    """Whose interval a root is in; NOBODY."""
    first, count = load_i64le(rule + RULE.intervals), load_i64le(rule + RULE.interval_count)
    low, high = np.int64(0), count
    while low < high:
        middle = (low + high) >> 1
        if load_i64le(first + INTERVAL_BYTES * middle + INTERVAL.high) < root:
            low = middle + 1
        else:
            high = middle
    row = first + INTERVAL_BYTES * low
    if low < count and load_i64le(row + INTERVAL.low) <= root:
        return load_i64le(row + INTERVAL.shard)
    return np.int64(NOBODY)


@njit(nogil=True, error_model="numpy")
def owner_of(rule, root):
    """The number of the shard that a root belongs to."""
    owner = interval_owner(rule, root)
    if owner != NOBODY or root == 0:
        return max(owner, FIRST)
    folded = root ^ (root >> SCATTER_SHIFT)  # short roots have nothing but zeros below
    scattered = (wrapping_product(folded, SCATTER) >> SCATTER_SHIFT) & SCATTER_MASK
    place = scattered % load_i64le(rule + RULE.class_count)
    owner = load_i64le(load_i64le(rule + RULE.classes) + 8 * place)
    return owner if owner != NOBODY else load_i64le(rule + RULE.rest)
