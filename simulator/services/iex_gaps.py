"""IEX-TP gap fill: ranges of a channel's messages again, by UDP or over TCP, as segments.

A request that is wrong in anything has no answer by UDP and costs the connection over TCP: the
protocol has no words for it. Ranges may be of sequences or of stream offsets; those of offsets give
the messages that have a byte in them, none twice. A request without ranges asks for a sign: it is
answered by a heartbeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feedhandler.lines.repack import MOST_BYTES
from feedhandler.lines.session import SECOND_NS
from feedhandler.transports import iextp
from feedhandler.transports.packets import write_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Value, Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.connection import Connection, Patience
from simulator.services.resent import are_kept, sent_messages
from simulator.serving.peers import Outlet

REQUEST, RANGE = iextp.GAP_FILL_REQUEST, iextp.REQUEST_RANGE
MOST_RANGES: Final = 64
PREFIX_BYTES: Final = iextp.TRANSPORT.framing.body  # in front of each message
PATIENCE: Final = Patience(login_ns=60 * SECOND_NS, silence_ns=600 * SECOND_NS)
Span = tuple[int, int]  # first and last sequence


@dataclass(frozen=True)
class IexLimits:
    """What is refused.

    Attributes:
        udp_messages, tcp_messages: of one request.
        patience: of TCP; a client has nothing to say while it misses nothing, so it is long.
    """

    udp_messages: int = 100
    tcp_messages: int = 100_000
    patience: Patience = PATIENCE


class IexGapServer:
    """The gap fill of a feed; a channel's number is its unit's.

    Args:
        publisher: whose messages.
        limits: see IexLimits.
    """

    def __init__(self, publisher: Publisher, limits: IexLimits | None = None) -> None:
        self.publisher, self.limits = publisher, limits or IexLimits()
        self.channels = {unit.number: unit for unit in publisher.units}

    def connect(self, outlet: Outlet, now_ns: int) -> IexGapPeer:
        """The peer of a new connection."""
        return IexGapPeer(self, outlet, now_ns)

    def on_datagram(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes a request by UDP; the datagrams for its sender."""
        try:
            if len(data) != request_bytes(data, 0):
                return []
            return self.answer(REQUEST.decode(data), 0, self.limits.udp_messages, now_ns)[0]
        except WireError:
            return []

    def answer(self, values: Values, floor: int, most: int, now_ns: int) -> tuple[list[bytes], int]:
        """The segments that answer a request, and the last sequence that it took.

        Args:
            values: of the request.
            floor: sequence of the last message that was sent again before; its ranges are higher.
            most: messages.
            now_ns: what the segments say.

        Raises:
            WireError: "bad_value" for a request that is not answered.
        """
        unit = self.channels.get(integer(values, "channel_id"))
        ours = (
            iextp.VERSION,
            self._of_header("message_protocol_id"),
            self._of_header("session_id"),
        )
        names = ("version", "message_protocol_id", "session_id")
        if unit is None or tuple(values[name] for name in names) != ours:
            raise WireError("bad_value", "of another stream")
        spans = self._spans(unit, values, floor, most)
        if not spans:
            return [self._segment(unit, unit.next_sequence, [], now_ns)], floor
        made = [s for first, last in spans for s in self._segments(unit, first, last, now_ns)]
        return made, spans[-1][1]

    def _of_header(self, name: str) -> Value:
        return {**self.publisher.feed.header, **self.publisher.header}[name]

    def _spans(self, unit: UnitStream, values: Values, floor: int, most: int) -> list[Span]:
        """The ranges of a request as sequences that are kept and have left; WireError else."""
        ranges, made = values["ranges"], list[Span]()
        kind = values["request_type"]
        if kind not in (iextp.BY_SEQUENCE, iextp.BY_OFFSET) or not isinstance(ranges, list):
            raise WireError("bad_value", "no type of a request")
        for one in ranges:
            first, last = _range(one)
            if kind == iextp.BY_OFFSET:
                first, last = sequences_at(unit, first, last)
            lowest = made[-1][1] if made else floor
            if not lowest < first <= last < unit.next_sequence or not are_kept(unit, first):
                raise WireError("bad_value", "a range that cannot be had")
            made.append((first, last))
        if sum(last - first + 1 for first, last in made) > most:
            raise WireError("bad_value", "more messages than a request may ask for")
        return made

    def _segments(self, unit: UnitStream, first: int, last: int, now_ns: int) -> list[bytes]:
        """The segments of one range."""
        made, batch, left = [], list[bytes](), MOST_BYTES - iextp.HEADER.size
        for message in sent_messages(unit, first, last):
            if len(message) + PREFIX_BYTES > left and batch:
                made.append(self._segment(unit, first, batch, now_ns))
                first, batch, left = first + len(batch), [], MOST_BYTES - iextp.HEADER.size
            batch.append(message)
            left -= len(message) + PREFIX_BYTES
        return [*made, self._segment(unit, first, batch, now_ns)]

    def _segment(self, unit: UnitStream, first: int, messages: list[bytes], now_ns: int) -> bytes:
        header: Values = {**self.publisher.feed.header, **self.publisher.header}
        header["channel_id"], header["first_message_sequence_number"] = unit.number, first
        header["stream_offset"], header["send_time"] = offset_of(unit, first), now_ns
        return write_packet(iextp.TRANSPORT, messages, header)


class IexGapPeer(Connection):
    """One connection for long ranges, which have to increase from one request to the next."""

    def __init__(self, server: IexGapServer, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, iextp.TRANSPORT, b"", server.limits.patience)
        self.server = server
        self._floor = 0

    def _read(self, data: bytes) -> None:
        at = 0
        while (end := at + request_bytes(data, at)) <= len(data):
            self._message(data[at:end])
            at = end
        self._pending = data[at:]

    def _message(self, data: bytes) -> None:
        values, most = REQUEST.decode(data), self.server.limits.tcp_messages
        made, self._floor = self.server.answer(values, self._floor, most, self.now_ns)
        if not self.known:
            self.know()
        self.send(*made)


def request_bytes(data: bytes, at: int) -> int:
    """How long the request that begins there is, as far as it can be seen; WireError: too long."""
    count = REQUEST.by_name["request_range_count"]
    start = at + count.offset
    ranges = int.from_bytes(data[start : start + count.width], count.order)
    if len(data) - at < REQUEST.size:
        return REQUEST.size
    if ranges > MOST_RANGES:
        raise WireError("bad_count", "more ranges than a request may have")
    return REQUEST.size + ranges * RANGE.size


def _range(one: Value) -> Span:
    """First and last of a range."""
    assert isinstance(one, dict)
    first, last = (one[field.name] for field in RANGE.fields)
    assert isinstance(first, int) and isinstance(last, int)
    return first, last


def offset_of(unit: UnitStream, sequence: int) -> int:
    """Bytes of the stream in front of a message that is kept, or of the next one."""
    return unit.retained.bytes_before(sequence) + PREFIX_BYTES * (sequence - 1)


def sequences_at(unit: UnitStream, first: int, last: int) -> Span:
    """The messages with the first and the last byte of a range; (0, 0) where one is not kept."""
    low, high, found = unit.retained.first, unit.next_sequence, list[int]()
    for byte in (first, last):
        start, stop = low, high  # the answer is in start..stop - 1
        while stop - start > 1:
            middle = (start + stop) // 2
            start, stop = (middle, stop) if offset_of(unit, middle) <= byte else (start, middle)
        found.append(start)
    inside = low < high and offset_of(unit, low) <= first <= last < offset_of(unit, high)
    return (found[0], found[1]) if inside else (0, 0)
