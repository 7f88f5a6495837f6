"""DPDK ports across a real link: its packet-socket device at both ends of a veth pair made here,
and its AF_XDP device at one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import dpkt
import pytest
from dpdk_rig import DpdkRig, device, dpdk_uri
from veth import (
    RECEIVER_IP,
    RECEIVER_MAC,
    SENDER_IP,
    SENDER_MAC,
    VLAN,
    Link,
    inside,
    udp_socket,
    veth_link,
)

from nic.port import BACKENDS, Port, PortError, datagram_cookie, open_port

GROUP, OTHER_GROUP, UDP_PORT = "239.192.9.3", "239.192.9.4", 32_003
AF_XDP, SO_DOMAIN = 44, 39


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    reason = DpdkRig.why_not()
    if reason is not None:
        pytest.skip(reason)
    # The EAL's own threads stay outside the namespaces, which could not be removed else.
    open_port(dpdk_uri(device("net_null"))).close()
    with veth_link() as made:
        yield made


def at(name: str, **options: object) -> str:
    """A device over a kernel interface."""
    return dpdk_uri(f"{device('net_af_packet')},iface={name}", **options)


def receive_at(link: Link, *joins: tuple[str, int, int], **options: object) -> Port:
    """A port at the receiver's end."""
    try:
        return link.open(link.receiver, at("rx0", **options), *joins)
    except PortError as error:
        if "attach" in str(error):
            pytest.skip(f"net_af_packet cannot be used here: {error}")
        raise


def afxdp_at(link: Link, **options: object) -> Port:
    """A port over the receiver's interface by DPDK's own AF_XDP device."""
    addresses = {"source": f"{RECEIVER_IP}:4000", "gateway_mac": SENDER_MAC}
    uri = dpdk_uri(f"{device('net_af_xdp')},iface=rx0", **addresses, **options)
    try:
        return link.open(link.receiver, uri, (GROUP, UDP_PORT, 0))
    except PortError as error:
        skip_without_af_xdp(link, error)
        raise


def skip_without_af_xdp(link: Link, error: PortError) -> None:
    """Skips where there is no such device, or a port of ours gets nothing of the kernel either."""
    if "attach" in str(error) or BACKENDS["xdp"].missing(Path("/")) is not None:
        pytest.skip(f"net_af_xdp cannot be used here: {error}")
    try:
        link.open(link.receiver, "xdp:rx0?mode=copy").close()
    except PortError as ours:
        pytest.skip(f"AF_XDP cannot be used here: {ours}")


def xdp_left(link: Link) -> tuple[bool, int]:
    """Whether a program is on the receiver's interface, and this process's AF_XDP sockets."""
    (found,) = link.handles[1].get_links(link.handles[1].link_lookup(ifname="rx0")[0])
    attached = bool(found.get_attr("IFLA_XDP").get_attr("IFLA_XDP_ATTACHED"))
    return attached, sum(map(is_xdp_socket, Path("/proc/self/fd").iterdir()))


def is_xdp_socket(path: Path) -> bool:
    """Whether a file that is open is an AF_XDP socket."""
    try:
        if not str(path.readlink()).startswith("socket:"):
            return False
        copy = os.dup(int(path.name))
    except OSError:  # it was that of the listing
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=copy) as made:
        return made.getsockopt(socket.SOL_SOCKET, SO_DOMAIN) == AF_XDP


def listener(link: Link) -> socket.socket:
    """A plain UDP socket at the receiver's end."""

    def work() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((RECEIVER_IP, UDP_PORT))
        made.settimeout(5)
        return made

    return inside(link.receiver, work)  # type: ignore[no-any-return]


def test_multicast_crosses_the_link_in_order(link: Link) -> None:
    payloads = [f"message {number:030}".encode() for number in range(2000)]
    receiver = receive_at(link, (GROUP, UDP_PORT, 0))
    with receiver, link.open(link.sender, "socket:tx0") as sender:
        frames = []
        for begin in range(0, len(payloads), 100):  # the device keeps 512 of them
            for payload in payloads[begin : begin + 100]:
                assert sender.send(payload, datagram_cookie(GROUP, UDP_PORT)) == 0
            frames += receiver.receive(100, idle_s=5)
        assert receiver.stats()[2:5] == (0, 0, 0)
    packets = [dpkt.ethernet.Ethernet(frame.data).data for frame in frames]
    assert [packet.data.data for packet in packets] == payloads
    assert {socket.inet_ntoa(packet.src) for packet in packets} == {SENDER_IP}


def test_only_joined_groups_come_out(link: Link) -> None:
    receiver = receive_at(link, (GROUP, UDP_PORT, 0))
    with receiver, link.open(link.sender, "socket:tx0") as sender:
        sender.send(b"other group", datagram_cookie(OTHER_GROUP, UDP_PORT))
        sender.send(b"other port", datagram_cookie(GROUP, UDP_PORT + 1))
        sender.send(b"wanted", datagram_cookie(GROUP, UDP_PORT))
        frames = receiver.receive(idle_s=0.2)
    assert [frame.data[42:48] for frame in frames] == [b"wanted"]


def test_a_tagged_frame_keeps_its_tag(link: Link) -> None:
    plain = bytes.fromhex("01005e400903") + bytes.fromhex(SENDER_MAC.replace(":", ""))
    packet = dpkt.ip.IP(src=b"\x0a\x4d\0\1", dst=socket.inet_aton(GROUP), p=17)
    packet.data = dpkt.udp.UDP(sport=1, dport=UDP_PORT, data=b"tagged, and long enough")
    packet.data.ulen = packet.data.ulen = len(packet.data)
    body = b"\x08\x00" + bytes(packet)
    receiver = receive_at(link, (GROUP, UDP_PORT, VLAN))
    with receiver, link.packet_socket() as sender:
        sender.send(plain + body)
        sender.send(plain + b"\x81\x00" + VLAN.to_bytes(2, "big") + body)
        frames = receiver.receive(idle_s=0.2)
    (frame,) = [dpkt.ethernet.Ethernet(frame.data) for frame in frames]
    assert [tag.id for tag in frame.vlan_tags] == [VLAN]
    assert frame.ip.data.data == b"tagged, and long enough"


def test_the_kernel_is_a_member_too(link: Link) -> None:
    def members() -> str:
        return str(inside(link.receiver, Path("/proc/thread-self/net/igmp").read_text))

    number = f"{int.from_bytes(socket.inet_aton(GROUP), 'little'):08X}"
    with receive_at(link, (GROUP, UDP_PORT, 0), iface="rx0"):
        assert number in members()
    assert number not in members()


def test_an_order_reaches_a_plain_socket(link: Link) -> None:
    uri = at("tx0", source=f"{SENDER_IP}:4000", gateway_mac=RECEIVER_MAC)
    with listener(link) as heard, link.open(link.sender, uri) as sender:
        assert sender.send(b"order", datagram_cookie(RECEIVER_IP, UDP_PORT)) == 0
        assert heard.recvfrom(100) == (b"order", (SENDER_IP, 4000))


def test_two_ports_talk_over_the_link(link: Link) -> None:
    receiver = receive_at(link, (GROUP, UDP_PORT, 0))
    sender = link.open(link.sender, at("tx0", source=f"{SENDER_IP}:4000"), (GROUP, UDP_PORT, 0))
    with receiver, sender:
        for number in range(100):
            assert sender.send(b"%050d" % number, datagram_cookie(GROUP, UDP_PORT)) == 0
        frames = receiver.receive(100, idle_s=5)
        assert [int(frame.data[42:]) for frame in frames] == list(range(100))
        assert {frame.data[6:12].hex(":") for frame in frames} == {SENDER_MAC}
        assert sender.receive(idle_s=0.1) == []  # what it sent itself does not come back


def test_an_af_xdp_device_takes_what_it_brought_along_when_it_goes(link: Link) -> None:
    """Opened in one namespace and closed from another, again and again."""
    for number in range(3):
        with afxdp_at(link) as port, link.open(link.sender, "socket:tx0") as sender:
            assert xdp_left(link) == (True, 1)
            sender.send(b"market %d" % number, datagram_cookie(GROUP, UDP_PORT))
            (frame,) = port.receive(1, idle_s=5)
            assert frame.data[42:] == b"market %d" % number
        assert xdp_left(link) == (False, 0)


def test_every_buffer_of_an_af_xdp_device_is_the_kernels_too(link: Link) -> None:
    """More frames than there are buffers, both ways."""
    link.know_neighbours()
    to, listening = datagram_cookie(SENDER_IP, UDP_PORT), lambda: udp_socket("", UDP_PORT)
    with (
        afxdp_at(link, ring=256) as port,
        link.open(link.sender, "socket:tx0") as sender,
        inside(link.sender, listening) as heard,
    ):
        for number in range(6000):
            payload = b"market %034d" % number
            sender.send(payload, datagram_cookie(GROUP, UDP_PORT))
            (frame,) = port.receive(1, idle_s=5)
            assert frame.data[42:] == payload
            assert port.send(payload, to) == 0
            assert heard.recv(100) == payload
        assert port.stats()[2:5] == (0, 0, 0)


def test_an_interface_that_is_not_there_is_named(link: Link) -> None:
    with pytest.raises(PortError, match="nosuch0"):
        link.open(link.receiver, at("nosuch0"))
