"""NYSE's request server over TCP: retransmissions, refreshes and symbol mappings by multicast.

Each packet of a client may hold one request; the response repeats the packet's sequence. A client
is known by its source id. The server's heartbeats have to be answered. Messages that were asked for
come on the retransmission multicast, the others on the refresh multicast.
"""

from __future__ import annotations

from feedhandler.lines.session import widened
from feedhandler.protocols.nyse_control import REFRESH_HEADER, REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.transport import read_packet, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.services.again import BILLION, packet, packets_again
from simulator.services.conversation import Conversation
from simulator.services.images import Still, messages_of, still_of
from simulator.services.settings import GAP, REFRESH, Door, Multicast
from simulator.serving.peers import Outlet

_REQUESTS = {record.code: record for record in REQUESTS}
RETRANSMISSION, HEARTBEAT_RESPONSE = _REQUESTS[10], _REQUESTS[12]
MAPPING, REFRESHING = _REQUESTS[13], _REQUESTS[15]
RESPONSE, MAPPED = NYSE_INTEGRATED_25[11], NYSE_INTEGRATED_25[3]
ACCEPTED, BAD_SOURCE, BAD_RANGE = "0", "1", "3"
TOO_MANY, TOO_MANY_REFRESHES, TOO_OLD = "4", "5", "6"
BAD_CHANNEL, BAD_PRODUCT, BAD_MESSAGE = "7", "8", "9"
EVERY_SYMBOL = 0
PACKET_BYTES = 1_400
PACKET_MESSAGES = 255
WORD = 1 << 32


class NysePeer(Conversation):
    """One connection of the request server; see `Conversation`.

    There is no login: whoever connects is listened to, and each request names its source.
    """

    def __init__(
        self,
        publisher: Publisher,
        door: Door,
        channel: tuple[int, int],
        multicast: Multicast,
        outlet: Outlet,
        now_ns: int,
    ) -> None:
        beat = packet(xdp.TRANSPORT, delivery_flag=xdp.HEARTBEAT)
        super().__init__(outlet, now_ns, xdp.TRANSPORT, beat, door.limits)
        self.publisher, self.door, self.multicast = publisher, door, multicast
        self.product_id, self.channel_id = channel
        self.unit = publisher.units[0]
        self.logged_in = True

    def _message(self, data: bytes) -> None:
        found = read_packet(xdp.TRANSPORT, data)
        if found.faults:
            raise WireError(found.faults[0][0], "packet")
        for start, end in found.spans:
            self._request(data[start:end], integer(found.header, "seq_num"))

    def _request(self, message: bytes, number: int) -> None:
        """One message of a client, in the packet with this sequence."""
        record = select_record(NYSE_INTEGRATED_25, message, 0, len(message))
        if record is HEARTBEAT_RESPONSE:
            return
        if record.code not in _REQUESTS or len(message) != record.size:
            self._respond(number, {}, BAD_MESSAGE)
            return
        values = record.decode(message)
        status = self._status(record.code, values)
        self._respond(number, values, status)
        if status != ACCEPTED:
            return
        if record is RETRANSMISSION:
            self._retransmit(*self._range(values))
        elif record is MAPPING:
            self._map(self._symbols(values))
        else:
            self._refresh(self._symbols(values))

    def _respond(self, number: int, values: Values, status: str) -> None:
        names = ("begin_seq_num", "end_seq_num", "source_id", "product_id", "channel_id")
        given: Values = {name: values[name] for name in names if name in values}
        made = RESPONSE.encode({**given, "request_seq_num": number, "status": status})
        self.send(packet(xdp.TRANSPORT, made, delivery_flag=xdp.ORIGINAL))

    def _status(self, code: int | str, values: Values) -> str:
        source = str(values["source_id"])
        if all(source != account.username for account in self.door.accounts):
            return BAD_SOURCE
        if values["product_id"] != self.product_id:
            return BAD_PRODUCT
        if values["channel_id"] != self.channel_id:
            return BAD_CHANNEL
        if code != RETRANSMISSION.code:
            if not self._symbols(values):
                return BAD_MESSAGE
            over = self.door.over(source, self.now_ns, "refresh")
            return TOO_MANY_REFRESHES if over else ACCEPTED
        first, count = self._range(values)
        if not 0 < count <= self.limits.most_messages or first + count > self.unit.next_sequence:
            return BAD_RANGE
        if first < self.unit.retained.first:
            return TOO_OLD
        return TOO_MANY if self.door.over(source, self.now_ns) else ACCEPTED

    def _range(self, values: Values) -> tuple[int, int]:
        """First sequence and number of the messages asked for."""
        words = integer(values, "begin_seq_num"), integer(values, "end_seq_num")
        first, last = (widened(word, self.unit.next_sequence) for word in words)
        return first, last - first + 1

    def _symbols(self, values: Values) -> list[int]:
        """The symbol indexes asked for; none for one that there is not."""
        index, known = integer(values, "symbol_index"), range(1, len(self.publisher.listings) + 1)
        return list(known) if index == EVERY_SYMBOL else [index] if index in known else []

    def _retransmit(self, first: int, count: int) -> None:
        made = packets_again(
            self.publisher, self.unit, first, count, delivery_flag=xdp.RETRANSMISSION_PART
        )
        if len(made) == 1:
            flag = xdp.RETRANSMISSION_ONLY
            made = packets_again(self.publisher, self.unit, first, count, delivery_flag=flag)
        for datagram in made:
            self.multicast(GAP, datagram)

    def _map(self, symbols: list[int]) -> None:
        """Symbol mappings; they are no part of a refresh, so there is no refresh header."""
        still = still_of(self.publisher, self.unit)
        for symbol in symbols:
            messages = messages_of(self.publisher, still, [symbol])
            mapping = [
                one
                for one in messages
                if select_record(NYSE_INTEGRATED_25, one, 0, len(one)) is MAPPED
            ]
            self.multicast(REFRESH, self._packet(still, mapping, 1, xdp.REFRESH_ONLY))

    def _refresh(self, symbols: list[int]) -> None:
        """All symbols as of one moment."""
        still = still_of(self.publisher, self.unit)
        for symbol in symbols:
            parts = bodies(messages_of(self.publisher, still, [symbol]))
            for number, body in enumerate(parts, 1):
                head = REFRESH_HEADER.encode(
                    current_refresh_pkt=number,
                    total_refresh_pkts=len(parts),
                    last_seq_num=still.sequence % WORD,
                    last_symbol_seq_num=int(still.counts[symbol]),
                )
                flag = flag_of(number, len(parts))
                self.multicast(REFRESH, self._packet(still, [head, *body], number, flag))

    def _packet(self, still: Still, messages: list[bytes], number: int, flag: int) -> bytes:
        seconds, part = divmod(still.time_ns, BILLION)
        header = {"delivery_flag": flag, "seq_num": number, "seconds": seconds, "nanoseconds": part}
        return packet(xdp.TRANSPORT, *messages, **header)


def bodies(messages: list[bytes]) -> list[list[bytes]]:
    """The messages of a refresh by packets, each with room for the packet and refresh headers."""
    room = PACKET_BYTES - xdp.HEADER.size - REFRESH_HEADER.size
    made: list[list[bytes]] = [[]]
    left = room
    for message in messages:
        if len(message) > left or len(made[-1]) == PACKET_MESSAGES - 1:
            made.append([])
            left = room
        made[-1].append(message)
        left -= len(message)
    return made


def flag_of(number: int, total: int) -> int:
    """The delivery flag of a part of a refresh."""
    if total == 1:
        return xdp.REFRESH_ONLY
    return {1: xdp.REFRESH_START, total: xdp.REFRESH_END}.get(number, xdp.REFRESH_PART)
