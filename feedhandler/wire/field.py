"""One field of a wire format: the only place where its name, width and kind are written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Literal


class Kind(Enum):
    """What the bytes of a field mean."""

    UINT = "uint"
    INT = "int"
    PRICE = "price"  # unsigned integer with implied decimals
    SIGNED_PRICE = "signed price"
    BITS = "bits"  # unsigned integer whose bits have names
    ALPHA = "alpha"  # text, padded on the right with spaces or NULs
    DIGITS = "digits"  # a number as text, right-justified, padded with spaces
    BYTES = "bytes"  # opaque; shown as hex


class Role(Enum):
    """What a field does for the framing of its message, beside carrying a value."""

    BODY = "body"
    CODE = "code"  # selects the message
    LENGTH = "length"  # states the message's length; filled in by the encoder
    HEADER = "header"  # belongs to the message's header, not to its body


INTEGER_KINDS = frozenset({Kind.UINT, Kind.INT, Kind.PRICE, Kind.SIGNED_PRICE, Kind.BITS})
PRICE_KINDS = frozenset({Kind.PRICE, Kind.SIGNED_PRICE})
SIGNED_KINDS = frozenset({Kind.INT, Kind.SIGNED_PRICE})
NO_VALUES: Mapping[Any, str] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """Some bits of an integer that are a value of their own.

    Attributes:
        name: as in the exchange's layout.
        shift: of the lowest bit.
        width: in bits.
        values: meaning of the codes the part can hold.
    """

    name: str
    shift: int
    width: int
    values: Mapping[Any, str] = field(default_factory=dict)

    def of(self, whole: int) -> int:
        """The part's value in the whole integer."""
        return whole >> self.shift & (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Field:
    """A field at a constant offset in its record.

    Attributes:
        name: as in the exchange's layout, lower case with underscores.
        width: size on the wire, bytes.
        kind: how the bytes are read.
        big: big-endian if true (integers only).
        decimals: implied decimals of a price; None where the price scale comes with the symbol.
        values: meaning of the codes a field can hold.
        bits: meaning of the bits of a BITS field, by mask.
        parts: the values that are packed into a BITS field, from the highest bits down.
        within: names of the structures the field is nested in when shown, outermost first.
        role: what the framing uses the field for.
        less: for Role.LENGTH, how many of the message's bytes the stated length leaves out.
        fixed: the only value a well-formed message has here (used by the encoder).
        pad: the byte that fills up text when encoding.
        note: one line for the documentation page.
        offset: from the start of the record, bytes; set when the field is placed in a record.
    """

    name: str
    width: int
    kind: Kind
    big: bool = False
    decimals: int | None = None
    values: Mapping[Any, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    within: tuple[str, ...] = ()
    role: Role = Role.BODY
    less: int = 0
    fixed: int | str | None = None
    pad: bytes = b" "
    note: str = ""
    offset: int = -1

    @property
    def order(self) -> Literal["big", "little"]:
        """Byte order, as `int.from_bytes` takes it."""
        return "big" if self.big else "little"

    @property
    def signed(self) -> bool:
        """Whether the integer is two's complement."""
        return self.kind in SIGNED_KINDS

    @property
    def is_integer(self) -> bool:
        """Whether the value is an integer on the wire."""
        return self.kind in INTEGER_KINDS

    @property
    def is_price(self) -> bool:
        """Whether the value is a price, with implied decimals."""
        return self.kind in PRICE_KINDS

    @property
    def low(self) -> int:
        """Smallest integer the field can hold."""
        return -(1 << (8 * self.width - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest integer the field can hold."""
        return (1 << (8 * self.width - int(self.signed))) - 1

    def at(self, offset: int) -> Field:
        """The same field placed at an offset."""
        return replace(self, offset=offset)


@dataclass(frozen=True, slots=True)
class Fields:
    """Makes the fields of a protocol, with its byte order and text padding said once."""

    big: bool
    pad: bytes = b" "

    def uint(self, name: str, width: int, **more: object) -> Field:
        """An unsigned integer."""
        return Field(name, width, Kind.UINT, self.big, **more)  # type: ignore[arg-type]

    def u8(self, name: str, **more: object) -> Field:
        """An unsigned integer of 1 byte."""
        return self.uint(name, 1, **more)

    def u16(self, name: str, **more: object) -> Field:
        """An unsigned integer of 2 bytes."""
        return self.uint(name, 2, **more)

    def u32(self, name: str, **more: object) -> Field:
        """An unsigned integer of 4 bytes."""
        return self.uint(name, 4, **more)

    def u48(self, name: str, **more: object) -> Field:
        """An unsigned integer of 6 bytes."""
        return self.uint(name, 6, **more)

    def u64(self, name: str, **more: object) -> Field:
        """An unsigned integer of 8 bytes."""
        return self.uint(name, 8, **more)

    def sint(self, name: str, width: int, **more: object) -> Field:
        """A two's complement integer."""
        return Field(name, width, Kind.INT, self.big, **more)  # type: ignore[arg-type]

    def price(self, name: str, width: int, decimals: int | None, **more: object) -> Field:
        """An unsigned price; decimals None means that the symbol says its scale."""
        return Field(name, width, Kind.PRICE, self.big, decimals, **more)  # type: ignore[arg-type]

    def signed_price(self, name: str, width: int, decimals: int | None, **more: object) -> Field:
        """A two's complement price."""
        kind = Kind.SIGNED_PRICE
        return Field(name, width, kind, self.big, decimals, **more)  # type: ignore[arg-type]

    def flags(self, name: str, width: int, bits: Mapping[int, str], **more: object) -> Field:
        """An unsigned integer whose bits are named."""
        return Field(name, width, Kind.BITS, self.big, bits=bits, **more)  # type: ignore[arg-type]

    def packed(self, name: str, width: int, *parts: Part, **more: object) -> Field:
        """An unsigned integer into which several values are packed."""
        made = Field(name, width, Kind.BITS, self.big, parts=parts)
        return replace(made, **more) if more else made  # type: ignore[arg-type]

    def alpha(
        self, name: str, width: int, values: Mapping[Any, str] = NO_VALUES, **more: object
    ) -> Field:
        """Text padded on the right."""
        made = Field(name, width, Kind.ALPHA, self.big, values=values, pad=self.pad)
        return replace(made, **more) if more else made  # type: ignore[arg-type]

    def digits(self, name: str, width: int, **more: object) -> Field:
        """A number written in ASCII digits."""
        return Field(name, width, Kind.DIGITS, self.big, **more)  # type: ignore[arg-type]

    def raw(self, name: str, width: int, **more: object) -> Field:
        """Opaque bytes, shown as hex."""
        return Field(name, width, Kind.BYTES, self.big, **more)  # type: ignore[arg-type]
