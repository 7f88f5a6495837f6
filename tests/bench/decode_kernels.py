"""The entry of the decode bench: every packet through a feed's kernels, its actions summed up."""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.actions import ACTION_BYTES
from nic.raw import load_i64le


def decode_entry(walk: Any, message: Any) -> Any:
    """A kernel `(data, places, count, context, out) -> (actions, checksum)` of one feed.

    The checksum is the sum of all words of all action records but the sequence: every field that a
    book needs is read and used.
    """

    @njit(nogil=True)
    def decode_all(data: Any, places: Any, count: Any, context: Any, out: Any) -> Any:
        total = 0
        checksum = 0
        for number in range(count):
            place = places + 16 * number
            start, length = data + load_i64le(place), load_i64le(place + 8)
            made = walk(start, length, context, out, message)
            for action in range(made):
                record = out + ACTION_BYTES * action
                for word in range(7):
                    checksum += load_i64le(record + 8 * word)
            total += made
        return total, checksum

    return decode_all
