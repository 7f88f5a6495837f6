"""What CME's kernels know of instruments: a row each, with the levels of its books by price.

CME says levels by their place from the top, and only as many as a book is deep: one that a better
level pushes out goes without a message. So the places are kept here, and every change becomes the
new size at its price, which books want. Levels of the implied book are added to the direct one at
the same price: both can be traded with.

Rows are found by the security id in an open table, in the channel's memory for symbols
(`context.symbols_address`), whose number of rows is a power of two. Row 0 begins the chain of all
rows in use, by number, so that what concerns many securities does not look at the whole table.

    0      security id and PRESENT; 0 in a free row
    8      security group, 16: asset (both text), 24: levels of the direct book,
    28: whether levels of the implied book were ever said (4 bytes each)
    32     direct bids, 192: direct offers: DEPTH pairs of price and quantity, best first
    352    implied bids, 384: implied offers: IMPLIED_DEPTH pairs
    416    number of the next row in use; 0: none

A place nothing is known of has NO_PRICE.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.context import SYMBOL_BYTES, SYMBOLS_ADDRESS, SYMBOLS_COUNT, get
from nic.raw import load_i64le, store_u64le, wrapping_product

ROW_BYTES: Final = 512
SYMBOLS_A_ROW: Final = ROW_BYTES // SYMBOL_BYTES
PRESENT: Final = 1 << 40
PROBES: Final = 64  # rows looked at for a security before there is no room
SCATTER: Final = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT: Final = 24
DEPTH: Final = 10
IMPLIED_DEPTH: Final = 2
GROUP, ASSET, LEVELS, IMPLIED_SEEN = 8, 16, 24, 28
DIRECT, DIRECT_SIDE = 32, 160
IMPLIED, IMPLIED_SIDE = 352, 32
NEXT = 416
PLACES: Final = 2 * (DEPTH + IMPLIED_DEPTH)
PAIR: Final = 16
NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY = range(6)


@njit(nogil=True)
def forget_levels(row):
    """Nothing is known of the levels any more."""
    for place in range(PLACES):
        store_u64le(row + DIRECT + PAIR * place, NO_PRICE)


@njit(nogil=True)
def row_count(context):
    """Rows of the table, row 0 among them."""
    return get(context, SYMBOLS_COUNT) // SYMBOLS_A_ROW


@njit(nogil=True)
def take(table, row, key):
    """Makes a free row a security's."""

    store_u64le(row, key)
    store_u64le(row + GROUP, np.int64(0))
    store_u64le(row + ASSET, np.int64(0))
    store_u64le(row + LEVELS, DEPTH)
    store_u64le(row + NEXT, load_i64le(table + NEXT))
    store_u64le(table + NEXT, (row - table) // ROW_BYTES)
    forget_levels(row)


@njit(nogil=True)
def search(table, rows, slot, key):
    """The row with a key from a slot on, or a free one made its own; 0 when there is no room."""

    for number in range(slot, slot + PROBES):
        row = table + ROW_BYTES * (number & (rows - 1))
        found = load_i64le(row)
        if found == key:
            return row
        if found & PRESENT == 0 and row != table:
            take(table, row, key)
            return row
    return np.int64(0)


@njit(nogil=True, forceinline=True)
def row_of(context, security):
    """The row of a security, made if it is new; 0 when there is no room."""
    rows, table = row_count(context), get(context, SYMBOLS_ADDRESS)
    if rows <= 0:
        return np.int64(0)
    key = (security & 0xFFFFFFFF) | PRESENT
    slot = wrapping_product(security, SCATTER) >> SCATTER_SHIFT
    row = table + ROW_BYTES * (slot & (rows - 1))
    if load_i64le(row) == key:
        return row
    return search(table, rows, slot, key)


@njit(nogil=True)
def next_row(context, row):
    """The row in use behind another, or behind the table's start; 0 when there is none."""
    number = load_i64le(row + NEXT)
    if number <= 0 or number >= row_count(context):
        return np.int64(0)
    return get(context, SYMBOLS_ADDRESS) + ROW_BYTES * number


@njit(nogil=True)
def first_row(context):
    """The first row in use; 0 when there is none."""
    if row_count(context) == 0:
        return np.int64(0)
    return next_row(context, get(context, SYMBOLS_ADDRESS))


@njit(nogil=True)
def forget_all(context):
    """Nothing is known of any security's levels: the channel was reset."""
    row = first_row(context)
    for _ in range(row_count(context)):
        if row == 0:
            break
        forget_levels(row)
        row = next_row(context, row)


@njit(nogil=True, forceinline=True)
def quantity_at(places, depth, price):
    """The quantity of the level at a price; 0 when there is none."""
    for place in range(depth):
        if load_i64le(places + PAIR * place) == price:
            return load_i64le(places + PAIR * place + 8)
    return np.int64(0)


@njit(nogil=True)
def set_place(place, price, quantity):
    """Writes one level."""
    store_u64le(place, price)
    store_u64le(place + 8, quantity)
