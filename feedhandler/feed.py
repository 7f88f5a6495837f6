"""A feed: which transport carries which protocol, in which units and time base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from feedhandler.transports.transport import Packet, Transport, read_message, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol, code_number
from feedhandler.wire.record import Buffer, Record, Value, Values

NEW_YORK = "America/New_York"


def load_object(path: str) -> Any:
    """The object that "module:name" names, imported when first needed."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True, eq=False)
class Feed:
    """One row of the registry.

    Attributes:
        name, version: as in `--feed name@version`.
        title: for people.
        transport: how packets carry messages.
        protocol: the table of the messages.
        inner: tables of what an outer message carries behind its own fields, by outer code.
        time_base: "epoch", "midnight" (of `zone`), "unit second" (announced per unit) or
            "symbol second" (announced per partition of the symbol).
        zone: the venue's time zone.
        walk, message: "module:name" of the kernels; the compiled loop imports only feeds in use.
        rows: "module:name" of the rows that the message kernel runs.
        accepts: whether a packet header belongs to this version of the feed.
        likely: whether a packet header speaks for this version where the bytes fit others as well.
        keys: what identifies an instrument: "number" (of 16 bits), "wide number" or "text" (the
            symbol itself).
        consolidated: it is a consolidated tape: it makes no book, and its halts are the market's.
        header: values that every packet header of this feed has (used to write packets).
        natural: each message on a book says everything of its instrument, so that the next one
            mends what a lost one has spoiled.
        remembers: its kernels keep what they have to know of instruments in the table of symbols.
        lined: "module:name" of the message kernel of loops with lines; empty: `message`.
        by_image: nobody sends its messages again, images of single instruments are all there is;
            its kernel leaves out itself what an instrument's image has, says which instruments a
            loss did not touch, and orders say their places in the queue.
    """

    name: str
    version: str
    title: str
    transport: Transport
    protocol: Protocol
    inner: Mapping[int | str, Protocol] = field(default_factory=dict)
    time_base: str = "epoch"
    zone: str = NEW_YORK
    walk: str = ""
    message: str = ""
    rows: str = ""
    accepts: Callable[[Values], bool] = field(default=lambda header: True)
    likely: Callable[[Values], bool] = field(default=lambda header: True)
    keys: str = "number"
    consolidated: bool = False
    header: Mapping[str, Value] = field(default_factory=dict)
    natural: bool = False
    remembers: bool = False
    lined: str = ""
    by_image: bool = False

    @property
    def keeps_symbols(self) -> bool:
        """Whether its channels have a table of symbols."""
        return self.remembers or self.time_base == "symbol second"

    @property
    def named(self) -> bool:
        """Whether its instruments are numbered by a table of their keys."""
        return self.keys != "number"

    @property
    def full_name(self) -> str:
        """Name and version, as the command line takes it."""
        return f"{self.name}@{self.version}"

    def kernels(self) -> tuple[Any, Any]:
        """The (walk, message) kernels of the compiled loop."""
        return load_object(self.walk), load_object(self.message)


@dataclass(frozen=True)
class Message:
    """A decoded message.

    Attributes:
        record: its table.
        values: raw values of all its fields.
        start: offset of its table in the datagram or stream piece.
        sequence: its number in the transport's count; None where there is none.
        envelope: raw values of the outer message that carried it; empty when none did.
    """

    record: Record
    values: Values
    start: int
    sequence: int | None = None
    envelope: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What did not fit: a name of `feedhandler.faults`, where, and in words."""

    reason: str
    offset: int
    detail: str = ""


@dataclass(frozen=True)
class Decoded:
    """One datagram read by a feed's tables.

    Attributes:
        packet: header and spans.
        messages: those that fit their tables, in wire order.
        faults: everything that did not fit.
    """

    packet: Packet
    messages: list[Message]
    faults: list[Fault]


def decode(feed: Feed, data: Buffer) -> Decoded:
    """All messages of one datagram (or of the whole messages at the start of a stream piece).

    Never raises: what does not fit is in `faults`, the rest goes on by the protocol's rule.
    """
    packet = read_packet(feed.transport, data)
    if packet.header and not feed.accepts(packet.header):
        other = Fault("bad_header", 0, f"the packet is not of {feed.full_name}")
        return Decoded(Packet(packet.header), [], [other])
    messages: list[Message] = []
    faults = [Fault(reason, offset) for reason, offset in packet.faults]
    for (start, end), sequence in zip(packet.spans, packet.sequences, strict=True):
        try:
            messages.append(_message(feed, data, start, end, sequence))
        except WireError as error:
            faults.append(Fault(error.reason, start + error.offset, str(error)))
    return Decoded(packet, messages, faults)


def _message(feed: Feed, data: Buffer, start: int, end: int, sequence: int | None) -> Message:
    outer, values = read_message(feed.protocol, data, start, end, nested=bool(feed.inner))
    table = feed.inner.get(outer.code)
    if table is None:
        if end - start > outer.size and not feed.protocol.longer_allowed(outer):
            raise WireError("long_message", f"{outer.name} has {end - start} bytes", outer.size)
        return Message(outer, values, start, sequence)
    inside = start + outer.size
    record, inner = read_message(table, data, inside, end)
    return Message(record, inner, inside, sequence, values)


def protocols(feed: Feed) -> list[tuple[str, Protocol]]:
    """The feed's tables with the outer message that carries each ("" for the feed's own)."""
    made = [("", feed.protocol)]
    for code, table in feed.inner.items():
        made.append((feed.protocol.by_number[code_number(code)].name, table))
    return made
