"""The checksum of packets that carry the sum of their bytes, compiled.

Eight bytes at a time: their sums by pairs fit 16 bits, and a product adds up the four pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from feedhandler.wire.access import load_field
from feedhandler.wire.record import Record
from nic.raw import load_i64le, load_u8, wrapping_product

EVERY_OTHER = 0x00FF00FF00FF00FF
LANES = 0x0001000100010001
WORD = 8


@njit(nogil=True)
def sum_bytes(address, length):
    """The sum of so many bytes, int64."""
    total, place, end = np.int64(0), np.int64(address), np.int64(address + length)
    while end - place >= WORD:
        word = load_i64le(place)
        pairs = (word & EVERY_OTHER) + ((word >> 8) & EVERY_OTHER)
        total += (wrapping_product(pairs, LANES) >> 48) & 0xFFFF
        place += WORD
    while place < end:
        total += np.int64(load_u8(place))
        place += 1
    return total


def checker(header: Record, name: str) -> Any:
    """A kernel `(address, length) -> whether a packet of so many bytes is what its sum says`.

    Args:
        header: table of the packet's header, which has to lie within the length.
        name: its field with the sum of all other bytes, modulo what the field holds; "" for
            packets without one, which are always right.
    """
    if not name:

        @njit(nogil=True, forceinline=True)
        def always(address: Any, length: Any) -> Any:
            return True

        return always
    field = header.by_name[name]
    load, offset, width, highest = load_field(field), field.offset, field.width, field.high

    @njit(nogil=True)
    def right(address: Any, length: Any) -> Any:
        others = sum_bytes(address, length) - sum_bytes(address + offset, width)
        return (others & highest) == load(address)

    return right
