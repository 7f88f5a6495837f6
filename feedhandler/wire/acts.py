"""What the messages of a protocol mean to a book, as data: one row an action.

A row says which field of the message becomes the key, the order id, the price and so on of an
action record (`feedhandler.actions`). One compiled interpreter (`wire.interpreter`) runs the rows
of every protocol without a branch on the message type, which is why decoding a random mix of
messages costs no more than decoding a run of equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as member
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY, SELL
from feedhandler.prices import multiplier
from feedhandler.wire.access import KEY_BYTES, SPACES
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.protocol import Protocol, code_number
from feedhandler.wire.record import Record
from feedhandler.wire.walk import ROOM

SIDES: Mapping[str, int] = {"B": BUY, "S": SELL}
EVERYTHING = -1  # mask of a field of 8 bytes
LEAST_HEADER_BYTES = 8  # every packet header of the datagram transports has at least as many
NO_SIDE = -1  # in a table of sides: the value is none of the layout's
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class Act:
    """One action record made from one message.

    Attributes:
        kind: number of the action.
        key, order_id, price, quantity, aux, time, second: names of the fields that fill the
            record; None leaves 0. A text key of less than 8 bytes is filled up with spaces.
            `second` is a field of whole epoch seconds that goes with `time`.
        side: a constant side, or the field that says it.
        sides: what the values of that field mean; a value outside it is a fault.
        flags: constant flags of the record.
        flagged: (field, {value: flags}) adds flags by a one-byte field's value.
        masked: (field, {bit mask: flags}) adds flags by the bits of a one-byte field.
        kinds: (field, {value: kind}) replaces the kind by a one-byte field's value.
        mapped: (field, {value: aux}) gives aux by a one-byte field's value; `default` else.
        default: aux for the values that `mapped` does not list.
    """

    kind: int
    key: str | None = None
    order_id: str | None = None
    price: str | None = None
    quantity: str | None = None
    aux: str | None = None
    time: str | None = None
    second: str | None = None
    side: int | str = 0
    sides: Mapping[str, int] = member(default_factory=lambda: SIDES)
    flags: int = 0
    flagged: tuple[str, Mapping[Any, int]] | None = None
    masked: tuple[str, Mapping[int, int]] | None = None
    kinds: tuple[str, Mapping[Any, int]] | None = None
    mapped: tuple[str, Mapping[Any, int]] | None = None
    default: int = 0


ROW = (
    "head next extra number"
    " key_end key_shift key_mask key_fill"
    " order_end order_shift order_mask"
    " price_end price_shift price_mask price_factor price_low price_high"
    " quantity_end quantity_shift quantity_mask quantity_factor quantity_low quantity_high"
    " aux_end aux_shift aux_mask aux_factor aux_low aux_high"
    " time_end time_shift time_mask second_end second_shift second_mask"
    " side_at side_table flag_at flag_table aux_at aux_table"
).split()
COLUMN = {name: number for number, name in enumerate(ROW)}


class Rows:
    """The rows of a protocol, ready for the interpreter.

    A field is read by the 8 bytes that end where it does, so that nothing behind a message is
    touched; for a field near the message's start they begin in front of it.

    Args:
        protocol: the table of the messages.
        acts: the rows by message code.
        bytes_in_front: how many readable bytes the transport guarantees in front of every message.

    Raises:
        ValueError: a row that cannot be run, with what it asks for; so also a field whose 8 bytes
            begin before those in front of the message.

    Attributes:
        acts: what was given, by message code.
        rows: int64 [row][column]; row 0 does nothing.
        first: int32 [message code]: its first row, 0 when the message means nothing to a book.
        tables: int32 [table * 256 + byte]: values chosen by one byte of a message; table 0 is 0.
        big: byte order of the protocol.
        wide: whether a price can leave the 63 bits when scaled.
        by_symbol: whether a price's scale comes with its symbol (its factor here is 0).
    """

    row_bytes = 8 * len(ROW)

    def __init__(
        self,
        protocol: Protocol,
        acts: Mapping[int | str, Act | tuple[Act, ...]],
        bytes_in_front: int = LEAST_HEADER_BYTES,
    ) -> None:
        self.protocol, self.bytes_in_front = protocol, bytes_in_front
        self.acts: dict[int | str, tuple[Act, ...]] = {}
        self._rows: list[list[int]] = [[0] * len(ROW)]
        self._tables: list[list[int]] = [[0] * 256]
        self.big = any(f.big for r in protocol.records for f in r.fields if f.is_integer)
        self.wide = False
        self.by_symbol = False
        self.first: NDArray[np.int32] = np.zeros(max(protocol.by_number) + 1, np.int32)
        for code, given in acts.items():
            chain = given if isinstance(given, tuple) else (given,)
            if len(chain) > ROOM:
                name = protocol[code].name
                raise ValueError(f"{name}: {len(chain)} records, the batch has room for {ROOM}")
            self.acts[code] = chain
            numbers = [self._add(protocol[code], act) for act in chain]
            self.first[code_number(code)] = numbers[0]
            for number, after in pairwise(numbers):
                self._rows[number][COLUMN["next"]] = after * self.row_bytes
        self.rows: NDArray[np.int64] = np.array(self._rows, np.int64)
        self.tables: NDArray[np.int32] = np.array(self._tables, np.int32).ravel()

    def _add(self, record: Record, act: Act) -> int:
        row = dict.fromkeys(ROW, 0)
        constant_side = act.side if isinstance(act.side, int) else 0
        row["head"] = act.kind | constant_side << 8 | act.flags << 16
        for part, name in (("key", act.key), ("order", act.order_id), ("time", act.time)):
            self._place(row, part, record, name)
        self._place(row, "second", record, act.second)
        for part, name in (("price", act.price), ("quantity", act.quantity), ("aux", act.aux)):
            self._place(row, part, record, name)
            self._scale(row, part, record, name)
        if isinstance(act.side, str):
            shifted = {value: side << 8 for value, side in act.sides.items()}
            self._choose(row, "side", record, act.side, shifted, NO_SIDE)
        self._flags(row, record, act)
        if act.mapped is not None:
            self._choose(row, "aux", record, act.mapped[0], act.mapped[1], act.default)
        row["number"] = len(self._rows)
        row["extra"] = int(bool(row["aux_table"] or row["second_mask"]))
        self._rows.append([row[name] for name in ROW])
        return len(self._rows) - 1

    def _place(self, row: dict[str, int], part: str, record: Record, name: str | None) -> None:
        """Where the field ends and how it is cut out of the 8 bytes that end there."""
        # An absent field is "read" too, then masked away: it has to end inside the message.
        row[f"{part}_end"] = min(KEY_BYTES, record.size)
        if name is None:
            self._check_front(row, part, f"{record.name} without {part}")
            return
        item = record.by_name[name]
        width = min(item.width, KEY_BYTES)
        if item.is_integer and item.width > KEY_BYTES:
            raise ValueError(f"{record.name}.{name}: too wide")
        row[f"{part}_end"] = item.offset + width
        self._check_front(row, part, f"{record.name}.{name}")
        row[f"{part}_mask"] = EVERYTHING if width == KEY_BYTES else (1 << 8 * width) - 1
        swapped = self._swapped(item)
        row[f"{part}_shift"] = 0 if swapped else 64 - 8 * width
        if item.signed and width < KEY_BYTES:
            if swapped:
                raise ValueError(f"{record.name}.{name}: narrow signed big-endian field")
            row[f"{part}_mask"] = EVERYTHING
        if item.kind is Kind.ALPHA and part == "key":
            filled = (SPACES << 8 * width) & ((1 << 64) - 1)
            row["key_fill"] = filled - (1 << 64) if filled >> 63 else filled

    def _check_front(self, row: dict[str, int], part: str, what: str) -> None:
        before = KEY_BYTES - row[f"{part}_end"]
        if before > self.bytes_in_front:
            there = f"{self.bytes_in_front} in front of a message"
            raise ValueError(f"{what}: needs {before} readable bytes, there are {there}")

    def _swapped(self, item: Field) -> bool:
        """Whether the field is read with swapped bytes: a protocol has one byte order."""
        if self.big and not item.is_integer and item.width > 1:
            raise ValueError(f"{item.name}: text in a big-endian protocol needs its own kernel")
        return self.big

    def _scale(self, row: dict[str, int], part: str, record: Record, name: str | None) -> None:
        row[f"{part}_factor"], low, high = 1, LOWEST, HIGHEST
        item = record.by_name.get(name) if name is not None else None
        if item is not None and item.is_price and item.decimals is None:
            if part != "price" and row["price_factor"] != 0:
                raise ValueError(f"{record.name}.{name}: needs the price's scale of the symbol")
            if item.high * multiplier(0) > HIGHEST:
                what = "too wide for a scale that the symbol says"
                raise ValueError(f"{record.name}.{name}: {what}")
            row[f"{part}_factor"] = 0
            self.by_symbol = True
        elif item is not None and item.decimals is not None:
            row[f"{part}_factor"] = factor = multiplier(item.decimals)
            high = HIGHEST // factor
            low = -high if item.signed else 0
            self.wide |= item.width == KEY_BYTES or item.high > high
        row[f"{part}_low"], row[f"{part}_high"] = low, high

    def _flags(self, row: dict[str, int], record: Record, act: Act) -> None:
        """Flags and kinds that hang on one byte become what is added to the record's head."""
        given = [rule for rule in (act.flagged, act.masked, act.kinds) if rule is not None]
        if not given:
            return
        if len({rule[0] for rule in given}) > 1:
            raise ValueError(f"{record.name}: flags and kind hang on different fields")
        added = [f for rule in (act.flagged, act.masked) if rule for f in rule[1].values()]
        if any(flags & act.flags for flags in added):
            raise ValueError(f"{record.name}: a flag is both constant and chosen")
        made = dict.fromkeys(range(256), 0)
        for value, flags in (act.flagged[1] if act.flagged else {}).items():
            made[code_number(value)] += flags << 16
        for mask, flags in (act.masked[1] if act.masked else {}).items():
            for value in range(256):
                made[value] |= flags << 16 if value & mask else 0
        for value, kind in (act.kinds[1] if act.kinds else {}).items():
            made[code_number(value)] += kind - act.kind
        self._choose(row, "flag", record, given[0][0], made)

    def _choose(
        self,
        row: dict[str, int],
        part: str,
        record: Record,
        name: str,
        values: Mapping[Any, int] | Mapping[str, int] | dict[int, int],
        default: int = 0,
    ) -> None:
        """A table by the value of a one-byte field."""
        item = record.by_name[name]
        if item.width != 1:
            raise ValueError(f"{record.name}.{name}: a choice hangs on one byte")
        table = [default] * 256
        for value, result in values.items():
            table[code_number(value)] = result
        if table not in self._tables:
            self._tables.append(table)
        row[f"{part}_at"] = item.offset
        row[f"{part}_table"] = 4 * 256 * self._tables.index(table)
