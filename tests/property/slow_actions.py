"""The slow judge of the compiled decoder: the same rows, read field by field in plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from feedhandler.actions import NO_PRICE
from feedhandler.wire.acts import Act, Rows
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.protocol import code_number
from feedhandler.wire.record import Record, Values

WORD = 1 << 64
LIMIT = 2**63 - 1
BILLION = 1_000_000_000


@dataclass(frozen=True)
class Known:
    """What a decoder knows beside the bytes.

    Attributes:
        time_base: of the feed.
        midnight_ns: of the session's date; 0 when unknown.
        unit: of the packet.
        seconds_ns: the whole second last announced, by unit or system; absent when none was.
        symbols: (price multiplier, 1 + system) by symbol index; 0 where unknown.
    """

    time_base: str = "epoch"
    midnight_ns: int = 0
    unit: int = 0
    seconds_ns: Mapping[int, int] = field(default_factory=dict)
    symbols: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def multiplier(self, key: int) -> int:
        """Of the prices of a symbol; 0 when unknown."""
        return self.symbols.get(key, (0, 0))[0]

    def clock(self, key: int, time: int) -> int:
        """Epoch ns of a time on the wire; 0 when what it counts from is not known."""
        if self.time_base == "epoch":
            return time
        if self.time_base == "midnight":
            base = self.midnight_ns
        elif self.time_base == "unit second":
            base = self.seconds_ns.get(self.unit, 0)
        else:
            base = self.seconds_ns.get(self.symbols.get(key, (0, 0))[1] - 1, 0)
        return signed(base + time) if base else 0


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
    return signed(int.from_bytes(raw, "little"))


def scaled(record: Record, message: bytes, name: str | None, multiplier: int) -> int:
    """A field in the house's units: prices by 1e-8, the rest as it is."""
    field = record.by_name.get(name) if name else None
    if field is None or not field.is_price:
        return raw_of(record, message, name)
    if field.decimals is not None:
        multiplier = 10 ** (8 - field.decimals)
    raw = message[field.offset : field.offset + field.width]
    price = int.from_bytes(raw, field.order, signed=field.signed) * multiplier
    return price if multiplier and -LIMIT <= price <= LIMIT else NO_PRICE


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


def key_of_message(act: Act, record: Record, message: bytes) -> int:
    """The key: text of less than 8 bytes is filled up with spaces."""
    key = raw_of(record, message, act.key)
    if act.key is not None and record.by_name[act.key].kind is Kind.ALPHA:
        width = min(record.by_name[act.key].width, 8)
        key = signed(key | (0x2020202020202020 << 8 * width))
    return key


def time_of(act: Act, record: Record, message: bytes, key: int, known: Known) -> int:
    """Epoch ns of an action."""
    time = raw_of(record, message, act.time)
    if act.second is not None:
        return signed(raw_of(record, message, act.second) * BILLION + time)
    return known.clock(key, time)


def expected(
    rows: Rows, record: Record, message: bytes, sequence: int, known: Known
) -> list[Values] | None:
    """The records that a message's rows make; None for a side that is none of the layout's."""
    made: list[Any] = []
    for act in rows.acts[record.code]:
        side = side_of(act, record, message)
        if side is None:
            return None
        kind, flags = kind_and_flags(act, record, message)
        key = key_of_message(act, record, message)
        multiplier = known.multiplier(key)
        aux = scaled(record, message, act.aux, multiplier)
        if act.mapped is not None:
            values = {code_number(value): result for value, result in act.mapped[1].items()}
            aux += values.get(byte_of(record, message, act.mapped[0]), act.default)
        made.append(
            {
                "kind": kind,
                "side": side,
                "flags": flags,
                "unit": known.unit,
                "key": key,
                "order_id": raw_of(record, message, act.order_id),
                "price": scaled(record, message, act.price, multiplier),
                "quantity": scaled(record, message, act.quantity, multiplier),
                "aux": signed(aux),
                "time_ns": time_of(act, record, message, key, known),
                "sequence": sequence,
            }
        )
    return made


def unscaled(
    rows: Rows, record: Record, message: bytes, known: Known, records: list[Values] | None
) -> int:
    """How many of a message's records ask for the scale of a symbol that is not known.

    Of a message whose side is none of the layout's, only those before that side was met.
    """
    count = 0
    for act in rows.acts[record.code]:
        if records is None and side_of(act, record, message) is None:
            break
        price = record.by_name[act.price] if act.price else None
        if price is not None and price.is_price and price.decimals is None:
            count += known.multiplier(key_of_message(act, record, message)) == 0
    return count
