"""Sending over ef_vi: what is on the wire, by which way, and what happens when there is no room."""

from __future__ import annotations

import errno
import socket
import struct

import dpkt
import pytest
from efvi_double import PEER, PEER_MAC, EfviRig
from efvi_fixtures import burst, ef10, nic, x3
from port_rigs import GROUP, UDP_PORT, udp_frame

from nic.port import Port, PortError, datagram_cookie

__all__ = ["ef10", "nic", "x3"]

NIC_MAC = bytes.fromhex("000f53010203")
EVENT_TX_ERROR, EVENT_RESET = 3, 12
FIFO_BYTES = 16_384


def ways(nic: EfviRig, port: Port) -> tuple[bool, bool]:
    """(CTPIO in use, nothing else there)."""
    features = nic.features(port)
    return bool(features & nic.lib.SWP_EFVI_CTPIO), bool(features & nic.lib.SWP_EFVI_CTPIO_ONLY)


def assert_checksums(packet: dpkt.ip.IP) -> None:
    """dpkt computes anew what is set to 0."""
    given = (packet.sum, packet.data.sum)
    packet.sum = packet.data.sum = 0
    anew = dpkt.ip.IP(bytes(packet))
    assert (anew.sum, anew.data.sum) == given and all(given)


def segment_frame(protocol: int, payload: bytes, *, tags: bytes = b"", options: int = 0) -> bytes:
    """A frame with a TCP or UDP segment, its checksums wrong."""
    if protocol == dpkt.ip.IP_PROTO_TCP:
        head = struct.pack("!HHIIBBHHH", 1, 2, 3, 4, 0x50, 0x18, 99, 0xDEAD, 0)
    else:
        head = struct.pack("!HHHH", 1, 2, 8 + len(payload), 0xDEAD)
    total = 20 + options + len(head) + len(payload)
    ip = struct.pack("!BBHHHBBH", 0x45 + options // 4, 0, total, 7, 0, 9, protocol, 0xBEEF)
    ip += socket.inet_aton("10.0.0.1") + socket.inet_aton("10.0.0.2") + b"\x01" * options
    return bytes(12) + tags + b"\x08\x00" + ip + head + payload


@pytest.mark.parametrize("size", [1, 2, 3, 17, 18, 19, 100, 1401, 1472])
def test_a_datagram_is_a_whole_frame_with_true_checksums(nic: EfviRig, size: int) -> None:
    payload = bytes((3 * at + size) & 0xFF for at in range(size))
    with nic.open_with("source_port=4444&ttl=7") as port:
        assert port.send(payload, datagram_cookie(GROUP, UDP_PORT)) == 0
        assert port.send(payload, datagram_cookie(PEER, 9)) == 0
    many, one = nic.sent()
    assert len(many) == max(60, 42 + size)
    multicast, unicast = dpkt.ethernet.Ethernet(many), dpkt.ethernet.Ethernet(one)
    assert (multicast.dst, multicast.src) == (bytes.fromhex("01005e400701"), NIC_MAC)
    assert (unicast.dst, unicast.src) == (bytes.fromhex(PEER_MAC.replace(":", "")), NIC_MAC)
    assert (multicast.data.ttl, unicast.data.ttl) == (7, 64)
    for frame, address in ((multicast, GROUP), (unicast, PEER)):
        assert socket.inet_ntoa(frame.data.dst) == address
        assert socket.inet_ntoa(frame.data.src) == "127.0.0.1"
        assert frame.data.data.sport == 4444
        assert frame.data.data.data == payload
        assert_checksums(frame.data)


def test_checksums_agree_with_those_of_scapy(nic: EfviRig) -> None:
    layers = pytest.importorskip("scapy.layers.inet").Ether
    with nic.open_with() as port:
        assert port.send(b"odd", datagram_cookie(GROUP, UDP_PORT)) == 0
        assert port.send(b"even", datagram_cookie(GROUP, UDP_PORT)) == 0
    for frame in nic.sent():
        packet = layers(frame)
        given = (packet["IP"].chksum, packet["UDP"].chksum)
        del packet["IP"].chksum, packet["UDP"].chksum
        anew = layers(bytes(packet))
        assert (anew["IP"].chksum, anew["UDP"].chksum) == given


@pytest.mark.parametrize("protocol", [dpkt.ip.IP_PROTO_UDP, dpkt.ip.IP_PROTO_TCP])
@pytest.mark.parametrize("tags", [b"", b"\x81\x00\x00\x64", b"\x88\xa8\x00\x05\x81\x00\x00\x64"])
@pytest.mark.parametrize("options", [0, 8])
def test_a_frame_gets_its_checksums(nic: EfviRig, protocol: int, tags: bytes, options: int) -> None:
    frame = segment_frame(protocol, b"order" * 11, tags=tags, options=options)
    with nic.open_with() as port:
        assert port.send(frame) == 0
    (sent,) = nic.sent()
    offset = 14 + len(tags)
    assert sent[:offset] == frame[:offset] and len(sent) == len(frame)
    packet = dpkt.ip.IP(sent[offset:])
    assert packet.data.data == b"order" * 11
    assert_checksums(packet)


def test_a_checksum_that_comes_out_as_0_is_sent_as_all_ones(nic: EfviRig) -> None:
    frame = segment_frame(dpkt.ip.IP_PROTO_UDP, bytes(18))
    with nic.open_with() as port:
        assert port.send(frame) == 0
        (sent,) = nic.sent()
        # the checksum's own value as payload makes the sum all ones, and its complement 0
        zero = frame[:-2] + sent[40:42]
        assert port.send(zero) == 0
    assert nic.sent()[1][40:42] == b"\xff\xff"


@pytest.mark.parametrize(
    "frame",
    [
        bytes(12) + b"\x08\x06" + bytes(46),
        segment_frame(17, b"x" * 40)[:50] + bytes(20),
        segment_frame(17, b"x" * 40)[:30] + bytes(30),
        bytes(12) + b"\x81\x00" + bytes(46),
    ],
    ids=["ARP", "zeros in UDP", "no addresses", "empty tag"],
)
def test_odd_frames_are_sent(nic: EfviRig, frame: bytes) -> None:
    with nic.open_with() as port:
        assert port.send(frame) == 0
    (sent,) = nic.sent()
    assert sent[:24] == frame[:24] and len(sent) == max(60, len(frame))


# --- ways ------------------------------------------------------------------------------------


def test_ctpio_is_used_where_it_is_there(nic: EfviRig) -> None:
    with nic.open_with() as port:
        assert ways(nic, port) == (True, nic.kind == "CIUL_X3")
        for _ in range(10):
            assert port.send(udp_frame(b"order")) == 0
    assert (len(nic.sent()), nic.lib.ciul_sent_by_ctpio()) == (10, 10)


@pytest.mark.parametrize(
    ("settings", "option"),
    [({"HAS_CTPIO": 0}, ""), ({}, "ctpio=0"), ({"CTPIO_REFUSED": 1}, "")],
    ids=["the NIC has none", "not wanted", "refused"],
)
def test_otherwise_frames_go_by_dma(ef10: EfviRig, settings: dict[str, int], option: str) -> None:
    ef10.set(**settings)
    with ef10.open_with(option) as port:
        assert ways(ef10, port) == (False, False)
        assert port.send(b"order", datagram_cookie(GROUP, UDP_PORT)) == 0
    (sent,) = ef10.sent()
    assert_checksums(dpkt.ethernet.Ethernet(sent).data)
    assert ef10.lib.ciul_sent_by_ctpio() == 0


def test_an_x3_without_ctpio_cannot_be_opened(x3: EfviRig) -> None:
    x3.set(CTPIO_REFUSED=1)
    with pytest.raises(PortError, match="ef_vi_alloc_from_pd for sending: Device or resource busy"):
        x3.open_with("ctpio=0")


def test_where_ctpio_fails_the_fallback_goes_out_once(ef10: EfviRig) -> None:
    with ef10.open_with("cut_through=64") as port:
        for number in range(30):
            ef10.set(CTPIO_FAILURES=number % 3 == 0)
            assert port.send(udp_frame(b"order %d" % number)) == 0
    sent = [dpkt.ethernet.Ethernet(frame).data.data.data for frame in ef10.sent()]
    assert sent == [b"order %d" % number for number in range(30)]
    assert ef10.lib.ciul_sent_by_ctpio() == 20


# --- no room ---------------------------------------------------------------------------------


def test_a_full_queue_refuses_counts_and_recovers(nic: EfviRig) -> None:
    frame = udp_frame(b"order" * 20)
    nic.set(HOLDS_COMPLETIONS=1)
    with nic.open_with("tx_queue=512") as port:
        room = 0
        while port.send(frame) == 0:
            room += 1
        fifo_room = (FIFO_BYTES - len(frame)) // ((len(frame) + 8 + 63) // 64 * 64) + 1
        assert room == (fifo_room if nic.kind == "CIUL_X3" else 511)
        assert port.send(frame) == -errno.EAGAIN
        assert port.last_error.startswith("tx: the NIC's queue is full")
        assert port.stats()[5:] == (room, room * len(frame), 2)
        nic.set(HOLDS_COMPLETIONS=0)
        assert [port.send(frame) for _ in range(2000)] == [0] * 2000
    assert len(nic.sent()) == room + 2000


def test_completions_are_looked_for_when_nothing_comes_in(nic: EfviRig) -> None:
    frame = udp_frame(b"order")
    nic.set(TX_FIFO_BYTES=1 << 20)
    with nic.open_with("tx_queue=512") as port:
        assert [port.send(frame) for _ in range(255)] == [0] * 255
        assert burst(port, 4).size == 0
        nic.set(HOLDS_COMPLETIONS=1)  # from here on sends find no completions themselves
        assert [port.send(frame) for _ in range(511)] == [0] * 511
        assert port.send(frame) == -errno.EAGAIN


@pytest.mark.parametrize(
    ("event", "words"), [(EVENT_TX_ERROR, "could not send"), (EVENT_RESET, "was reset")]
)
def test_a_queue_that_stopped_takes_nothing_any_more(nic: EfviRig, event: int, words: str) -> None:
    with nic.open_with() as port:
        assert port.send(udp_frame(b"order")) == 0
        nic.lib.ciul_raise(event)
        burst(port, 4)
        before = len(nic.sent())
        assert [port.send(udp_frame(b"order")) for _ in range(2)] == [-errno.EIO] * 2
        assert len(nic.sent()) == before
        assert port.stats().tx_failed == 2 + (event == EVENT_TX_ERROR)
        assert words in port.last_error or "reset" in words


# --- what cannot be sent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "cookie", "code", "words"),
    [
        (b"", 0, errno.EINVAL, "tx of 0 bytes: no frame or datagram"),
        (bytes(13), 0, errno.EINVAL, "tx of 13 bytes: no frame or datagram"),
        (bytes(2049), 0, errno.EMSGSIZE, "tx of 2049 bytes: expected up to"),
        (b"x", datagram_cookie("10.9.9.9", 9), errno.EHOSTUNREACH, r"tx: 10\.9\.9\.9 is none of"),
    ],
)
def test_what_cannot_be_sent_is_told(
    nic: EfviRig, data: bytes, cookie: int, code: int, words: str
) -> None:
    with nic.open_with() as port:
        assert port.send(data, cookie) == -code
        assert port.stats()[5:] == (0, 0, 1)
        with pytest.raises(PortError, match=words):
            raise PortError(port.last_error)
    assert nic.sent() == []


def test_a_datagram_as_long_as_the_interface_allows(nic: EfviRig) -> None:
    longest = min(nic.mtu_bytes, 2048) - 42
    with nic.open_with() as port:
        assert port.send(b"x" * longest, datagram_cookie(GROUP, UDP_PORT)) == 0
        assert port.send(b"x" * (longest + 1), datagram_cookie(GROUP, UDP_PORT)) == -errno.EMSGSIZE
    (sent,) = nic.sent()
    assert_checksums(dpkt.ethernet.Ethernet(sent).data)


def test_without_an_address_no_datagram_is_sent(nic: EfviRig) -> None:
    with nic.open_with("igmp=0", device="nosuch0", source=False) as port:
        code = port.send(b"x", datagram_cookie(GROUP, UDP_PORT))
        assert code == -errno.EADDRNOTAVAIL
        assert port.last_error == "tx: nosuch0 has no IPv4 address to send from; give it as source"


def test_the_interfaces_address_is_the_source(nic: EfviRig) -> None:
    with nic.open_with(source=False) as port:
        assert port.send(b"x", datagram_cookie(GROUP, UDP_PORT)) == 0
    assert dpkt.ethernet.Ethernet(nic.sent()[0]).data.src == socket.inet_aton("127.0.0.1")
