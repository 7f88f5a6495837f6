"""The slow judge of the compiled decoder: the same rows, read field by field in plain Python."""

from __future__ import annotations

from typing import Any

from feedhandler.actions import NO_PRICE
from feedhandler.wire.acts import Act, Rows
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.protocol import code_number
from feedhandler.wire.record import Record, Values

WORD = 1 << 64


def signed(value: int) -> int:
    """The low 64 bits as a two's complement integer."""
    value %= WORD
    return value - WORD if value >> 63 else value


def raw_of(record: Record, message: bytes, name: str | None) -> int:
    """A field's bytes as the decoder's integer: text with its first byte lowest."""
    if name is None:
        return 0
    field: Field = record.by_name[name]
    raw = message[field.offset : field.offset + min(field.width, 8)]
    if field.is_integer:
        return signed(int.from_bytes(raw, "big" if field.big else "little", signed=field.signed))
    big = any(f.big for f in record.fields if f.is_integer)
    return signed(int.from_bytes(raw, "big" if big else "little"))


def scaled(record: Record, message: bytes, name: str | None) -> int:
    """A field in the house's units: prices by 1e-8, the rest as it is."""
    field = record.by_name.get(name) if name else None
    if field is None or field.decimals is None:
        return raw_of(record, message, name)
    raw = message[field.offset : field.offset + field.width]
    order = "big" if field.big else "little"
    price = int.from_bytes(raw, order, signed=field.signed) * 10 ** (8 - field.decimals)
    limit = 2**63 - 1
    return price if -limit <= price <= limit else NO_PRICE


def byte_of(record: Record, message: bytes, name: str) -> int:
    """A one-byte field as a number."""
    return message[record.offset(name)]


def side_of(act: Act, record: Record, message: bytes) -> int | None:
    """The action's side; None when the field holds a value outside the layout."""
    if isinstance(act.side, int):
        return act.side
    given = {code_number(value): side for value, side in act.sides.items()}
    return given.get(byte_of(record, message, act.side))


def kind_and_flags(act: Act, record: Record, message: bytes) -> tuple[int, int]:
    """Kind and flags after the rules that hang on one byte."""
    kind, flags = act.kind, act.flags
    if act.kinds is not None:
        chosen = {code_number(value): k for value, k in act.kinds[1].items()}
        kind = chosen.get(byte_of(record, message, act.kinds[0]), kind)
    if act.flagged is not None:
        added = {code_number(value): f for value, f in act.flagged[1].items()}
        flags |= added.get(byte_of(record, message, act.flagged[0]), 0)
    if act.masked is not None:
        for mask, flag in act.masked[1].items():
            flags |= flag if byte_of(record, message, act.masked[0]) & mask else 0
    return kind, flags


def expected(rows: Rows, record: Record, message: bytes, sequence: int) -> list[Values] | None:
    """The records that a message's rows make, without the time; None for a fault of the side."""
    made: list[Any] = []
    for act in rows.acts[record.code]:
        side = side_of(act, record, message)
        if side is None:
            return None
        kind, flags = kind_and_flags(act, record, message)
        aux = scaled(record, message, act.aux)
        if act.mapped is not None:
            values = {code_number(value): result for value, result in act.mapped[1].items()}
            aux += values.get(byte_of(record, message, act.mapped[0]), act.default)
        key = raw_of(record, message, act.key)
        if act.key is not None and record.by_name[act.key].kind is Kind.ALPHA:
            width = min(record.by_name[act.key].width, 8)
            key = signed(key | (0x2020202020202020 << 8 * width))
        made.append(
            {
                "kind": kind,
                "side": side,
                "flags": flags,
                "key": key,
                "order_id": raw_of(record, message, act.order_id),
                "price": scaled(record, message, act.price),
                "quantity": scaled(record, message, act.quantity),
                "aux": signed(aux),
                "sequence": sequence,
            }
        )
    return made
