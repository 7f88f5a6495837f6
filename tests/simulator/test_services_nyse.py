"""NYSE's request server, as the simulator has it, and the feed handler's clients of it."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Any

import pytest
from event_rig import LISTINGS
from service_rig import HOST, Day, Follower, Held, Talk, gap, pieces

from feedhandler import actions as a
from feedhandler.lines.image import Image
from feedhandler.lines.requests import NyseClient
from feedhandler.lines.session import SECOND_NS, whole_packets
from feedhandler.lines.snapshots.nyse import NyseRefreshClient
from feedhandler.protocols.nyse_control import REQUEST_STATUS, REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_message, read_packet
from simulator.services.nyse_requests import NyseLimits, NyseRequestServer
from simulator.serving.reactor import Reactor

SOURCE = "FIRM01"
SYMBOLS = range(1, len(LISTINGS) + 1)
MOMENTS = 20
RETRANSMISSION, HEARTBEAT, MAPPING, REFRESH = REQUESTS[0], REQUESTS[3], REQUESTS[1], REQUESTS[2]


class Venue:
    """A day with its request server; what it multicasts is held."""

    def __init__(self, seed: int, count: int = 2_000, limits: Any = None, **options: Any) -> None:
        self.day = Day("nyse", seed, count, **options)
        self.again: list[bytes] = []
        self.refreshes: list[bytes] = []
        self.server = NyseRequestServer(
            self.day.publisher,
            ["OTHER", SOURCE],
            self.again.append,
            self.refreshes.append,
            product_id=3,
            limits=limits,
        )

    def images(self, *symbols: int, seed: int = 1, everything: bool = False) -> list[Image]:
        """Images of symbols, asked for by the feed handler's client."""
        client = self.refresh_client(*symbols, everything=everything)
        talk = Refreshing(self, client, self.server.connect, self.day.now_ns, seed)
        talk.start()
        assert client.failed is None and client.stray == 0
        return [client.images[symbol] for symbol in symbols]

    def refresh_client(self, *symbols: int, **more: Any) -> NyseRefreshClient:
        """A client for these symbols."""
        near = self.day.publisher.units[0].next_sequence
        feed = self.day.publisher.feed
        return NyseRefreshClient(feed, SOURCE, 3, 1, symbols, near=near, **more)

    def gap_client(self, source: str = SOURCE, product: int = 3, channel: int = 1) -> NyseClient:
        """A client for retransmissions."""
        return NyseClient(source, product, channel)


class Refreshing(Talk):
    """A talk whose client hears the refresh multicast too."""

    def __init__(self, venue: Venue, *more: Any) -> None:
        super().__init__(*more)
        self.venue = venue

    def say(self, packets: Any) -> None:
        """As in Talk, until the multicast is silent."""
        out = list(packets)
        while out or self.venue.refreshes:
            super().say(out)
            heard, out = list(self.venue.refreshes), []
            self.venue.refreshes.clear()
            for packet in heard:
                out += self.client.on_datagram(packet, self.now_ns)


def ask(venue: Venue, client: NyseClient, chance: random.Random | None = None) -> Held:
    """Sends a client's requests and hands it the answers."""
    outlet = Held()
    peer = venue.server.connect(outlet, 0)
    data = b"".join(client.gaps.requests(1))
    for piece in pieces(data, chance or random.Random(1)):
        peer.on_bytes(piece, 1)
    back = outlet.take()
    packets, used = whole_packets(xdp.TRANSPORT, back)
    assert used == len(back)
    for packet in packets:
        client.on_packet(packet)
    return outlet


def messages_of(packets: list[bytes]) -> list[tuple[int, bytes]]:
    """(sequence, message) of packets."""
    made = []
    for data in packets:
        packet = read_packet(xdp.TRANSPORT, data)
        assert packet.faults == []
        pairs = zip(packet.sequences, packet.spans, strict=True)
        made += [(int(number or 0), data[x:y]) for number, (x, y) in pairs]
    return made


@pytest.mark.parametrize("first, last", [(1, 1), (7, 40), (300, 1_299), (2, 1_900)])
def test_messages_come_again_on_the_multicast_as_they_were(first: int, last: int) -> None:
    venue, client = Venue(61), NyseClient(SOURCE, 3, 1)
    venue.day.finish()
    gap(client, first, last)
    ask(venue, client)
    assert client.refused == [] and client.gaps.failed == []
    assert messages_of(venue.again) == venue.day.sent[first - 1 : last]
    flags = {read_packet(xdp.TRANSPORT, data).header["delivery_flag"] for data in venue.again}
    one = len(venue.again) == 1
    assert flags == {xdp.RETRANSMISSION_ONLY if one else xdp.RETRANSMISSION_PART}


def test_each_refusal_has_its_status() -> None:
    venue = Venue(62, retain=300, limits=NyseLimits(most_messages=500, requests=3, refreshes=1))
    for _ in range(40):
        venue.day.run(50)
    unit = venue.day.publisher.units[0]
    while not int(unit.state["made"]):  # said, but in no packet yet
        venue.day.run(1)
    sent, oldest = unit.next_sequence - 1, unit.retained.first
    assert oldest > 1
    cases = [
        (sent, sent, {}, "0"),
        (sent, sent, {"source": "NOBODY"}, "1"),
        (sent, sent, {"product": 4}, "8"),
        (sent, sent, {"channel": 2}, "7"),
        (sent - 500, sent, {}, "3"),
        (sent, sent + 1, {}, "3"),
        (oldest - 1, oldest, {}, "6"),
        (oldest, oldest, {}, "0"),
        (sent, sent, {}, "0"),
        (sent, sent, {}, "4"),
    ]
    for first, last, other, status in cases:
        client: NyseClient = venue.gap_client(**other)  # type: ignore[arg-type]
        gap(client, first, last)
        venue.again.clear()
        ask(venue, client)
        assert client.refused == ([] if status == "0" else [status]), (first, last, status)
        assert (venue.again == []) == (status != "0")
        assert len(client.gaps.failed) == int(status != "0")


@pytest.mark.parametrize("change, status", [
    ({"symbol_index": 99}, "9"), ({"source_id": "NOBODY"}, "1"), ({"product_id": 9}, "8"),
    ({"channel_id": 9}, "7"), ({}, "0"), ({}, "5"),
])  # fmt: skip
def test_refused_refreshes_have_words(change: dict[str, Any], status: str) -> None:
    venue = Venue(63, 100, limits=NyseLimits(refreshes=1))
    venue.day.run(100)
    symbol = int(change.pop("symbol_index", 1))
    if status == "5":
        venue.images(2)
    client = venue.refresh_client(symbol)
    client._about.update(change)
    Refreshing(venue, client, venue.server.connect).start()
    if status == "0":
        assert client.image is not None
        return
    assert client.failed == f"refresh: {REQUEST_STATUS[status]} ({status})"
    assert client.image is None


def test_refreshes_at_random_moments_and_what_follows_give_the_books_of_the_events() -> None:
    venue, chance = Venue(64), random.Random(2)
    day, taken, waited = venue.day, [], 0
    unit = day.publisher.units[0]
    for number in range(MOMENTS):
        day.run(chance.randint(1, 90))
        waited += int(unit.state["made"])
        images = venue.images(*SYMBOLS, seed=number, everything=number % 2 == 0)
        assert {image.sequence for image in images} == {unit.retained.next - 1}
        with Follower(day.publisher, images) as follower:
            assert follower.wrong(day.truth) == []
        taken.append(images)
    day.finish()
    whole = Follower(day.publisher, [])
    whole.take_messages(day.behind(0), 1)
    for images in taken:
        with Follower(day.publisher, images) as follower:
            sequence = images[0].sequence
            follower.take_messages(day.behind(sequence), sequence + 1)
            assert follower.wrong(day.truth) == []
            assert follower.states() == whole.states()
    whole.book.close()
    assert waited > MOMENTS / 2 and len(day.truth.orders) > 20


def test_images_of_different_moments_each_go_on_from_their_own() -> None:
    venue, images = Venue(65), list[Image]()
    for symbol in SYMBOLS:
        venue.day.run(211)
        images += venue.images(symbol)
    venue.day.finish()
    behind = {image.key: image.sequence for image in images}
    with Follower(venue.day.publisher, images) as follower:
        for sequence, message in venue.day.sent:
            _, values = read_message(NYSE_INTEGRATED_25, message, 0, len(message))
            if sequence > behind.get(values.get("symbol_index"), 0):  # type: ignore[arg-type]
                follower.take_messages([message], sequence)
        assert follower.wrong(venue.day.truth) == []


def test_a_deep_book_is_a_series_of_packets_that_says_so() -> None:
    venue = Venue(66)
    day = venue.day
    adds = day.events[:600].copy()
    adds["kind"], adds["key"], adds["side"], adds["flags"] = a.ADD, 2, a.BUY, 0
    adds["order_id"], adds["price"] = range(1, 601), 500_00_000_000
    adds["quantity"] = range(1, 601)
    day.events = adds
    day.run(600)
    (image,) = venue.images(2)
    headers = [read_packet(xdp.TRANSPORT, data).header for data in image.datagrams]
    flags = [header["delivery_flag"] for header in headers]
    assert len(flags) > 10 and flags[0] == xdp.REFRESH_START and flags[-1] == xdp.REFRESH_END
    assert set(flags[1:-1]) == {xdp.REFRESH_PART}
    assert all(len(data) <= 1_400 for data in image.datagrams)
    with Follower(day.publisher, [image]) as follower:
        assert follower.wrong(day.truth) == []


def test_a_symbols_mapping_comes_on_the_refresh_multicast() -> None:
    venue = Venue(67, 10)
    outlet = Held()
    peer = venue.server.connect(outlet, 0)
    for symbol, method, status in [(3, 0, "0"), (0, 0, "0"), (99, 0, "9"), (1, 1, "9")]:
        venue.refreshes.clear()
        about = {"source_id": SOURCE, "product_id": 3, "channel_id": 1}
        peer.on_bytes(
            packet_of(MAPPING.encode(about, symbol_index=symbol, retransmit_method=method), 7), 1
        )
        assert response(outlet)["status"] == status
        sent = [message for _, message in messages_of(venue.refreshes)]
        values = [read_message(NYSE_INTEGRATED_25, one, 0, len(one))[1] for one in sent]
        wanted = [n for n in SYMBOLS if status == "0" and symbol in (0, n)]
        assert [one["symbol_index"] for one in values] == wanted
        assert [one["symbol"] for one in values] == [LISTINGS[n - 1].symbol for n in wanted]
        assert [one["price_scale_code"] for one in values] == [
            LISTINGS[n - 1].decimals for n in wanted
        ]


def packet_of(message: bytes, number: int = 0) -> bytes:
    """A client's packet."""
    return write_packet(
        xdp.TRANSPORT, [message], {"delivery_flag": xdp.ORIGINAL, "seq_num": number}
    )


def response(outlet: Held) -> dict[str, Any]:
    """The only response that was sent."""
    data = outlet.take()
    (span,) = read_packet(xdp.TRANSPORT, data).spans
    return dict(read_message(NYSE_INTEGRATED_25, data, *span)[1])


def test_a_response_repeats_the_request_and_its_number() -> None:
    venue, outlet = Venue(68, 10), Held()
    venue.day.finish()
    peer = venue.server.connect(outlet, 0)
    about = {"source_id": SOURCE, "product_id": 3, "channel_id": 1}
    span = {"begin_seq_num": 2, "end_seq_num": 4}
    peer.on_bytes(packet_of(RETRANSMISSION.encode({**about, **span}), 41), 0)
    found = response(outlet)
    expected = {**about, **span, "request_seq_num": 41, "status": "0"}
    assert {name: found[name] for name in expected} == expected
    peer.on_bytes(packet_of(b"\x06\x00\x63\x00\x00\x00", 42), 0)
    assert {**response(outlet), "request_seq_num": 42, "status": "9"} == response_of(42, "9")


def response_of(number: int, status: str) -> dict[str, Any]:
    """A response that repeats nothing."""
    record = NYSE_INTEGRATED_25[11]
    return dict(record.decode(record.encode(request_seq_num=number, status=status)))


def test_heartbeats_have_to_be_answered() -> None:
    venue = Venue(68, 10)
    talk = Talk(venue.refresh_client(1), venue.server.connect, 0)
    client = venue.gap_client()
    for _ in range(5):
        talk.wait(60)
        beat = talk.outlet.take()
        assert read_packet(xdp.TRANSPORT, beat).header["delivery_flag"] == xdp.HEARTBEAT
        for reply in client.on_packet(beat):
            talk.peer.on_bytes(reply, talk.now_ns)
    talk.wait(60)
    assert not talk.outlet.closed
    talk.wait(30)
    assert talk.outlet.closed and talk.peer.why == "silence"
    stranger = Talk(venue.refresh_client(1), venue.server.connect, 0)
    stranger.peer.on_bytes(packet_of(HEARTBEAT.encode(source_id="NOBODY")), 0)
    assert stranger.outlet.closed


def test_requests_over_a_real_connection_are_answered_on_real_datagrams() -> None:
    day = Day("nyse", 69)
    day.finish()
    with Reactor() as served, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as group:
        group.bind((HOST, 0))
        group.setblocking(False)
        sender = served.datagrams((HOST, 0), lambda *_: None)
        place = group.getsockname()[:2]

        def send(data: bytes) -> None:
            sender.send(data, place)

        server = NyseRequestServer(day.publisher, [SOURCE], send, send)
        address = served.listen((HOST, 0), server.connect)
        near = day.publisher.units[0].next_sequence
        client = NyseRefreshClient(day.publisher.feed, SOURCE, 1, 1, SYMBOLS, near=near)
        gaps, again = NyseClient(SOURCE, 1, 1), list[bytes]()
        gap(gaps, 100, 150)
        with socket.create_connection(address) as end, socket.create_connection(address) as other:
            end.setblocking(False)
            out = client.start(0)
            for packet in gaps.gaps.requests(1):
                other.sendall(packet)
            for _ in range(4_000):
                if client.over and again:
                    break
                for packet in out:
                    end.sendall(packet)
                out = []
                served.run_once(0.001)
                with suppress(BlockingIOError):
                    out += client.on_bytes(end.recv(1 << 16), 0)
                with suppress(BlockingIOError):
                    data = group.recv(1 << 16)
                    resent = read_packet(xdp.TRANSPORT, data).header["delivery_flag"]
                    if resent in (xdp.RETRANSMISSION_ONLY, xdp.RETRANSMISSION_PART):
                        again.append(data)
                    else:
                        out += client.on_datagram(data, 0)
    assert client.failed is None and client.image is not None
    assert messages_of(again) == day.sent[99 : 99 + len(messages_of(again))]
    images = [client.images[symbol] for symbol in SYMBOLS]
    with Follower(day.publisher, images) as follower:
        assert follower.wrong(day.truth) == []


def test_any_bytes_end_a_connection_at_most_and_harm_no_other() -> None:
    venue, chance = Venue(70, 200, limits=NyseLimits(refreshes=10_000)), random.Random(5)
    venue.day.run(200)
    good = venue.gap_client()
    for _ in range(300):
        outlet = Held()
        peer = venue.server.connect(outlet, 0)
        for _ in range(4):
            peer.on_bytes(any_packet(chance), 0)
        peer.on_tick(60 * SECOND_NS)
    venue.again.clear()
    venue.refreshes.clear()
    gap(good, 1, 100)
    ask(venue, good)
    assert messages_of(venue.again) == venue.day.sent[:100]
    assert len(venue.images(*SYMBOLS)) == len(SYMBOLS)


def any_packet(chance: random.Random) -> bytes:
    """A request that may be anything."""
    record = chance.choice(REQUESTS)
    about = {"source_id": SOURCE, "product_id": 3, "channel_id": 1, "symbol_index": 1}
    about |= {"begin_seq_num": chance.randrange(300), "end_seq_num": chance.randrange(300)}
    made = record.encode({k: v for k, v in about.items() if k in record.by_name})
    data = bytearray(packet_of(made, chance.randrange(1 << 32)))
    for _ in range(chance.randint(0, 3)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data) + chance.randbytes(chance.choice((0, 0, 5)))
