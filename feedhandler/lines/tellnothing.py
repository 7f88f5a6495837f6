"""For loops that keep no books."""

from __future__ import annotations

from numba import njit


@njit(nogil=True)
def tell_nothing(state, channel, stream, what, timestamp_ns):
    """Nobody has to be told."""
    return 0
