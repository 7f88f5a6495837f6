"""The levels of a ladder that are not in its window: sorted keys and level numbers, best last."""

from __future__ import annotations

from numba import njit

from feedhandler.books.layout import (
    END_CHUNK,
    FREE_CHUNKS,
    GUARDS,
    LADDER_CLASS,
    LADDER_COUNT,
    LADDER_KEYS,
    LADDER_LEVELS,
    NEXT_CHUNK,
    NO_KEY,
    SIZE_CLASSES,
    SMALLEST_LADDER,
)
from nic.move import move_bytes
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le
from nic.vector import count_ones, not_below_mask_16


@njit(nogil=True, forceinline=True)
def far_count(row):
    """How many levels stand in the sorted keys."""
    return load_n32le(row + LADDER_COUNT)


@njit(nogil=True, forceinline=True)
def far_key(row, place):
    """The key at a place; NO_KEY in front of the first where there are keys."""
    return load_i64le(load_i64le(row + LADDER_KEYS) + 8 * place)


@njit(nogil=True, forceinline=True)
def far_level(row, place):
    """The level number at a place."""
    return load_n32le(load_i64le(row + LADDER_LEVELS) + 4 * place)


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
def position(row, key):
    """How many keys are below `key`: where it is, or where it would go. There is a key at least.

    The best 16 are compared at once; below the first key are guards, lower than any.
    """
    keys, count = load_i64le(row + LADDER_KEYS), far_count(row)
    above = count_ones(not_below_mask_16(keys + 8 * (count - GUARDS), key))
    if above == GUARDS:
        return deep_position(keys, count - GUARDS, key)
    return count - above


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
    old, count = load_i64le(row + LADDER_KEYS), far_count(row)
    size_class = load_n32le(row + LADDER_CLASS) + (1 if old != 0 else 0)
    keys = take_chunk(book, size_class) if size_class < SIZE_CLASSES else 0
    if keys == 0:
        return False
    levels = keys + 8 * (SMALLEST_LADDER << size_class)
    if old != 0:
        move_bytes(keys, old, 8 * count)
        move_bytes(levels, load_i64le(row + LADDER_LEVELS), 4 * count)
        free = book + FREE_CHUNKS + 8 * (size_class - 1)
        store_u64le(old, load_i64le(free))
        store_u64le(free, old)
    store_u64le(row + LADDER_KEYS, keys)
    store_u64le(row + LADDER_LEVELS, levels)
    store_u32le(row + LADDER_CLASS, size_class)
    return True


@njit(nogil=True)
def room_for_far(book, row):
    """Whether one more level can stand in the sorted keys; makes room if it must."""
    full = load_i64le(row + LADDER_KEYS) == 0 or far_count(row) == SMALLEST_LADDER << load_n32le(
        row + LADDER_CLASS
    )
    return not full or grow(book, row)


@njit(nogil=True)
def enter_far(row, key, level):
    """Puts a level into the sorted keys; there is room."""
    count = far_count(row)
    keys, levels = load_i64le(row + LADDER_KEYS), load_i64le(row + LADDER_LEVELS)
    place = position(row, key) if count != 0 else 0
    move_bytes(keys + 8 * place + 8, keys + 8 * place, 8 * (count - place))
    move_bytes(levels + 4 * place + 4, levels + 4 * place, 4 * (count - place))
    store_u64le(keys + 8 * place, key)
    store_u32le(levels + 4 * place, level)
    store_u32le(row + LADDER_COUNT, count + 1)


@njit(nogil=True)
def leave_far(row, key):
    """Takes a level out of the sorted keys."""
    keys, levels = load_i64le(row + LADDER_KEYS), load_i64le(row + LADDER_LEVELS)
    count = far_count(row)
    place = position(row, key)
    behind = count - 1 - place
    move_bytes(keys + 8 * place, keys + 8 * place + 8, 8 * behind)
    move_bytes(levels + 4 * place, levels + 4 * place + 4, 4 * behind)
    store_u32le(row + LADDER_COUNT, count - 1)
