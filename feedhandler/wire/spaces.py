"""Symbol text padded with NULs or spaces, made one: compiled, eight bytes at a time."""

from __future__ import annotations

from numba import njit

from feedhandler.wire.access import SPACES

LOW_BITS = 0x7F7F7F7F7F7F7F7F


@njit(nogil=True)
def spaced(text):
    """Text whose NULs have become spaces."""
    zeros = ~(((text & LOW_BITS) + LOW_BITS) | text)
    return text | ((zeros >> 2) & SPACES)


@njit(nogil=True)
def rest(text):
    """The text behind the first 8 bytes, padded with spaces; 0 when there is none."""
    padded = spaced(text)
    return 0 if padded == SPACES else padded
