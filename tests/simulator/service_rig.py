"""Clients of recovery services against the simulator's servers, without sockets and with them."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np
from event_rig import DAY, LISTINGS, events_of
from numpy.typing import NDArray
from publishing_rig import BEGIN_NS, Rig

from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from feedhandler.lines.image import Image
from feedhandler.lines.layout import IMAGE_ARRIVALS
from feedhandler.lines.recovery import Gap
from feedhandler.lines.repack import datagrams_of
from feedhandler.packetactions import PacketActions
from feedhandler.transports.transport import read_packet
from simulator.publishing.packets import Packets
from simulator.publishing.publisher import Publisher
from simulator.serving.reactor import Reactor

HOST = "127.0.0.1"
PASSWORD = "correct horse"


class Held:
    """An outlet whose bytes are held for the test."""

    peer = "test:1"

    def __init__(self) -> None:
        self.data, self.closed = b"", False

    def send(self, data: bytes) -> None:
        """Holds bytes; none come behind a close."""
        assert not self.closed
        self.data += data

    def close(self) -> None:
        """Notes it."""
        self.closed = True

    def take(self) -> bytes:
        """What was sent since it was last asked."""
        made, self.data = self.data, b""
        return made


def pieces(data: bytes, chance: random.Random) -> list[bytes]:
    """The same bytes, cut anywhere."""
    cuts = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, 5))) if data else []
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


class Talk:
    """One connection of a client to a server, in process."""

    def __init__(self, client: Any, connect: Any, now_ns: int = BEGIN_NS, seed: int = 1) -> None:
        self.client, self.outlet, self.now_ns = client, Held(), now_ns
        self.peer = connect(self.outlet, now_ns)
        self.chance = random.Random(seed)

    def start(self) -> Any:
        """Begins; gives the client when neither has more to say."""
        self.say(self.client.start(self.now_ns))
        return self.client

    def say(self, packets: Iterable[bytes]) -> None:
        """What the client says, and all that follows from it."""
        out = b"".join(packets)
        while True:
            for piece in pieces(out, self.chance):
                self.peer.on_bytes(piece, self.now_ns)
            back, out = self.outlet.take(), b""
            if not back:
                break
            for piece in pieces(back, self.chance):
                out += b"".join(self.client.on_bytes(piece, self.now_ns))

    def wait(self, seconds: float) -> None:
        """Time passes for the server."""
        self.now_ns += int(seconds * 1e9)
        self.peer.on_tick(self.now_ns)


class Follower(Rig):
    """The books of who has seen an image and the messages behind it."""

    def __init__(self, publisher: Publisher, images: Iterable[Image]) -> None:
        self.publisher, self.keep = publisher, False
        self.reader = PacketActions(publisher.feed, publisher.midnight_ns)
        self.book = VenueBook(sizes_for(publisher.feed, orders=8_192, levels=8_192))
        arrival = IMAGE_ARRIVALS
        for image in images:
            for datagram in image.datagrams:
                actions = self.decoded(datagram)
                actions["sequence"] = np.arange(arrival, arrival + len(actions))
                arrival += len(actions)
                self.book.apply(actions)

    def decoded(self, datagram: bytes) -> NDArray[np.void]:
        """The actions of a datagram."""
        actions = self.reader.read(datagram, BEGIN_NS).copy()
        assert self.reader.faults() == {}
        return actions

    def take_messages(self, messages: list[bytes], first: int) -> None:
        """Messages of the stream from a sequence on."""
        for datagram in datagrams_of(
            self.publisher.feed, messages, dict(self.publisher.header), first
        ):
            self.book.apply(self.decoded(datagram))

    def states(self) -> list[tuple[int, int]]:
        """(trading state, price test) of every instrument."""
        keys = [self.publisher.key(number) for number in range(1, len(LISTINGS) + 1)]
        found = [self.book.instrument(key) for key in keys]
        return [_state(self.book.tops[number]) for number in found if number is not None]

    def wrong(self, truth: SlowBooks) -> list[str]:
        """Where these books differ from others, level by level and order by order."""
        found = self.differences(truth)
        for number in range(1, len(LISTINGS) + 1):
            ours = self.queue(number)
            theirs = [(o.side, o.price, o.quantity) for o in truth.queue(number)]
            found += [] if ours == theirs else [f"{number}: {ours} != {theirs}"]
        return found + [f"{name}" for name in self.book.faults()]


def _state(top: Any) -> tuple[int, int]:
    return int(top["status"]), int(top["restricted"])


class Day:
    """A venue's day, event by event, and what has left of it.

    Attributes:
        sent: (sequence, message) of all packets.
        truth: the books of the events so far, those included whose messages still wait.
    """

    def __init__(self, venue: str, seed: int, count: int = 2_000, **options: Any) -> None:
        self.publisher = Publisher(venue, LISTINGS, DAY, **options)
        self.events, self.at = events_of(seed, count, most_gap_ns=6_000), 0
        self.sent: list[tuple[int, bytes]] = []
        self.truth = SlowBooks()
        self.keep(self.publisher.begin(BEGIN_NS))

    @property
    def now_ns(self) -> int:
        """When the last event happened."""
        return int(self.events["time_ns"][max(self.at - 1, 0)])

    def keep(self, packets: Packets) -> None:
        """Notes the messages of packets, which follow one another."""
        transport = self.publisher.feed.transport
        for _, payload in packets:
            packet = read_packet(transport, payload)
            pairs = zip(packet.sequences, packet.spans, strict=True)
            self.sent += [(int(n or 0), payload[a:b]) for n, (a, b) in pairs]

    def run(self, count: int) -> None:
        """So many more events; messages wait for their packets as ever."""
        part = self.events[self.at : self.at + count]
        self.at += len(part)
        self.keep(self.publisher.publish(part))
        self.truth.apply(part)

    def finish(self) -> None:
        """All the other events, and what waits."""
        self.run(max(1, len(self.events) - self.at))
        self.keep(self.publisher.flush())
        assert [n for n, _ in self.sent] == list(range(1, len(self.sent) + 1))

    def behind(self, sequence: int) -> list[bytes]:
        """The messages that left behind one."""
        return [message for number, message in self.sent if number > sequence]


def gap(client: Any, first: int, last: int, unit: int = 0) -> None:
    """The client misses a range."""
    client.gaps.gaps[0] = Gap(unit, first, last + 1)


def live(connect: Any, client: Any, work: Callable[[Any], None], done: Callable[[], bool]) -> None:
    """A client and a server over a real connection; `work` is done in every turn."""
    with Reactor() as served:
        address = served.listen((HOST, 0), connect)
        with socket.create_connection(address) as end:
            end.setblocking(False)
            _send(end, client.start(served.now_ns()) if hasattr(client, "start") else [])
            for _ in range(4_000):
                if done():
                    return
                served.run_once(0.001)
                data = b""
                with suppress(BlockingIOError):
                    data = end.recv(1 << 16)
                _send(end, client.on_bytes(data, served.now_ns()) if data else [])
                work(end)
    raise AssertionError("it never came")


def _send(end: socket.socket, packets: Iterable[bytes]) -> None:
    for packet in packets:
        end.sendall(packet)
