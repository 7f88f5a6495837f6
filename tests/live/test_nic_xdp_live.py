"""AF_XDP ports across a veth pair: what is theirs, and what stays the kernel's."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dpkt
import numpy as np
import pytest
from port_rigs import GROUP, UDP_PORT, numbered, payload_of, udp_frame
from veth import RECEIVER_IP, RECEIVER_MAC, VLAN, Link, inside, udp_socket
from xdp_rig import JUMBO_MTU_BYTES, PLAIN_MTU_BYTES, open_xdp, skip_without_jumbo, xdp_link

from nic.layout import DESCRIPTOR_DTYPE, FLAG_TRUNCATED
from nic.port import PortError, datagram_cookie, open_port

OTHER_GROUP = "239.192.7.2"
ATTACHED = pytest.mark.parametrize("attach", ["generic", "native"])


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with xdp_link(queues=2) as made:
        yield made


def send_datagram(link: Link, payload: bytes, address: str, udp_port: int) -> None:
    with link.open(link.sender, "socket:tx0") as sender:
        assert sender.send(payload, datagram_cookie(address, udp_port)) == 0


# --- what stays the kernel's -----------------------------------------------------------------


@ATTACHED
def test_unicast_and_unjoined_multicast_stay_with_the_kernel(link: Link, attach: str) -> None:
    def listen() -> list[socket.socket]:
        return [
            udp_socket(RECEIVER_IP, UDP_PORT),
            udp_socket(OTHER_GROUP, UDP_PORT, OTHER_GROUP),
            udp_socket(GROUP, UDP_PORT + 1, GROUP),
        ]

    with open_xdp(link, f"queue=0-1&attach={attach}") as port:
        listeners = inside(link.receiver, listen)
        send_datagram(link, b"to an address", RECEIVER_IP, UDP_PORT)
        send_datagram(link, b"to a group", OTHER_GROUP, UDP_PORT)
        send_datagram(link, b"to a port", GROUP, UDP_PORT + 1)
        expected = [b"to an address", b"to a group", b"to a port"]
        assert [listener.recv(100) for listener in listeners] == expected
        assert port.poll() == [] and port.stats().rx_dropped == 0
        for listener in listeners:
            listener.close()


@ATTACHED
def test_arp_ping_and_tcp_work_beside_the_port(link: Link, attach: str) -> None:
    checksum = ~sum(struct.unpack("!4H", struct.pack("!BBHHH", 8, 0, 0, 1, 0))) & 0xFFFF
    echo = struct.pack("!BBHHH", 8, 0, checksum, 1, 0)

    def ping() -> bytes:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinger:
            pinger.settimeout(5)
            pinger.sendto(echo, (RECEIVER_IP, 0))
            return pinger.recv(100)[20:]

    def listen() -> socket.socket:
        return socket.create_server((RECEIVER_IP, 0))

    with open_xdp(link, f"queue=0-1&attach={attach}"), inside(link.receiver, listen) as server:
        link.forget_neighbours()
        assert inside(link.sender, ping)[:2] == b"\0\0"
        client = inside(
            link.sender, lambda: socket.create_connection(server.getsockname(), timeout=5)
        )
        with client, server.accept()[0] as accepted:
            client.sendall(b"logon")
            assert accepted.recv(10) == b"logon"
            accepted.sendall(b"accepted")
            assert client.recv(10) == b"accepted"


def test_what_is_no_whole_datagram_of_a_line_stays_with_the_kernel(link: Link) -> None:
    good = udp_frame(b"good")
    changes = [(12, 0x86), (14, 0x55), (14, 0x44), (20, 0x20), (21, 0x01), (23, 6), (37, 7)]
    with open_xdp(link) as port, link.packet_socket() as sender:
        for offset, value in changes:
            bad = bytearray(good)
            bad[offset] = value
            sender.send(bad)
        for cut in (14, 15, 18, 20, 33, 34, 41):
            sender.send(good[:cut])
        sender.send(good)
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"good"]
        assert port.receive(idle_s=0.05) == [] and port.stats().rx_errors == 0


# --- what is the port's ----------------------------------------------------------------------


def test_ip_options_do_not_hide_a_datagram(link: Link) -> None:
    plain = udp_frame(b"behind options")
    header = bytearray(plain[14:34])
    header[0] = 0x46
    header[2:4] = struct.pack("!H", 24 + 8 + 14)
    frame = plain[:14] + bytes(header) + b"\x01\x01\x01\x00" + plain[34:]
    with open_xdp(link) as port, link.packet_socket() as sender:
        sender.send(frame)
        assert [got.data for got in port.receive(1)] == [frame]


def test_an_address_of_ours_can_be_joined(link: Link) -> None:
    with open_xdp(link, "queue=0-1", (RECEIVER_IP, UDP_PORT, 0)) as port:
        send_datagram(link, b"to us", RECEIVER_IP, UDP_PORT)
        (frame,) = port.receive(1)
        packet = dpkt.ethernet.Ethernet(frame.data)
        assert packet.dst == bytes.fromhex(RECEIVER_MAC.replace(":", ""))
        assert packet.data.data.data == b"to us"


@contextmanager
def tags_kept(link: Link) -> Iterator[None]:
    link.set_tags_kept(True)
    try:
        yield
    finally:
        link.set_tags_kept(False)


@ATTACHED
@pytest.mark.parametrize("outer", [b"", bytes.fromhex("88a80005")], ids=["one tag", "two tags"])
def test_a_line_on_a_vlan_gets_its_tagged_frames(link: Link, attach: str, outer: bytes) -> None:
    plain = udp_frame(b"untagged")
    tagged = plain[:12] + outer + struct.pack("!HH", 0x8100, 0x6000 | VLAN) + plain[12:]
    other = plain[:12] + outer + struct.pack("!HH", 0x8100, VLAN + 1) + plain[12:]
    options = f"queue=0-1&attach={attach}"
    with (
        tags_kept(link),
        open_xdp(link, options, (GROUP, UDP_PORT, VLAN)) as port,
        link.packet_socket() as sender,
    ):
        for frame in (plain, other, tagged):
            sender.send(frame)
        assert [frame.data for frame in port.receive(1)] == [tagged]
        assert port.receive(idle_s=0.05) == []


def test_a_vlan_is_refused_where_the_interface_takes_tags_off(link: Link) -> None:
    with open_xdp(link) as port, pytest.raises(PortError, match=r"ethtool -K rx0 rxvlan off"):
        inside(link.receiver, lambda: port.join(GROUP, UDP_PORT, VLAN))


def test_a_vlan_without_an_interface_is_named(link: Link) -> None:
    with (
        tags_kept(link),
        open_xdp(link) as port,
        pytest.raises(PortError, match=r"rx0\.78: no such interface"),
    ):
        inside(link.receiver, lambda: port.join(GROUP, UDP_PORT, VLAN + 1))


def test_joining_twice_is_refused_and_does_no_harm(link: Link) -> None:
    with open_xdp(link) as port, link.packet_socket() as sender:
        with pytest.raises(PortError, match="already in progress"):
            inside(link.receiver, lambda: port.join(GROUP, UDP_PORT))
        sender.send(udp_frame(b"once"))
        assert len(port.receive(idle_s=0.05)) == 1


def test_the_kernel_is_a_member_as_long_as_the_port_is_open(link: Link) -> None:
    number = socket.inet_aton(GROUP)[::-1].hex().upper()

    def is_member() -> bool:
        table: str = inside(
            link.receiver, lambda: Path("/proc/thread-self/net/igmp").read_text(encoding="ascii")
        )
        return number in table

    assert not is_member()
    with open_xdp(link):
        assert is_member()
    assert not is_member()


def test_frames_that_nobody_has_room_for_are_counted(link: Link) -> None:
    descriptors = np.zeros(64, DESCRIPTOR_DTYPE)
    with open_xdp(link, "queue=0-1&ring=8&depth=16") as port, link.packet_socket() as sender:
        for payload in numbered(100):
            sender.send(udp_frame(payload))
        assert port.rx_burst(descriptors) == 8 and port.rx_burst(descriptors[8:]) == 0
        for payload in numbered(100):
            sender.send(udp_frame(payload))
        port.release(descriptors[:8])
        rest = port.receive(idle_s=0.05)
        assert len(rest) == 16  # one flow, one queue
        assert port.stats()[:3] == (24, 24 * 106, 200 - 24)


@ATTACHED
def test_a_frame_beyond_the_longest_is_cut_across_chunks(link: Link, attach: str) -> None:
    payloads = numbered(2, 8000)
    skip_without_jumbo(attach)
    link.set_mtu(JUMBO_MTU_BYTES)
    try:
        options = f"queue=0-1&attach={attach}&chunk=2048&frame=5042"
        with open_xdp(link, options) as port, link.packet_socket() as sender:
            for payload in payloads:
                sender.send(udp_frame(payload))
            frames = port.receive(2)
            assert port.stats().rx_truncated == 2
        assert [payload_of(frame.data) for frame in frames] == [data[:5000] for data in payloads]
        assert all(frame.flags & FLAG_TRUNCATED for frame in frames)
    finally:
        link.set_mtu(PLAIN_MTU_BYTES)


def test_a_frame_beyond_a_chunk_is_dropped_and_counted(link: Link) -> None:
    link.set_mtu(JUMBO_MTU_BYTES)
    try:
        with open_xdp(link, "queue=0-1") as port, link.packet_socket() as sender:
            sender.send(udp_frame(bytes(8000)))  # attached in the generic way, as the last resort
            assert port.receive(idle_s=0.05) == [] and port.stats().rx_dropped == 1
        with pytest.raises(PortError, match="a large MTU wants frame= beyond the chunk"):
            open_xdp(link, "attach=native")
    finally:
        link.set_mtu(PLAIN_MTU_BYTES)


# --- queues ----------------------------------------------------------------------------------


def flows(count: int) -> list[bytes]:
    """Frames of so many senders, which spread over the queues."""
    frames = []
    for number in range(count):
        frame = bytearray(udp_frame(b"flow %d" % number))
        frame[34:36] = struct.pack("!H", 5000 + number)
        frames.append(bytes(frame))
    return frames


def test_all_queues_of_a_port_come_out_of_one_port_object(link: Link) -> None:
    sent = flows(16)
    with open_xdp(link, "queue=0-1&ring=16&depth=16") as port, link.packet_socket() as sender:
        for _ in range(10):  # what was released goes back to the queue it came from
            for frame in sent:
                sender.send(frame)
            received = [frame.data for frame in port.receive(len(sent))]
            assert sorted(received) == sorted(sent)
        assert port.stats()[2:5] == (0, 0, 0)


def test_frames_on_a_queue_that_is_not_served_are_counted(link: Link) -> None:
    sent = flows(64)
    counts = []
    for queue in (0, 1):
        with open_xdp(link, f"queue={queue}") as port, link.packet_socket() as sender:
            for frame in sent:
                sender.send(frame)
            received = port.receive(idle_s=0.05)
            assert port.stats().rx_dropped == len(sent) - len(received)
            counts.append(len(received))
    assert all(counts) and sum(counts) == len(sent)


def test_a_queue_that_is_not_there_is_named(link: Link) -> None:
    with pytest.raises(PortError, match=r"queue 2 of rx0: bind: Invalid argument"):
        open_xdp(link, "queue=0-2")


@pytest.mark.parametrize("options", ["busy_poll=20&budget=16", "wakeup=0"])
def test_other_ways_to_drive_the_rings(link: Link, options: str) -> None:
    with open_xdp(link, f"queue=0-1&{options}") as port, link.packet_socket() as sender:
        sender.send(udp_frame(b"in"))
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"in"]
        assert port.send(udp_frame(b"out")) == 0
        assert port.stats().tx_failed == 0


# --- what is asked wrongly -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("queue=1-0", "expected a queue or up to 64 of them"),
        ("queue=0-64", "expected a queue or up to 64 of them"),
        ("queue=a", "expected a queue"),
        ("mode=fast", "expected auto or copy or zerocopy"),
        ("attach=offload", "expected auto or generic or native"),
        ("ring=3", "power of two"),
        ("chunk=1024", "expected 2048 or 4096"),
        ("frame=63", "integer from 64"),
        ("gateway_mac=01:00:5e:00:00:01", "of one station"),
        ("gateway_mac=2", "of one station"),
        ("depht=3", "unknown option depht"),
    ],
)
def test_a_wrong_option_is_named(link: Link, options: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        open_port(f"xdp:lo?{options}")


@pytest.mark.parametrize("name", ["nosuch0", "a-name-longer-than-interfaces"])
def test_an_unknown_interface_is_named(link: Link, name: str) -> None:
    with pytest.raises(PortError, match=f"{name}: no such interface"):
        open_port(f"xdp:{name}")


def test_a_mode_that_the_driver_lacks_is_refused(link: Link) -> None:
    with pytest.raises(PortError, match="queue 0 of rx0: bind: Operation not supported"):
        open_xdp(link, "mode=zerocopy")
