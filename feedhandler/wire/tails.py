"""The variable parts of messages: repeating groups, bodies chosen by a tag, lists of integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Field
from feedhandler.wire.record import Buffer, Record, Value, Values, pack, text


def integer(values: Mapping[str, Value], name: str) -> int:
    """An integer among the values; WireError when it is missing or no integer."""
    value = values.get(name)
    if not isinstance(value, int):
        raise WireError("bad_value", f"{name} wants an integer, got {value!r}")
    return value


def entries(values: Mapping[str, Value], name: str) -> list[Values]:
    """The entries of a group among the values; none when it is not given."""
    given = values.get(name, [])
    if not isinstance(given, list):
        raise WireError("bad_value", f"{name} wants a list, got {given!r}")
    return [item if isinstance(item, dict) else {} for item in given]


def field_rows(record: Record, mark: str = "↳ ") -> Iterable[tuple[str, str, str]]:
    """Documentation lines of a record's fields and tails, indented."""
    for item in record.fields:
        yield f"{mark}{item.name}", f"{item.kind.value} {item.width}", item.note
    for tail in record.tails:
        for name, kind, note in tail.rows():
            yield f"{mark}{name}", kind, note


@dataclass(frozen=True)
class Group:
    """Entries of one form, one after another.

    Args:
        name: the key of the list of entries.
        entry: the table of an entry.
        count: the field that states the number of entries; None when `total` bounds them.
        total: the field that states the bytes of all entries together.
        sized: (field of the entry, addend): its value + addend is the entry's length on the wire,
            so that longer entries of a newer version are stepped over.
        header: a record in front of the entries (SBE group dimensions), holding `count`/`stride`.
        stride: the field that states the length of every entry, bytes.
    """

    name: str
    entry: Record
    count: str | None = None
    total: str | None = None
    sized: tuple[str, int] | None = None
    header: Record | None = None
    stride: str | None = None
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        inline = self.header.by_name if self.header is not None else ()
        object.__setattr__(self, "names", frozenset([self.name, *inline]))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the list of entries; see Tail."""
        if self.header is not None:
            into.update(self.header.decode(data, start, end))
            start += self.header.size
        if self.total is not None:
            stop = start + integer(into, self.total)
            if stop > end:
                raise WireError("bad_count", f"{self.total} reaches behind the message", start)
            end = stop
        left = integer(into, self.count) if self.count is not None else None
        made: list[Value] = []
        while (left is None and start < end) or (left is not None and len(made) < left):
            values, start = self._one(data, start, end, into)
            made.append(values)
        into[self.name] = made
        return start

    def _one(self, data: Buffer, start: int, end: int, into: Values) -> tuple[Values, int]:
        stop = end
        if self.sized is not None:
            name, addend = self.sized
            size = self.entry.by_name[name]
            at = start + size.offset
            if at + size.width > end:
                raise WireError("bad_count", f"{self.name} entry is cut", start)
            stop = start + addend + int.from_bytes(data[at : at + size.width], size.order)
        elif self.stride is not None:
            stop = start + integer(into, self.stride)
        least = 1 if self.sized is not None or self.stride is not None else self.entry.size
        if stop > end or stop < start + least:
            raise WireError("bad_count", f"{self.name} entry reaches behind the message", start)
        values: Values = self.entry.decode(data, start, stop)
        if self.sized is None and self.stride is None:
            stop = start + self.entry.size + len_of_tails(self.entry, data, start, end)
        return values, stop

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Count and total length as the entries give them."""
        made: Values = {}
        if self.count is not None and self.header is None:
            made[self.count] = len(entries(values, self.name))
        if self.total is not None:
            made[self.total] = sum(map(len, self._encoded(values)))
        return made

    def _encoded(self, values: Mapping[str, Value]) -> list[bytes]:
        made = []
        for item in entries(values, self.name):
            given = item
            if self.sized is not None and self.sized[0] not in item:
                length = len(self.entry.encode({**item, self.sized[0]: 0})) - self.sized[1]
                given = {**item, self.sized[0]: length}
            made.append(self.entry.encode(given))
        return made

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The entries' bytes, behind the group's header if it has one."""
        body = self._encoded(values)
        head = b""
        if self.header is not None:
            given: Values = {n: values[n] for n in self.header.by_name if n in values}
            if self.count is not None:
                given.setdefault(self.count, len(body))
            if self.stride is not None:
                given.setdefault(self.stride, self.entry.size)
            head = self.header.encode(given)
        return head + b"".join(body)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        bound = self.count or self.total or "the message's end"
        yield self.name, "repeating group", f"bounded by {bound}"
        yield from field_rows(self.entry)


def len_of_tails(entry: Record, data: Buffer, start: int, end: int) -> int:
    """Bytes behind the fixed part of an entry that says its own length by its parts."""
    if not entry.tails:
        return 0
    values = Record(entry.code, entry.name, entry.size, entry.fields).decode(data, start, end)
    position = start + entry.size
    for tail in entry.tails:
        position = tail.decode(data, position, end, values)
    return position - start - entry.size


@dataclass(frozen=True)
class Choice:
    """A body whose table is chosen by a field read before it.

    Args:
        on: the field that chooses.
        cases: its values and their tables; the fields join the message's own.
        other: key under which the bytes of an unknown case are shown as hex.
    """

    on: str
    cases: Mapping[int | str, Record]
    other: str
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        parts = [self.other]
        for case in self.cases.values():
            parts += [*case.by_name, *(n for tail in case.tails for n in tail.names)]
        object.__setattr__(self, "names", frozenset(parts))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the chosen body's fields, or the unread bytes; see Tail."""
        case = self.cases.get(into[self.on])  # type: ignore[arg-type]
        if case is None:
            into[self.other] = bytes(data[start:end]).hex()
        else:
            into.update(case.decode(data, start, end))
        return end

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Nothing of the fixed part follows from a chosen body."""
        return {}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The chosen body's bytes."""
        case = self.cases.get(values.get(self.on))  # type: ignore[arg-type]
        if case is None:
            return bytes.fromhex(str(values.get(self.other, "")))
        inside = {*case.by_name, *(n for tail in case.tails for n in tail.names)}
        return case.encode({k: v for k, v in values.items() if k in inside})

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        for value, case in self.cases.items():
            yield f"{self.on} = {value}", "body", case.name
            yield from field_rows(case)


@dataclass(frozen=True)
class Integers:
    """A counted list of integers."""

    name: str
    each: Field
    count: str
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset([self.name]))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the list; see Tail."""
        width = self.each.width
        stop = start + width * integer(into, self.count)
        if stop > end:
            raise WireError("bad_count", f"{self.count} reaches behind the message", start)
        into[self.name] = [
            int.from_bytes(data[at : at + width], self.each.order, signed=self.each.signed)
            for at in range(start, stop, width)
        ]
        return stop

    def derive(self, values: Mapping[str, Value]) -> Values:
        """The count."""
        given = values.get(self.name, [])
        return {self.count: len(given) if isinstance(given, list) else 0}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The integers' bytes."""
        given = values.get(self.name, [])
        if not isinstance(given, list):
            raise WireError("bad_value", f"{self.name} wants a list, got {given!r}")
        return b"".join(pack(self.each, value) for value in given)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        yield (
            self.name,
            f"list of {self.each.kind.value} {self.each.width}",
            f"{self.count} of them",
        )


@dataclass(frozen=True)
class Text:
    """Text to the message's end, or of a stated length.

    Args:
        name: the key of the text.
        length: the field that states its length, bytes; None when it goes to the message's end.
    """

    name: str
    length: str | None = None
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset([self.name]))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the text; see Tail."""
        if self.length is not None:
            stop = start + integer(into, self.length)
            if stop > end:
                raise WireError("bad_count", f"{self.length} reaches behind the message", start)
            end = stop
        into[self.name] = text(bytes(data[start:end]))
        return end

    def derive(self, values: Mapping[str, Value]) -> Values:
        """The length where it is stated."""
        return {} if self.length is None else {self.length: len(self.encode(values))}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The text's bytes."""
        given = values.get(self.name, "")
        if not isinstance(given, str):
            raise WireError("bad_value", f"{self.name} wants text, got {given!r}")
        return given.encode("latin-1")

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        bound = f"{self.length} bytes" if self.length is not None else "to the message's end"
        yield self.name, "text", bound


@dataclass(frozen=True)
class OnlyWhen:
    """Fields that are there only when a field before them holds one of some values."""

    on: str
    values: frozenset[int | str]
    record: Record
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(self.record.by_name))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the fields if they are there; see Tail."""
        if into[self.on] not in self.values:
            return start
        values, start = self.record.read(data, start, end)
        into.update(values)
        return start

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Nothing of the fixed part follows from these fields."""
        return {}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The fields' bytes, none when they are not there."""
        if values.get(self.on) not in self.values:
            return b""
        return self.record.encode({k: v for k, v in values.items() if k in self.names})

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        wanted = ", ".join(str(value) for value in sorted(self.values, key=str))
        yield f"{self.on} = {wanted}", "only then", ""
        yield from field_rows(self.record)


@dataclass(frozen=True)
class Appendage:
    """Fields behind the fixed part, of which a code before them chooses one form, or none.

    Args:
        on: the field that chooses.
        cases: its values and their tables; the fields join the message's own. With any other value
            there is no appendage.
    """

    on: str
    cases: Mapping[int | str, Record]
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        parts = [name for case in self.cases.values() for name in case.by_name]
        object.__setattr__(self, "names", frozenset(parts))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the fields if they are there; see Tail."""
        case = self.cases.get(into[self.on])  # type: ignore[arg-type]
        if case is None:
            return start
        values, start = case.read(data, start, end)
        into.update(values)
        return start

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Nothing of the fixed part follows from an appendage."""
        return {}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The fields' bytes, none when they are not there."""
        case = self.cases.get(values.get(self.on))  # type: ignore[arg-type]
        if case is None:
            return b""
        return case.encode({k: v for k, v in values.items() if k in case.by_name})

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        tables = {id(case): case for case in self.cases.values()}
        for number, case in tables.items():
            wanted = ", ".join(str(v) for v, found in self.cases.items() if id(found) == number)
            yield f"{self.on} = {wanted}", "only then", case.name
            yield from field_rows(case)
