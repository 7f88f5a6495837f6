"""Socket ports across a real link: a veth pair between two network namespaces made here."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dpkt
import pytest
from veth import RECEIVER_IP, SENDER_IP, VLAN, Link, inside, veth_link

from nic.port import datagram_cookie

GROUP, OTHER_GROUP, UDP_PORT = "239.192.9.1", "239.192.9.2", 32_001


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with veth_link() as made:
        yield made


def test_multicast_crosses_the_link_in_order(link: Link) -> None:
    payloads = [f"message {number}".encode() for number in range(2000)]
    receiver = link.open(link.receiver, "socket:rx0?rcvbuf=4MiB", (GROUP, UDP_PORT, 0))
    with receiver, link.open(link.sender, "socket:tx0") as sender:
        for payload in payloads:
            assert sender.send(payload, datagram_cookie(GROUP, UDP_PORT)) == 0
        frames = receiver.receive(len(payloads), idle_s=5)
        assert receiver.stats().rx_dropped == 0
    packets = [dpkt.ethernet.Ethernet(frame.data).data for frame in frames]
    assert [packet.data.data for packet in packets] == payloads
    assert {socket.inet_ntoa(packet.src) for packet in packets} == {SENDER_IP}
    assert {socket.inet_ntoa(packet.dst) for packet in packets} == {GROUP}


def test_only_joined_groups_cross(link: Link) -> None:
    receiver = link.open(link.receiver, "socket:rx0", (GROUP, UDP_PORT, 0))
    with receiver, link.open(link.sender, "socket:tx0") as sender:
        sender.send(b"other", datagram_cookie(OTHER_GROUP, UDP_PORT))
        sender.send(b"wanted", datagram_cookie(GROUP, UDP_PORT))
        frames = receiver.receive(idle_s=0.3)
    assert [frame.data[42:] for frame in frames] == [b"wanted"]


def test_an_order_reaches_a_plain_socket(link: Link) -> None:
    def listen() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.bind((RECEIVER_IP, UDP_PORT))
        listener.settimeout(5)
        return listener

    with inside(link.receiver, listen) as listener, link.open(link.sender, "socket:tx0") as sender:
        assert sender.send(b"order", datagram_cookie(RECEIVER_IP, UDP_PORT)) == 0
        assert listener.recvfrom(100)[0] == b"order"


def test_a_vlan_s_traffic_is_received_with_its_tag(link: Link) -> None:
    joins = ((GROUP, UDP_PORT, VLAN), (GROUP, UDP_PORT, 0))
    receiver = link.open(link.receiver, "socket:rx0", *joins)
    with (
        receiver,
        link.open(link.sender, f"socket:tx0.{VLAN}") as tagged,
        link.open(link.sender, "socket:tx0") as plain,
    ):
        assert tagged.send(b"tagged", datagram_cookie(GROUP, UDP_PORT)) == 0
        assert plain.send(b"plain", datagram_cookie(GROUP, UDP_PORT)) == 0
        frames = receiver.receive(2, idle_s=5)
    seen = {}
    for frame in frames:
        packet = dpkt.ethernet.Ethernet(frame.data)
        tags = [tag.id for tag in getattr(packet, "vlan_tags", [])]
        seen[packet.ip.data.data] = tags
    assert seen == {b"tagged": [VLAN], b"plain": []}


def test_a_network_that_is_down_fails_the_send_and_is_counted(link: Link) -> None:
    with link.open(link.sender, "socket:tx0") as sender:
        assert sender.send(b"lost", datagram_cookie("198.51.100.1", UDP_PORT)) < 0
        assert sender.stats().tx_failed == 1
        assert sender.last_error == "sendto: Network is unreachable"
