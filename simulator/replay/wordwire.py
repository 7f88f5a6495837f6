"""The protocol without bytes of its own: messages and answers are rows of words as they stand."""

from __future__ import annotations

from numba import njit

from nic.move import move_bytes
from simulator.replay.layout import ANSWER_BYTES, REQUEST_BYTES


@njit(nogil=True)
def read_words(data, length, request):
    """A row of REQUEST_DTYPE; 1, or 0 where it is none."""
    if length != REQUEST_BYTES:
        return 0
    move_bytes(request, data, REQUEST_BYTES)
    return 1


@njit(nogil=True)
def write_words(answer, place):
    """A row of ANSWER_DTYPE; its length in bytes."""
    move_bytes(place, answer, ANSWER_BYTES)
    return ANSWER_BYTES
