"""IEX-TP gap fill: requests for ranges of sequences, by UDP or over TCP; answers are segments."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.lines.recovery import RETRY_NS, GapClient
from feedhandler.lines.session import SECOND_NS, Session, Timing
from feedhandler.transports import iextp
from feedhandler.transports.transport import read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Value

UDP_MOST = 100  # messages of one answer by UDP; the limit is the venue's to set
TCP_MOST = 100_000
TCP_RETRY_NS = SECOND_NS


def gap_fill_request(
    feed: Feed,
    channel_id: int,
    session_id: int,
    ranges: list[tuple[int, int]],
    request_type: int = iextp.BY_SEQUENCE,
) -> bytes:
    """A request for ranges (first sequence, count), in increasing order; none asks for a sign."""
    given: dict[str, Value] = {
        "request_type": request_type,
        "message_protocol_id": feed.header["message_protocol_id"],
        "channel_id": channel_id,
        "session_id": session_id,
    }
    given["ranges"] = [
        {"first_message_sequence_number": first, "last_message_sequence_number": first + count - 1}
        for first, count in ranges
    ]
    return iextp.GAP_FILL_REQUEST.encode(given)


def iex_client(
    feed: Feed,
    channel_id: int,
    session_id: int,
    *,
    most: int = UDP_MOST,
    retry_ns: int = RETRY_NS,
    request_type: int = iextp.BY_SEQUENCE,
) -> GapClient:
    """The client of a gap fill server by UDP: the answers come to the sender, for line R."""

    def encode(_unit: int, begin: int, count: int) -> bytes:
        return gap_fill_request(feed, channel_id, session_id, [(begin, count)], request_type)

    return GapClient(encode, most=most, retry_ns=retry_ns)


class IexStreamClient(Session):
    """The client of a gap fill server over TCP, for long ranges.

    A connection takes ranges in increasing order only: the server drops it for any other. So what
    has to be asked for again needs a new one: `again` says so, and `start` begins it.

    Attributes:
        gaps: what is missing.
        again: the connection is to be made anew.
        failed: why the connection is of no use any more.
    """

    def __init__(
        self,
        feed: Feed,
        channel_id: int,
        session_id: int,
        *,
        most: int = TCP_MOST,
        retry_ns: int = TCP_RETRY_NS,
        request_type: int = iextp.BY_SEQUENCE,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(iextp.TRANSPORT, b"", timing or Timing(deadline_ns=0))
        self.feed, self.channel_id, self.session_id = feed, channel_id, session_id
        self.request_type = request_type
        self.gaps = GapClient(self._request, most=most, retry_ns=retry_ns)
        self.again = False
        self._floor = 0
        self._answers: list[bytes] = []

    def _hello(self) -> list[bytes]:
        self.again, self._floor = False, 0
        for gap in self.gaps.gaps.values():
            gap.asked_ns = None
        return []

    def _request(self, _unit: int, begin: int, count: int) -> bytes:
        self.again |= begin < self._floor
        self._floor = begin + count
        ranges = [(begin, count)]
        return gap_fill_request(
            self.feed, self.channel_id, self.session_id, ranges, self.request_type
        )

    def requests(self, now_ns: int) -> list[bytes]:
        """The packets to send now; none while the connection has to be made anew."""
        if self._began_ns is None or self.over or self.again:
            return []
        made = self.gaps.requests(now_ns)
        return [] if self.again else made

    def tick(self, now_ns: int) -> list[bytes]:
        """The server says nothing unasked: silence counts only while something is missing."""
        if not self.gaps.gaps:
            self._heard_ns = now_ns
        return super().tick(now_ns)

    def take(self) -> list[bytes]:
        """The answers since it was last asked, as datagrams of the feed."""
        made, self._answers = self._answers, []
        return made

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        packet = read_packet(iextp.TRANSPORT, data[start:end])
        if packet.faults:
            raise WireError(packet.faults[0][0], "segment")
        ours = (self.feed.header["message_protocol_id"], self.channel_id, self.session_id)
        names = ("message_protocol_id", "channel_id", "session_id")
        if tuple(packet.header[name] for name in names) != ours:
            self.fail("a segment of another stream")
        elif packet.spans:
            self._answers.append(data[start:end])
        return []
