"""Where the entries of CME's templates have what kernels read: one row of offsets a template.

Entries of the same meaning differ in width and place from version to version, so the kernels read
by these rows, which come from the tables.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from feedhandler.actions import NO_PRICE
from feedhandler.protocols.cme_fields import LEGACY_BELOW, NULL_I32, NULL_I64
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.wire.access import loader
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import groups_of
from nic.raw import load_i32le, load_i64le

ABSENT: Final = -1
NAMES: Final = (
    "md_entry_px",
    "md_entry_size",
    "security_id",
    "md_price_level",
    "md_update_action",
    "md_entry_type",
    "aggressor_side",
    "md_trade_entry_id",
    "order_id",
    "md_display_qty",
)
WIDE: Final = len(NAMES)  # 1 where the size has 8 bytes
NINE: Final = WIDE + 1  # 1 where prices have 9 decimals
COLUMNS: Final = NINE + 1
LOWEST: Final = 30
HIGHEST: Final = 70
PX, SIZE, SECURITY, LEVEL, ACTION, TYPE, AGGRESSOR, TRADE_ID, ORDER, DISPLAY = (
    4 * number for number in range(len(NAMES))
)
SIZE_IS_WIDE, NINE_DECIMALS = 4 * WIDE, 4 * NINE
TENS: Final = 10
LIMIT: Final = ((1 << 63) - 1) // TENS


def columns_of(record: Record) -> list[int]:
    """The row of a template: offsets in an entry of its first group."""
    groups = groups_of(record)
    known = groups[0].entry.by_name if groups else {}
    alias = {"md_trade_entry_id": "trade_id"}  # of the oldest trades
    made = [
        known[name].offset
        if name in known
        else (known[alias[name]].offset if alias.get(name) in known else ABSENT)
        for name in NAMES
    ]
    size = known.get("md_entry_size")
    wide = int(size is not None and size.width == 8)
    return [*made, wide, int(int(record.code) >= LEGACY_BELOW)]


def table() -> NDArray[np.int32]:
    """The rows of all templates from LOWEST on."""
    rows = np.full((HIGHEST - LOWEST, COLUMNS), ABSENT, np.int32)
    for record in CME_MDP3.records:
        if LOWEST <= int(record.code) < HIGHEST:
            rows[int(record.code) - LOWEST] = columns_of(record)
    return rows


table_at = constant_table(table())
load_n16: Any = loader(0, 2, False, False)


@njit(nogil=True, forceinline=True)
def layout_of(code):
    """Address of a template's row."""
    return table_at() + 4 * COLUMNS * (code - LOWEST)


@njit(nogil=True, forceinline=True)
def column(layout, name):
    """A column of a template's row."""
    return constant_i32(layout + name)


@njit(nogil=True)
def scaled(raw, nine):
    """A price as 1e-8 units. NO_PRICE for null, and for what 8 decimals cannot say exactly."""
    if raw == NULL_I64:
        return NO_PRICE
    if nine != 0:
        return raw // TENS if raw % TENS == 0 else NO_PRICE
    return raw * TENS if -LIMIT <= raw <= LIMIT else NO_PRICE


@njit(nogil=True, forceinline=True)
def price_of(entry, layout):
    """The price of an entry, as `scaled` gives it."""
    return scaled(load_i64le(entry + column(layout, PX)), column(layout, NINE_DECIMALS))


@njit(nogil=True, forceinline=True)
def size_of(entry, layout):
    """The size of an entry; null is 0."""
    at = entry + column(layout, SIZE)
    if column(layout, SIZE_IS_WIDE) != 0:
        wide = load_i64le(at)
        return wide if wide != -1 else 0  # all bits set: null
    short = np.int64(load_i32le(at))
    return short if short != NULL_I32 else 0
