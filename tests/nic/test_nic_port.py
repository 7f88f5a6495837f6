"""What every backend must do: the same tests over captures and over loopback sockets."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import dpkt
import numpy as np
import pytest
from dpdk_rig import DpdkRig
from efvi_double import EfviRig, EfviX3Rig
from efvi_real import NicRig, is_asked_for
from port_rigs import (
    GROUP,
    HEADERS_BYTES,
    UDP_PORT,
    ReplayRig,
    Rig,
    SocketRig,
    numbered,
    payload_of,
    udp_frame,
)

from nic._core import ffi
from nic.layout import DESCRIPTOR_DTYPE, FLAG_TRUNCATED, RX_END
from nic.port import BACKENDS, Port, PortError, PortStats, copy_frame, datagram_cookie, open_port

TOO_LONG_BYTES = 65_536
RIGS: tuple[type[Rig], ...] = (ReplayRig, SocketRig, DpdkRig, EfviRig, EfviX3Rig)
if is_asked_for():
    RIGS += (NicRig,)


@pytest.fixture(params=RIGS, ids=lambda made: made.label or made.scheme)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    reason = request.param.why_not()
    if reason is not None:
        pytest.skip(f"{request.param.label or request.param.scheme}: {reason}")
    made = request.param(tmp_path)
    try:
        yield made
    finally:
        made.close()


def take(port: Port, count: int) -> np.ndarray:
    """`count` frames, unreleased."""
    descriptors = np.zeros(count, DESCRIPTOR_DTYPE)
    filled = 0
    while filled < count:
        got = port.rx_burst(descriptors[filled:])
        assert got > 0, port.last_error
        filled += got
    return descriptors


def test_frames_come_in_the_order_they_were_sent(rig: Rig) -> None:
    payloads = numbered(500)
    with rig.open(payloads) as port:
        frames = port.receive(len(payloads))
    assert [payload_of(frame.data) for frame in frames] == payloads
    times = [frame.timestamp_ns for frame in frames]
    assert times == sorted(times) and times[0] > 0


def test_frames_are_whole_udp_datagrams_for_an_independent_parser(rig: Rig) -> None:
    with rig.open(numbered(1)) as port:
        (frame,) = port.receive(1)
    packet = dpkt.ethernet.Ethernet(frame.data)
    assert frame.link_type == 1
    assert packet.dst == bytes.fromhex("01005e400701")
    assert isinstance(packet.data, dpkt.ip.IP) and isinstance(packet.data.data, dpkt.udp.UDP)
    assert packet.data.dst == bytes(map(int, GROUP.split(".")))
    assert packet.data.data.dport == UDP_PORT
    assert packet.data.data.data == numbered(1)[0]


def test_a_burst_as_large_as_the_ring_is_held_whole(rig: Rig) -> None:
    payloads = numbered(257)
    with rig.open(payloads, ring=256) as port:
        held = take(port, 256)
        assert port.rx_burst(np.zeros(8, DESCRIPTOR_DTYPE)) == 0
        assert [payload_of(copy_frame(frame).data) for frame in held] == payloads[:256]
        port.release(held[:1])
        last = take(port, 1)
        assert payload_of(copy_frame(last[0]).data) == payloads[256]
        assert port.stats().rx_dropped == 0


def test_what_is_not_received_is_counted_as_dropped(rig: Rig) -> None:
    payloads = numbered(3000, size_bytes=200)
    with rig.open(payloads, ring=64, rcvbuf_bytes=65_536) as port:
        frames = port.receive(idle_s=0.2)
        stats = port.stats()
    assert stats.rx_packets == len(frames)
    assert stats.rx_packets + stats.rx_dropped == len(payloads)
    assert (stats.rx_dropped > 0) is rig.loses


def test_drops_are_counted_once_when_traffic_goes_on() -> None:
    rig = SocketRig(Path())
    with rig.open(numbered(2000), ring=64, rcvbuf_bytes=32_768) as port:
        port.receive(idle_s=0.1)
        dropped = port.stats().rx_dropped
        rig.send(b"later")
        assert len(port.receive(1)) == 1
        assert port.stats().rx_dropped == dropped > 0
    rig.close()


def test_frames_longer_than_the_buffer_are_cut_and_counted(rig: Rig) -> None:
    payloads = [b"short", b"x" * 300]
    with rig.open(payloads, keep_bytes=100) as port:
        short, cut = port.receive(2)
        assert port.stats().rx_truncated == 1
    assert short.flags & FLAG_TRUNCATED == 0 and payload_of(short.data) == b"short"
    assert cut.flags & FLAG_TRUNCATED
    assert payload_of(cut.data) == b"x" * 100
    assert int.from_bytes(cut.data[16:18], "big") == 28 + 300  # IPv4 keeps the length on the wire


def test_jumbo_frames_arrive_whole(rig: Rig) -> None:
    payloads = numbered(20, size_bytes=rig.longest_bytes)
    with rig.open(payloads, keep_bytes=rig.longest_bytes) as port:
        frames = port.receive(len(payloads))
        assert port.stats().rx_truncated == 0
    assert [payload_of(frame.data) for frame in frames] == payloads


def test_stats_add_up(rig: Rig) -> None:
    with rig.open(numbered(10)) as port:
        assert port.stats() == PortStats(*[0] * 8)
        frames = port.receive(10)
        frame_bytes = 10 * (HEADERS_BYTES + 64)
        assert sum(len(frame.data) for frame in frames) == frame_bytes
        assert port.stats() == PortStats(10, frame_bytes, 0, 0, 0, 0, 0, 0)


def test_sends_are_counted(rig: Rig) -> None:
    frame = udp_frame(b"order", "127.0.0.1", 9)
    with rig.open([]) as port:
        assert port.send(frame) == 0
        assert port.send(b"order", datagram_cookie("127.0.0.1", 9)) == 0
        assert port.stats()[5:] == (2, len(frame) + 5, 0)


@pytest.mark.parametrize(
    ("size_bytes", "code"), [(0, errno.EINVAL), (TOO_LONG_BYTES, errno.EMSGSIZE)]
)
def test_a_send_that_fails_is_counted_and_explained(rig: Rig, size_bytes: int, code: int) -> None:
    with rig.open([]) as port:
        assert port.send(bytes(size_bytes), datagram_cookie("127.0.0.1", 9)) == -code
        assert port.stats()[5:] == (0, 0, 1)
        assert port.last_error.startswith("tx")


def test_frames_released_out_of_order_are_refused_and_counted(rig: Rig) -> None:
    payloads = numbered(8)
    with rig.open(payloads, ring=8) as port:
        held = take(port, 8)
        port.release(held[1:3])
        assert port.stats().rx_errors == 1
        assert "out of order" in port.last_error
        port.release(held[[1, 1]])  # ends where two frames would, begins wrongly
        assert port.rx_burst(np.zeros(1, DESCRIPTOR_DTYPE)) in (0, RX_END)
        port.release(held[:8])
        port.release(held[:1])  # a second time
        assert port.stats().rx_errors == 3
        assert [payload_of(copy_frame(frame).data) for frame in held] == payloads


def test_frames_may_be_released_in_parts(rig: Rig) -> None:
    payloads = numbered(64)
    with rig.open(payloads, ring=16) as port:
        seen = []
        held = take(port, 16)
        while len(seen) < 64:
            seen += [payload_of(copy_frame(frame).data) for frame in held[:5]]
            port.release(held[:5])
            more = np.zeros(min(5, 64 - len(seen) - len(held) + 5), DESCRIPTOR_DTYPE)
            got = port.rx_burst(more) if len(more) else 0
            held = np.concatenate([held[5:], more[: max(got, 0)]])
        assert seen == payloads
        assert port.stats().rx_errors == 0


def test_the_end_is_told_by_what_has_one(rig: Rig) -> None:
    with rig.open(numbered(3)) as port:
        assert len(port.receive(3)) == 3
        expected = RX_END if rig.ends else 0
        assert [port.rx_burst(np.zeros(4, DESCRIPTOR_DTYPE)) for _ in range(3)] == [expected] * 3


def test_a_burst_of_no_room_takes_nothing(rig: Rig) -> None:
    with rig.open(numbered(1)) as port:
        assert port.rx_burst(np.zeros(0, DESCRIPTOR_DTYPE)) == 0
        assert len(port.receive(1)) == 1


def test_a_port_can_be_opened_again_and_again(rig: Rig) -> None:
    for round_number in range(20):
        with rig.open(numbered(round_number + 1)) as port:
            assert len(port.receive(round_number + 1)) == round_number + 1


def test_a_join_without_a_port_is_refused(rig: Rig) -> None:
    with rig.open([]) as port, pytest.raises(PortError, match=r"join 239\.1\.1\.1:0"):
        port.join("239.1.1.1", 0)


def test_a_closed_port_says_so(rig: Rig) -> None:
    port = rig.open([])
    port.close()
    port.close()
    with pytest.raises(PortError, match="the port is closed"):
        port.stats()
    assert port.handle == 0


def test_the_table_of_functions_is_complete(rig: Rig) -> None:
    with rig.open([]) as port:
        assert len(set(port.ops.values())) == len(port.ops) == 8 and all(port.ops.values())
        table = ffi.cast("swp_ops *", port.ops_address)
        assert int(ffi.cast("uintptr_t", table.rx_burst)) == port.ops["rx_burst"]
        assert port.handle > 0


def test_thread_init_succeeds(rig: Rig) -> None:
    with rig.open([]) as port:
        port.thread_init()


def test_every_known_backend_opens_or_says_why_not() -> None:
    for scheme, backend in BACKENDS.items():
        if backend.missing(Path("/")) is not None:
            with pytest.raises(PortError, match=f"{scheme} is not available: "):
                open_port(f"{scheme}:x")
        else:
            assert backend.open is not None
