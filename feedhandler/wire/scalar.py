"""Writing one action record by its row, a field at a time: runs on every CPU."""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.context import UNIT, get
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.wire.acts import COLUMN, Rows
from feedhandler.wire.constants import constant_i32, constant_i64, constant_table
from nic.raw import load_i64be, load_i64le, load_u8, store_u64le

HEAD, EXTRA, KEY_FILL = (8 * COLUMN[name] for name in ("head", "extra", "key_fill"))
KEY, ORDER, PRICE, QUANTITY, AUX, TIME, SECOND = (
    8 * COLUMN[f"{name}_end"] for name in "key order price quantity aux time second".split()
)
SIDE_AT, FLAG_AT, AUX_AT = (8 * COLUMN[name] for name in ("side_at", "flag_at", "aux_at"))
BILLION = 1_000_000_000


def cutter(rows: Rows) -> Any:
    """A kernel `cut(message, part) -> integer`: the field whose place starts at `part` of a row.

    The 8 bytes that end where the field does are loaded, so nothing behind the message is read.
    """
    big = rows.big
    load = load_i64be if big else load_i64le

    @njit(nogil=True, forceinline=True)
    def cut(address: Any, part: Any) -> Any:
        value = load(address + constant_i64(part) - 8)
        if not big:
            value >>= constant_i64(part + 8)
        return value & constant_i64(part + 16)

    return cut


def scaler(rows: Rows, cut: Any) -> Any:
    """A kernel `scaled(message, part, symbol factor) -> integer`: in the house's units."""
    wide, by_symbol = rows.wide, rows.by_symbol

    @njit(nogil=True, forceinline=True)
    def scaled(address: Any, part: Any, symbol_factor: Any) -> Any:
        raw, factor = cut(address, part), constant_i64(part + 24)
        if by_symbol and factor == 0:
            if symbol_factor == 0:
                return NO_PRICE
            return raw * symbol_factor
        if wide and (raw < constant_i64(part + 32) or raw > constant_i64(part + 40)):
            return NO_PRICE
        return raw * factor

    return scaled


def chooser(rows: Rows) -> Any:
    """A kernel `choice(message, part) -> integer`: a value chosen by one byte of the message."""
    tables_at = constant_table(rows.tables)

    @njit(nogil=True, forceinline=True)
    def choice(address: Any, part: Any) -> Any:
        value = load_u8(address + constant_i64(part))
        return constant_i32(tables_at() + constant_i64(part + 8) + 4 * value)

    return choice


def extra_writer(cut: Any, choice: Any) -> Any:
    """A kernel `extras(message, row, out)`: what only some rows add to a record already written."""

    @njit(nogil=True, forceinline=True)
    def extras(address: Any, row: Any, out: Any) -> Any:
        store_u64le(out + 40, load_i64le(out + 40) + choice(address, row + AUX_AT))
        if constant_i64(row + SECOND + 16) != 0:
            time_ns = cut(address, row + SECOND) * BILLION + cut(address, row + TIME)
            store_u64le(out + 48, time_ns)

    return extras


def scalar_writer(rows: Rows, clock: Any, scale: Any) -> Any:
    """A kernel `write(message, length, row, sequence, context, out) -> 0, or minus a fault`."""
    cut = cutter(rows)
    scaled, choice = scaler(rows, cut), chooser(rows)
    extras = extra_writer(cut, choice)

    @njit(nogil=True, forceinline=True)
    def write(address: Any, length: Any, row: Any, sequence: Any, context: Any, out: Any) -> Any:
        side = choice(address, row + SIDE_AT)
        if side < 0:
            return -UNKNOWN_VALUE
        key = cut(address, row + KEY) | constant_i64(row + KEY_FILL)
        factor = scale(context, key, constant_i64(row + PRICE + 24))
        head = constant_i64(row + HEAD) + side + choice(address, row + FLAG_AT)
        store_u64le(out, head | (get(context, UNIT) << 32))
        store_u64le(out + 8, key)
        store_u64le(out + 16, cut(address, row + ORDER))
        store_u64le(out + 24, scaled(address, row + PRICE, factor))
        store_u64le(out + 32, scaled(address, row + QUANTITY, factor))
        store_u64le(out + 40, scaled(address, row + AUX, factor))
        store_u64le(out + 48, clock(context, key, cut(address, row + TIME)))
        store_u64le(out + 56, sequence)
        if constant_i64(row + EXTRA) != 0:
            extras(address, row, out)
        return 0

    return write
