"""AF_XDP ports across a veth pair: what they send, and how they end."""

from __future__ import annotations

import errno
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dpkt
import numpy as np
import pytest
from port_rigs import GROUP, UDP_PORT, payload_of, udp_frame
from slow_frames import Sender, expected_frames, tried_sends
from veth import RECEIVER_IP, RECEIVER_MAC, SENDER_IP, SENDER_MAC, Link, inside, udp_socket
from xdp_rig import open_xdp, xdp_link

from nic.layout import DESCRIPTOR_DTYPE, RX_ERROR
from nic.port import PortError, datagram_cookie

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def link() -> Iterator[Link]:
    with xdp_link(queues=2) as made:
        yield made


def is_attached(link: Link) -> bool:
    """Whether any XDP program is on the receiver's interface."""
    (found,) = link.handles[1].get_links(link.handles[1].link_lookup(ifname="rx0")[0])
    return bool(found.get_attr("IFLA_XDP").get_attr("IFLA_XDP_ATTACHED"))


def wait_until(true: Callable[[], bool], limit_s: float = 5.0) -> bool:
    deadline_s = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.005)
    return True


# --- sending ---------------------------------------------------------------------------------


def sender_listens(link: Link) -> Any:
    return inside(link.sender, lambda: udp_socket("", UDP_PORT))


def test_a_datagram_finds_its_way_once_the_network_has_answered(link: Link) -> None:
    with open_xdp(link) as port, sender_listens(link) as listener:
        link.forget_neighbours()
        to = datagram_cookie(SENDER_IP, UDP_PORT)
        assert port.send(b"too early", to) == -errno.EHOSTUNREACH
        assert "10.77.0.1: its MAC address is not known yet" in port.last_error
        assert wait_until(lambda: port.send(b"order", to) == 0)
        payload, (address, _) = listener.recvfrom(100)
        assert (payload, address) == (b"order", RECEIVER_IP)
        assert port.stats().tx_packets == 1


def next_frame(listener: socket.socket) -> bytes:
    """The next frame with UDP in it; the receiver's kernel also reports its groups."""
    while True:
        frame = listener.recv(2000)
        if frame[23] == socket.IPPROTO_UDP:
            return frame


def next_datagram(listener: socket.socket) -> Any:
    """That frame, parsed."""
    return dpkt.ethernet.Ethernet(next_frame(listener))


def test_a_datagram_has_whole_headers(link: Link) -> None:
    link.know_neighbours()
    with open_xdp(link, "queue=0-1&ttl=5") as port, link.packet_socket(listen=True) as listener:
        for address in (SENDER_IP, GROUP):
            assert port.send(b"order", datagram_cookie(address, UDP_PORT)) == 0
        frames = [next_datagram(listener) for _ in range(2)]
    for packet in frames:
        assert packet.src == bytes.fromhex(RECEIVER_MAC.replace(":", ""))
        assert socket.inet_ntoa(packet.data.src) == RECEIVER_IP
        assert packet.data.data.dport == UDP_PORT and packet.data.data.data == b"order"
        given, packet.data.sum = packet.data.sum, 0
        assert dpkt.ip.IP(bytes(packet.data)).sum == given  # dpkt computes what was left at 0
    assert [packet.dst.hex(":") for packet in frames] == [SENDER_MAC, "01:00:5e:40:07:01"]
    assert [packet.data.ttl for packet in frames] == [64, 5]


def test_every_frame_is_as_if_it_was_put_together_slowly(link: Link) -> None:
    link.know_neighbours()
    with open_xdp(link, "queue=0-1&ttl=5") as port, link.packet_socket(listen=True) as listener:
        assert port.send(b"x", datagram_cookie(GROUP, UDP_PORT)) == 0
        first = next_frame(listener)
        macs = (bytes.fromhex(mac.replace(":", "")) for mac in (RECEIVER_MAC, SENDER_MAC))
        source_port = int.from_bytes(first[34:36], "big")
        sender = Sender(RECEIVER_IP, source_port, *macs, ttl=5, padded=False)
        sends, frames = tried_sends(sender, SENDER_IP), []
        for payload, address, udp_port in sends:
            assert port.send(payload, datagram_cookie(address, udp_port)) == 0
            frames.append(next_frame(listener))
    assert frames == expected_frames(sender, sends)


def test_a_gateway_takes_what_there_is_no_route_for(link: Link) -> None:
    to = datagram_cookie("198.51.100.1", UDP_PORT)
    with open_xdp(link) as port:
        assert port.send(b"lost", to) == -errno.EHOSTUNREACH
        assert port.last_error == "tx: 198.51.100.1: no route to it by this interface"
        assert port.send(b"to myself", datagram_cookie(RECEIVER_IP, UDP_PORT)) < 0
        assert port.last_error == "tx: 10.77.0.2: no address of another machine"
    options = f"queue=0-1&gateway_mac={SENDER_MAC}"
    with open_xdp(link, options) as port, link.packet_socket(listen=True) as listener:
        assert port.send(b"sent", to) == 0
        assert next_datagram(listener).dst.hex(":") == SENDER_MAC


def test_a_frame_too_long_for_the_interface_is_not_sent(link: Link) -> None:
    with open_xdp(link) as port:
        assert port.send(bytes(1518)) == 0
        assert port.send(bytes(1519)) == -errno.EMSGSIZE
        assert port.send(bytes(13)) == -errno.EINVAL
        assert port.stats()[5:] == (1, 1518, 2)


def test_more_sends_than_the_ring_holds(link: Link) -> None:
    link.know_neighbours()
    with open_xdp(link, "queue=0-1&tx=8") as port, sender_listens(link) as listener:
        for number in range(100):
            assert port.send(b"%d" % number, datagram_cookie(SENDER_IP, UDP_PORT)) == 0
            assert listener.recv(100) == b"%d" % number


# --- how it ends -----------------------------------------------------------------------------


@pytest.mark.parametrize("attach", ["generic", "native"])
def test_the_program_goes_with_the_port(link: Link, attach: str) -> None:
    assert not is_attached(link)
    with open_xdp(link, f"attach={attach}"):
        assert is_attached(link)
    assert not is_attached(link)


def test_the_program_goes_with_a_killed_process(link: Link) -> None:
    script = "import sys; from nic.port import open_port; p = open_port('xdp:rx0'); "
    script += "p.join('239.192.7.1', 31001); print('open', flush=True); sys.stdin.read()"
    process = inside(
        link.receiver,
        lambda: subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        ),
    )
    with process:
        assert process.stdout.readline() == b"open\n"
        assert is_attached(link)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with open_xdp(link) as port, link.packet_socket() as sender:  # at once
        sender.send(udp_frame(b"again"))
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"again"]
    assert not is_attached(link)


def test_a_second_port_on_the_interface_is_refused(link: Link) -> None:
    with open_xdp(link), pytest.raises(PortError, match="another XDP program is on it"):
        open_xdp(link)


def test_a_link_that_was_down_carries_again(link: Link) -> None:
    link.know_neighbours()
    to = datagram_cookie(SENDER_IP, UDP_PORT)
    with open_xdp(link) as port, link.packet_socket() as sender, sender_listens(link) as listener:
        assert port.send(b"first", to) == 0 and listener.recv(100) == b"first"
        link.set_state("down")
        try:
            assert port.send(b"stale", to) == -errno.ENETDOWN
            assert port.last_error == "tx: sendto: Network is down"
        finally:
            link.set_state("up")
        link.know_neighbours()
        assert port.send(b"fresh", to) == 0
        assert listener.recv(100) == b"fresh"  # and what was refused never leaves
        assert port.stats()[5:] == (2, 10, 1)
        sender.send(udp_frame(b"after"))
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"after"]


def test_an_interface_that_is_gone_breaks_the_port() -> None:
    with xdp_link() as link, open_xdp(link, "queue=0") as port:
        handle = link.handles[1]
        handle.link("del", index=handle.link_lookup(ifname="rx0")[0])
        descriptors = np.zeros(1, DESCRIPTOR_DTYPE)
        results = {port.rx_burst(descriptors) for _ in range(70_000)}
        assert results == {0, RX_ERROR}
        assert port.last_error == "rx0 is gone: Network is down"
        with pytest.raises(PortError, match="rx0 is gone"):
            port.poll()
