"""Numbers in ASCII digits, eight at a time: client order ids and tokens are such numbers.

Words are loaded with the first character in the lowest byte.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.wire.constants import constant_i64, constant_table
from nic.raw import count_leading_zeros, load_i64le, load_u8

HIGH_NIBBLES = 0xF0F0F0F0F0F0F0F0 - (1 << 64)
LOW_NIBBLES = 0x0F0F0F0F0F0F0F0F
THREES = 0x3030303030303030
ABOVE_NINE = 0x0606060606060606  # added to a digit's byte it leaves the high nibble as it is
PAIRS, FOURS = 0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF
TO_HIGH_BIT = 0x7676767676767676  # added to a value of 10 or more it sets the byte's high bit
HIGH_BITS = 0x8080808080808080 - (1 << 64)
WORD_DIGITS = 8
POWERS = np.array([10**n for n in range(WORD_DIGITS + 1)], np.int64)

powers_at = constant_table(POWERS)


@njit(nogil=True, forceinline=True)
def all_digits(word):
    """Whether the eight bytes of a word are ASCII digits."""
    return (word & HIGH_NIBBLES) == THREES and ((word + ABOVE_NINE) & HIGH_NIBBLES) == THREES


@njit(nogil=True, forceinline=True)
def eight_digits(word):
    """The number in eight ASCII digits; a zero byte counts as the digit 0."""
    word &= LOW_NIBBLES
    word = (word * 10 + (word >> 8)) & PAIRS
    word = (word * 100 + (word >> 16)) & FOURS
    return (word * 10_000 + (word >> 32)) & 0xFFFFFFFF


@njit(nogil=True, forceinline=True)
def leading_digits(word):
    """How many of a word's eight bytes are digits before the first that is none."""
    value = word ^ THREES
    other = ((value & ~HIGH_BITS) + TO_HIGH_BIT | value) & HIGH_BITS
    lowest = other & -other
    return (63 - np.int64(count_leading_zeros(lowest))) >> 3 if lowest != 0 else WORD_DIGITS


@njit(nogil=True, forceinline=True)
def first_digits(word, count):
    """The number in the first `count` (1 to 8) digits of a word."""
    return eight_digits(word << (8 * (WORD_DIGITS - count)))


@njit(nogil=True)
def slow_number(address, width, most):
    """As `decimal_number`, a digit at a time."""
    number = np.int64(0)
    for place in range(width):
        byte = np.int64(load_u8(address + place))
        digit = byte - ord("0")
        if digit < 0 or digit > 9:
            return number if byte == 0 or byte == ord(" ") else np.int64(0)
        if place == most:
            return np.int64(0)
        number = number * 10 + digit
    return np.int64(0)


@njit(nogil=True, forceinline=True)
def decimal_number(address, width, most):
    """The number that text of at least 16 bytes spells, up to its padding (spaces or NULs).

    0 for text that is no number, has more than `most` (at most 18) digits, or fills its field.
    """
    first, second = load_i64le(address), load_i64le(address + 8)
    count = leading_digits(first)
    if count < WORD_DIGITS:
        after = np.int64(load_u8(address + count))
        if count == 0 or (after != 0 and after != ord(" ")):
            return np.int64(0)
        return first_digits(first, count)
    count = leading_digits(second)
    if count == 0 or count == WORD_DIGITS:
        return slow_number(address, width, most)
    after = np.int64(load_u8(address + WORD_DIGITS + count))
    if after != 0 and after != ord(" "):
        return np.int64(0)
    power = constant_i64(powers_at() + 8 * count)
    return eight_digits(first) * power + first_digits(second, count)
