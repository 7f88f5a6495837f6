"""Ports over TCP connections, against real sockets on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from port_kernels import send_times
from tcp_rig import LOOPBACK, Venue, burst, poll_until_over, read_port

from nic._core import ffi
from nic.layout import DESCRIPTOR_DTYPE, RX_END, RX_ERROR
from nic.port import Port, PortError, PortStats, UriError, copy_frame, datagram_cookie, open_port
from nic.regions import allowed
from nic.tcp import duplicate_socket

SLOW = {"sndbuf": 4608, "pending": 1000}


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as made:
        yield made


@pytest.fixture
def slow_venue() -> Iterator[Venue]:
    """One whose kernel takes little before the venue reads."""
    with Venue(rcvbuf_bytes=2304) as made:
        yield made


def numbered_message(number: int, size_bytes: int) -> bytes:
    head = number.to_bytes(4, "big") + size_bytes.to_bytes(2, "big")
    return head + bytes((number + at) & 0xFF for at in range(size_bytes - len(head)))


# --- receiving


def test_the_stream_comes_in_order_with_its_times(venue: Venue) -> None:
    before_ns = time.time_ns()
    with venue.connect() as port:
        sent = b"".join(numbered_message(number, 60) for number in range(500))
        venue.peer.sendall(sent)
        chunks = []
        while sum(len(chunk.data) for chunk in chunks) < len(sent):
            chunks += burst(port)[1]
    assert b"".join(chunk.data for chunk in chunks) == sent
    times = [before_ns, *(chunk.timestamp_ns for chunk in chunks), time.time_ns()]
    assert times == sorted(times)
    assert {(chunk.flags, chunk.link_type) for chunk in chunks} == {(0, 0)}


def test_a_chunk_is_never_longer_than_its_buffer(venue: Venue) -> None:
    with venue.connect(frame=64, ring=8) as port:
        sent = bytes(range(256)) * 2
        venue.peer.sendall(sent)
        chunks = []
        while len(b"".join(chunks)) < len(sent):
            chunks += [chunk.data for chunk in burst(port)[1]]
        assert b"".join(chunks) == sent
        assert max(map(len, chunks)) == 64


def test_nothing_there_is_no_error(venue: Venue) -> None:
    with venue.connect() as port:
        assert [burst(port)[0] for _ in range(3)] == [0, 0, 0]
        assert port.stats() == PortStats(*[0] * 8) and port.last_error == ""


def test_a_full_ring_waits_for_releases_and_loses_nothing(venue: Venue) -> None:
    with venue.connect(frame=64, ring=4) as port:
        sent = bytes(range(256)) + bytes(range(256))
        venue.peer.sendall(sent)
        held = np.zeros(16, DESCRIPTOR_DTYPE)
        count = 0
        while count < 4:
            count += max(port.rx_burst(held[count:]), 0)
        assert count == 4 and port.rx_burst(held[4:]) == 0
        first = b"".join(copy_frame(chunk).data for chunk in held[:4])
        port.release(held[:4])
        assert first + read_port(port, len(sent) - len(first)) == sent


def test_chunks_released_out_of_order_are_refused_and_counted(venue: Venue) -> None:
    with venue.connect(frame=64, ring=4) as port:
        venue.peer.sendall(bytes(192))
        held, count = np.zeros(3, DESCRIPTOR_DTYPE), 0
        while count < 3:
            count += max(port.rx_burst(held[count:]), 0)
        port.release(held[1:3])
        port.release(held[[0, 0]])
        assert port.stats().rx_errors == 2 and "out of order" in port.last_error
        port.release(held)
        port.release(held[:1])
        assert port.stats().rx_errors == 3


def test_a_burst_of_no_room_takes_nothing(venue: Venue) -> None:
    with venue.connect() as port:
        venue.peer.sendall(b"later")
        assert port.rx_burst(np.zeros(0, DESCRIPTOR_DTYPE)) == 0
        assert read_port(port, 5) == b"later"


# --- the end


def test_the_venue_s_close_is_told_after_its_last_bytes(venue: Venue) -> None:
    with venue.connect() as port:
        venue.peer.sendall(b"logged out")
        venue.hang_up()
        assert poll_until_over(port) == (RX_END, b"logged out")
        assert [burst(port)[0] for _ in range(3)] == [RX_END] * 3
        assert port.stats().rx_errors == 0


def test_a_venue_that_only_stops_talking_still_gets_messages(venue: Venue) -> None:
    with venue.connect() as port:
        venue.peer.shutdown(socket.SHUT_WR)
        assert poll_until_over(port) == (RX_END, b"")
        assert port.send(b"good night") == 0
        assert venue.read(10) == b"good night"


def test_a_reset_is_an_error_in_words(venue: Venue) -> None:
    with venue.connect() as port:
        venue.reset()
        assert poll_until_over(port) == (RX_ERROR, b"")
        assert port.last_error == "recv: Connection reset by peer"
        assert burst(port)[0] == RX_ERROR and port.stats().rx_errors == 1


def test_bytes_before_a_reset_are_given_out(venue: Venue) -> None:
    with venue.connect() as port:
        venue.peer.sendall(b"last words")
        assert read_port(port, 10) == b"last words"
        venue.reset()
        assert poll_until_over(port) == (RX_ERROR, b"")


def test_a_send_into_a_reset_connection_fails_and_the_poll_says_error(venue: Venue) -> None:
    with venue.connect() as port:
        venue.reset()
        result = port.send(b"order")
        assert result in (-errno.ECONNRESET, -errno.EPIPE)
        assert port.send(b"order") < 0
        assert port.stats()[5:] == (0, 0, 2)
        assert poll_until_over(port) == (RX_ERROR, b"")
        assert port.last_error.startswith("send: ")


def test_the_port_s_close_ends_the_venue_s_stream_in_order(venue: Venue) -> None:
    with venue.connect() as port:
        venue.peer.sendall(b"not read by the port")
        assert port.send(b"bye") == 0
    assert venue.read(3) == b"bye"
    assert venue.peer.recv(1) == b""


def test_close_sends_what_waits_where_it_may_linger(slow_venue: Venue) -> None:
    port = slow_venue.connect(**SLOW, linger_ms=10_000)
    messages = []
    while port.send(message := numbered_message(len(messages), 400)) == 0:
        messages.append(message)
    sent, taken = b"".join(messages), bytearray()

    def read_all() -> None:
        while piece := slow_venue.peer.recv(4096):
            taken.extend(piece)
        slow_venue.peer.shutdown(socket.SHUT_WR)

    reader = threading.Thread(target=read_all)
    reader.start()
    port.close()
    reader.join()
    assert taken == sent


# --- sending


def test_messages_arrive_in_order(venue: Venue) -> None:
    with venue.connect() as port:
        messages = [numbered_message(number, 40 + number % 30) for number in range(300)]
        assert [port.send(message) for message in messages] == [0] * 300
        sent = b"".join(messages)
        assert venue.read(len(sent)) == sent
        assert port.stats()[5:] == (300, len(sent), 0)


def test_a_venue_that_does_not_read_gets_whole_messages_only(slow_venue: Venue) -> None:
    with slow_venue.connect(**SLOW) as port:
        accepted, taken, results = b"", b"", []
        for number in range(200):
            message = numbered_message(number, 700)
            results.append(port.send(message))
            accepted += message if results[-1] == 0 else b""
            taken += slow_venue.read(300) if number % 10 == 9 else b""
        refused = results.count(-errno.EAGAIN)
        assert 0 < refused < 200 and results.count(0) == 200 - refused
        assert port.stats()[5:] == (200 - refused, len(accepted), refused)
        assert "reads too slowly" in port.last_error
        while len(taken) < len(accepted):
            burst(port)  # sends what waits
            taken += slow_venue.peer.recv(65_536)
        assert taken == accepted
        port.send(b"after")
        assert slow_venue.read(5) == b"after"


def test_what_waits_leaves_at_a_poll(slow_venue: Venue) -> None:
    with slow_venue.connect(**SLOW) as port:
        sent = b""
        while port.send(message := numbered_message(len(sent), 500)) == 0:
            sent += message
        slow_venue.peer.setblocking(False)
        taken, limit_s = b"", time.monotonic() + 10
        while len(taken) < len(sent) and time.monotonic() < limit_s:
            assert burst(port)[0] == 0
            try:
                taken += slow_venue.peer.recv(4096)
            except BlockingIOError:
                time.sleep(0.001)
        assert taken == sent
        assert port.stats().tx_bytes == len(sent)


@pytest.mark.parametrize(
    ("data", "cookie", "code"),
    [
        (b"", 0, errno.EINVAL),
        (bytes(65_536), 0, errno.EMSGSIZE),
        (b"order", datagram_cookie(LOOPBACK, 9), errno.EINVAL),
    ],
    ids=["empty", "long", "datagram"],
)
def test_what_is_no_message_is_refused(venue: Venue, data: bytes, cookie: int, code: int) -> None:
    with venue.connect() as port:
        assert port.send(data, cookie) == -code
        assert port.stats()[5:] == (0, 0, 1) and port.last_error.startswith("tx")
        port.send(b"fine")
        assert venue.read(4) == b"fine"


def test_a_kernel_sends(venue: Venue) -> None:
    payload = np.frombuffer(b"order", np.uint8)
    with venue.connect() as port, allowed(payload):
        assert send_times(port.ops["tx"], port.handle, payload.ctypes.data, 5, 0, 3) == 0
        assert venue.read(15) == b"order" * 3


sizes = st.integers(1, 900)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("send"), sizes),
        st.tuples(st.just("far reads"), sizes),
        st.tuples(st.just("far sends"), sizes),
        st.tuples(st.just("poll"), st.integers(1, 5)),
    ),
    max_size=60,
)


class Streams:
    """Both ends of a session, and what each has said and heard."""

    def __init__(self, venue: Venue, port: Port) -> None:
        self.venue, self.port = venue, port
        self.ours, self.far, self.at_far, self.at_us = (bytearray() for _ in range(4))

    def move(self, what: str, number: int, size: int) -> None:
        message = numbered_message(number, max(size, 6))
        if what == "send":
            self.ours += message if self.port.send(message) == 0 else b""
        elif what == "poll":
            self.at_us += b"".join(chunk.data for chunk in burst(self.port, size)[1])
        elif what == "far sends":
            self.far += message[: self.venue.peer.send(message)]
        else:
            self.at_far += self.venue.peer.recv(size)

    def settle(self) -> None:
        """Takes what is still under way."""
        self.venue.peer.setblocking(True)
        self.at_us += read_port(self.port, len(self.far) - len(self.at_us))
        while len(self.at_far) < len(self.ours):
            burst(self.port)
            self.at_far += self.venue.peer.recv(65_536)


@settings(max_examples=60, deadline=None)
@given(steps)
def test_any_order_of_sends_and_reads_keeps_both_streams(moves: list[tuple[str, int]]) -> None:
    with Venue(rcvbuf_bytes=2304) as venue, venue.connect(frame=64, ring=8, **SLOW) as port:
        venue.peer.setblocking(False)
        streams = Streams(venue, port)
        for number, (what, size) in enumerate(moves):
            with contextlib.suppress(BlockingIOError):
                streams.move(what, number, size)
        streams.settle()
    assert (streams.at_far, streams.at_us) == (streams.ours, streams.far)


# --- opening


def test_a_refused_connect_is_one_clear_line(venue: Venue) -> None:
    venue.listener.close()
    with pytest.raises(PortError) as failure:
        open_port(venue.uri())
    assert str(failure.value) == f"{venue.uri()}: connect: Connection refused"


def test_a_connect_that_nobody_answers_has_its_limit(venue: Venue) -> None:
    """A listener whose queue is full drops further calls, as a venue behind a firewall does."""
    venue.listener.listen(0)
    callers = [socket.socket() for _ in range(4)]
    try:
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex((LOOPBACK, venue.number))
        with pytest.raises(PortError, match="connect: no answer within 50 ms"):
            open_port(venue.uri(connect_ms=50))
    finally:
        for caller in callers:
            caller.close()


def test_a_port_can_be_opened_again_and_again(venue: Venue) -> None:
    for number in range(20):
        with venue.connect() as port:
            venue.peer.sendall(bytes([number]) * 9)
            assert read_port(port, 9) == bytes([number]) * 9
            assert port.stats()[:2] == (port.stats().rx_packets, 9)


def test_options_reach_the_socket(venue: Venue) -> None:
    options = {"user_timeout_ms": 1500, "keepalive_s": 7, "rcvbuf": 32_768, "sndbuf": 65_536}
    with venue.connect(**options) as port, duplicate_socket(port.handle) as own:
        tcp = {
            name: own.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_NODELAY", "TCP_QUICKACK", "TCP_USER_TIMEOUT", "TCP_KEEPIDLE")
        }
        assert tcp == {
            "TCP_NODELAY": 1,
            "TCP_QUICKACK": 1,
            "TCP_USER_TIMEOUT": 1500,
            "TCP_KEEPIDLE": 7,
        }
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 2 * 32_768
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 65_536


@pytest.mark.parametrize("wanted", [0, 1])
def test_acknowledging_at_once_is_said_again_when_all_is_read(venue: Venue, wanted: int) -> None:
    with venue.connect(quickack=wanted) as port, duplicate_socket(port.handle) as own:
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # as the kernel does by itself
        venue.peer.sendall(b"report")
        read_port(port, 6)
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == 0
        assert burst(port)[0] == 0
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK) == wanted


def test_our_own_address_and_interface_can_be_said(venue: Venue) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        free = other.getsockname()[1]
    with venue.connect(bind=f"127.0.0.2:{free}", device="lo"):
        assert venue.peer.getpeername() == ("127.0.0.2", free)
    with venue.connect(bind="127.0.0.3"):
        assert venue.peer.getpeername()[0] == "127.0.0.3"


def test_a_name_is_resolved(venue: Venue) -> None:
    with open_port(f"tcp:localhost:{venue.number}") as port:
        assert port.send(b"hello") == 0


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("127.0.0.1", "expected an address and a port"),
        ("127.0.0.1:0", "expected an address and a port"),
        ("127.0.0.1:70000", "expected an address and a port"),
        (":80", "expected an address and a port"),
        ("127.0.0.1:9?ring=3", "option ring=3: expected a power of two"),
        ("127.0.0.1:9?bind=host", "option bind=host: expected an IPv4 address"),
        ("127.0.0.1:9?nodelay=1", "unknown option nodelay; tcp has bind, "),
    ],
)
def test_what_is_no_address_is_refused(target: str, reason: str) -> None:
    with pytest.raises(UriError, match=f"^tcp:.*{reason}"):
        open_port(f"tcp:{target}")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("device=nosuch0", "nosuch0: No such device"),
        ("device=a-name-longer-than-interfaces", "no such interface"),
        ("bind=198.51.100.1", "bind: Cannot assign requested address"),
    ],
)
def test_what_the_kernel_refuses_is_named(venue: Venue, options: str, reason: str) -> None:
    with pytest.raises(PortError, match=reason):
        open_port(f"{venue.uri()}?{options}")


def test_a_connection_has_no_groups(venue: Venue) -> None:
    with venue.connect() as port:
        with pytest.raises(PortError, match="a TCP connection has no groups"):
            port.join("239.1.1.1", 4000)
        port.thread_init()


def test_the_memory_of_chunks_is_known(venue: Venue) -> None:
    with venue.connect(frame=100, ring=8) as port:
        ((address, size_bytes),) = port.regions
        assert size_bytes == 8 * 128
        venue.peer.sendall(b"x")
        held = np.zeros(1, DESCRIPTOR_DTYPE)
        while port.rx_burst(held) == 0:
            pass
        assert address <= int(held["address"][0]) < address + size_bytes


def test_a_closed_port_says_so(venue: Venue) -> None:
    port = venue.connect()
    port.close()
    port.close()
    with pytest.raises(PortError, match="the port is closed"):
        port.stats()


def test_the_table_of_functions_is_complete(venue: Venue) -> None:
    with venue.connect() as port:
        assert len(set(port.ops.values())) == len(port.ops) == 8 and all(port.ops.values())
        table = ffi.cast("swp_ops *", port.ops_address)
        assert int(ffi.cast("uintptr_t", table.tx)) == port.ops["tx"]
