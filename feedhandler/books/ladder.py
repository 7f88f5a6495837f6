"""The price levels of a side: found, made, taken away; the best of them at hand."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.books.farlevels import (
    enter_far,
    far_count,
    far_key,
    far_level,
    leave_far,
    position,
    room_for_far,
)
from feedhandler.books.layout import (
    FIRST_SINGLE,
    FREE_LEVEL,
    LADDER_BEST,
    LADDER_BEST_KEY,
    LADDER_BITS,
    LADDER_LOW,
    LADDER_WINDOW,
    LADDERS,
    LADDERS_BYTES,
    LEVEL_BYTES,
    LEVEL_LADDER,
    LEVEL_NEXT_FREE,
    LEVEL_QUANTITY,
    LEVELS,
    LIVE_LEVELS,
    MOST_LEVELS,
    NEAR_BYTES,
    NEXT_LEVEL,
    NO_KEY,
)
from feedhandler.books.window import CENT, PLACES, highest, turned, window_level, window_place
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le


@njit(nogil=True, forceinline=True)
def ladder_of_table(ladders, number):
    """Where a ladder's row is, from where the table is: even numbers are bids, odd ones offers."""
    return ladders + LADDERS_BYTES * (number >> 1) + NEAR_BYTES * (number & 1)


@njit(nogil=True, forceinline=True)
def ladder_address(book, ladder):
    """Where a ladder's row is."""
    return ladder_of_table(load_fixed(book + LADDERS), ladder)


@njit(nogil=True, forceinline=True)
def level_address(book, level):
    """Where a level is."""
    return load_fixed(book + LEVELS) + LEVEL_BYTES * level


@njit(nogil=True, forceinline=True)
def key_of_price(price, ladder):
    """Price key on a ladder: even ladders are bids, odd ones offers."""
    sign = -(ladder & 1)
    return (price ^ sign) - sign


@njit(nogil=True, forceinline=True)
def best_level(row):
    """Number of the best level of the ladder whose row it is; 0 when it is empty."""
    return load_n32le(row + LADDER_BEST)


@njit(nogil=True, forceinline=True)
def window_bits(row):
    """The window's levels as bits in the order of their keys; what `better` starts with."""
    return turned(load_i64le(row + LADDER_BITS), load_i64le(row + LADDER_LOW))


@njit(nogil=True, forceinline=True)
def better(row, bits, far):
    """The best of some levels: the window's in `bits` and the first `far` of the sorted ones.

    Returns:
        (level number, its key, bits without it, far without it); 0 and NO_KEY when there is none.
    """
    near, key = np.int64(NO_KEY), np.int64(NO_KEY)
    if bits != 0:
        near = (load_i64le(row + LADDER_LOW) + highest(bits)) * CENT
    if far != 0:
        key = far_key(row, far - 1)
    if near > key:
        place = (load_i64le(row + LADDER_LOW) + highest(bits)) & PLACES
        rest = bits & ~(np.int64(1) << highest(bits))
        return load_n32le(row + LADDER_WINDOW) | place, near, rest, far
    if far != 0:
        return far_level(row, far - 1), key, bits, far - 1
    return np.int64(0), key, bits, far


@njit(nogil=True)
def find_best(row):
    """Notes the best level anew."""
    level, key, _, _ = better(row, window_bits(row), far_count(row))
    store_u32le(row + LADDER_BEST, level)
    store_u64le(row + LADDER_BEST_KEY, key)


@njit(nogil=True)
def take_single(book):
    """Number of a free level outside the windows; there is one for every level allowed."""
    level = load_i64le(book + FREE_LEVEL)
    if level != 0:
        store_u64le(book + FREE_LEVEL, load_i64le(level_address(book, level) + LEVEL_NEXT_FREE))
        return level
    level = load_i64le(book + NEXT_LEVEL)
    store_u64le(book + NEXT_LEVEL, level + 1)
    return level


@njit(nogil=True)
def new_level(book, row, ladder, price, key):
    """A new empty level; 0 when levels run out, -1 when chunks do."""
    live = load_i64le(book + LIVE_LEVELS)
    if live >= load_fixed(book + MOST_LEVELS):
        return 0
    level = window_place(book, row, ladder, key)
    if level == 0:
        if not room_for_far(book, row):
            return -1
        level = take_single(book)
        enter_far(row, key, level)
    address = level_address(book, level)
    store_u64le(address, price)
    store_u64le(address + LEVEL_QUANTITY, 0)
    store_u64le(address + 16, ladder << 32)  # no orders yet
    store_u64le(book + LIVE_LEVELS, live + 1)
    if key > load_i64le(row + LADDER_BEST_KEY):
        store_u32le(row + LADDER_BEST, level)
        store_u64le(row + LADDER_BEST_KEY, key)
    return level


@njit(nogil=True, forceinline=True)
def level_at_price(book, row, ladder, price):
    """The level at a price; 0 when there is none."""
    key = key_of_price(price, ladder)
    level = window_level(row, key)
    if load_i64le(level_address(book, level)) == price:
        return level
    return sorted_level(row, key)


@njit(nogil=True)
def sorted_level(row, key):
    """The level of a key that is not in the window; 0 when there is none."""
    count = far_count(row)
    if count != 0:
        place = position(row, key)
        if place < count and far_key(row, place) == key:
            return far_level(row, place)
    return np.int64(0)


@njit(nogil=True)
def far_or_new_level(book, row, ladder, price, key):
    """The level at a price that is not in the window, made if it is not there; as `find_level`."""
    level = sorted_level(row, key)
    return level if level != 0 else new_level(book, row, ladder, price, key)


@njit(nogil=True, forceinline=True)
def find_level(book, row, ladder, price):
    """The level at a price, made if it is not there; 0 or -1 when there is no room."""
    key = key_of_price(price, ladder)
    level = window_level(row, key)
    if load_i64le(level_address(book, level)) == price:
        return level
    return far_or_new_level(book, row, ladder, price, key)


@njit(nogil=True)
def remove_level(book, row, level):
    """Takes an empty level off its ladder and frees it."""
    address = level_address(book, level)
    key = key_of_price(load_i64le(address), load_n32le(address + LEVEL_LADDER))
    single = level >= load_fixed(book + FIRST_SINGLE)
    bits, bit = load_i64le(row + LADDER_BITS), np.int64(1) << (level & PLACES)
    if not single and bits & bit != 0:
        store_u64le(row + LADDER_BITS, bits & ~bit)
    else:
        leave_far(row, key)
    store_u64le(address, NO_PRICE)
    if single:
        store_u64le(address + LEVEL_NEXT_FREE, load_i64le(book + FREE_LEVEL))
        store_u64le(book + FREE_LEVEL, level)
    store_u64le(book + LIVE_LEVELS, load_i64le(book + LIVE_LEVELS) - 1)
    if level == best_level(row):
        find_best(row)
