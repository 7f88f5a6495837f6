"""A run of fields at constant offsets, with an optional variable part behind them.

Packet headers and messages have this one form. The decoder and the encoder here are the plain
Python ones, for tools and tests; the compiled loop reads the same fields by `wire.access`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol as Interface

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Field, Kind, Role

Value = int | str | list["Value"] | dict[str, "Value"]
Values = dict[str, Value]
Buffer = bytes | bytearray | memoryview

STRUCT_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Tail(Interface):
    """A variable part of a message: a repeating group, tagged elements, optional fields.

    Attributes:
        names: the keys that this part adds to a message's values.
    """

    @property
    def names(self) -> frozenset[str]:
        """See above."""

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Reads from start, bounded by end, adds to `into`, returns the offset behind it."""

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The bytes of this part for the given values."""

    def derive(self, values: Mapping[str, Value]) -> Values:
        """The fields of the fixed part that follow from this one: counts and lengths."""

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """Lines (name, type, note) for the documentation page."""


def text(raw: bytes) -> str:
    """Text without its padding; bytes that are not ASCII stay visible one to one."""
    return raw.decode("latin-1").rstrip(" \0")


def reader(field: Field) -> tuple[str, Callable[[bytes], Value] | None]:
    """The struct code of a field and what turns the unpacked bytes into its value."""
    if field.is_integer and field.width in STRUCT_CODES:
        code = STRUCT_CODES[field.width]
        return (code.lower() if field.signed else code), None
    raw = f"{field.width}s"
    if field.is_integer:
        return raw, lambda b: int.from_bytes(b, field.order, signed=field.signed)
    if field.kind is Kind.ALPHA:
        return raw, text
    if field.kind is Kind.DIGITS:
        return raw, lambda b: int(b) if b.strip(b" ").isdigit() else text(b)
    return raw, lambda b: b.hex()


def pack_integer(field: Field, value: object) -> bytes:
    """An integer's bytes on the wire."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise WireError("bad_value", f"{field.name} wants an integer, got {value!r}", field.offset)
    if not field.low <= value <= field.high:
        limits = f"{field.low}..{field.high}"
        raise WireError("bad_value", f"{field.name} = {value} is outside {limits}", field.offset)
    return value.to_bytes(field.width, field.order, signed=field.signed)


def pack(field: Field, value: Value) -> bytes:
    """The bytes of one field; WireError names the field when the value does not fit."""
    if field.is_integer:
        return pack_integer(field, value)
    if field.kind is Kind.DIGITS and isinstance(value, int):
        raw = str(value).encode().rjust(field.width)
    elif not isinstance(value, str):
        raise WireError("bad_value", f"{field.name} wants text, got {value!r}", field.offset)
    elif field.kind is Kind.BYTES:
        raw = bytes.fromhex(value).ljust(field.width, b"\0")
    else:
        raw = value.encode("latin-1").ljust(field.width, field.pad)
    if len(raw) != field.width:
        detail = f"{field.name} = {value!r} does not fit {field.width} bytes"
        raise WireError("bad_value", detail, field.offset)
    return raw


def blank(field: Field) -> Value:
    """The value of a field nobody set."""
    if field.fixed is not None:
        return field.fixed
    return 0 if field.is_integer or field.kind is Kind.DIGITS else ""


class Record:
    """A header or a message as a table of fields.

    Args:
        code: the value that selects the message (a letter or an integer); "" for headers.
        name: the message's name in the layout.
        size: stated length of the fixed part, bytes; ValueError when the fields add up to another.
        fields: in wire order, without gaps.
        tails: variable parts behind the fixed one, in wire order.
        note: what the message does, for the documentation page.
        block: (field, base): the variable part starts at base + the field's value when that is
            further than `size` (SBE block lengths: newer versions append fields).
    """

    def __init__(
        self,
        code: int | str,
        name: str,
        size: int,
        fields: Iterable[Field],
        tails: Iterable[Tail] = (),
        note: str = "",
        block: tuple[str, int] | None = None,
    ) -> None:
        self.code, self.name, self.note, self.tails = code, name, note, tuple(tails)
        self.block = block
        placed, offset = [], 0
        for item in fields:
            if item.role is Role.CODE and item.fixed is None and code != "":
                item = replace(item, fixed=code)
            placed.append(item.at(offset))
            offset += item.width
        if offset != size:
            raise ValueError(f"{name}: fields take {offset} bytes, the layout says {size}")
        self.size = size
        self.fields = tuple(placed)
        self.by_name = {item.name: item for item in placed}
        self._compile()

    def _compile(self) -> None:
        readers = [reader(item) for item in self.fields]
        big = {item.big for item in self.fields if item.is_integer and item.width in (2, 4, 8)}
        if len(big) > 1:
            raise ValueError(f"{self.name}: a record has one byte order")
        self._struct = struct.Struct((">" if True in big else "<") + "".join(c for c, _ in readers))
        names = [item.name for item in self.fields]
        self._names = names
        self._convert = [(n, f) for n, (_, f) in zip(names, readers, strict=True) if f is not None]
        self._header = [i.name for i in self.fields if i.role is not Role.BODY]
        self._nested = {item.name: item.within for item in self.fields if item.within}
        self._structures = frozenset(outer for item in self.fields for outer in item.within)
        self._length = next((i for i in self.fields if i.role is Role.LENGTH), None)

    def __repr__(self) -> str:
        return f"Record({self.code!r}, {self.name!r}, {self.size} bytes)"

    def offset(self, name: str) -> int:
        """Offset of a field from the start of the record, bytes."""
        return self.by_name[name].offset

    def decode(self, data: Buffer, start: int = 0, end: int | None = None) -> Values:
        """All fields, raw as on the wire: integers unscaled, text without padding.

        Args:
            data: the packet.
            start: offset of the record.
            end: offset behind the record; nothing at or behind it is read.

        Raises:
            WireError: "short_message" when the record does not fit before `end`.
        """
        return self.read(data, start, len(data) if end is None else end)[0]

    def read(self, data: Buffer, start: int, end: int) -> tuple[Values, int]:
        """The values as `decode` gives them, and the offset behind the last byte they took."""
        if end - start < self.size:
            detail = f"{self.name} has {end - start} bytes, needs {self.size}"
            raise WireError("short_message", detail, max(end - start, 0))
        values: Values = dict(zip(self._names, self._struct.unpack_from(data, start), strict=True))
        for name, convert in self._convert:
            values[name] = convert(values[name])  # type: ignore[arg-type]
        position = start + self.size
        if self.block is not None:
            position = self._behind_block(values, start, end)
        for tail in self.tails:
            position = tail.decode(data, position, end, values)
        return values, position

    def _behind_block(self, values: Values, start: int, end: int) -> int:
        """Where the fixed part ends as the message itself says."""
        assert self.block is not None
        field, base = self.block
        stop = start + base + int(values[field])  # type: ignore[arg-type]
        at = self.offset(field)
        if stop < start + self.size:
            detail = f"{self.name} has {field} {values[field]}, needs {self.size - base}"
            raise WireError("short_message", detail, at)
        if stop > end:
            raise WireError("bad_length", f"{field} reaches behind the message", at)
        return stop

    def body(self, values: Values) -> Values:
        """The values without the fields of the message's own header, nested as in the layout."""
        return self.nest({k: v for k, v in values.items() if k not in self._header})

    def nest(self, values: Values) -> Values:
        """The values with those of a structure together under its name."""
        if not self._nested:
            return values
        made: Values = {}
        for name, value in values.items():
            place = made
            for outer in self._nested.get(name, ()):
                place = place.setdefault(outer, {})  # type: ignore[assignment]
            place[name] = value
        return made

    def flatten(self, values: Mapping[str, Value]) -> Values:
        """The values without the structures that `nest` puts them in."""
        made: Values = {}
        for name, value in values.items():
            inside = name in self._structures and isinstance(value, dict)
            made.update(self.flatten(value) if inside else {name: value})  # type: ignore[arg-type]
        return made

    def encode(self, values: Mapping[str, Value] | None = None, /, **more: Value) -> bytes:
        """The bytes of a record; lengths and codes are filled in, what is not given is blank.

        Raises:
            WireError: "bad_value" naming the field that cannot hold its value, or that is unknown.
        """
        given = self.flatten({**(values or {}), **more})
        for part in self.tails:
            given = {**part.derive(given), **given}
        tail = b"".join(part.encode(given) for part in self.tails)
        if self._length is not None and self._length.name not in given:
            given[self._length.name] = self.size + len(tail) - self._length.less
        fixed = b"".join(pack(f, given.get(f.name, blank(f))) for f in self.fields)
        known = frozenset().union(*(part.names for part in self.tails))
        for name in given:
            if name not in self.by_name and name not in known:
                raise WireError("bad_value", f"{self.name} has no field {name!r}")
        return fixed + tail
