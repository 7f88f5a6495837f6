"""Sequences of 32 bits in the stream's own 64-bit count."""

from __future__ import annotations

from numba import njit

WORD_MASK = 0xFFFFFFFF
WORD_SIGN = 0x80000000


@njit(nogil=True, forceinline=True)
def wide_sequence(top, sequence):
    """The 64-bit sequence nearest to the highest one so far that ends in these 32 bits."""
    away = (sequence - top) & WORD_MASK
    return top + (away ^ WORD_SIGN) - WORD_SIGN
