"""Where the entries of CME's templates have what kernels read: one row of offsets a template.

Entries of the same meaning differ in width and place from version to version, so the kernels read
by these rows, which come from the tables.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.protocols.cme_columns import COLUMNS, LOWEST, NAMES, NINE, WIDE, columns
from feedhandler.protocols.cme_fields import NULL_I32, NULL_I64
from feedhandler.wire.access import loader
from feedhandler.wire.constants import constant_i32, constant_table
from nic.raw import load_i32le, load_i64le

PX, SIZE, SECURITY, LEVEL, ACTION, TYPE, AGGRESSOR, TRADE_ID, ORDER, DISPLAY, PRIORITY = (
    4 * number for number in range(len(NAMES))
)
SIZE_IS_WIDE, NINE_DECIMALS = 4 * WIDE, 4 * NINE
TENS: Final = 10
LIMIT: Final = ((1 << 63) - 1) // TENS


table_at = constant_table(columns())
load_n16: Any = loader(0, 2, False, False)


@njit(nogil=True, forceinline=True)
def layout_of(code):
    """Address of a template's row."""
    return table_at() + 4 * COLUMNS * (code - LOWEST)


@njit(nogil=True, forceinline=True)
def column(layout, name):
    """A column of a template's row."""
    return constant_i32(layout + name)


@njit(nogil=True, forceinline=True)
def scaled(raw, nine):
    """A price as 1e-8 units. NO_PRICE for null, and for what 8 decimals cannot say exactly."""
    if raw == NULL_I64:
        return NO_PRICE
    if nine != 0:
        exact = raw // TENS
        return exact if exact * TENS == raw else NO_PRICE
    return raw * TENS if -LIMIT <= raw <= LIMIT else NO_PRICE


@njit(nogil=True, forceinline=True)
def price_of(entry, layout):
    """The price of an entry, as `scaled` gives it."""
    return scaled(load_i64le(entry + column(layout, PX)), column(layout, NINE_DECIMALS))


@njit(nogil=True, forceinline=True)
def known_wide(size):
    """A size of 8 bytes; null, all bits set, is 0."""
    return size if size != -1 else 0


@njit(nogil=True, forceinline=True)
def known_short(size):
    """A size of 4 bytes; null is 0."""
    return size if size != NULL_I32 else 0


@njit(nogil=True, forceinline=True)
def size_of(entry, layout):
    """The size of an entry; null is 0."""
    at = entry + column(layout, SIZE)
    if column(layout, SIZE_IS_WIDE) != 0:
        return known_wide(load_i64le(at))
    return known_short(np.int64(load_i32le(at)))
