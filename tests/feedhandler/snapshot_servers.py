"""Tiny servers of the venues' recovery services, in process, made from the clients' own tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from feedhandler.feed import decode
from feedhandler.lines.image import Image
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.protocols.glimpse50 import GLIMPSE50
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.protocols.nyse_control import REFRESH_HEADER
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.registry import versions
from feedhandler.transports import iexsnap, iextp, memxtcp, soupbintcp, suh, xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import Transport, read_message, read_packet
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Values

PASSWORD = "hunter2xyz"
USER = "FIRM"
SESSION_ID, CHANNEL_ID = 77, 3
ITCH, PITCH, NYSE, MEMOIR, DEEP_PLUS = (
    versions(name)[0]
    for name in ("nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir", "iex_deepplus")
)


def whole(data: bytes) -> list[bytes]:
    """Bytes in one piece."""
    return [data]


def drive(
    client: Any, server: Server, cut: Callable[[bytes], Iterable[bytes]] = whole, now_ns: int = 0
) -> None:
    """Lets client and server talk until neither has more to say."""
    out = client.start(now_ns)
    while out:
        data = b"".join(server.on_bytes(packet) for packet in out)
        out = [p for piece in cut(data) for p in client.on_bytes(piece, now_ns)]


def messages_in(feed: Any, datagrams: Iterable[bytes]) -> list[bytes]:
    """The messages of datagrams, as the loop's decoder will find them; none may have a fault."""
    made = []
    for data in datagrams:
        decoded = decode(feed, data)
        assert decoded.faults == [] and len(data) <= 1400
        made += [data[start:end] for start, end in decoded.packet.spans]
    return made


class Server:
    """A connection's other end.

    Attributes:
        heard: (name, values) of the client's messages; heartbeats of empty packets are not in it.
        refuse: the code it refuses with; "" takes everything.
    """

    transport: Transport
    protocol: Protocol

    def __init__(self, refuse: str = "") -> None:
        self.refuse, self.pending = refuse, b""
        self.heard: list[tuple[str, Values]] = []

    def on_bytes(self, data: bytes) -> bytes:
        """What the server sends back."""
        self.pending += data
        packet = read_packet(self.transport, self.pending)
        assert packet.faults == []
        taken, self.pending = self.pending, self.pending[packet.consumed :]
        made = []
        for start, end in packet.spans:
            record, values = read_message(self.protocol, taken, start, end)
            self.heard.append((record.name, values))
            made += self.answer(record, values)
        return b"".join(made)

    def answer(self, record: Record, values: Values) -> list[bytes]:
        """The packets that answer a message."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """What the client said."""
        return [name for name, _ in self.heard]


class GlimpseServer(Server):
    """Sends a snapshot that ends before sequence `behind`."""

    transport, protocol = soupbintcp.TRANSPORT, soupbintcp.SOUPBINTCP

    def __init__(self, messages: list[bytes], behind: int | str, refuse: str = "") -> None:
        super().__init__(refuse)
        self.messages, self.behind, self.first = messages, behind, 1

    def answer(self, record: Record, values: Values) -> list[bytes]:
        if record.code != "L":
            return []
        assert (values["password"], values["requested_sequence_number"]) == (PASSWORD, 1)
        soup = soupbintcp.SOUPBINTCP
        if self.refuse:
            return [soup["J"].encode(reject_reason_code=self.refuse)]
        end = GLIMPSE50["G"].encode(sequence_number=self.behind)
        data = [soupbintcp.wrap("S", message) for message in [*self.messages, end]]
        accepted = soup["A"].encode(session="SNAP", sequence_number=self.first)
        middle = [soup["H"].encode(), soup["+"].encode(text="hello")]
        return [accepted, *data[:1], *middle, *data[1:]]


class SpinServer(Server):
    """Announces images, one more for each refusal; `statuses` are those of the spin responses."""

    transport, protocol = suh.STREAM, CBOE_SPIN

    def __init__(
        self, messages: list[bytes], images: list[int], statuses: str = "A", refuse: str = ""
    ) -> None:
        super().__init__(refuse)
        self.messages, self.images, self.statuses = messages, images, statuses
        self.count = sum(message[1] in (0x21, 0x22, 0x2F) for message in messages)

    def packet(self, *messages: bytes) -> bytes:
        """A packet as the server sends them."""
        return write_packet(suh.TRANSPORT, messages, {"unit": 0, "sequence": 0})

    def available(self) -> bytes:
        """The announcement of the next image; the last one stays."""
        word = self.images[0] if len(self.images) == 1 else self.images.pop(0)
        return self.packet(CBOE_SPIN[0x80].encode(sequence=word % (1 << 32)))

    def answer(self, record: Record, values: Values) -> list[bytes]:
        if record.code == 0x01:
            assert values["password"] == PASSWORD
            answer = self.packet(CBOE_SPIN[0x02].encode(status=self.refuse or "A"))
            return [answer, *([] if self.refuse else [self.available(), self.packet()])]
        assert record.code == 0x81
        status, self.statuses = self.statuses[0], self.statuses[1:] or self.statuses
        given = {"sequence": values["sequence"], "order_count": self.count, "status": status}
        response = self.packet(CBOE_SPIN[0x82].encode(given))
        if status != "A":
            return [response, self.available()]
        finished = CBOE_SPIN[0x83].encode(sequence=values["sequence"])
        parts = [self.packet(*self.messages[at : at + 3]) for at in range(0, len(self.messages), 3)]
        return [response, *parts, self.available(), self.packet(finished)]


class MemxServer(Server):
    """A port of MEMX; `log` are the messages of the session from sequence 1 on."""

    transport, protocol = memxtcp.TRANSPORT, memxtcp.MEMX_TCP

    def __init__(self, log: list[bytes], mode: str, refuse: str = "", *, asked: bool = False):
        super().__init__(refuse)
        self.log, self.mode, self.asked = log, mode, asked
        self.table = memxtcp.MEMX_TCP

    def snapshot(self) -> list[bytes]:
        """The snapshot with its end, as of the last message of the log."""
        end = MEMOIR13[100].encode(as_of_sequence_number=len(self.log))
        return [memxtcp.wrap(message) for message in [*self.log, end]]

    def answer(self, record: Record, values: Values) -> list[bytes]:
        table = self.table
        if record.code == memxtcp.LOGIN_REQUEST:
            assert values["token"] == f"{USER}:{PASSWORD}"
            if self.refuse and not self.asked and self.mode != "R":
                return [table[memxtcp.LOGIN_REJECTED].encode(login_reject_code=self.refuse)]
            accepted = table[memxtcp.LOGIN_ACCEPTED].encode(supported_request_mode=self.mode)
            begin = table[memxtcp.START_OF_SESSION].encode(session_id=SESSION_ID)
            beat = table[memxtcp.HEARTBEAT].encode()
            unasked = self.snapshot() if self.mode == "T" and not self.asked else []
            return [accepted, beat, begin, *unasked]
        if record.code == memxtcp.HEARTBEAT:
            return []
        assert values["session_id"] == SESSION_ID
        if self.refuse:
            return [table[memxtcp.REPLAY_REJECTED].encode(replay_reject_code=self.refuse)]
        return self.snapshot() if self.asked else self.replay(values)

    def replay(self, values: Any) -> list[bytes]:
        """The answer to a replay request."""
        first, count = values["next_sequence_number"], values["count"]
        found = self.log[first - 1 : first - 1 + count]
        given = {"next_sequence_number": first, "pending_message_count": len(found)}
        begin = self.table[memxtcp.REPLAY_BEGIN].encode(given)
        end = self.table[memxtcp.REPLAY_COMPLETE].encode(message_count=len(found))
        return [begin, *map(memxtcp.wrap, found), end]


def segment(messages: list[bytes], first: int = 0) -> bytes:
    """An IEX-TP segment of the channel."""
    header = {**DEEP_PLUS.header, "channel_id": CHANNEL_ID, "session_id": SESSION_ID}
    header["first_message_sequence_number"] = first
    return write_packet(iextp.TRANSPORT, messages, header)


class IexSnapServer(Server):
    """Sends a snapshot in segments of two messages."""

    transport, protocol = iexsnap.TRANSPORT, IEX_SNAP

    def __init__(self, messages: list[bytes], sequence: int, refuse: str = "") -> None:
        super().__init__(refuse)
        self.messages, self.sequence = messages, sequence

    def answer(self, record: Record, values: Values) -> list[bytes]:
        assert values["authentication_token"] == PASSWORD
        assert (values["channel_id"], values["session_id"]) == (CHANNEL_ID, SESSION_ID)
        if self.refuse:
            made = [IEX_SNAP["e"].encode(reject_reason_code=self.refuse)]
        else:
            data = [segment(self.messages[at : at + 2]) for at in range(0, len(self.messages), 2)]
            start = IEX_SNAP["s"].encode(snapshot_length=sum(map(len, data)))
            end = IEX_SNAP["x"].encode(snapshot_sequence_number=self.sequence)
            made = [start, *(IEX_SNAP["d"].encode(segment=d.hex()) for d in data), end]
        return [iexsnap.TRANSPORT.framing.wrap(message) for message in made]


class NyseServer(Server):
    """The request server; what it publishes on the refresh multicast is in `multicast`.

    Attributes:
        books: the messages of each symbol's refresh.
        last: sequence that refreshes are good up to.
    """

    transport, protocol = xdp.TRANSPORT, NYSE_INTEGRATED_25

    def __init__(self, books: dict[int, list[bytes]], last: int, refuse: str = "") -> None:
        super().__init__(refuse)
        self.books, self.last = books, last
        self.multicast: list[bytes] = []
        self.asked: list[int] = []

    def on_bytes(self, data: bytes) -> bytes:
        number = read_packet(xdp.TRANSPORT, data).header["seq_num"]
        return self.response(super().on_bytes(data), number)

    def response(self, made: bytes, number: Any) -> bytes:
        """The status of a request, with its number."""
        if made != b"?":
            return made
        given = {"request_seq_num": number, "source_id": "SOURCE", "status": self.refuse or "0"}
        message = NYSE_INTEGRATED_25[11].encode(given)
        return write_packet(xdp.TRANSPORT, [message], {"delivery_flag": xdp.ORIGINAL})

    def answer(self, record: Record, values: Values) -> list[bytes]:
        if record.code == 12:
            return []
        symbol = values["symbol_index"]
        assert record.code == 15 and isinstance(symbol, int)
        self.asked.append(symbol)
        for one in self.books if symbol == 0 else [symbol]:
            self.multicast += [] if self.refuse else self.refresh(one)
        return [b"?"]

    def refresh(self, symbol: int) -> list[bytes]:
        """The packets of a symbol's refresh, two messages each."""
        book = self.books[symbol]
        bodies = [book[at : at + 2] for at in range(0, len(book), 2)]
        made = []
        for number, body in enumerate(bodies, 1):
            total = len(bodies)
            flag = {1: xdp.REFRESH_START, total: xdp.REFRESH_END}.get(number, xdp.REFRESH_PART)
            flag = xdp.REFRESH_ONLY if total == 1 else flag
            given = {"current_refresh_pkt": number, "total_refresh_pkts": total}
            head = REFRESH_HEADER.encode({**given, "last_seq_num": self.last % (1 << 32)})
            header = {"delivery_flag": flag, "seq_num": number}
            made.append(write_packet(xdp.TRANSPORT, [head, *body], header))
        return made


def itch_orders(count: int) -> list[bytes]:
    """A stock directory and adds of it."""
    directory = ITCH50["R"].encode(stock_locate=7, stock="ABC")
    return [directory] + [
        ITCH50["A"].encode(
            stock_locate=7, order_reference_number=n, buy_sell_indicator="B", shares=n, stock="ABC"
        )
        for n in range(1, count + 1)
    ]


def pitch_orders(count: int) -> list[bytes]:
    """A second and adds in it, and a trading status that is no order."""
    time, status = CBOE_SPIN[0x20].encode(time=34_200), CBOE_SPIN[0x31].encode(trading_status="T")
    add = CBOE_SPIN[0x22]
    return [
        time,
        *(add.encode(order_id=n, side_indicator="B", symbol="ABC") for n in range(1, count + 1)),
        status,
    ]


def memoir_orders(count: int) -> list[bytes]:
    """Orders of a security."""
    add = MEMOIR13[10]
    return [add.encode(security_id=7, order_id=n, side="B") for n in range(1, count + 1)]


def deep_orders(count: int) -> list[bytes]:
    """Orders of a symbol."""
    add = DEEP_PLUS.protocol["a"]
    return [add.encode(order_id=n, side="8", symbol="ABC") for n in range(1, count + 1)]


def nyse_orders(symbol: int, count: int) -> list[bytes]:
    """A symbol's mapping and its orders as in a refresh."""
    mapping = NYSE_INTEGRATED_25[3].encode(symbol_index=symbol, symbol="ABC", price_scale_code=4)
    add = NYSE_INTEGRATED_25[106]
    orders = [add.encode(symbol_index=symbol, order_id=n, side="B") for n in range(1, count + 1)]
    return [mapping, *orders]


def image_of(client: Any) -> Image:
    """The client's image, which must be there."""
    assert client.failed is None and client.image is not None, client.failed
    image: Image = client.image
    return image
