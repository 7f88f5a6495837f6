"""A venue's services in one reactor, and plain sockets that talk to them."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import Any

import numpy as np
from event_rig import DAY, LISTINGS, events_of
from publishing_rig import BEGIN_NS

from feedhandler.feed import Feed
from feedhandler.lines.secret import Secret
from feedhandler.transports.transport import Transport, read_message, read_packet
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Values
from simulator.publishing.publisher import Publisher
from simulator.services.conversation import split
from simulator.services.services import Services
from simulator.services.settings import Account, Limits, ServiceSettings
from simulator.serving.reactor import Reactor

S = 1_000_000_000
PASSWORD = "hunter2xyz"
ACCOUNT = Account("FIRM", Secret(PASSWORD, 40), "0001")
OTHER = Account("TWO", Secret("other", 40), "0002")


class Desk:
    """A venue that has published some events, its services, and a clock that is set.

    Attributes:
        multicast: (group, payload) of what was sent on the recovery groups.
    """

    def __init__(
        self, venue: str, *, count: int = 300, retain: int | None = None, **limits: int
    ) -> None:
        self.publisher = Publisher(venue, LISTINGS, DAY, retain=retain)
        self.publisher.begin(BEGIN_NS)
        self.events = events_of(7, count)
        for part in np.array_split(self.events, max(1, count // 100)):
            self.publisher.publish(part)
        self.publisher.flush()
        self.now_ns = BEGIN_NS
        self.multicast: list[tuple[str, bytes]] = []
        settings = ServiceSettings(accounts=[ACCOUNT, OTHER], limits=Limits(**limits))
        self.services = Services(
            self.publisher, settings, lambda group, payload: self.multicast.append((group, payload))
        )
        self._stack = ExitStack()
        self.reactor = self._stack.enter_context(Reactor(lambda: self.now_ns))
        self.services.open(self.reactor)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def feed(self) -> Feed:
        """What the venue speaks."""
        return self.publisher.feed

    def serve(self, rounds: int = 4, later_ns: int = 0) -> None:
        """The services have their turn."""
        for _ in range(rounds):
            self.now_ns += later_ns
            self.reactor.run_once(0.001)

    def dial(self, what: str = "snapshot", unit: int = 1) -> Caller:
        """A connection to the snapshot service of a unit, or to "gap" or "gap_stream"."""
        address = self.services.snapshots[unit]
        if what != "snapshot":
            address = getattr(self.services, what)
        end = socket.create_connection(address)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stack.callback(end.close)
        self.serve()
        return Caller(self, end)

    def ask(self, data: bytes) -> list[bytes]:
        """A datagram to the gap service, and the answers."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.bind(("127.0.0.1", 0))
            end.setblocking(False)
            assert self.services.gap is not None
            end.sendto(data, self.services.gap)
            made: list[bytes] = []
            for _ in range(5):
                self.serve()
                with suppress(BlockingIOError):
                    while True:
                        made.append(end.recv(1 << 16))
            return made


class Caller:
    """A client's end of a connection.

    Attributes:
        got: what has come and was not read yet.
        closed: the service has ended the connection.
    """

    def __init__(self, desk: Desk, end: socket.socket) -> None:
        self.desk, self.end, self.got, self.closed = desk, end, b"", False
        end.setblocking(False)

    def say(self, data: bytes) -> None:
        """Sends bytes; some of them may be lost when the service has hung up."""
        with suppress(OSError):
            self.end.send(data)
        self.hear()

    def hear(self, rounds: int = 4, later_ns: int = 0) -> None:
        """Lets the services work and takes what comes."""
        for _ in range(rounds):
            self.desk.serve(1, later_ns)
            try:
                while data := self.end.recv(1 << 16):
                    self.got += data
                self.closed = True
            except BlockingIOError:
                pass
            except OSError:
                self.closed = True

    def read(self, transport: Transport, protocol: Protocol) -> list[tuple[Any, Values]]:
        """(code, values) of the messages that have come; codes of the heartbeats are None."""
        packets, used = split(transport, self.got)
        self.got = self.got[used:]
        if transport.header is None:
            return [_one(protocol, one, 0, len(one)) for one in packets]
        made: list[tuple[Any, Values]] = []
        for one in packets:
            found = read_packet(transport, one)
            assert found.faults == []
            made += [_one(protocol, one, *span) for span in found.spans] or [(None, found.header)]
        return made


def _one(protocol: Protocol, data: bytes, start: int, end: int) -> tuple[Any, Values]:
    record, values = read_message(protocol, data, start, end, nested=True)
    return record.code, values
