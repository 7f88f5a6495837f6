"""Socket ports across a real link: a veth pair between two network namespaces made here."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dpkt
import pytest

from nic.port import Port, datagram_cookie, open_port

GROUP, OTHER_GROUP, UDP_PORT, VLAN = "239.192.9.1", "239.192.9.2", 32_001, 77
SENDER_IP, RECEIVER_IP = "10.77.0.1", "10.77.0.2"
_CLONE_NEWNET = 0x4000_0000


def inside(namespace: str, work: Callable[[], Any]) -> Any:
    """Runs `work` on a thread that has moved into a network namespace (sockets stay there)."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            with Path("/var/run/netns", namespace).open("rb") as handle:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(handle.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append((work(), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


@dataclass
class Link:
    """Two namespaces joined by veth pairs: `tx0` in the sender's, `rx0` in the receiver's."""

    sender: str
    receiver: str

    def open(self, namespace: str, uri: str, *joins: tuple[str, int, int]) -> Port:
        def work() -> Port:
            port = open_port(uri)
            for group, udp_port, vlan in joins:
                port.join(group, udp_port, vlan)
            return port

        return inside(namespace, work)  # type: ignore[no-any-return]


def _bring_up(handle: Any, name: str, address: str) -> None:
    index = handle.link_lookup(ifname=name)[0]
    handle.addr("add", index=index, address=address, prefixlen=24)
    handle.link("set", index=handle.link_lookup(ifname="lo")[0], state="up")
    handle.link("set", index=index, state="up")


def _connect(sender: Any, receiver: Any, receiver_namespace: str) -> None:
    """A pair for the untagged traffic, and one that stands for its VLAN.

    The kernel gives a VLAN's traffic out of an interface called `rx0.77`. A second pair of that
    name does the same without the kernel's VLAN module, which small kernels lack.
    """
    for suffix, subnet in (("", "10.77.0"), (f".{VLAN}", "10.77.1")):
        peer = {"ifname": f"rx0{suffix}", "net_ns_fd": receiver_namespace}
        sender.link("add", ifname=f"tx0{suffix}", kind="veth", peer=peer)
        _bring_up(sender, f"tx0{suffix}", f"{subnet}.1")
        _bring_up(receiver, f"rx0{suffix}", f"{subnet}.2")


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    pyroute2 = pytest.importorskip("pyroute2")
    if os.geteuid() != 0:
        pytest.skip("making network namespaces needs root")
    names = [f"swp-{side}-{uuid.uuid4().hex[:8]}" for side in ("tx", "rx")]
    handles: list[Any] = []
    made: list[str] = []
    try:
        for name in names:
            try:
                pyroute2.netns.create(name)
            except (OSError, pyroute2.NetlinkError) as error:
                pytest.skip(f"network namespaces cannot be made here: {error}")
            made.append(name)
            handles.append(pyroute2.NetNS(name))
        try:
            _connect(handles[0], handles[1], names[1])
        except pyroute2.NetlinkError as error:
            pytest.skip(f"veth cannot be made here: {error}")
        yield Link(names[0], names[1])
    finally:
        for handle in handles:
            handle.close()
        for name in made:
            pyroute2.netns.remove(name)


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
