"""Integers of a width that is only known when they are stored."""

from __future__ import annotations

from numba import njit

from nic.raw import (
    store_u8,
    store_u16be,
    store_u16le,
    store_u32be,
    store_u32le,
    store_u48be,
    store_u48le,
    store_u64be,
    store_u64le,
)


@njit(nogil=True, forceinline=True)
def store_little(address, value, width):
    """Stores the low bytes of an integer, the lowest first."""
    if width == 4:
        store_u32le(address, value)
    elif width == 8:
        store_u64le(address, value)
    elif width == 2:
        store_u16le(address, value)
    elif width == 6:
        store_u48le(address, value)
    else:
        store_u8(address, value)


@njit(nogil=True, forceinline=True)
def store_big(address, value, width):
    """Stores the low bytes of an integer, the highest first."""
    if width == 4:
        store_u32be(address, value)
    elif width == 8:
        store_u64be(address, value)
    elif width == 6:
        store_u48be(address, value)
    elif width == 2:
        store_u16be(address, value)
    else:
        store_u8(address, value)
