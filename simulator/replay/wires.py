"""Messages in the session's protocol: read into the head's request, written from its answer."""

from __future__ import annotations

from numba import njit

from simulator.replay.wordwire import read_words, write_words


@njit(nogil=True)
def read_message(session, data, length, request):
    """Reads a message; 1, or 0 where it is no order, replace or cancel."""
    return read_words(data, length, request)


@njit(nogil=True)
def write_answer(session, answer, place):
    """Writes an answer; its length in bytes, 0 where the protocol has no such message."""
    return write_words(answer, place)
