"""What is special to sockets: joins, groups that stay apart, sends that come back."""

from __future__ import annotations

import socket

import dpkt
import numpy as np
import pytest
from port_rigs import GROUP, UDP_PORT, payload_of, udp_frame

import nic.sockets
from nic.layout import DESCRIPTOR_DTYPE
from nic.port import PortError, copy_frame, datagram_cookie, open_port

OTHER_GROUP = "239.192.7.2"
LOOPBACK = "127.0.0.1"


def test_groups_of_one_port_come_out_of_one_port_object() -> None:
    with open_port("socket:lo") as port, open_port("socket:lo") as sender:
        for udp_port in (UDP_PORT, UDP_PORT + 1):
            for group in (GROUP, OTHER_GROUP):
                port.join(group, udp_port)
        for udp_port in (UDP_PORT, UDP_PORT + 1):
            for group in (GROUP, OTHER_GROUP):
                name = f"{group}:{udp_port}".encode()
                assert sender.send(name, datagram_cookie(group, udp_port)) == 0
        frames = port.receive(4)
        assert port.receive(idle_s=0.05) == []
    seen = set()
    for frame in frames:
        packet = dpkt.ethernet.Ethernet(frame.data).data
        seen.add(f"{socket.inet_ntoa(packet.dst)}:{packet.data.dport}".encode())
        assert packet.data.data in seen
    assert len(seen) == 4


def test_a_busy_line_does_not_starve_another() -> None:
    with open_port("socket:lo") as port, open_port("socket:lo") as sender:
        port.join(GROUP, UDP_PORT)
        port.join(OTHER_GROUP, UDP_PORT)
        for _ in range(100):
            sender.send(b"busy", datagram_cookie(GROUP, UDP_PORT))
        sender.send(b"rare", datagram_cookie(OTHER_GROUP, UDP_PORT))
        assert b"rare" in [payload_of(frame.data) for frame in port.poll(8)]


def test_a_group_that_was_not_joined_stays_out() -> None:
    with open_port("socket:lo") as port, open_port("socket:lo") as sender:
        port.join(GROUP, UDP_PORT)
        sender.send(b"no", datagram_cookie(OTHER_GROUP, UDP_PORT))
        sender.send(b"yes", datagram_cookie(GROUP, UDP_PORT))
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"yes"]
        assert port.receive(idle_s=0.05) == []


def test_two_ports_may_join_one_group() -> None:
    with open_port("socket:lo") as one, open_port("socket:lo") as two:
        one.join(GROUP, UDP_PORT)
        two.join(GROUP, UDP_PORT)
        one.send(b"both", datagram_cookie(GROUP, UDP_PORT))
        for port in (one, two):
            assert [payload_of(frame.data) for frame in port.receive(1)] == [b"both"]


def test_a_frame_is_sent_to_its_own_destination() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((LOOPBACK, 0))
        listener.settimeout(5)
        frame = udp_frame(b"order", LOOPBACK, listener.getsockname()[1])
        tagged = frame[:12] + bytes.fromhex("81000064") + frame[12:]
        padded = frame + bytes(18)
        with open_port("socket:lo") as port:
            for data in (frame, tagged, padded):
                assert port.send(data) == 0
                assert listener.recv(100) == b"order"


def test_the_sender_in_the_headers_is_the_real_one() -> None:
    with open_port("socket:lo") as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        port.join(LOOPBACK, UDP_PORT)
        sender.bind((LOOPBACK, 0))
        sender.sendto(b"hello", (LOOPBACK, UDP_PORT))
        (frame,) = port.receive(1)
        packet = dpkt.ethernet.Ethernet(frame.data).data
        assert (socket.inet_ntoa(packet.src), packet.data.sport) == sender.getsockname()
        given, packet.sum = packet.sum, 0
        assert dpkt.ip.IP(bytes(packet)).sum == given  # dpkt computes what was left at 0


@pytest.mark.parametrize("cut", [0, 13, 14, 33, 41])
def test_a_frame_without_a_datagram_is_not_sent(cut: int) -> None:
    with open_port("socket:lo") as port:
        assert port.send(udp_frame(b"order", LOOPBACK, 9)[:cut]) < 0
        assert port.stats().tx_failed == 1


@pytest.mark.parametrize(
    ("offset", "value"),
    [(12, 0x86), (14, 0x65), (14, 0x44), (20, 0x20), (23, 6), (16, 0xFF), (38, 0xFF), (39, 7)],
    ids=["IPv6", "version", "header", "fragment", "TCP", "IP length", "UDP long", "UDP short"],
)
def test_a_frame_that_lies_is_not_sent(offset: int, value: int) -> None:
    frame = bytearray(udp_frame(b"order", LOOPBACK, 9))
    frame[offset] = value
    with open_port("socket:lo") as port:
        assert port.send(bytes(frame)) < 0
        assert "no whole IPv4 UDP datagram" in port.last_error


def test_joining_twice_is_refused_and_does_no_harm() -> None:
    with open_port("socket:lo") as port:
        port.join(GROUP, UDP_PORT)
        with pytest.raises(PortError, match="already in progress"):
            port.join(GROUP, UDP_PORT)
        port.send(b"once", datagram_cookie(GROUP, UDP_PORT))
        assert len(port.receive(idle_s=0.05)) == 1


def test_a_vlan_without_an_interface_is_named() -> None:
    with open_port("socket:lo") as port, pytest.raises(PortError, match=r"lo\.77: no such"):
        port.join(GROUP, UDP_PORT, vlan=77)


def test_a_port_in_use_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as owner:
        owner.bind((LOOPBACK, 0))
        with (
            open_port("socket:lo") as port,
            pytest.raises(PortError, match="bind: Address already"),
        ):
            port.join(LOOPBACK, owner.getsockname()[1])


@pytest.mark.parametrize("checked", [False, True])
def test_a_checked_build_poisons_by_itself(monkeypatch: pytest.MonkeyPatch, checked: bool) -> None:
    monkeypatch.setattr(nic.sockets, "checked_build", lambda: checked)
    descriptors = np.zeros(1, DESCRIPTOR_DTYPE)
    with open_port("socket:lo") as port:
        port.join(GROUP, UDP_PORT)
        assert port.send(b"once", datagram_cookie(GROUP, UDP_PORT)) == 0
        assert port.rx_burst(descriptors) == 1
        port.release(descriptors)
        released = payload_of(copy_frame(descriptors[0]).data)
        assert released == (bytes([0xDB] * 4) if checked else b"once")


@pytest.mark.parametrize("name", ["nosuch0", "a-name-longer-than-interfaces"])
def test_an_unknown_interface_is_named(name: str) -> None:
    with pytest.raises(PortError, match=f"{name}: no such interface"):
        open_port(f"socket:{name}")


def test_a_port_without_a_join_receives_nothing() -> None:
    with open_port("socket:lo") as port:
        assert port.poll() == []
