"""Compiled access to the fields of a table: loads at constant offsets, and the size check.

Every load gives an int64 whatever the field's type, so that kernels never mix signed and unsigned
integers (numba would make a float of a variable that is once one and once the other); an unsigned
field of 8 bytes keeps its bit pattern. Nothing here is written by hand per message: offset, width,
sign and byte order come from the table.
"""

from __future__ import annotations

from typing import Any

from nic.raw import emit_load, wrapping_product

from llvmlite import ir  # isort: skip
from numba import njit, types  # isort: skip
from numba.extending import intrinsic  # isort: skip

from feedhandler.actions import NO_PRICE
from feedhandler.prices import multiplier
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

_I64 = ir.IntType(64)
KEY_BYTES = 8  # of a symbol that is packed into one integer
SPACES = 0x2020202020202020
FOLD_MULTIPLIER = 0x9E3779B97F4A7C15 - (1 << 64)  # 2^64 / golden ratio, odd


def loader(offset: int, width: int, signed: bool, big: bool, fill: int = 0) -> Any:
    """An intrinsic `load(address) -> int64` at address + offset, with bits filled in."""

    @intrinsic
    def load(_typing: Any, address: Any) -> Any:
        if not isinstance(address, types.Integer):
            return None

        def codegen(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
            place = builder.add(args[0], _I64(offset))
            value = emit_load(builder, place, width, signed, big)
            return builder.or_(value, _I64(fill)) if fill else value

        return types.int64(types.int64), codegen

    return load


def load_field(field: Field) -> Any:
    """An intrinsic that reads a field of at most 8 bytes, given its record's address.

    Text is read with its first byte lowest, as `int.from_bytes(raw, "little")` does.
    """
    if field.width > KEY_BYTES:
        raise ValueError(f"{field.name}: {field.width} bytes do not fit an integer")
    big = field.big and field.is_integer
    return loader(field.offset, field.width, field.signed, big)


def loads(record: Record, *names: str) -> tuple[Any, ...]:
    """One intrinsic `load(record_address) -> int64` for each named field of a record."""
    return tuple(load_field(record.by_name[name]) for name in names)


def load_price(record: Record, name: str) -> Any:
    """A kernel that reads a price field as 1e-8 units, NO_PRICE when it leaves the 63 bits.

    The scale is the table's; a price whose scale comes with the symbol has none and is refused.
    """
    field = record.by_name[name]
    if field.decimals is None:
        raise ValueError(f"{name} has no scale of its own")
    load, factor, signed = load_field(field), multiplier(field.decimals), field.signed
    limit = ((1 << 63) - 1) // factor

    if field.high <= limit:

        @njit(nogil=True)
        def narrow(address: Any) -> Any:
            return load(address) * factor

        return narrow

    @njit(nogil=True, forceinline=True)
    def wide(address: Any) -> Any:
        raw = load(address)
        if raw > limit or (raw < -limit if signed else raw < 0):
            return NO_PRICE
        return raw * factor

    return wide


def load_key(record: Record, name: str) -> Any:
    """An intrinsic that reads text as a symbol key: its first 8 bytes, short text space padded.

    The same symbol has the same key whether the feed gives it 6, 8 or more bytes, as long as the
    feed pads with spaces. `key_of` is the same for control code.
    """
    field = record.by_name[name]
    if field.kind is not Kind.ALPHA:
        raise ValueError(f"{name} is not text")
    width = min(field.width, KEY_BYTES)
    fill = (SPACES << (8 * width)) & ((1 << 64) - 1)
    return loader(field.offset, width, False, False, fill)


def load_long_key(record: Record, name: str) -> tuple[Any, Any]:
    """Intrinsics that read text of 9 to 16 bytes as two keys: as `load_key` does, and the rest."""
    field = record.by_name[name]
    width = field.width - KEY_BYTES
    fill = (SPACES << (8 * width)) & ((1 << 64) - 1)
    return load_key(record, name), loader(field.offset + KEY_BYTES, width, False, False, fill)


def load_fold(record: Record, name: str) -> Any:
    """An intrinsic that folds text of 9 to 16 bytes into one integer, to tell values apart."""
    field = record.by_name[name]
    first = loader(field.offset, KEY_BYTES, False, False)
    last = loader(field.offset + field.width - KEY_BYTES, KEY_BYTES, False, False)

    @njit(nogil=True, forceinline=True)
    def fold(address: Any) -> Any:
        return first(address) ^ wrapping_product(last(address), FOLD_MULTIPLIER)

    return fold


def key_of(symbol: str) -> int:
    """The key of a symbol as `load_key` reads it from a message, as int64."""
    raw = symbol.encode("latin-1")[:KEY_BYTES].ljust(KEY_BYTES, b" ")
    return int.from_bytes(raw, "little", signed=True)


def fold_of(text: str, width: int) -> int:
    """The integer that `load_fold` makes of text in a field of 9 to 16 bytes, as int64."""
    raw = text.encode("latin-1").ljust(width, b" ")
    first = int.from_bytes(raw[:KEY_BYTES], "little", signed=True)
    last = int.from_bytes(raw[width - KEY_BYTES : width], "little", signed=True)
    folded = (first ^ (last * FOLD_MULTIPLIER)) & ((1 << 64) - 1)
    return folded - (1 << 64) if folded >> 63 else folded


def symbol_of(key: int) -> str:
    """The symbol text of a key."""
    return (key & ((1 << 64) - 1)).to_bytes(KEY_BYTES, "little").decode("latin-1").rstrip(" \0")


def code_loader(protocol: Protocol) -> Any:
    """An intrinsic that reads the message code of a protocol."""
    return loader(protocol.code_offset, protocol.code_width, False, protocol.code_big)
