"""NYSE's request server: over TCP a request and its status, on two multicasts what was asked for.

A client says with each request who it is: there is no login. The server sends heartbeats, which a
client has to answer. One server serves all channels of a feed; a channel's number is its unit's.
What is refused has a status of `nyse_control.REQUEST_STATUS`; that an unknown symbol is refused as
a bad message, and a range that ends ahead of the stream as too long, is the simulator's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from feedhandler.lines.repack import datagrams_of
from feedhandler.lines.session import SECOND_NS, widened
from feedhandler.protocols.nyse_control import REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_message, read_packet
from feedhandler.wire.errors import WireError
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Value, Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.clients import Quota, same_text
from simulator.services.connection import Connection, Patience
from simulator.services.nyse_refresh import RefreshChannel
from simulator.services.resent import are_kept, sent_messages
from simulator.services.still import listings_of, still_of
from simulator.serving.peers import Outlet

Send = Callable[[bytes], None]
WORD: Final = 1 << 32
BILLION: Final = 1_000_000_000
RETRANSMISSION, MAPPING, REFRESH, HEARTBEAT_RESPONSE = 10, 13, 15, 12
RESPONSE: Final = NYSE_INTEGRATED_25[11]
PROTOCOL: Final = Protocol("nyse_requests", "NYSE requests", REQUESTS, code_offset=2, code_width=2)
ACCEPTED, BAD_SOURCE, TOO_LONG, MANY_REQUESTS, MANY_REFRESHES = "0", "1", "3", "4", "5"
TOO_OLD, BAD_CHANNEL, BAD_PRODUCT, BAD_MESSAGE = "6", "7", "8", "9"
EVERY_SYMBOL: Final = 0
PATIENCE: Final = Patience(silence_ns=90 * SECOND_NS, beat_ns=60 * SECOND_NS)
BY_MULTICAST: Final = 0  # the only method of a symbol index mapping


@dataclass(frozen=True)
class NyseLimits:
    """What is refused.

    Attributes:
        most_messages: of one retransmission.
        requests: retransmissions and mappings of one source in a day.
        refreshes: of one source in a day; one of all symbols counts once.
        patience: a client is asked for a sign every `beat_ns`.
    """

    most_messages: int = 1_000
    requests: int = 10_000
    refreshes: int = 5_000
    patience: Patience = PATIENCE


class NyseRequestServer:
    """The request server of a feed.

    Args:
        publisher: whose messages and books.
        sources: the source ids that may ask.
        retransmit, refresh: send a datagram on the retransmission and on the refresh multicast.
        product_id: of the feed.
        limits: see NyseLimits.
    """

    def __init__(
        self,
        publisher: Publisher,
        sources: Collection[str],
        retransmit: Send,
        refresh: Send,
        *,
        product_id: int = 1,
        limits: NyseLimits | None = None,
    ) -> None:
        self.publisher, self.sources, self.product_id = publisher, tuple(sources), product_id
        self.retransmit, self.refresh = retransmit, refresh
        self.limits = limits or NyseLimits()
        self.channels = {unit.number: unit for unit in publisher.units}
        self.refreshes = {number: RefreshChannel() for number in self.channels}
        self._requests, self._images = Quota(self.limits.requests), Quota(self.limits.refreshes)

    def connect(self, outlet: Outlet, now_ns: int) -> NysePeer:
        """The peer of a new connection."""
        return NysePeer(self, outlet, now_ns)

    def knows(self, source: str) -> bool:
        """Whether a source may ask; takes as long when it may not."""
        found = False
        for known in self.sources:
            found |= same_text(source, known)
        return found

    def answer(self, code: int | str, values: Values, now_ns: int) -> str:
        """Does what a request asks for; its status."""
        if not self.knows(str(values["source_id"])):
            return BAD_SOURCE
        if values["product_id"] != self.product_id:
            return BAD_PRODUCT
        unit = self.channels.get(integer(values, "channel_id"))
        if unit is None:
            return BAD_CHANNEL
        if code == RETRANSMISSION:
            return self._again(unit, values, now_ns)
        return self._about_symbols(code, unit, values, now_ns)

    def _again(self, unit: UnitStream, values: Values, now_ns: int) -> str:
        """Messages on the retransmission multicast."""
        begin, end = integer(values, "begin_seq_num"), integer(values, "end_seq_num")
        first, count = widened(begin, unit.next_sequence), (end - begin) % WORD + 1
        if count > self.limits.most_messages or first + count > unit.next_sequence:
            return TOO_LONG
        if not are_kept(unit, first):
            return TOO_OLD
        if not self._requests.take(str(values["source_id"])):
            return MANY_REQUESTS
        for packet in self._packets(unit, first, count, now_ns):
            self.retransmit(packet)
        return ACCEPTED

    def _packets(self, unit: UnitStream, first: int, count: int, now_ns: int) -> tuple[bytes, ...]:
        messages = sent_messages(unit, first, first + count - 1)
        seconds, part = divmod(now_ns, BILLION)
        header: dict[str, Value] = {"seconds": seconds % WORD, "nanoseconds": part}
        for flag in (xdp.RETRANSMISSION_ONLY, xdp.RETRANSMISSION_PART):
            header["delivery_flag"] = flag
            made = datagrams_of(self.publisher.feed, messages, header, first % WORD)
            if len(made) == 1:
                break
        return made

    def _about_symbols(self, code: int | str, unit: UnitStream, values: Values, now_ns: int) -> str:
        """Mappings or books of one symbol, or of all, on the refresh multicast."""
        wanted, source = integer(values, "symbol_index"), str(values["source_id"])
        every = listings_of(self.publisher, unit)
        chosen = [pair for pair in every if wanted in (EVERY_SYMBOL, pair[0])]
        if not chosen or values.get("retransmit_method", BY_MULTICAST) != BY_MULTICAST:
            return BAD_MESSAGE
        channel = self.refreshes[unit.number]
        if code == MAPPING:
            if not self._requests.take(source):
                return MANY_REQUESTS
            for number, listing in chosen:
                self.refresh(channel.mapping(number, listing, now_ns))
            return ACCEPTED
        if not self._images.take(source):
            return MANY_REFRESHES
        still = still_of(self.publisher, unit, wanted or None)
        for number, listing in chosen:
            for packet in channel.refresh(still, number, listing, now_ns):
                self.refresh(packet)
        return ACCEPTED


class NysePeer(Connection):
    """One connection of a request server."""

    def __init__(self, server: NyseRequestServer, outlet: Outlet, now_ns: int) -> None:
        beat = write_packet(xdp.TRANSPORT, [], {"delivery_flag": xdp.HEARTBEAT})
        super().__init__(outlet, now_ns, xdp.TRANSPORT, beat, server.limits.patience)
        self.server = server
        self.know()

    def _message(self, data: bytes) -> None:
        packet = read_packet(xdp.TRANSPORT, data)
        if packet.faults:
            raise WireError(packet.faults[0][0], "packet")
        for start, end in packet.spans:
            self._asked(data, start, end, integer(packet.header, "seq_num"))
            if self.over:
                return

    def _asked(self, data: bytes, start: int, end: int, number: int) -> None:
        """One message of a packet with this number."""
        try:
            record, values = read_message(PROTOCOL, data, start, end)
        except WireError:
            self._respond(number, {}, BAD_MESSAGE)
            return
        if record.code == HEARTBEAT_RESPONSE:
            if not self.server.knows(str(values["source_id"])):
                self.drop("a heartbeat of nobody who is known")
            return
        self._respond(number, values, self.server.answer(record.code, values, self.now_ns))

    def _respond(self, number: int, values: Values, status: str) -> None:
        names = ("begin_seq_num", "end_seq_num", "source_id", "product_id", "channel_id")
        given = {name: values[name] for name in names if name in values}
        message = RESPONSE.encode(given, request_seq_num=number, status=status)
        header = {"delivery_flag": xdp.ORIGINAL}
        self.send(write_packet(xdp.TRANSPORT, [message], header))
