"""The window of a ladder: 64 cents around the best price, a level each, found without a search."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.books.farlevels import enter_far, room_for_far
from feedhandler.books.layout import (
    FIRST_SINGLE,
    LADDER_BITS,
    LADDER_LOW,
    LADDER_WINDOW,
    LEVEL_BYTES,
    LEVELS,
    NEXT_WINDOW,
    WINDOW,
)
from nic.raw import (
    count_leading_zeros,
    load_fixed,
    load_i64le,
    load_n32le,
    store_u32le,
    store_u64le,
    wrapping_product,
)

CENT = 1_000_000  # 2**6 times an odd number, whose inverse divides what it divides
CENT_SHIFT = 6
_INVERSE = pow(CENT >> CENT_SHIFT, -1, 1 << 64)
CENT_INVERSE = _INVERSE - (1 << 64 if _INVERSE >> 63 else 0)
MOST_CENTS = ((1 << 63) - 1) // CENT  # what the inverse makes of a key between cents is beyond
PLACES = WINDOW - 1  # mask
HEADROOM = 16  # cents left free above a best price that moves the window


@njit(nogil=True, forceinline=True)
def cents_of(key):
    """A key in cents; some number for one between cents."""
    return wrapping_product(key >> CENT_SHIFT, CENT_INVERSE)


@njit(nogil=True, forceinline=True)
def window_level(row, key):
    """Number of the level that a key has if it is in the window."""
    return load_n32le(row + LADDER_WINDOW) | (cents_of(key) & PLACES)


@njit(nogil=True, forceinline=True)
def turned(bits, low):
    """The bits of a window in the order of their keys, the lowest cent first."""
    by = np.uint64(low & PLACES)
    word = np.uint64(bits)
    return np.int64((word >> by) | (word << ((np.uint64(WINDOW) - by) & np.uint64(PLACES))))


@njit(nogil=True, forceinline=True)
def highest(bits):
    """Place of the highest bit of a word that is not 0."""
    return np.int64(PLACES) - np.int64(count_leading_zeros(bits))


@njit(nogil=True)
def take_window(book, row, ladder):
    """Gives a ladder a window; false when there are none left."""
    window = load_i64le(book + NEXT_WINDOW)
    if window >= load_fixed(book + FIRST_SINGLE):
        return False
    store_u64le(book + NEXT_WINDOW, window + WINDOW)
    store_u32le(row + LADDER_WINDOW, window)
    return True


@njit(nogil=True)
def leave_behind(book, row, low):
    """Moves the window up: levels below the new lowest cent go into the sorted keys.

    They keep their places. False when the sorted keys have no room: then it stays where it is.
    """
    window, old = load_n32le(row + LADDER_WINDOW), load_i64le(row + LADDER_LOW)
    for cents in range(old, min(low, old + WINDOW)):
        place = cents & PLACES
        bits = load_i64le(row + LADDER_BITS)
        if (bits >> place) & 1:
            if not room_for_far(book, row):
                return False
            enter_far(row, cents * CENT, window | place)
            store_u64le(row + LADDER_BITS, bits & ~(np.int64(1) << place))
    return True


@njit(nogil=True)
def reach(book, row, cents):
    """Moves the window so that it holds a cent, if that is worth it; whether it then does."""
    bits, low = load_i64le(row + LADDER_BITS), load_i64le(row + LADDER_LOW)
    if bits == 0:
        store_u64le(row + LADDER_LOW, cents - (PLACES - HEADROOM))
        return True
    if cents < low:
        lowest = low + highest(turned(bits, low)) - PLACES
        if cents < lowest:
            return False
        store_u64le(row + LADDER_LOW, lowest)
        return True
    if cents > low + PLACES:
        if not leave_behind(book, row, cents - (PLACES - HEADROOM)):
            return False
        store_u64le(row + LADDER_LOW, cents - (PLACES - HEADROOM))
    return True


@njit(nogil=True)
def window_place(book, row, ladder, key):
    """Number of a free level of the window for a new key, marked as taken; 0 when it has none."""
    cents = cents_of(key)
    if not -MOST_CENTS <= cents <= MOST_CENTS or cents * CENT != key:
        return 0
    if load_n32le(row + LADDER_WINDOW) == 0 and not take_window(book, row, ladder):
        return 0
    if not reach(book, row, cents):
        return 0
    level = load_n32le(row + LADDER_WINDOW) | (cents & PLACES)
    if load_i64le(load_fixed(book + LEVELS) + LEVEL_BYTES * level) != NO_PRICE:
        return 0  # a level that was left behind has the place
    bits = load_i64le(row + LADDER_BITS)
    store_u64le(row + LADDER_BITS, bits | (np.int64(1) << (cents & PLACES)))
    return level
