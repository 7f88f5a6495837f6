"""One thread serves all of a venue's sockets: over real loopback sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest

from simulator.serving import reactor as module
from simulator.serving.peers import Outlet
from simulator.serving.reactor import Reactor

HOST = "127.0.0.1"


class Echo:
    """Sends back what it gets; closes on "bye"; notes what it was told."""

    def __init__(self, outlet: Outlet, now_ns: int) -> None:
        self.outlet, self.made_ns = outlet, now_ns
        self.ticks: list[int] = []
        self.closed: list[int] = []

    def on_bytes(self, data: bytes, now_ns: int) -> None:
        """Sends it back."""
        self.outlet.send(data)
        if data.endswith(b"bye"):
            self.outlet.close()

    def on_tick(self, now_ns: int) -> None:
        """Notes the time."""
        self.ticks.append(now_ns)

    def on_close(self, now_ns: int) -> None:
        """Notes the time."""
        self.closed.append(now_ns)


def until(served: Reactor, done: Callable[[], bool]) -> None:
    """Serves until something is so."""
    for _ in range(2_000):
        if done():
            return
        served.run_once(0.005)
    raise AssertionError("it never came")


def read_all(served: Reactor, end: socket.socket, count: int) -> bytes:
    """Reads so many bytes from the client's end while the other one is served."""
    end.setblocking(False)
    got = bytearray()

    def enough() -> bool:
        with suppress(BlockingIOError):
            got.extend(end.recv(1 << 16))
        return len(got) >= count

    until(served, enough)
    return bytes(got)


def test_bytes_come_back_and_a_close_waits_for_what_was_said() -> None:
    peers: list[Echo] = []

    def make(outlet: Outlet, now_ns: int) -> Echo:
        peers.append(Echo(outlet, now_ns))
        return peers[-1]

    with Reactor() as served:
        address = served.listen((HOST, 0), make)
        with socket.create_connection(address) as end:
            end.sendall(b"hello bye")
            assert read_all(served, end, 9) == b"hello bye"
            until(served, lambda: served.connections == 0)
            assert len(peers[0].closed) == 1
            end.setblocking(True)
            assert end.recv(10) == b""


def test_more_than_the_kernel_takes_at_once_arrives_whole() -> None:
    big = bytes(range(256)) * 40_000

    class Giver(Echo):
        def on_bytes(self, data: bytes, now_ns: int) -> None:
            self.outlet.send(big)

    with Reactor() as served:
        address = served.listen((HOST, 0), Giver)
        with socket.create_connection(address) as end:
            end.sendall(b"?")
            assert read_all(served, end, len(big)) == big


def test_one_send_of_more_than_may_wait_reaches_a_client_that_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A replay of a whole day is no reason to drop who asked for it."""
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 1 << 16)
    big = bytes(range(256)) * (1 << 16)

    class Giver(Echo):
        def on_bytes(self, data: bytes, now_ns: int) -> None:
            self.outlet.send(big)

    with Reactor() as served:
        address = served.listen((HOST, 0), Giver)
        with socket.create_connection(address) as end:
            end.sendall(b"?")
            assert read_all(served, end, len(big)) == big


def test_a_client_that_never_reads_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 1 << 20)
    peers: list[Echo] = []

    def make(outlet: Outlet, now_ns: int) -> Echo:
        peers.append(Echo(outlet, now_ns))
        return peers[-1]

    with Reactor() as served:
        address = served.listen((HOST, 0), make)
        with socket.create_connection(address):
            until(served, lambda: bool(peers))
            for _ in range(200):
                peers[0].outlet.send(bytes(1 << 18))
            assert peers[0].closed and served.connections == 0
            peers[0].outlet.send(b"nothing happens")


def test_a_client_that_never_reads_the_last_word_is_dropped_in_the_end() -> None:
    now = [1_000]
    peers: list[Echo] = []

    def make(outlet: Outlet, now_ns: int) -> Echo:
        peers.append(Echo(outlet, now_ns))
        return peers[-1]

    with Reactor(lambda: now[0]) as served:
        address = served.listen((HOST, 0), make)
        with socket.create_connection(address):
            until(served, lambda: bool(peers))
            peers[0].outlet.send(bytes(32 << 20))
            peers[0].outlet.close()
            served.run_once(0)
            assert served.connections == 1
            now[0] += module.CLOSE_NS
            served.run_once(0)
            assert served.connections == 0 and len(peers[0].closed) == 1


def test_more_connections_than_there_is_room_for_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_CONNECTIONS", 1)
    with Reactor() as served:
        address = served.listen((HOST, 0), Echo)
        with socket.create_connection(address) as first:
            until(served, lambda: served.connections == 1)
            with socket.create_connection(address) as second:
                served.run_once(0.05)
                second.settimeout(5)
                assert second.recv(10) == b"" and served.connections == 1
            first.sendall(b"still here")
            assert read_all(served, first, 10) == b"still here"


def test_peers_are_told_that_time_passes_by_the_clock_they_were_given() -> None:
    now = [1_000]
    peers: list[Echo] = []

    def make(outlet: Outlet, now_ns: int) -> Echo:
        peers.append(Echo(outlet, now_ns))
        return peers[-1]

    with Reactor(lambda: now[0]) as served:
        address = served.listen((HOST, 0), make)
        with socket.create_connection(address):
            until(served, lambda: bool(peers))
            for _ in range(3):
                now[0] += module.TICK_NS
                served.run_once(0)
            assert peers[0].made_ns == 1_000
            assert peers[0].ticks[-1] == 1_000 + 3 * module.TICK_NS


def test_a_datagram_is_answered_to_its_sender() -> None:
    with Reactor() as served:
        taken: list[bytes] = []

        def take(data: bytes, sender: tuple[str, int], now_ns: int) -> None:
            taken.append(data)
            service.send(data[::-1], sender)

        service = served.datagrams((HOST, 0), take)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"abc", service.address)
            until(served, lambda: bool(taken))
            assert end.recvfrom(100)[0] == b"cba"


def test_an_address_in_use_is_named() -> None:
    with Reactor() as served:
        host, port = served.listen((HOST, 0), Echo)
        with Reactor() as other, pytest.raises(OSError, match=f"{host}:{port}"):
            other.listen((host, port), Echo)
