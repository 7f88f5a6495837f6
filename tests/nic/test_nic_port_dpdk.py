"""What is special to DPDK: its devices, its filter, times, segments, and sends that come back."""

from __future__ import annotations

import errno
import os
import signal
import struct
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import dpkt
import numpy as np
import pytest
from dpdk_rig import DpdkRig, device, dpdk_uri, pcap_target
from numba import njit
from port_rigs import FIRST_NS, GROUP, UDP_PORT, numbered, payload_of, pcap, udp_frame

from nic._core import ffi
from nic.call import call_release, call_rx_burst
from nic.layout import DESCRIPTOR_DTYPE, FLAG_HW_TIMESTAMP, FLAG_TRUNCATED
from nic.port import Port, PortError, UriError, datagram_cookie, open_port
from nic.raw import load_u32le
from nic.regions import allowed
from nic.thread import PinnedThread

pytestmark = pytest.mark.skipif(DpdkRig.why_not() is not None, reason=str(DpdkRig.why_not()))

OTHER_GROUP = "239.192.7.2"
SOURCE = "10.0.0.1:4000"


def play(folder: Path, frames: Sequence[bytes], **options: object) -> Port:
    """A port to which a capture of these frames is played."""
    path = folder / f"{device('frames')}.pcap"
    path.write_bytes(pcap(frames))
    return open_port(dpdk_uri(pcap_target(path), **options))


def loop_back(**options: object) -> Port:
    """A port that receives what it sends."""
    return open_port(dpdk_uri(device("net_ring"), **options))


def tagged(frame: bytes, *tags: tuple[int, int]) -> bytes:
    """The frame with (type, VLAN) tags, the outer one first; priority bits are set."""
    between = b"".join(struct.pack("!HH", kind, 0xE000 | vlan) for kind, vlan in tags)
    return frame[:12] + between + frame[12:]


# --- what comes out ------------------------------------------------------------------------------


def test_only_what_was_joined_comes_out(tmp_path: Path) -> None:
    wanted = udp_frame(b"wanted")
    others = [
        udp_frame(b"group", OTHER_GROUP),
        udp_frame(b"port", udp_port=UDP_PORT + 1),
        wanted[:23] + b"\x06" + wanted[24:],  # TCP
        wanted[:12] + b"\x86\xdd" + wanted[14:],  # IPv6
        wanted[:20] + b"\x00\x01" + wanted[22:],  # a later fragment
        wanted[:14] + b"\x65" + wanted[15:],  # a version that does not exist
        wanted[:14] + b"\x44" + wanted[15:],  # a header too short
        wanted[:37],  # ends before the ports do
        wanted[:14],
        tagged(wanted, (0x8100, 5)),
    ]
    with play(tmp_path, [*others, wanted, *others]) as port:
        port.join(GROUP, UDP_PORT)
        frames = port.receive(idle_s=0.05)
        assert [frame.data for frame in frames] == [wanted]
        assert port.stats()[:5] == (1, len(wanted), 0, 0, 0)


def test_a_port_without_a_join_receives_nothing(tmp_path: Path) -> None:
    with play(tmp_path, [udp_frame(b"no")]) as port:
        assert port.receive(idle_s=0.05) == []


def test_without_the_filter_everything_comes_out(tmp_path: Path) -> None:
    made = [udp_frame(b"one", OTHER_GROUP), bytes(60), udp_frame(b"two")]
    with play(tmp_path, made, filter=0) as port:
        assert [frame.data for frame in port.receive(3)] == made


def test_a_line_is_told_by_the_tag_next_to_ip(tmp_path: Path) -> None:
    frame = udp_frame(b"tagged")
    tags = [[(0x8100, 77)], [(0x88A8, 5), (0x8100, 77)], [(0x9100, 77)], [(0x8100, 0)]]
    made = [tagged(frame, *each) for each in tags]
    foreign = [tagged(frame, (0x8100, 78)), tagged(frame, (0x88A8, 77), (0x8100, 5))]
    with play(tmp_path, [*foreign, *made]) as port:
        port.join(GROUP, UDP_PORT, vlan=77)
        assert [got.data for got in port.receive(idle_s=0.05)] == made[:3]
    with play(tmp_path, made) as port:
        port.join(GROUP, UDP_PORT)
        assert [got.data for got in port.receive(idle_s=0.05)] == made[3:]


def test_an_address_of_ours_may_be_listened_on(tmp_path: Path) -> None:
    with play(tmp_path, [udp_frame(b"to us", "10.1.2.3")]) as port:
        port.join("10.1.2.3", UDP_PORT)
        assert payload_of(port.receive(1)[0].data) == b"to us"


def test_as_many_lines_as_there_may_be_come_out(tmp_path: Path) -> None:
    lines = [(f"239.1.{number % 7}.{number}", 20_000 + number // 2) for number in range(256)]
    lines += [(group, udp_port + 300) for group, udp_port in lines]
    made = [udp_frame(b"x", *line) for line in lines]
    with play(tmp_path, [udp_frame(b"no"), *made]) as port:
        for group, udp_port in lines:
            port.join(group, udp_port)
        with pytest.raises(PortError, match="No space left"):
            port.join(GROUP, UDP_PORT)
        with pytest.raises(PortError, match="already in progress"):
            port.join(*lines[100])
        assert [frame.data for frame in port.receive(idle_s=0.05)] == made


# --- times, lengths ------------------------------------------------------------------------------


def test_a_capture_s_times_are_microseconds_of_the_device(tmp_path: Path) -> None:
    with play(tmp_path, [udp_frame(b"x")] * 5, filter=0) as port:
        frames = port.receive(5)
    assert [frame.timestamp_ns for frame in frames] == [FIRST_NS + 1000 * n for n in range(5)]
    assert all(frame.flags & FLAG_HW_TIMESTAMP for frame in frames)


def test_a_device_s_nanoseconds_are_taken_as_they_are(tmp_path: Path) -> None:
    with play(tmp_path, [udp_frame(b"x")], filter=0, stamp="ns") as port:
        assert port.receive(1)[0].timestamp_ns == FIRST_NS // 1000  # net_pcap counts microseconds


def test_without_times_of_the_device_the_clock_is_read_once_a_burst(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    with play(tmp_path, [udp_frame(b"x")] * 5, filter=0, stamp="off") as port:
        frames = port.poll()
    assert len({frame.timestamp_ns for frame in frames}) == 1
    assert abs(frames[0].timestamp_ns - before_ns) < 60 * 10**9
    assert not frames[0].flags & FLAG_HW_TIMESTAMP


@pytest.mark.parametrize("segment", [128, 500, 2048, 16_000])
def test_a_frame_in_segments_is_made_one(tmp_path: Path, segment: int) -> None:
    payloads = numbered(40, size_bytes=9000)
    options = {"segment": segment, "frame": 9042, "ring": 16}
    with play(tmp_path, [udp_frame(payload) for payload in payloads], **options) as port:
        port.join(GROUP, UDP_PORT)
        assert [payload_of(frame.data) for frame in port.receive(40)] == payloads
        assert port.stats().rx_truncated == 0


@pytest.mark.parametrize(
    ("options", "kept_bytes"),
    [({"segment": 128, "frame": 1000}, 1000), ({"segment": 2048, "frame": 2048}, 2048)],
    ids=["gathered", "first segment only"],
)
def test_what_is_longer_than_a_frame_may_be_is_cut(
    tmp_path: Path, options: dict[str, int], kept_bytes: int
) -> None:
    frame = udp_frame(numbered(1, size_bytes=5000)[0])
    with play(tmp_path, [frame], filter=0, **options) as port:
        (got,) = port.receive(1)
        assert port.stats().rx_truncated == 1
    assert got.data == frame[:kept_bytes] and got.flags & FLAG_TRUNCATED


@pytest.mark.parametrize("segment", [2048, 128])
def test_released_frames_are_poisoned_where_that_is_asked_for(tmp_path: Path, segment: int) -> None:
    frame = udp_frame(b"x" * 300)
    with play(tmp_path, [frame] * 3, filter=0, poison=1, segment=segment) as port:
        held = np.zeros(3, DESCRIPTOR_DTYPE)
        assert port.rx_burst(held) == 3
        memory = [ffi.buffer(ffi.cast("char *", int(at)), len(frame)) for at in held["address"]]
        assert [bytes(each) for each in memory] == [frame] * 3
        port.release(held[:2])
        assert [bytes(each) for each in memory] == [b"\xdb" * len(frame)] * 2 + [frame]


def test_frames_lie_in_the_memory_that_the_port_names(tmp_path: Path) -> None:
    for options in ({}, {"segment": 128}):
        with play(tmp_path, [udp_frame(b"x" * 300)], filter=0, **options) as port:
            held = np.zeros(1, DESCRIPTOR_DTYPE)
            assert port.rx_burst(held) == 1
            begin, end = int(held["address"][0]), int(held["address"][0] + held["length_bytes"][0])
            assert any(at <= begin and end <= at + size for at, size in port.regions)


# --- sends ---------------------------------------------------------------------------------------


def test_what_is_sent_comes_back_over_a_ring() -> None:
    made = [udp_frame(payload) for payload in numbered(200)]
    with loop_back() as port:
        port.join(GROUP, UDP_PORT)
        for frame in made:
            assert port.send(frame) == 0
        frames = port.receive(len(made))
        assert [frame.data for frame in frames] == made
        assert port.stats()[5:] == (200, sum(map(len, made)), 0)
    assert not any(frame.flags & FLAG_HW_TIMESTAMP for frame in frames)


def test_a_datagram_gets_its_headers() -> None:
    with loop_back(source=SOURCE, gateway_mac="02:00:00:00:00:fe") as port:
        port.join(GROUP, UDP_PORT)
        port.join("10.0.0.9", 7000)
        assert port.send(b"to a group, long enough", datagram_cookie(GROUP, UDP_PORT)) == 0
        assert port.send(b"order", datagram_cookie("10.0.0.9", 7000)) == 0
        group, order = (dpkt.ethernet.Ethernet(frame.data) for frame in port.receive(2))
    assert group.dst == bytes.fromhex("01005e400701")
    assert order.dst == bytes.fromhex("0200000000fe") and order.src == group.src
    assert group.data.data.data == b"to a group, long enough"
    assert order.data.data.data == b"order" and order.data.data.dport == 7000
    assert (order.data.src, order.data.data.sport) == (bytes([10, 0, 0, 1]), 4000)
    given, order.data.sum = order.data.sum, 0
    assert dpkt.ip.IP(bytes(order.data)).sum == given  # dpkt computes what was left at 0


def test_a_short_frame_is_padded_as_ethernet_wants() -> None:
    frame = udp_frame(b"x")
    with loop_back(filter=0) as port:
        assert port.send(frame) == 0
        assert port.receive(1)[0].data == frame + bytes(60 - len(frame))


def test_a_full_queue_refuses_and_does_not_wait() -> None:
    frame, sent = udp_frame(b"x" * 100), 0
    with loop_back(filter=0) as port:
        while (result := port.send(frame)) == 0 and sent < 100_000:
            sent += 1
        assert result == -errno.EAGAIN and port.last_error == "tx: the device's queue is full"
        assert port.stats()[5:] == (sent, sent * len(frame), 1)
        assert len(port.receive(sent)) == sent
        assert port.send(frame) == 0


def test_sends_do_not_use_up_buffers() -> None:
    with loop_back(filter=0, descriptors=64, ring=16) as port:
        for _ in range(5000):
            assert port.send(udp_frame(b"x")) == 0
            assert len(port.poll()) == 1


def test_a_datagram_wants_a_source() -> None:
    with loop_back() as port:
        assert port.send(b"order", datagram_cookie("10.0.0.9", 7000)) == -errno.EADDRNOTAVAIL
        assert "source=IPV4:PORT" in port.last_error
        assert port.send(b"too short") == -errno.EINVAL
        assert port.send(bytes(3000)) == -errno.EMSGSIZE


# --- devices, threads, the process ---------------------------------------------------------------


@njit(nogil=True)
def drain_some(rx_burst, release, port, descriptors, wanted):
    """(frames, sum of lengths) of at least `wanted` frames."""
    frames = 0
    total_bytes = 0
    while frames < wanted:
        count = call_rx_burst(rx_burst, port, descriptors, 64)
        for index in range(count):
            total_bytes += load_u32le(descriptors + 32 * index + 8)
        call_release(release, port, descriptors, count)
        frames += count
    return frames, total_bytes


def test_a_kernel_drains_a_device_on_a_thread_of_its_own() -> None:
    descriptors = np.zeros(64, DESCRIPTOR_DTYPE)
    with (
        open_port(dpdk_uri(f"{device('net_null')},size=200", filter=0)) as port,
        allowed(descriptors),
    ):
        functions = (port.ops["rx_burst"], port.ops["release"], port.handle)
        args = (*functions, descriptors.ctypes.data, 100_000)
        frames, total_bytes = PinnedThread(drain_some, args, ports=[port]).start().join(60)
        assert port.stats()[:5] == (frames, total_bytes, 0, 0, 0)
    assert frames >= 100_000 and total_bytes == 200 * frames


def test_two_ports_of_a_process_share_the_eal(tmp_path: Path) -> None:
    with play(tmp_path, [udp_frame(b"one")], filter=0) as one, loop_back(filter=0) as two:
        assert two.send(udp_frame(b"two")) == 0
        assert payload_of(two.receive(1)[0].data)[:3] == b"two"
        assert payload_of(one.receive(1)[0].data) == b"one"


def test_a_device_has_one_port() -> None:
    name = device("net_null")
    with open_port(dpdk_uri(name)):
        with pytest.raises(PortError, match="another port has the device"):
            open_port(dpdk_uri(name))
        with pytest.raises(PortError, match="there already, with arguments of its own"):
            open_port(dpdk_uri(f"{name},size=100"))
    with open_port(dpdk_uri(f"{name},size=100", filter=0)) as port:
        assert len(port.poll()[0].data) == 100


def test_several_queues_are_read_in_turn() -> None:
    with open_port(dpdk_uri(device("net_null"), filter=0, queues=3)) as port:
        assert [len(port.poll()) for _ in range(6)] == [64] * 6


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("net_pcap9000,rx_pcap=/no/such/file", "No such file"),
        ("nosuchdriver0", 'failed to parse device "nosuchdriver0"'),
        ("4711", "port 4711: the EAL has 0"),
        ("0000:7f:1f.7", "0000:7f:1f.7"),
        ("x" * 64, "name of the device"),
        (",rx_pcap=x", "name of the device"),
    ],
)
def test_a_device_that_is_not_there_is_named(target: str, reason: str) -> None:
    with pytest.raises(PortError, match=f"dpdk:{target[:5]}") as raised:
        open_port(dpdk_uri(target))
    assert reason in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("ring=1000", "power of two"),
        ("frame=10", "from 60"),
        ("segment=64", "from 128"),
        ("stamp=ps", "auto or off or us or ns"),
        ("source=10.0.0.1", "expected IPV4:PORT"),
        ("source=10.0.0:5", "expected an IPv4 address"),
        ("source=10.0.0.1:0", "expected IPV4:PORT"),
        ("gateway_mac=1:2:3:4:5:6", "expected a MAC"),
        ("gateway_mac=zz:00:00:00:00:00", "expected a MAC"),
        ("gateway_mac=01:00:5e:00:00:00", "of one station"),
        ("iface=a-name-longer-than-interfaces", "name of an interface"),
        ("nosuch=1", "unknown option nosuch"),
        ("eal=--vdev='net", "option eal=.*not split into arguments"),
        ("eal=@/no/such/file", "option eal=.*cannot be read.*No such file"),
    ],
)
def test_a_wrong_option_is_told(option: str, reason: str) -> None:
    with pytest.raises(UriError, match=reason):
        open_port(f"dpdk:net_null9001?{option}")


def test_what_a_device_cannot_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="nb_rx_queues=2 > 1"):
        play(tmp_path, [], queues=2)
    with pytest.raises(PortError, match="buffers"):
        play(tmp_path, [], ring=2**20)
    play(tmp_path, [], flow=1).close()  # a device without rules: the filter stays


def test_other_eal_arguments_are_refused() -> None:
    loop_back().close()
    with pytest.raises(PortError, match=r"runs with '--no-huge .* again with '--no-pci -m 64'"):
        open_port("dpdk:net_null9002?eal=--no-pci -m 64")
    with open_port("dpdk:net_null9002") as port:  # without any it takes what runs
        assert port.poll() == []


def test_a_kernel_interface_that_is_not_there_fails_the_join() -> None:
    with loop_back(iface="nosuch0") as port:
        with pytest.raises(PortError, match="nosuch0: no such interface"):
            port.join(GROUP, UDP_PORT)
        with pytest.raises(PortError, match=r"nosuch0\.7: no such interface"):
            port.join(GROUP, UDP_PORT, vlan=7)
        assert port.send(udp_frame(b"x" * 30)) == 0 and port.poll() == []


def test_a_kernel_interface_joins_too() -> None:
    octets = (239, 250, *struct.pack("<I", os.getpid())[:2])  # nobody else's
    with loop_back(iface="lo") as port:
        port.join(".".join(map(str, octets)), UDP_PORT)
        joined = Path("/proc/net/igmp").read_text()
    number = struct.unpack("<I", bytes(octets))[0]
    assert f"{number:08X}" in joined
    assert f"{number:08X}" not in Path("/proc/net/igmp").read_text()


def test_threads_give_their_places_back() -> None:
    failures: list[BaseException] = []

    def register(port: Port) -> None:
        try:
            port.thread_init()
            port.thread_init()
        except PortError as error:
            failures.append(error)

    with loop_back() as port:
        for _ in range(300):  # there is room for 128
            thread = threading.Thread(target=register, args=(port,))
            thread.start()
            thread.join()
    assert failures == []


def test_the_thread_that_opens_keeps_its_cores_and_signals() -> None:
    cores, signals = os.sched_getaffinity(0), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    loop_back().close()
    assert os.sched_getaffinity(0) == cores
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == signals
