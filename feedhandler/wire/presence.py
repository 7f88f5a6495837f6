"""Optional fields announced by bits: bytes of presence bits, then the fields whose bits are set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Field
from feedhandler.wire.record import Buffer, Record, Value, Values, blank, pack
from feedhandler.wire.tails import integer

MOST_BYTES = 255  # the count of bitfields is one byte
BITS = 8


@dataclass(frozen=True)
class Optional:
    """A field that is there when a bit is set.

    Attributes:
        byte: which bitfield has the bit, from 1.
        mask: the bit, 0x01 to 0x80.
        field: the field.
    """

    byte: int
    mask: int
    field: Field


@dataclass(frozen=True)
class Presence:
    """A counted run of bitfields and the fields they announce, in the order of the bits.

    A set bit without a field here contributes no bytes. The part ends the message: bytes behind the
    announced fields mean that the sender knows a field that this table does not.

    Args:
        prefix: the bitfields are the values prefix_1, prefix_2 and so on.
        count: the field of the fixed part that states the number of bitfields.
        fields: what the bits announce, in wire order.
    """

    prefix: str
    count: str
    fields: tuple[Optional, ...]
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        order = [(item.byte, item.mask) for item in self.fields]
        if order != sorted(set(order)):
            raise ValueError(f"{self.prefix}: fields are not in the order of their bits")
        bits = [self.bitfield(number) for number in range(1, MOST_BYTES + 1)]
        named = [item.field.name for item in self.fields]
        object.__setattr__(self, "names", frozenset([*bits, *named]))

    def bitfield(self, number: int) -> str:
        """The name of a bitfield, from 1."""
        return f"{self.prefix}_{number}"

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the bitfields as integers and the announced fields; see Tail."""
        count = integer(into, self.count)
        position = start + count
        if position > end:
            raise WireError("bad_count", f"{self.count} = {count} reaches behind the message")
        bits = bytes(data[start:position])
        into.update((self.bitfield(n), value) for n, value in enumerate(bits, 1))
        for item in self.fields:
            if item.byte <= count and bits[item.byte - 1] & item.mask:
                table = Record("", item.field.name, item.field.width, [item.field])
                into.update(table.decode(data, position, end))
                position += item.field.width
        if position != end:
            raise WireError("long_message", f"{end - position} bytes behind the announced fields")
        return position

    def _bits(self, values: Mapping[str, Value]) -> list[int]:
        """All bitfields that are needed: the given ones, the others by the fields given."""
        bits = [0] * MOST_BYTES
        for item in self.fields:
            if item.field.name in values:
                bits[item.byte - 1] |= item.mask
        for number in range(1, MOST_BYTES + 1):
            if self.bitfield(number) in values:
                bits[number - 1] = integer(values, self.bitfield(number))
        return bits

    def derive(self, values: Mapping[str, Value]) -> Values:
        """The count: up to the last bitfield that is given or not zero."""
        last = 0
        for number, value in enumerate(self._bits(values), 1):
            if value or self.bitfield(number) in values:
                last = number
        return {self.count: last}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """Bitfields and announced fields.

        Bits follow from the fields given; a bitfield that is given itself wins: its fields without
        a value are blank, fields whose bit it leaves out are not sent.
        """
        count = integer(values, self.count)
        bits = self._bits(values)
        if any(bits[count:]):
            raise WireError("bad_value", f"{self.count} = {count} leaves out fields that are given")
        made = bytearray(self._byte(number, value) for number, value in enumerate(bits[:count], 1))
        for item in self.fields:
            if bits[item.byte - 1] & item.mask:
                made += pack(item.field, values.get(item.field.name, blank(item.field)))
        return bytes(made)

    def _byte(self, number: int, value: int) -> int:
        if not 0 <= value < 1 << BITS:
            raise WireError("bad_value", f"{self.bitfield(number)} = {value} is no byte")
        return value

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        yield f"{self.prefix}_n", "presence bits", f"{self.count} bytes"
        for item in self.fields:
            note = f"byte {item.byte}, bit {item.mask:#04x}. {item.field.note}".rstrip()
            yield f"↳ {item.field.name}", f"{item.field.kind.value} {item.field.width}", note
