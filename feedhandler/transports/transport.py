"""What every transport says about itself, and the plain Python reading of its packets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from feedhandler.wire.errors import WireError
from feedhandler.wire.framing import Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Buffer, Record, Values


@dataclass(frozen=True, eq=False)
class Transport:
    """A transport as data.

    Attributes:
        name, title: for the registry and the documentation page.
        header: the table of the packet header; None for a stream of bare messages.
        framing: how messages follow one another.
        sequence: header field with the sequence of the first message; "" when there is none.
        count: header field with the number of messages; "" when the length alone bounds them. A
            header that announces no messages may lack it.
        scope: what a sequence counts within: "session", "unit", "channel" or "stream".
        no_messages: counts that are signals, not numbers of messages.
        has_messages: whether a packet with this header carries messages at all.
        valid: whether the values of a header are possible; else the packet is a "bad_header".
        length: (field, addend): the packet ends at that header field + addend; None where the
            datagram bounds it. A stream of packets with a header needs it.
        requests: tables of what a client sends to the transport's services.
        stream: true for byte streams (TCP), where messages straddle segments.
        unsequenced: sequence of packets whose messages have no number; None where all have one.
        session, unit: header fields that say which session or unit a sequence counts in; "" where
            there is none.
        sent: header fields of the send time: one of ns, or seconds and ns; () where there is none.
        signals: (header field, {value: kind of `transports.kinds`}): packets that are more, or
            less, than messages in their order.
        restarts: a packet sent later with a sequence that went back starts at 1 again, within the
            same session.
        even: a zero byte behind the last message makes the packet's length even.
        checksum: header field with the sum of all other bytes of the packet, which is read only
            where they agree; "" where there is none. Needs `length`.
        by_packet: the sequence counts packets; all messages of a packet have its number.
    """

    name: str
    title: str
    header: Record | None
    framing: Framing
    sequence: str = ""
    count: str = ""
    scope: str = "session"
    no_messages: frozenset[int] = frozenset()
    has_messages: Callable[[Values], bool] = field(default=lambda header: True)
    valid: Callable[[Values], bool] = field(default=lambda header: True)
    length: tuple[str, int] | None = None
    requests: tuple[Record, ...] = ()
    stream: bool = False
    unsequenced: int | None = None
    session: str = ""
    unit: str = ""
    sent: tuple[str, ...] = ()
    signals: tuple[str, Mapping[int, int]] | None = None
    restarts: bool = False
    even: bool = False
    checksum: str = ""
    by_packet: bool = False

    @property
    def padded(self) -> int:
        """Bytes that may stand behind the last message and mean nothing."""
        return int(self.even)


@dataclass
class Packet:
    """A packet's header and where its messages are.

    Attributes:
        header: raw values of the transport's header; of the first whole packet in a stream piece.
        spans: (start, end) of each message's table, offsets in the datagram.
        sequences: of each message; None where the transport numbers none.
        faults: (fault name, offset) of what did not fit.
        consumed: offset behind the last whole message or packet; a stream goes on there. Behind an
            impossible length nothing can be found again: it is the end of the piece.
    """

    header: Values
    spans: list[tuple[int, int]] = field(default_factory=list)
    sequences: list[int | None] = field(default_factory=list)
    faults: list[tuple[str, int]] = field(default_factory=list)
    consumed: int = 0


def plain_sum(header: Record, name: str, data: Buffer, start: int, end: int) -> int:
    """The sum of a packet's bytes from `start` to `end` without those of its checksum field."""
    field = header.by_name[name]
    at = start + field.offset
    whole = sum(bytes(data[start:end])) - sum(bytes(data[at : at + field.width]))
    return whole & field.high


def read_packet(transport: Transport, data: Buffer) -> Packet:
    """Splits one datagram, or one stream piece, by the transport's rules.

    Never raises; faults are listed. A piece of a stream is read as far as its messages (or its
    packets, where the stream consists of packets with a header) are whole.

    Args:
        transport: the transport of the feed.
        data: the UDP payload, or the bytes of the stream from the start of a message on.
    """
    if transport.header is None:
        return _read_messages(transport, data, 0, len(data), Packet({}), None)
    if transport.stream:
        return _read_packets(transport, data)
    return _read_one(transport, transport.header, data, 0)


def _read_packets(transport: Transport, data: Buffer) -> Packet:
    """The whole packets at the start of a stream piece, as if they were one."""
    header = transport.header
    assert header is not None and transport.length is not None
    name, addend = transport.length
    whole = Packet({})
    while len(data) - whole.consumed >= header.size:
        start = whole.consumed
        stated = int(header.decode(data, start)[name]) + addend  # type: ignore[arg-type]
        if stated > len(data) - start:
            break
        one = _read_one(transport, header, data, start)
        whole.header = whole.header or one.header
        whole.spans += one.spans
        whole.sequences += one.sequences
        whole.faults += one.faults
        whole.consumed = start + stated if stated >= header.size else len(data)
    return whole


def _read_one(transport: Transport, table: Record, data: Buffer, start: int) -> Packet:
    """One packet with a header that starts at an offset."""
    end = len(data)
    try:
        header, first = table.read(data, start, end)
    except WireError:
        return Packet({}, faults=[("short_header", end)])
    packet = Packet(header)
    if not transport.valid(header):
        packet.faults.append(("bad_header", start))
        return packet
    if transport.length is not None:
        name, addend = transport.length
        stated = int(header[name]) + addend  # type: ignore[arg-type]
        if not first - start <= stated <= end - start:
            packet.faults.append(("bad_header", start + table.offset(name)))
            return packet
        end = start + stated
    if transport.checksum and plain_sum(table, transport.checksum, data, start, end) != int(
        header[transport.checksum]  # type: ignore[arg-type]
    ):
        packet.faults.append(("bad_checksum", start + table.offset(transport.checksum)))
        return packet
    stated_count = header.get(transport.count)
    count = stated_count if isinstance(stated_count, int) else None
    if count in transport.no_messages or not transport.has_messages(header):
        return packet
    return _read_messages(transport, data, first, end, packet, count)


def _read_messages(
    transport: Transport, data: Buffer, start: int, end: int, packet: Packet, count: int | None
) -> Packet:
    framing = transport.framing
    first = packet.header.get(transport.sequence)
    if first == transport.unsequenced:
        first = None
    position = start
    for span in framing.split(data, start, end):
        if count is not None and len(packet.spans) == count:
            break
        behind = 0 if transport.by_packet else len(packet.spans)
        packet.sequences.append(first + behind if isinstance(first, int) else None)
        packet.spans.append(span)
        position = span[1]
    packet.consumed = position
    missing = count is not None and len(packet.spans) < count
    if missing:
        cut = end - position < framing.least
        packet.faults.append(("bad_count" if cut else "bad_length", position))
    elif transport.stream and transport.header is None:
        if framing.impossible(data, position, end):
            packet.faults.append(("bad_length", position))
            packet.consumed = end
    elif end - position > transport.padded:
        packet.faults.append(("trailing_bytes" if count is not None else "bad_length", position))
    return packet


def select_record(protocol: Protocol, data: Buffer, start: int, end: int) -> Record:
    """The table of the message at `start`.

    Raises:
        WireError: "short_message" or "unknown_message".
    """
    at = start + protocol.code_offset
    if at + protocol.code_width > end:
        raise WireError("short_message", "no room for the message code", end - start)
    order = "big" if protocol.code_big else "little"
    number = int.from_bytes(data[at : at + protocol.code_width], order)  # type: ignore[arg-type]
    record = protocol.by_number.get(number)
    if record is None:
        raise WireError("unknown_message", f"no message {number:#x} in {protocol.name}", at - start)
    return record


def read_message(
    protocol: Protocol, data: Buffer, start: int, end: int, *, nested: bool = False
) -> tuple[Record, Values]:
    """The table and the raw values of one message.

    Args:
        nested: another message may stand behind the table's fields, so more bytes are no fault.

    Raises:
        WireError: with the fault's name when the message does not fit its table.
    """
    record = select_record(protocol, data, start, end)
    if end - start > record.size and not nested and not protocol.longer_allowed(record):
        detail = f"{record.name} has {end - start} bytes, the table {record.size}"
        raise WireError("long_message", detail, record.size)
    return record, record.decode(data, start, end)
