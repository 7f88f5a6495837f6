"""Symbol text padded with NULs or spaces, made one: compiled, eight bytes at a time.

Unsigned, because the sum below fills all 64 bits: of signed integers the compiler may take for
granted that it does not, and does so where it knows some of the text's bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.wire.access import SPACES

LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
ALL_SPACES = np.uint64(SPACES)
FROM_TOP_BIT = np.uint64(2)  # of a byte to that of a space


@njit(nogil=True)
def spaced(text):
    """Text whose NULs have become spaces."""
    raw = np.uint64(text)
    zeros = ~(((raw & LOW_BITS) + LOW_BITS) | raw)
    return np.int64(raw | ((zeros >> FROM_TOP_BIT) & ALL_SPACES))


@njit(nogil=True)
def rest(text):
    """The text behind the first 8 bytes, padded with spaces; 0 when there is none."""
    padded = spaced(text)
    return 0 if padded == SPACES else padded
