"""Venues in real time on loopback: their multicast tells their books, their doors take orders."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from feedhandler import actions as a
from feedhandler.books.sizes import sizes_for
from feedhandler.books.venuebook import VenueBook
from feedhandler.packetactions import PacketActions
from feedhandler.protocols.ouch50 import INBOUND, OUTBOUND
from feedhandler.transports.moldudp64 import REQUEST
from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, read_packet, select_record
from simulator.gateways.accounts import Account
from simulator.live.market import LiveMarket
from simulator.live.settings import VenueRun
from simulator.publishing.venues import VENUES

HOST = "127.0.0.1"
NAMES = ["nasdaq", "bzx", "nyse", "memx", "iex", "dark"]
TRADING_S = 1.0
PORTS = 64  # more than the venues need for orders and for those who missed something
ACCOUNTS = {"ALFA": Account("secret", owner=1000, cancel_on_disconnect=True)}


def listening(group: str, port: int) -> socket.socket:
    """A socket that has joined a group on loopback."""
    end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
    end.bind((group, port))
    member = struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(HOST))
    end.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    end.setblocking(False)
    return end


def free_ports(count: int) -> int:
    """The first of so many ports that nobody has."""
    for first in range(24_000, 60_000, 16):
        ends = []
        with suppress(OSError):
            for port in range(first, first + count):
                ends.append(socket.create_server((HOST, port)))
        for end in ends:
            end.close()
        if len(ends) == count:
            return first
    raise AssertionError("no ports")


class Listener:
    """Everything that a venue's lines brought, in the order of arrival."""

    def __init__(self, venue: str) -> None:
        feed = VENUES[venue]
        self.ends = [listening(group, feed.port) for group in (feed.group_a, feed.group_b)]
        self.got: list[list[bytes]] = [[], []]

    def read(self) -> None:
        """Takes what has come."""
        for end, got in zip(self.ends, self.got, strict=True):
            with suppress(BlockingIOError):
                while True:
                    got.append(end.recv(1 << 16))


class Client:
    """An OUCH client over real TCP."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.end = socket.create_connection(address)
        self.end.setblocking(False)
        self.data, self.seen = b"", ""

    def send(self, data: bytes) -> None:
        """Sends bytes."""
        self.end.sendall(data)

    def read(self) -> str:
        """Codes of all that has come so far."""
        with suppress(BlockingIOError):
            self.data += self.end.recv(1 << 16)
        packet = read_packet(TRANSPORT, self.data)
        for start, end in packet.spans:
            code = str(select_record(SOUPBINTCP, self.data, start, end).code)
            if code == "S":
                code += str(read_message(OUTBOUND, self.data, start + HEADER_BYTES, end)[0].code)
            self.seen += f" {code}" if code != "H" else ""
        self.data = self.data[packet.consumed :]
        return self.seen


@pytest.fixture
def live() -> Iterator[LiveMarket]:
    """Six venues, from now on."""
    try:
        listening("233.210.1.1", 30001).close()
    except OSError as error:
        pytest.skip(f"no multicast on loopback: {error}")
    run = VenueRun(
        venues=NAMES,
        symbols=3,
        before_s=0.5,
        first_port=free_ports(64),
        first_service_port=free_ports(64) + 8,
    )
    listeners = {name: Listener(name) for name in NAMES if name != "dark"}
    with LiveMarket(run, ACCOUNTS) as market:
        market.listeners = listeners  # type: ignore[attr-defined]
        yield market
    for one in listeners.values():
        for end in one.ends:
            end.close()


def serve(live: LiveMarket, until_ns: int) -> None:
    """Plays until a time."""
    while live.market.now_ns < until_ns:
        live.step()
        for one in live.listeners.values():  # type: ignore[attr-defined]
            one.read()


def test_what_comes_by_multicast_makes_the_venues_own_books(live: LiveMarket) -> None:
    serve(live, live.plan.times.open_ns + round(TRADING_S * 1e9))
    levels = 0
    for name, feed in live.feeds.items():
        feed.flush()
        listener, publisher = live.listeners[name], feed.publisher  # type: ignore[attr-defined]
        listener.read()
        assert listener.got[0] == listener.got[1]
        exchange = live.market.exchanges[live.market.names.index(name)]
        reader = PacketActions(publisher.feed, publisher.midnight_ns)
        with VenueBook(sizes_for(publisher.feed, orders=8_192, levels=8_192)) as book:
            for raw in listener.got[0]:
                book.apply(reader.read(raw, live.market.now_ns))
            assert book.faults() == {} and reader.faults() == {}
            for instrument in (1, 2, 3):
                found = book.instrument(publisher.key(instrument))
                assert found is not None
                for side in (a.BUY, a.SELL):
                    wanted = exchange.levels(instrument, side).tolist()
                    assert book.ladder(found, side).tolist() == wanted
                    levels += len(wanted)
    assert levels > 50 and live.sender.lost == 0


def test_messages_that_were_missed_are_sent_again(live: LiveMarket) -> None:
    serve(live, live.plan.times.open_ns + 100_000_000)
    publisher, services = live.feeds["nasdaq"].publisher, live.services["nasdaq"]
    request = REQUEST.encode(
        session=f"{live.plan.day:%y%m%d}0001", sequence_number=3, requested_message_count=4
    )
    assert services.gap is not None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        end.setblocking(False)
        end.sendto(request, services.gap)
        raw, deadline = b"", time.monotonic() + 20
        while not raw and time.monotonic() < deadline:
            live.step()
            with suppress(BlockingIOError):
                raw = end.recv(1 << 16)
    packet = read_packet(publisher.feed.transport, raw)
    assert [raw[start:end] for start, end in packet.spans] == publisher.retained[0].messages(3, 4)
    for name, offered in live.services.items():
        for address in offered.snapshots.values():
            socket.create_connection(address).close()
        assert len(offered.snapshots) == len(live.feeds[name].publisher.units)


def test_an_order_over_tcp_is_answered_and_what_is_left_goes_with_the_connection(
    live: LiveMarket,
) -> None:
    serve(live, live.plan.times.open_ns + round(0.2 * 1e9))
    client = Client(live.addresses["nasdaq"])
    given = {"username": "ALFA", "password": "secret", "requested_sequence_number": 1}
    client.send(SOUPBINTCP["L"].encode(given))
    order = {
        "user_ref_num": 1, "side": "B", "quantity": 100, "symbol": live.plan.symbols[0],
        "price": 10_000, "time_in_force": "0", "display": "Y", "capacity": "P",
        "inter_market_sweep_eligibility": "N", "cross_type": "N",
    }  # fmt: skip
    client.send(wrap("U", INBOUND["O"].encode(order)))
    deadline = time.monotonic() + 20
    while "SA" not in client.read() and time.monotonic() < deadline:
        live.step()
    assert client.seen == " A SS SA"
    levels = live.market.exchanges[0].levels(1, a.BUY)
    assert 100_000_000 in levels["price"].tolist()
    client.end.close()
    while live.reactor.connections and time.monotonic() < deadline:
        live.step()
    serve(live, live.market.now_ns + 20_000_000)
    assert 100_000_000 not in live.market.exchanges[0].levels(1, a.BUY)["price"].tolist()
