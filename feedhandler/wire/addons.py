"""Optional parts behind a message, each with a type and a length of its own in front."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as member

from feedhandler.wire.errors import WireError
from feedhandler.wire.field import Field
from feedhandler.wire.record import Buffer, Record, Value, Values
from feedhandler.wire.tails import field_rows


@dataclass(frozen=True)
class AddOns:
    """Sub-messages up to the end of the message, each there or not.

    A sub-message is told by its stated length, because the layouts give no type codes. One of
    another length, or a second of the same, is stepped over and shown as hex.

    Args:
        parts: the tables in the order of the encoder, no two of one size; a table's name is the
            key of its values.
        length: the field that states a part's length, header included; alike in all parts.
        other: the key of the list of parts without a table.
    """

    parts: tuple[Record, ...]
    length: Field
    other: str
    names: frozenset[str] = member(init=False)

    def __post_init__(self) -> None:
        if len({part.size for part in self.parts}) != len(self.parts):
            raise ValueError(f"{self.other}: two add-ons of one size cannot be told apart")
        object.__setattr__(self, "names", frozenset([p.name for p in self.parts] + [self.other]))

    def decode(self, data: Buffer, start: int, end: int, into: Values) -> int:
        """Adds the parts that are there; see Tail."""
        others: list[Value] = []
        while start < end:
            stop = start + self._stated(data, start, end)
            part = next((p for p in self.parts if p.size == stop - start), None)
            if part is None or part.name in into:
                others.append(bytes(data[start:stop]).hex())
            else:
                into[part.name] = part.nest(part.decode(data, start, stop))
            start = stop
        if others:
            into[self.other] = others
        return start

    def _stated(self, data: Buffer, start: int, end: int) -> int:
        at = start + self.length.offset
        behind = at + self.length.width
        stated = int.from_bytes(data[at:behind], self.length.order) if behind <= end else 0
        if not behind - start <= stated <= end - start:
            raise WireError("bad_count", f"an add-on states {stated} bytes", start)
        return stated

    def derive(self, values: Mapping[str, Value]) -> Values:
        """Nothing of the fixed part follows from the add-ons."""
        return {}

    def encode(self, values: Mapping[str, Value]) -> bytes:
        """The bytes of the parts that are given."""
        made = b""
        for part in self.parts:
            given = values.get(part.name)
            if isinstance(given, dict):
                made += part.encode(given)
            elif given is not None:
                raise WireError("bad_value", f"{part.name} wants its fields, got {given!r}")
        others = values.get(self.other, [])
        if not isinstance(others, list):
            raise WireError("bad_value", f"{self.other} wants a list, got {others!r}")
        return made + b"".join(bytes.fromhex(str(item)) for item in others)

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """See Tail."""
        for part in self.parts:
            yield part.name, f"optional, {part.size} bytes", part.note
            yield from field_rows(part)
