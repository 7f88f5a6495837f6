"""Writing one message by its form: a template, then values into their places."""

from __future__ import annotations

from numba import njit

from feedhandler.context import get
from nic.raw import load_i64le, store_u8, store_u64le
from nic.widths import store_big, store_little
from simulator.publishing.layout import (
    BIG,
    CHOICE_DTYPE,
    FORM_DTYPE,
    PAIR_DTYPE,
    PLACE_DTYPE,
    SCALE,
    STATE_DTYPE,
    offsets,
)

FORM_BYTES, PLACE_BYTES = FORM_DTYPE.itemsize, PLACE_DTYPE.itemsize
CHOICE_BYTES, PAIR_BYTES = CHOICE_DTYPE.itemsize, PAIR_DTYPE.itemsize
FORMS, PLACES, CHOICES, PAIRS, TEMPLATES, VALUES = offsets(
    STATE_DTYPE, "forms", "places", "choices", "pairs", "templates", "values"
)
SIZE, TEMPLATE, FIRST_PLACE, PLACE_COUNT, FIRST_CHOICE, CHOICE_COUNT = offsets(
    FORM_DTYPE, "size", "template", "places", "place_count", "choices", "choice_count"
)
SOURCE, OFFSET, WIDTH, FACTOR, LOW, HIGH, FILL = offsets(
    PLACE_DTYPE, "source", "offset", "width", "factor", "low", "high", "fill"
)
CHOICE_SOURCE, MASK, CHOICE_OFFSET, FIRST_PAIR, PAIR_COUNT = offsets(
    CHOICE_DTYPE, "source", "mask", "offset", "pairs", "pair_count"
)


@njit(nogil=True, forceinline=True)
def value_of(state, source):
    """A word of the scratch row."""
    return load_i64le(get(state, VALUES) + 8 * source)


@njit(nogil=True, forceinline=True)
def set_value(state, source, value):
    """Sets a word of the scratch row."""
    store_u64le(get(state, VALUES) + 8 * source, value)


@njit(nogil=True, forceinline=True)
def place(values, row, out):
    """Stores one value; False when it does not fit its field."""
    value, width = load_i64le(values + 8 * load_i64le(row)), load_i64le(row + WIDTH)
    text = load_i64le(row + FILL)
    if text != 0:
        if width < 8 and value >> (8 * width) != text:
            return False
    else:
        factor = load_i64le(row + FACTOR)
        if factor == 0:
            factor = load_i64le(values + 8 * SCALE)
        if factor != 1:
            whole = value // factor
            if whole * factor != value:
                return False
            value = whole
        if value < load_i64le(row + LOW) or value > load_i64le(row + HIGH):
            return False
    if width >= BIG:
        store_big(out + load_i64le(row + OFFSET), value, width - BIG)
    else:
        store_little(out + load_i64le(row + OFFSET), value, width)
    return True


@njit(nogil=True, forceinline=True)
def choose(values, pairs, row, out):
    """Stores the byte that a value picks; False when it picks none."""
    value = load_i64le(values + 8 * load_i64le(row + CHOICE_SOURCE)) & load_i64le(row + MASK)
    pair = pairs + PAIR_BYTES * load_i64le(row + FIRST_PAIR)
    for _ in range(load_i64le(row + PAIR_COUNT)):
        if load_i64le(pair) == value:
            at = load_i64le(row + CHOICE_OFFSET)
            if at >= 0:
                store_u8(out + at, load_i64le(pair + 8))
            return True
        pair += PAIR_BYTES
    return False


@njit(nogil=True)
def write_form(state, number, out):
    """Writes a message of a form at `out`, in whole words; its bytes, 0 when a value does not fit.

    Bytes behind the message up to the next multiple of 8 are overwritten.
    """
    form = get(state, FORMS) + FORM_BYTES * number
    size, template = load_i64le(form + SIZE), get(state, TEMPLATES) + load_i64le(form + TEMPLATE)
    for at in range(0, size, 8):
        store_u64le(out + at, load_i64le(template + at))
    values, pairs = get(state, VALUES), get(state, PAIRS)
    row = get(state, CHOICES) + CHOICE_BYTES * load_i64le(form + FIRST_CHOICE)
    for _ in range(load_i64le(form + CHOICE_COUNT)):
        if not choose(values, pairs, row, out):
            return 0
        row += CHOICE_BYTES
    row = get(state, PLACES) + PLACE_BYTES * load_i64le(form + FIRST_PLACE)
    for _ in range(load_i64le(form + PLACE_COUNT)):
        if not place(values, row, out):
            return 0
        row += PLACE_BYTES
    return size
