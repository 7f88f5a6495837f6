"""SBE messages (FIX Simple Binary Encoding): blocks that state their own length, and groups.

A message is an SBE header, a root block and repeating groups. The header states the root block's
length, each group the length of its entries: newer versions append fields, and entries are filled
up to a round length. So a block is stepped over by its stated length; fields that do not fit into
it are absent, bytes behind the table's fields are not looked at.

Source: FIX Simple Binary Encoding 1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Field
from feedhandler.wire.record import Buffer, Record, Value, Values, blank, pack
from feedhandler.wire.tails import entries, field_rows, integer

MOST_ENTRIES = 255  # the count of a group is one byte
STRIDE_BYTES = 2


@dataclass(frozen=True)
class Appended:
    """The end of a block: fields that newer versions appended, up to the block's stated length.

    Args:
        fields: the appended ones, in wire order; each is there when the block reaches behind it.
        block: (field, bytes): the fixed part's field with the block's length, and how much of the
            block the fixed part has; None where the block is the rest of an entry.
    """

    fields: tuple[Field, ...] = ()
    block: tuple[str, int] | None = None
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(field.name for field in self.fields))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the fields that the block has; see Tail."""
        stop = end
        if self.block is not None:
            name, least = self.block
            more = integer(into, name) - least
            if more < 0:
                raise WireError("short_message", f"{name} {more + least}, needs {least}", start)
            stop = start + more
            if stop > end:
                raise WireError("bad_length", f"{name} reaches behind the message", start)
        at = start
        for field in self.fields:
            if at + field.width > stop:
                break
            into.update(Record("", field.name, field.width, [field]).decode(data, at, stop))
            at += field.width
        return stop

    def _given(self, values: Mapping[str, Value]) -> tuple[Field, ...]:
        """The fields up to the last one that has a value."""
        has = [field.name in values for field in self.fields]
        return self.fields[: len(has) - has[::-1].index(True)] if True in has else ()

    def derive(self, values: Mapping[str, Value]) -> Values:
        """The block's length."""
        if self.block is None:
            return {}
        name, least = self.block
        return {name: least + sum(field.width for field in self._given(values))}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The fields that are given, filled up with zeros where a longer block was stated."""
        made = b"".join(
            pack(field, values.get(field.name, blank(field))) for field in self._given(values)
        )
        if self.block is None:
            return made
        name, least = self.block
        return made.ljust(integer(values, name) - least, b"\0")

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        for field in self.fields:
            note = f"in newer versions. {field.note}".rstrip()
            yield field.name, f"{field.kind.value} {field.width}", note


@dataclass(frozen=True)
class SbeGroup:
    """A repeating group: its dimensions (length of an entry, padding, count), then the entries.

    The list of entries is under `name`. Entries of another length than the table's have it under
    `name`_block_length, padding among the dimensions that is not zero is under `name`_padding.

    Args:
        name: see above.
        entry: the table of an entry.
        padding: bytes between the entry's length and the count.
        later: older versions end in front of this group, and so may a message.
    """

    name: str
    entry: Record
    padding: int = 0
    later: bool = False
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        own = (self.name, self.length_name, self.padding_name)
        object.__setattr__(self, "names", frozenset(own))

    @property
    def length_name(self) -> str:
        """Key of the length of an entry."""
        return f"{self.name}_block_length"

    @property
    def padding_name(self) -> str:
        """Key of the padding among the dimensions, hex."""
        return f"{self.name}_padding"

    @property
    def dimension_bytes(self) -> int:
        """Bytes in front of the entries."""
        return STRIDE_BYTES + self.padding + 1

    @property
    def most_bytes(self) -> int:
        """Known bytes of an entry."""
        tails = (tail for tail in self.entry.tails if isinstance(tail, Appended))
        return self.entry.size + sum(field.width for tail in tails for field in tail.fields)

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the entries; see Tail."""
        if self.later and start == end:
            return start
        first = start + self.dimension_bytes
        if first > end:
            raise WireError("bad_count", f"{self.name} is cut", start)
        stride = int.from_bytes(data[start : start + STRIDE_BYTES], "little")
        count, padding = data[first - 1], bytes(data[start + STRIDE_BYTES : first - 1])
        if count and (stride < self.entry.size or first + stride * count > end):
            raise WireError("bad_count", f"{self.name}: {count} entries of {stride} bytes", start)
        if stride != self.most_bytes:
            into[self.length_name] = stride
        if any(padding):
            into[self.padding_name] = padding.hex()
        starts = range(first, first + stride * count, stride) if count else ()
        into[self.name] = [self.entry.decode(data, at, at + stride) for at in starts]
        return first + stride * count

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Nothing of the fixed part follows from a group."""
        return {}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Dimensions and entries, each as long as the longest or as stated."""
        if self.later and self.names.isdisjoint(values):
            return b""
        made = [self.entry.encode(item) for item in entries(values, self.name)]
        if len(made) > MOST_ENTRIES:
            raise WireError("bad_value", f"{self.name} has {len(made)} entries")
        stride = self.most_bytes
        if self.length_name in values:
            stride = integer(values, self.length_name)
        elif made:
            stride = max(map(len, made))
        if any(len(entry) > stride for entry in made):
            raise WireError("bad_value", f"{self.name}: an entry is longer than {stride} bytes")
        padding = bytes.fromhex(str(values.get(self.padding_name, ""))).ljust(self.padding, b"\0")
        dimensions = stride.to_bytes(STRIDE_BYTES, "little") + padding + bytes([len(made)])
        return dimensions + b"".join(entry.ljust(stride, b"\0") for entry in made)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        dimensions = "length of an entry u16, "
        dimensions += f"{self.padding} bytes, count u8" if self.padding else "count u8"
        yield self.name, "repeating group", dimensions + ("; in newer versions" * self.later)
        yield from field_rows(self.entry)


def entry(name: str, *fields: Field, later: tuple[Field, ...] = ()) -> Record:
    """The table of a group's entry; `later` are the fields that newer versions appended."""
    size = sum(field.width for field in fields)
    return Record("", name, size, fields, [Appended(later)] if later else [])


def message(
    code: int,
    name: str,
    head: tuple[Field, ...],
    fields: tuple[Field, ...],
    groups: tuple[SbeGroup, ...] = (),
    *,
    later: tuple[Field, ...] = (),
    note: str = "",
) -> Record:
    """A message: the header that all have (it has a `block_length`), root block and groups."""
    root = sum(field.width for field in fields)
    size = sum(field.width for field in head) + root
    appended = Appended(later, ("block_length", root))
    return Record(code, name, size, [*head, *fields], [appended, *groups], note)


def root_offset(record: Record) -> int:
    """Where the root block of a message starts, bytes."""
    appended = record.tails[0]
    assert isinstance(appended, Appended) and appended.block is not None
    return record.size - appended.block[1]


def groups_of(record: Record) -> list[SbeGroup]:
    """The groups of a message, in wire order."""
    return [tail for tail in record.tails if isinstance(tail, SbeGroup)]


def place_in_entry(record: Record, group: str, name: str) -> Field:
    """A field of a group's entry, placed from the entry's start; KeyError when it has none."""
    (found,) = (each for each in groups_of(record) if each.name == group)
    return found.entry.by_name[name]
