"""IEX's gap fill by UDP and over TCP, and SNAP.

Gap fill has no refusal: an invalid request by UDP has no answer, over TCP it ends the connection.
Ranges increase and do not overlap, over TCP also from request to request. Ranges of stream offsets
are not served.
"""

from __future__ import annotations

from collections.abc import Callable

from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports import iexsnap, iextp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import entries, integer
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.again import is_there, packets_again
from simulator.services.conversation import Conversation
from simulator.services.images import messages_of, still_of
from simulator.services.settings import Address, Door, Limits
from simulator.serving.peers import Outlet

GAP_REQUEST = iextp.GAP_FILL_REQUEST
PREFIX_BYTES = iextp.TRANSPORT.framing.body
MOST_RANGES = 1_000
SNAP_REQUEST, ERROR, START, DATA, END = (IEX_SNAP[code] for code in "resdx")
PACKET_BYTES = 1_400
COUNT_AT = GAP_REQUEST.offset("request_range_count")
Ranges = list[tuple[int, int]]


def identity(publisher: Publisher, unit: UnitStream) -> Values:
    """What segments say of their stream."""
    header = publisher.header
    return {
        "message_protocol_id": header["message_protocol_id"],
        "channel_id": unit.number,
        "session_id": header["session_id"],
    }


def ranges_of(publisher: Publisher, unit: UnitStream, data: bytes, floor: int) -> Ranges:
    """(first sequence, count) of what a request asks for.

    Args:
        publisher, unit: of whose stream it has to be.
        data: the whole request.
        floor: the first range begins no earlier.

    Raises:
        WireError: for a request that is not valid.
    """
    values, end = GAP_REQUEST.read(data, 0, len(data))
    mine = identity(publisher, unit)
    if end != len(data) or values["version"] != iextp.VERSION:
        raise WireError("bad_header", "not a gap fill request")
    if values["request_type"] != iextp.BY_SEQUENCE or {k: values[k] for k in mine} != mine:
        raise WireError("bad_value", "another stream, or by offset")
    made: Ranges = []
    for one in entries(values, "ranges"):
        first = integer(one, "first_message_sequence_number")
        last = integer(one, "last_message_sequence_number")
        if first < floor or last < first or not is_there(unit, first, last - first + 1):
            raise WireError("bad_value", "a range that there is not")
        made.append((first, last - first + 1))
        floor = last + 1
    return made


def segments(publisher: Publisher, unit: UnitStream, first: int, count: int) -> list[bytes]:
    """The segments that bring messages again, each with its place in the stream of bytes."""
    made = []
    for segment in packets_again(publisher, unit, first, count):
        header = iextp.HEADER.decode(segment)
        begin = integer(header, "first_message_sequence_number")
        offset = unit.retained.bytes_before(begin) + PREFIX_BYTES * (begin - 1)
        body = segment[iextp.HEADER.size :]
        made.append(iextp.HEADER.encode({**header, "stream_offset": offset}) + body)
    return made


class IexGapServer:
    """Gap fill by UDP, a `DatagramTaker`; see `mold.MoldServer`."""

    def __init__(
        self, publisher: Publisher, send: Callable[[bytes, Address], None], limits: Limits
    ) -> None:
        self.publisher, self.send, self.limits = publisher, send, limits

    def take(self, data: bytes, sender: Address, now_ns: int) -> None:
        """A datagram has come. A request without ranges asks for a sign."""
        unit = self.publisher.units[0]
        try:
            ranges = ranges_of(self.publisher, unit, data, 1)
        except WireError:
            return
        if not ranges:
            header: Values = {**identity(self.publisher, unit), "send_time": now_ns}
            header["first_message_sequence_number"] = unit.next_sequence
            self.send(write_packet(iextp.TRANSPORT, [], header), sender)
        left = self.limits.most_messages
        for first, count in ranges:
            for segment in segments(self.publisher, unit, first, min(count, left)):
                self.send(segment, sender)
            left = max(0, left - count)


class IexGapPeer(Conversation):
    """One connection of gap fill over TCP; nobody logs in, and a silent client is left alone."""

    silence_counts = False

    def __init__(self, publisher: Publisher, limits: Limits, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, iextp.TRANSPORT, b"", limits)
        self.publisher, self.unit, self.floor = publisher, publisher.units[0], 1
        self.logged_in = True

    def _read(self, data: bytes) -> None:
        while len(data) >= GAP_REQUEST.size:
            count = int.from_bytes(data[COUNT_AT : COUNT_AT + 4], "little")
            if count > MOST_RANGES:
                raise WireError("bad_count", "too many ranges")
            whole = GAP_REQUEST.size + iextp.REQUEST_RANGE.size * count
            if len(data) < whole:
                break
            self._message(data[:whole])
            data = data[whole:]
        self._pending = data

    def _message(self, data: bytes) -> None:
        ranges = ranges_of(self.publisher, self.unit, data, self.floor)
        if sum(count for _, count in ranges) > self.limits.most_messages:
            raise WireError("bad_count", "more messages than are sent at once")
        for first, count in ranges:
            self.floor = first + count
            for segment in segments(self.publisher, self.unit, first, count):
                self.send(segment)


class SnapPeer(Conversation):
    """One connection of SNAP: one request, one image."""

    def __init__(self, publisher: Publisher, door: Door, outlet: Outlet, now_ns: int) -> None:
        super().__init__(outlet, now_ns, iexsnap.TRANSPORT, b"", door.limits)
        self.publisher, self.unit, self.door = publisher, publisher.units[0], door

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`."""
        super().on_close(now_ns)
        self.door.leave(self.outlet)

    def _message(self, data: bytes) -> None:
        try:
            record, values = read_message(IEX_SNAP, data, 0, len(data))
        except WireError:
            record, values = ERROR, {}
        if record is not SNAP_REQUEST:
            self._refuse("U")
        elif self.logged_in:
            self._refuse("E")
        else:
            self._asked(values)

    def _asked(self, values: Values) -> None:
        token, mine = str(values["authentication_token"]), identity(self.publisher, self.unit)
        account = self.door.by_token(token)
        still = still_of(self.publisher, self.unit)
        why = ""
        if account is None:
            why = "A"
        elif values["channel_id"] != mine["channel_id"]:
            why = "C"
        elif values["session_id"] != mine["session_id"]:
            why = "S"
        elif integer(values, "minimum_sequence_number") > still.sequence:
            why = "R"
        elif not self.door.enter(self.outlet, account):
            why = "E"
        elif self.door.over(account.username, self.now_ns, "refresh"):
            why = "Q"
        if why:
            self._refuse(why)
            return
        self.logged_in = True
        data = self._segments(messages_of(self.publisher, still), still.time_ns)
        made = [START.encode(snapshot_length=sum(map(len, data)))]
        made += [DATA.encode() + segment for segment in data]
        made.append(END.encode(snapshot_sequence_number=still.sequence))
        self.send(b"".join(map(iexsnap.TRANSPORT.framing.wrap, made)))

    def _segments(self, messages: list[bytes], time_ns: int) -> list[bytes]:
        """The image in segments of the feed; their numbers mean nothing."""
        header: Values = {**identity(self.publisher, self.unit), "send_time": time_ns}
        made, batch, size = [], list[bytes](), 0
        for message in [*messages, b""]:
            step = PREFIX_BYTES + len(message)
            if batch and (not message or size + step > PACKET_BYTES - iextp.HEADER.size):
                made.append(write_packet(iextp.TRANSPORT, batch, header))
                batch, size = [], 0
            batch.append(message)
            size += step
        return made

    def _refuse(self, why: str) -> None:
        self.drop(iexsnap.TRANSPORT.framing.wrap(ERROR.encode(reject_reason_code=why)))
