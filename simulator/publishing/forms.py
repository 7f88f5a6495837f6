"""Forms from wire tables: the inverse of the rows that the decoder runs.

A row (`wire.acts.Act`) says which field of a message fills which place of an action; here the same
row says which word of an event fills which field. What a message says beside that (the symbol's
text, a count, a reserved byte) is listed per protocol, in `dialects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.prices import multiplier
from feedhandler.transports import kinds
from feedhandler.transports.transport import Transport
from feedhandler.wire.acts import Act, Rows
from feedhandler.wire.field import Field, Kind
from feedhandler.wire.protocol import code_number
from feedhandler.wire.record import Record, Value
from simulator.publishing import layout

EVERY_BIT = -1
SPACES = 0x2020202020202020
HIGHEST, LOWEST = (1 << 63) - 1, -(1 << 63)
# What a venue without a word for a state says instead, nearest first.
NEAREST: Mapping[int, tuple[int, ...]] = {
    a.STATUS_UNKNOWN: (a.STATUS_TRADING,),
    a.STATUS_PREOPEN: (a.STATUS_QUOTING, a.STATUS_HALTED),
    a.STATUS_QUOTING: (a.STATUS_PREOPEN, a.STATUS_HALTED),
    a.STATUS_AUCTION: (a.STATUS_QUOTING, a.STATUS_PREOPEN, a.STATUS_HALTED),
    a.STATUS_PAUSED: (a.STATUS_HALTED,),
    a.STATUS_CLOSED: (a.STATUS_HALTED,),
}
MAPPED_SOURCES = {a.STATUS: layout.STATUS, a.RESTRICT: layout.RESTRICTED}
IGNORED_FLAGS = {a.TRADE: a.HIDDEN}  # said by the message itself
Pairs = Mapping[int, int | str]


@dataclass(frozen=True)
class Said:
    """A message that a venue sends.

    Attributes:
        code: of the message.
        acts: what it means, where the decoder's rows do not say it.
        constants: values of fields that never change.
        sources: fields filled from a word of the scratch row (`layout.SOURCES`).
        choices: field -> (source, {value: byte}).
    """

    code: int | str
    acts: tuple[Act, ...] = ()
    constants: Mapping[str, Value] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, tuple[int, Pairs]] = field(default_factory=dict)


@dataclass
class Tables:
    """Forms under construction: rows of the layout's dtypes as tuples."""

    forms: list[tuple[int, ...]] = field(default_factory=list)
    places: list[tuple[int, ...]] = field(default_factory=list)
    choices: list[tuple[int, ...]] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    templates: bytearray = field(default_factory=bytearray)

    def begin(self, template: bytes) -> None:
        """A new form; its places and choices follow."""
        first = len(self.templates), len(self.places), 0, len(self.choices), 0
        self.forms.append((len(template), *first))
        self.templates += template.ljust(-(-len(template) // 8) * 8, b"\0")

    def place(self, item: Field, source: int) -> None:
        """A field filled from a word."""
        text = item.kind is Kind.ALPHA
        width = min(item.width, 8)
        if not (text or item.is_integer) or (item.is_integer and item.width not in (1, 2, 4, 6, 8)):
            raise ValueError(f"{item.name}: {item.kind.value} of {item.width} bytes has no place")
        factor, low, high = 1, 0, HIGHEST if width == 8 else (1 << 8 * width) - 1
        if item.is_price:
            factor = multiplier(item.decimals) if item.decimals is not None else 0
            high = min(item.high, HIGHEST)
        elif width == 8:
            low = LOWEST
        fill = SPACES >> 8 * width if text and width < 8 else SPACES if text else 0
        code = width + (layout.BIG if item.big and not text else 0)
        self.places.append((source, item.offset, code, factor, low, high, fill))
        self._count(3)

    def choose(self, offset: int, source: int, mask: int, pairs: Pairs) -> None:
        """A byte picked by a word; at NOWHERE only a check."""
        self.choices.append((source, mask, offset, len(self.pairs), len(pairs)))
        self.pairs += [(value, code_number(byte)) for value, byte in pairs.items()]
        self._count(5)

    def _count(self, column: int) -> None:
        row = list(self.forms[-1])
        row[column] += 1
        self.forms[-1] = tuple(row)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The tables as arrays, by the names of the state's fields."""
        return {
            "forms": rows_of(self.forms, layout.FORM_DTYPE),
            "places": rows_of(self.places, layout.PLACE_DTYPE),
            "choices": rows_of(self.choices, layout.CHOICE_DTYPE),
            "pairs": rows_of(self.pairs, layout.PAIR_DTYPE),
            "templates": np.frombuffer(bytes(self.templates) or b"\0", np.uint8).copy(),
        }


def rows_of(rows: Iterable[Sequence[int]], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Tuples as rows of a dtype of 8-byte words; at least one row, what is left out is 0."""
    words = dtype.itemsize // 8
    made = [[*row, *[0] * (words - len(row))] for row in rows] or [[0] * words]
    return np.array(made, np.int64).view(dtype).ravel()


def slot_of(act: Act) -> int:
    """The slot under which a message with that meaning is found."""
    return act.kind + (layout.ALL_SLOT if act.flags & a.ALL else 0)


class Forms:
    """The forms of a protocol by slot, and of its transport's headers.

    Args:
        rows: the decoder's rows.
        messages: what the venue sends; of several with one meaning the first that fits is taken.

    Attributes:
        slots: SLOT_DTYPE by slot.
        said: bit mask of the slots with a form.
        tables: the forms.
    """

    def __init__(self, rows: Rows, messages: Sequence[Said]) -> None:
        self.rows, self.tables = rows, Tables()
        self.by_slot: dict[int, list[tuple[Said, tuple[Act, ...]]]] = {}
        for said in messages:
            chain = said.acts or rows.acts[said.code]
            acts = tuple(act for act in chain if act.flags & a.TYPED == 0)  # a choice says it
            for slot in dict.fromkeys(map(slot_of, acts)):
                self.by_slot.setdefault(slot, []).append((said, acts))
        self.slots = np.zeros(layout.SLOTS, layout.SLOT_DTYPE)
        for slot, given in self.by_slot.items():
            self.slots[slot] = len(self.tables.forms), len(given)
            sayable = self._sayable(given)
            for said, acts in given:
                self._form(said, acts, sayable)
        self.said = sum(1 << slot for slot in self.by_slot)

    def statuses_of_all(self) -> set[int]:
        """The states that one message can give every instrument."""
        given = self.by_slot.get(a.STATUS + layout.ALL_SLOT, [])
        return {s for _, acts in given for s in (acts[0].mapped or ("", {}))[1].values()}

    def _sayable(self, given: list[tuple[Said, tuple[Act, ...]]]) -> int:
        """Flags that tell the messages of a slot, or a byte of theirs, apart."""
        found = 0
        for _, acts in given:
            for rule in (acts[0].flagged, acts[0].masked):
                for flags in rule[1].values() if rule else ():
                    found |= flags
            found |= acts[0].flags
        return found & ~(a.ALL | IGNORED_FLAGS.get(given[0][1][0].kind, 0))

    def _form(self, said: Said, acts: tuple[Act, ...], sayable: int) -> None:
        record, tables = self.rows.protocol[said.code], self.tables
        tables.begin(record.encode(said.constants))
        self._flags(record, acts[0], sayable)
        placed: set[str] = set()
        for act in acts:
            self._chosen(record, act, placed)
        for name, (source, pairs) in said.choices.items():
            tables.choose(record.offset(name), source, EVERY_BIT, pairs)
            placed.add(name)
        for act in acts:
            self._placed(record, act, placed)
        for name, source in said.sources.items():
            tables.place(record.by_name[name], source)

    def _flags(self, record: Record, act: Act, sayable: int) -> None:
        """The byte that says the flags, or a check that there are none but the message's own."""
        rule = act.flagged or act.masked
        if rule is None:
            if sayable:
                pairs = {act.flags & sayable: 0}
                self.tables.choose(layout.NOWHERE, layout.FLAGS, sayable, pairs)
            return
        item = record.by_name[rule[0]]
        named = [code_number(value) for value in item.values]
        made: dict[int, int | str] = {}
        given = flags_by_byte(act)
        for byte in [*named, *range(256)]:
            made.setdefault(given[byte] & sayable, byte)
        self.tables.choose(item.offset, layout.FLAGS, sayable, made)

    def _chosen(self, record: Record, act: Act, placed: set[str]) -> None:
        """Bytes picked by the side and by a state."""
        if isinstance(act.side, str) and act.side not in placed:
            sides: dict[int, int | str] = {}
            for byte, side in act.sides.items():
                sides.setdefault(side, byte)
            self.tables.choose(record.offset(act.side), layout.SIDE, EVERY_BIT, sides)
            placed.add(act.side)
        if act.mapped is not None and act.mapped[0] not in placed:
            item = record.by_name[act.mapped[0]]
            pairs = states(item, act)
            source = MAPPED_SOURCES.get(act.kind, layout.AUX)
            self.tables.choose(item.offset, source, EVERY_BIT, pairs)
            placed.add(item.name)

    def _placed(self, record: Record, act: Act, placed: set[str]) -> None:
        """Fields filled from the words of the event."""
        text = act.key is not None and record.by_name[act.key].kind is Kind.ALPHA
        far = act.flags & a.FAR
        given = {
            layout.SYMBOL if text else layout.KEY: act.key,
            layout.ORDER: act.order_id,
            layout.PRICE: act.price,
            layout.QUANTITY: act.quantity,
            layout.FAR if far else layout.AUX: act.aux,
            layout.TIME: act.time,
            layout.SECOND: act.second,
        }
        for source, name in given.items():
            if name is not None and name not in placed:
                self.tables.place(record.by_name[name], source)
                placed.add(name)


def flags_by_byte(act: Act) -> list[int]:
    """The flags that each byte of the message gives its action."""
    made = [act.flags] * 256
    for value, given in (act.flagged[1] if act.flagged else {}).items():
        made[code_number(value)] |= given
    for mask, given in (act.masked[1] if act.masked else {}).items():
        made = [flags | (given if byte & mask else 0) for byte, flags in enumerate(made)]
    return made


def states(item: Field, act: Act) -> dict[int, int | str]:
    """The byte of every state, by the nearest one where the protocol has no word for it."""
    assert act.mapped is not None
    made: dict[int, int | str] = {}
    for byte, state in act.mapped[1].items():
        made.setdefault(state, byte)
    others = [value for value in item.values if value not in act.mapped[1]]
    if others and act.kind != a.STATUS:
        made.setdefault(act.default, others[0])
    if act.kind == a.STATUS:
        for state, nearest in NEAREST.items():
            found = [made[other] for other in nearest if other in made]
            if state not in made and found:
                made[state] = found[0]
    return made


@dataclass(frozen=True)
class Headers:
    """Numbers of the forms of a transport's packets: with messages, heartbeats and the end.

    `bytes` is the length of the header in front of messages; `end` is None where there is none.
    """

    data: int
    heartbeat: int
    end: int | None
    bytes: int


def add_headers(tables: Tables, transport: Transport, values: Mapping[str, Value]) -> Headers:
    """Adds the forms of a transport's packet headers.

    Args:
        tables: where to.
        transport: the table of the header and what its fields mean.
        values: of the fields that never change, as the session.
    """
    header = transport.header
    assert header is not None and transport.signals is not None
    signal, by_value = transport.signals
    value_of = {kind: value for value, kind in by_value.items()}
    data = _header(tables, transport, header, dict(values))
    beat = _header(tables, transport, header, {**values, signal: value_of[kinds.HEARTBEAT]})
    end = None
    if kinds.END_OF_SESSION in value_of:
        last = {**values, signal: value_of[kinds.END_OF_SESSION]}
        end = _header(tables, transport, header, last)
    return Headers(data, beat, end, tables.forms[data][0])


def _header(
    tables: Tables, transport: Transport, header: Record, values: Mapping[str, Value]
) -> int:
    """One header's form; fields named in `values` stay as given there."""
    signal = transport.signals[0] if transport.signals is not None else ""
    tables.begin(header.encode(values))
    fields = dict(header.by_name)
    if header.encode(values)[header.size :]:
        for tail in header.tails:
            inner = getattr(tail, "record", None)
            for item in inner.fields if inner is not None else ():
                fields[item.name] = item.at(header.size + item.offset)
    sent = transport.sent
    times = dict(zip(sent, (layout.SECONDS, layout.NANOSECONDS), strict=False))
    given = {transport.sequence: layout.SEQUENCE, transport.unit: layout.UNIT}
    given |= times if len(sent) == 2 else dict.fromkeys(sent, layout.SENT)
    given |= {"stream_offset": layout.OFFSET} if "stream_offset" in fields else {}
    for name, source in given.items():
        if name in fields and name not in values:
            tables.place(fields[name], source)
    if transport.count in fields and transport.count not in values:
        tables.place(fields[transport.count], layout.MESSAGES)
    if transport.length is not None and transport.length[0] != signal:
        name, addend = transport.length
        tables.place(fields[name], layout.BODY if addend else layout.LENGTH)
    return len(tables.forms) - 1
