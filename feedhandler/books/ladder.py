"""Price levels and the sorted ladders that lead to them, best last."""

from __future__ import annotations

from numba import njit

from feedhandler.books.layout import (
    END_CHUNK,
    FREE_CHUNKS,
    FREE_LEVEL,
    GUARDS,
    LADDER_BYTES,
    LADDER_CLASS,
    LADDER_COUNT,
    LADDER_LEVELS,
    LADDERS,
    LEVEL_BYTES,
    LEVEL_LADDER,
    LEVEL_NEXT_FREE,
    LEVEL_QUANTITY,
    LEVELS,
    LIVE_LEVELS,
    MOST_LEVELS,
    NEXT_CHUNK,
    NEXT_LEVEL,
    NO_KEY,
    SIZE_CLASSES,
    SMALLEST_LADDER,
)
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le
from nic.vector import count_ones, not_below_mask_16


@njit(nogil=True, forceinline=True)
def ladder_address(book, ladder):
    """Where a ladder's row is."""
    return load_fixed(book + LADDERS) + LADDER_BYTES * ladder


@njit(nogil=True, forceinline=True)
def level_address(book, level):
    """Where a level is."""
    return load_fixed(book + LEVELS) + LEVEL_BYTES * level


@njit(nogil=True, forceinline=True)
def key_of_price(price, ladder):
    """Price key on a ladder: even ladders are bids, odd ones offers."""
    sign = -(ladder & 1)
    return (price ^ sign) - sign


@njit(nogil=True)
def deep_position(keys, count, key):
    """How many of `count` keys are below `key`, by halving."""
    low, high = 0, count
    while low < high:
        middle = (low + high) >> 1
        if load_i64le(keys + 8 * middle) < key:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, forceinline=True)
def position(keys, count, key):
    """How many keys are below `key`: where it is, or where it would go.

    The best 16 are compared at once; below the first key are guards, lower than any.
    """
    above = count_ones(not_below_mask_16(keys + 8 * (count - GUARDS), key))
    if above == GUARDS:
        return deep_position(keys, count - GUARDS, key)
    return count - above


@njit(nogil=True, forceinline=True)
def level_number(row, place):
    """Number of the level at a place of a ladder."""
    return load_n32le(load_i64le(row + LADDER_LEVELS) + 4 * place)


@njit(nogil=True, forceinline=True)
def best_level(row):
    """Number of the best level of the ladder whose row it is; 0 when it is empty."""
    count = load_i64le(row + LADDER_COUNT)
    return level_number(row, count - 1) if count != 0 else 0


@njit(nogil=True)
def take_chunk(book, size_class):
    """Address of a chunk's first key; 0 when there is no room left. Its guards are in place."""
    free = book + FREE_CHUNKS + 8 * size_class
    keys = load_i64le(free)
    if keys != 0:
        store_u64le(free, load_i64le(keys))
        return keys
    chunk = load_i64le(book + NEXT_CHUNK)
    after = chunk + 8 * GUARDS + 12 * (SMALLEST_LADDER << size_class)
    if after > load_fixed(book + END_CHUNK):
        return 0
    store_u64le(book + NEXT_CHUNK, (after + 63) & -64)
    for i in range(GUARDS):
        store_u64le(chunk + 8 * i, NO_KEY)
    return chunk + 8 * GUARDS


@njit(nogil=True)
def grow(book, row):
    """Moves a ladder into a chunk of the next size class; false when there is no room."""
    old, count = load_i64le(row), load_i64le(row + LADDER_COUNT)
    size_class = load_i64le(row + LADDER_CLASS) + (1 if old != 0 else 0)
    keys = take_chunk(book, size_class) if size_class < SIZE_CLASSES else 0
    if keys == 0:
        return False
    levels = keys + 8 * (SMALLEST_LADDER << size_class)
    for i in range(count):
        store_u64le(keys + 8 * i, load_i64le(old + 8 * i))
        store_u32le(levels + 4 * i, level_number(row, i))
    if old != 0:
        free = book + FREE_CHUNKS + 8 * (size_class - 1)
        store_u64le(old, load_i64le(free))
        store_u64le(free, old)
    store_u64le(row, keys)
    store_u64le(row + LADDER_LEVELS, levels)
    store_u64le(row + LADDER_CLASS, size_class)
    return True


@njit(nogil=True, forceinline=True)
def take_level(book):
    """Number of a free level; 0 when there is none."""
    level = load_i64le(book + FREE_LEVEL)
    if level != 0:
        store_u64le(book + FREE_LEVEL, load_i64le(level_address(book, level) + LEVEL_NEXT_FREE))
        return level
    level = load_i64le(book + NEXT_LEVEL)
    if level > load_fixed(book + MOST_LEVELS):
        return 0
    store_u64le(book + NEXT_LEVEL, level + 1)
    return level


@njit(nogil=True)
def insert_level(book, row, ladder, place, price):
    """A new empty level at a place of a ladder; 0 when levels run out, -1 when chunks do."""
    count = load_i64le(row + LADDER_COUNT)
    full = load_i64le(row) == 0 or count == SMALLEST_LADDER << load_i64le(row + LADDER_CLASS)
    if full and not grow(book, row):
        return -1
    level = take_level(book)
    if level == 0:
        return 0
    keys, levels = load_i64le(row), load_i64le(row + LADDER_LEVELS)
    at = count
    while at > place:
        store_u64le(keys + 8 * at, load_i64le(keys + 8 * at - 8))
        store_u32le(levels + 4 * at, load_n32le(levels + 4 * at - 4))
        at -= 1
    store_u64le(keys + 8 * place, key_of_price(price, ladder))
    store_u32le(levels + 4 * place, level)
    store_u64le(row + LADDER_COUNT, count + 1)
    address = level_address(book, level)
    store_u64le(address, price)
    store_u64le(address + LEVEL_QUANTITY, 0)
    store_u64le(address + 16, ladder << 32)  # no orders yet
    store_u64le(book + LIVE_LEVELS, load_i64le(book + LIVE_LEVELS) + 1)
    return level


@njit(nogil=True, forceinline=True)
def find_level(book, row, ladder, price):
    """The level at a price, made if it is not there; 0 or -1 when there is no room."""
    keys, count = load_i64le(row), load_i64le(row + LADDER_COUNT)
    if count == 0:
        return insert_level(book, row, ladder, 0, price)
    key = key_of_price(price, ladder)
    place = position(keys, count, key)
    if place < count and load_i64le(keys + 8 * place) == key:
        return level_number(row, place)
    return insert_level(book, row, ladder, place, price)


@njit(nogil=True)
def remove_level(book, row, level):
    """Takes an empty level off its ladder and frees it."""
    address = level_address(book, level)
    ladder = load_n32le(address + LEVEL_LADDER)
    keys, levels = load_i64le(row), load_i64le(row + LADDER_LEVELS)
    count = load_i64le(row + LADDER_COUNT)
    place = position(keys, count, key_of_price(load_i64le(address), ladder))
    for at in range(place, count - 1):
        store_u64le(keys + 8 * at, load_i64le(keys + 8 * at + 8))
        store_u32le(levels + 4 * at, load_n32le(levels + 4 * at + 4))
    store_u64le(row + LADDER_COUNT, count - 1)
    store_u64le(address + LEVEL_NEXT_FREE, load_i64le(book + FREE_LEVEL))
    store_u64le(book + FREE_LEVEL, level)
    store_u64le(book + LIVE_LEVELS, load_i64le(book + LIVE_LEVELS) - 1)
