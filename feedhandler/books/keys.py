"""From a venue's key to the number of its instrument.

Venues with small numbers as keys (locate codes, symbol indexes) use them as they are; others, with
symbol text or large numbers, get a number each in the order of their first appearance.
"""

from __future__ import annotations

from numba import njit

from feedhandler.books.layout import INSTRUMENTS, KEY_MASK, KEYS, KNOWN_KEYS
from nic.raw import load_fixed, load_i64le, store_u64le, wrapping_product

KEY_BYTES = 16
SCATTER = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT = 20


@njit(nogil=True, forceinline=True)
def first_slot(book, key):
    """The slot of the key table where a key is looked for first."""
    return (wrapping_product(key, SCATTER) >> SCATTER_SHIFT) & load_fixed(book + KEY_MASK)


@njit(nogil=True)
def named_instrument(book, key):
    """The instrument of a key in the key table, entered if it is new; -1 when all are taken."""
    mask, table = load_fixed(book + KEY_MASK), load_fixed(book + KEYS)
    slot = first_slot(book, key)
    while True:
        row = table + KEY_BYTES * slot
        number = load_i64le(row + 8)
        if number == 0:
            break
        if load_i64le(row) == key:
            return number
        slot = (slot + 1) & mask
    number = load_i64le(book + KNOWN_KEYS) + 1
    if number >= load_fixed(book + INSTRUMENTS):
        return -1
    store_u64le(book + KNOWN_KEYS, number)
    store_u64le(row, key)
    store_u64le(row + 8, number)
    return number


@njit(nogil=True, forceinline=True)
def likely_instrument(book, key):
    """The instrument of a key at first sight, to ask for its memory; 0 when it takes longer."""
    table = load_fixed(book + KEYS)
    if table == 0:
        return min(max(key, 0), load_fixed(book + INSTRUMENTS) - 1)
    row = table + KEY_BYTES * first_slot(book, key)
    return load_i64le(row + 8) if load_i64le(row) == key else 0


@njit(nogil=True, forceinline=True)
def instrument_of(book, key):
    """The instrument number of a key; -1 when it is beyond the configured instruments."""
    if load_fixed(book + KEYS) != 0:
        return named_instrument(book, key)
    return key if 0 <= key < load_fixed(book + INSTRUMENTS) else -1
