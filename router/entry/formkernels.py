"""Writing and reading messages by their forms: see `router.entry.forms`."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY, SELL
from feedhandler.wire.digits import all_digits, eight_digits
from nic.raw import byteswap_u64, load_i32le, load_i64le, load_n8, load_n32le, store_u64le
from nic.widths import store_big, store_little
from router.entry.formlayout import (
    CANNOT_SAY,
    CHOICE,
    CHOICE_FLAGS,
    CODE,
    DIGITS,
    FORM,
    FORM_BYTES,
    LETTERS,
    MARKET_BIT,
    PATCH,
    PATCH_BYTES,
    PRICE,
    SELLS_BIT,
    SHAPE,
    SIDE_SAID,
    TIF_BIT,
    WORD,
    WORDS_BYTES,
)

FOUR_DECIMALS = 10_000  # 1e-8 units of a price with four decimals: the scale of most wires
HUNDRED_MILLION = 100_000_000
LOW_SEVEN, LOW_FOURS, ZEROS = 0x0000007F0000007F, 0x000F000F000F000F, 0x3030303030303030
PLACES = 16  # digits that two words hold


@njit(nogil=True, forceinline=True)
def choice_number(side, tif, flags, price):
    """Where in a form's table of choices the letters of such an order are."""
    sells, market = side == SELL, price == 0
    return (flags & CHOICE_FLAGS) | sells << SELLS_BIT | (tif & 3) << TIF_BIT | market << MARKET_BIT


@njit(nogil=True, forceinline=True)
def letters_of(form, number):
    """The letters for a choice, CANNOT_SAY where the message has no words for it."""
    return load_i64le(form + load_i64le(form + FORM.choices) + 8 * number)


@njit(nogil=True, forceinline=True)
def ascii_of(number):
    """Eight ASCII digits of a number below 1e8, the first in the lowest byte."""
    high = number // 10_000
    word = high | (number - 10_000 * high) << 32
    tens = ((word * 10_486) >> 20) & LOW_SEVEN
    word = tens | (word - 100 * tens) << 16
    tens = ((word * 103) >> 10) & LOW_FOURS
    return (tens | (word - 10 * tens) << 8) + ZEROS


@njit(nogil=True, forceinline=True)
def store_digits(place, number, digits):
    """A number in 8 to 16 ASCII digits, leading zeros and all."""
    high = number // HUNDRED_MILLION
    store_u64le(place, ascii_of(high) >> (8 * (PLACES - digits)))
    store_u64le(place + digits - 8, ascii_of(number - HUNDRED_MILLION * high))


@njit(nogil=True, forceinline=True)
def swapped(value, size):
    """The low 1, 2, 4 or 8 bytes of a value in the other order; bits above them may be set."""
    return np.int64(byteswap_u64(value)) >> (64 - 8 * size)


@njit(nogil=True, forceinline=True)
def store_width(place, value, width):
    """The low bytes of a value, 1, 2, 4 or 8 of them; a width below 0 is big-endian."""
    if width < 0:
        store_big(place, value, -width)
    else:
        store_little(place, value, width)


@njit(nogil=True, forceinline=True)
def on_wire(row, value):
    """A price in the wire's units, -1 where it has none for it."""
    unit = np.int64(load_i32le(row + PATCH.more))
    raw = value // FOUR_DECIMALS if unit == FOUR_DECIMALS else value // unit
    return raw if raw * unit == value else -1


@njit(nogil=True, forceinline=True)
def patch(form, row, words, out, letters):
    """Writes one patch; 0 where the message cannot hold the value."""
    kind = load_i32le(row + PATCH.kind)
    place, width = out + load_i32le(row + PATCH.at), load_i32le(row + PATCH.width)
    if kind == CHOICE:
        store_width(place, letters >> load_i32le(row + PATCH.more), width)
        return 1
    value = load_i64le(words + load_i32le(row + PATCH.word))
    if kind == PRICE:
        if value == 0:
            store_width(place, load_n32le(row + PATCH.count), width)
            return 1
        value = on_wire(row, value)
    if value < 0 or value > load_i64le(row + PATCH.high):
        return 0
    if kind == DIGITS:
        store_digits(place, value, load_i32le(row + PATCH.more))
        return 1
    if kind == CODE:
        value = load_i64le(form + load_i32le(row + PATCH.more) + 8 * value)
    store_width(place, value, width)
    return 1


@njit(nogil=True)
def fill_from(form, template, words, out):
    """As `fill`, with another template of the same form: its constants may differ."""
    letters = load_i64le(form + FORM.choices)
    if letters != 0:
        side, tif = load_i64le(words + WORD.side), load_i64le(words + WORD.tif)
        flags, price = load_i64le(words + WORD.flags), load_i64le(words + WORD.price)
        letters = letters_of(form, choice_number(side, tif, flags, price))
        if letters == CANNOT_SAY:
            return 0
    length = load_i64le(form + FORM.length)
    for at in range(0, length, 8):
        store_u64le(out + at, load_i64le(template + at))
    row = form + FORM_BYTES
    for _ in range(load_i64le(form + FORM.patches)):
        if patch(form, row, words, out, letters) == 0:
            return 0
        row += PATCH_BYTES
    return length


@njit(nogil=True)
def fill(form, words, out):
    """Writes a message at `out`; its length in bytes, 0 where it cannot be said.

    Args:
        form: address of a `Form.image`.
        words: address of a row of WORDS_DTYPE.
        out: room for the length and 7 bytes more.
    """
    return fill_from(form, form + load_i64le(form + FORM.template), words, out)


@njit(nogil=True, forceinline=True)
def load_width(place, width):
    """1, 2, 4 or 8 bytes as an unsigned number; a width below 0 is big-endian."""
    size = -width if width < 0 else width
    if size == 8:
        value = load_i64le(place)
        return swapped(value, size) if width < 0 else value
    if size == 4:
        value = load_n32le(place)
    elif size == 2:
        value = load_n8(place) | load_n8(place + 1) << 8
    else:
        value = load_n8(place)
    return swapped(value, size) & ((1 << 8 * size) - 1) if width < 0 else value


@njit(nogil=True, forceinline=True)
def load_digits(place, digits):
    """The number in 8 to 16 ASCII digits, -1 where they are none."""
    first, last = load_i64le(place), load_i64le(place + digits - 8)
    if not (all_digits(first) and all_digits(last)):
        return np.int64(-1)
    shift = 8 * (PLACES - digits)
    high = (first << shift) | (ZEROS & ((1 << shift) - 1)) if shift < 64 else ZEROS
    return eight_digits(high) * HUNDRED_MILLION + eight_digits(last)


@njit(nogil=True, forceinline=True)
def entry_of(table, count, step, value):
    """Which entry of a table, of `step` bytes each, has a value; -1: none."""
    for number in range(count):
        if load_i64le(table + step * number) == value:
            return number
    return -1


@njit(nogil=True)
def letters_at(form, row, data):
    """The choice bits that some letters stand for, -1 where no order of ours has them."""
    width, shift = load_i32le(row + PATCH.width), load_i32le(row + PATCH.word)
    value = load_width(data + load_i32le(row + PATCH.at), width)
    value = (value >> shift) & load_i64le(row + PATCH.high)
    table, count = form + load_i32le(row + PATCH.more), load_i32le(row + PATCH.count)
    number = entry_of(table, count, 16, value)
    return load_i64le(table + 16 * number + 8) if number >= 0 else -1


@njit(nogil=True)
def value_at(form, row, data):
    """What stands on the wire as the word's value, -1 where it cannot be."""
    kind = load_i32le(row + PATCH.kind)
    place, more = data + load_i32le(row + PATCH.at), np.int64(load_i32le(row + PATCH.more))
    if kind == DIGITS:
        return load_digits(place, more)
    value = load_width(place, load_i32le(row + PATCH.width))
    if kind == CODE:
        return entry_of(form + more, load_i32le(row + PATCH.count), 8, value)
    if kind == PRICE and value == load_n32le(row + PATCH.count):
        return np.int64(0)
    if value > load_i64le(row + PATCH.high):
        return np.int64(-1)
    return value * more if kind == PRICE else value


@njit(nogil=True)
def read(form, data, length, words):
    """Reads a message of a form into words; 1, or 0 where it is none of that form.

    Words that the form does not say are 0; so is the side of a message that does not say it.

    Args:
        form: address of a `Form.image`.
        data: the message with its transport, `length` bytes; nothing behind them is read.
        words: address of a row of WORDS_DTYPE.
    """
    if length != load_i64le(form + FORM.length):
        return 0
    for at in range(0, WORDS_BYTES, 8):
        store_u64le(words + at, 0)
    said = np.int64(0)
    row = form + load_i64le(form + FORM.reading)
    for _ in range(load_i64le(form + FORM.readings)):
        kind, place = load_i32le(row + PATCH.kind), data + load_i32le(row + PATCH.at)
        if kind == SHAPE:
            value = load_width(place, load_i32le(row + PATCH.width)) == load_i64le(row + PATCH.high)
            value = np.int64(value) - 1
        elif kind == LETTERS:
            value = letters_at(form, row, data)
            said |= value
        else:
            value = value_at(form, row, data)
            store_u64le(words + load_i32le(row + PATCH.word), value)
        if value < 0:
            return 0
        row += PATCH_BYTES
    store_u64le(words + WORD.side, (said >> SELLS_BIT & 1) + BUY if said & SIDE_SAID != 0 else 0)
    store_u64le(words + WORD.tif, said >> TIF_BIT & 3)
    store_u64le(words + WORD.flags, said & CHOICE_FLAGS)
    return 1


@njit(nogil=True)
def recognise(forms, count, data, length, words):
    """Which of some forms a message has, its words read; -1: none of them.

    Args:
        forms: address of `count` addresses of forms, as i8.
        data, length, words: as `read` has them.
    """
    for number in range(count):
        if read(load_i64le(forms + 8 * number), data, length, words) != 0:
            return number
    return -1
