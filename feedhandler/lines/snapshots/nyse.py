"""NYSE refreshes: snapshots of single symbols, asked for over TCP, sent on the refresh multicast.

A symbol's refresh is a series of packets; each says its number, how many there are, and up to which
message of the channel it is good. A series with a hole is asked for again. The packets of a whole
series are the image as they are: the loop's decoder reads refreshes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.session import SECOND_NS, Session, Timing, refusal, widened
from feedhandler.protocols.nyse_control import REFRESH_HEADER, REQUEST_STATUS, REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import Packet, read_message, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer

_REQUESTS = {record.code: record for record in REQUESTS}
REFRESH_REQUEST, HEARTBEAT_RESPONSE = _REQUESTS[15], _REQUESTS[12]
REQUEST_RESPONSE = NYSE_INTEGRATED_25[11]
REFRESH_FLAGS = range(xdp.REFRESH_ONLY, xdp.REFRESH_END + 1)
EVERY_SYMBOL = 0  # general knowledge: the request's index for the whole channel
ACCEPTED = "0"
PART_NS = SECOND_NS // 2
SILENCE_NS = 90 * SECOND_NS  # general knowledge: the server's heartbeats come once a minute
TRIES = 3


@dataclass
class Series:
    """What has come of a symbol's refresh: packets by their number in the series."""

    last_seq_num: int
    total: int
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One packet of a refresh: whose, and the values of its refresh header."""

    symbol: int
    header: Values

    def number(self, name: str) -> int:
        """A field of the refresh header."""
        return integer(self.header, name)


class NyseRefreshClient(Session):
    """The client of a request server for refreshes of one channel; see `SnapshotClient`.

    `on_bytes` takes the TCP bytes; a whole refresh packet, as the multicast brings it, may be given
    to it or to `on_datagram`. `image` is set when all that was asked for is whole.

    Args:
        feed: whose messages the refreshes hold.
        source_id, product_id, channel_id: as in all requests.
        symbols: indexes of the symbols asked for, at least one.
        near: a sequence of the channel's stream in its 64-bit count, as its top.
        least: a refresh that ends before this sequence is of no use.
        everything: ask for the whole channel first, and singly only for what is missing then.
        part_ns: how long to wait for the next part before asking again.
        tries: how often to ask for a symbol.

    Attributes:
        images: by symbol index.
        stray: packets on the multicast that are no part of any refresh.
    """

    def __init__(
        self,
        feed: Feed,
        source_id: str,
        product_id: int,
        channel_id: int,
        symbols: Sequence[int],
        *,
        near: int,
        least: int = 0,
        everything: bool = False,
        part_ns: int = PART_NS,
        tries: int = TRIES,
        timing: Timing | None = None,
    ) -> None:
        super().__init__(xdp.TRANSPORT, b"", timing or Timing(silence_ns=SILENCE_NS))
        if not symbols:
            raise ValueError("no symbol to refresh")
        self.feed, self.source_id, self.symbols = feed, source_id, tuple(dict.fromkeys(symbols))
        self._about: Values = {
            "source_id": source_id,
            "product_id": product_id,
            "channel_id": channel_id,
        }
        self.near, self.least, self.everything = near, least, everything
        self.part_ns, self.tries, self.stray = part_ns, tries, 0
        self._series: dict[int, Series] = {}
        self._left: dict[int, int] = {}
        self._sent_requests = self._moved_ns = 0
        self._singly = True

    def _hello(self) -> list[bytes]:
        self._series, self.stray = {}, 0
        self._left = dict.fromkeys(self.symbols, self.tries)
        self._singly = not self.everything
        return self._ask_next() if self._singly else [self._ask(EVERY_SYMBOL)]

    def _ask(self, symbol: int) -> bytes:
        self._moved_ns = self._now_ns
        self._sent_requests += 1
        request = REFRESH_REQUEST.encode({**self._about, "symbol_index": symbol})
        return server_packet([request], self._sent_requests)

    def _ask_next(self) -> list[bytes]:
        """The request for the first symbol that is missing."""
        missing = next((symbol for symbol in self.symbols if symbol not in self.images), None)
        if missing is None:
            return []
        if self._left[missing] == 0:
            self.fail(f"symbol {missing}: no whole refresh in {self.tries} tries")
            return []
        self._left[missing] -= 1
        self._series.pop(missing, None)
        return [self._ask(missing)]

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes TCP bytes, or one whole refresh packet of the multicast."""
        if is_refresh(data):
            return self.on_datagram(data, now_ns)
        return super().on_bytes(data, now_ns)

    def tick(self, now_ns: int) -> list[bytes]:
        """Asks again for what is missing when nothing has come for a while."""
        made = super().tick(now_ns)
        if self._began_ns is None or self.over or now_ns - self._moved_ns < self.part_ns:
            return made
        self._singly = True
        return self._sent(made + self._ask_next())

    def _message(self, data: bytes, start: int, end: int) -> list[bytes]:
        packet = read_packet(xdp.TRANSPORT, data[start:end])
        if packet.faults:
            raise WireError(packet.faults[0][0], "packet")
        if packet.header["delivery_flag"] == xdp.HEARTBEAT:
            reply = HEARTBEAT_RESPONSE.encode(source_id=self.source_id)
            return [server_packet([reply], 0)]
        for first, behind in packet.spans:
            record, values = read_message(self.feed.protocol, data, start + first, start + behind)
            if record.code == REQUEST_RESPONSE.code:
                self._answered(values)
        return []

    def _answered(self, values: Values) -> None:
        if values["request_seq_num"] != self._sent_requests:
            return  # to another request on this connection
        if values["status"] != ACCEPTED:
            self.fail(refusal("refresh", values["status"], REQUEST_STATUS.get))

    def on_datagram(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes a datagram of the refresh multicast; gives the next request when it ends one."""
        if self._began_ns is None or self.over:
            return []
        self._now_ns = now_ns
        try:
            part = self._part(data)
        except WireError:
            self.stray += 1
            return []
        if part.symbol not in self._left or part.symbol in self.images:
            return []  # asked for by someone else, or the other line's copy
        self._moved_ns = now_ns
        if not self._collect(part, data):
            return []
        return self._sent(self._ask_next()) if self._singly else []

    def _part(self, data: bytes) -> Part:
        """The part that a datagram is; WireError when it is none."""
        packet = read_packet(xdp.TRANSPORT, data)
        if packet.faults or packet.header["delivery_flag"] not in REFRESH_FLAGS:
            raise WireError("bad_header", "no refresh packet")
        headers, symbols = [], set[int]()
        for start, end in packet.spans:
            record, values = read_message(self.feed.protocol, data, start, end)
            if record.code == REFRESH_HEADER.code:
                headers.append(values)
            if "symbol_index" in values:
                symbols.add(integer(values, "symbol_index"))
        if len(headers) != 1 or len(symbols) != 1:
            raise WireError("bad_count", "not one refresh header and one symbol")
        part = Part(symbols.pop(), headers[0])
        if packet.header["delivery_flag"] != flag_of(part):
            raise WireError("bad_header", "the delivery flag is not that of its number")
        return part

    def _collect(self, part: Part, data: bytes) -> bool:
        """Adds a part to its symbol's series; whether that made the image whole."""
        last, total = part.number("last_seq_num"), part.number("total_refresh_pkts")
        series = self._series.get(part.symbol)
        if series is None or (series.last_seq_num, series.total) != (last, total):
            series = self._series[part.symbol] = Series(last, total)
        series.parts.setdefault(part.number("current_refresh_pkt"), data)
        sequence = widened(last, self.near)
        if len(series.parts) < total or sequence < self.least:
            return False
        parts = tuple(series.parts[number] for number in sorted(series.parts))
        del self._series[part.symbol]
        self._finish(Image(0, sequence, parts, key=part.symbol))
        return True

    def _finish(self, image: Image) -> None:
        self.images[image.key] = image
        if len(self.images) == len(self.symbols):
            self._done(image)


def server_packet(messages: list[bytes], sequence: int) -> bytes:
    """A packet to the request server."""
    header: Values = {"delivery_flag": xdp.ORIGINAL, "seq_num": sequence % (1 << 32)}
    return write_packet(xdp.TRANSPORT, messages, header)


def is_refresh(data: bytes) -> bool:
    """Whether bytes are one whole refresh packet, which the request server never sends."""
    packet: Packet = read_packet(xdp.TRANSPORT, data)
    if packet.faults or not packet.spans:
        return False
    whole = packet.header["pkt_size"] == len(data)
    return whole and packet.header["delivery_flag"] in REFRESH_FLAGS


def flag_of(part: Part) -> int:
    """The delivery flag of a part; WireError for a number that is not in the series."""
    number, total = part.number("current_refresh_pkt"), part.number("total_refresh_pkts")
    if not 1 <= number <= total:
        raise WireError("bad_count", f"part {number} of {total}")
    if total == 1:
        return xdp.REFRESH_ONLY
    return {1: xdp.REFRESH_START, total: xdp.REFRESH_END}.get(number, xdp.REFRESH_PART)
