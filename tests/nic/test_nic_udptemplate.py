"""Frames whose headers are written once: against checksums computed from nothing, by others."""

from __future__ import annotations

import socket
import struct

import dpkt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from port_rigs import HEADERS_BYTES, udp_frame
from slow_frames import checksum_of

from nic.call import call_kernel
from nic.port import ipv4_number
from nic.udptemplate import FILL_FUNCTION, SUMMED, UdpEnds, UdpTemplate

MAC, FAR_MAC = bytes.fromhex("02000a000001"), bytes.fromhex("01005e010203")
ENDS = UdpEnds(
    source_ip=ipv4_number("10.0.0.1"),
    destination_ip=ipv4_number("239.1.2.3"),
    source_port=40_001,
    destination_port=31_000,
    source_mac=MAC,
    destination_mac=FAR_MAC,
)


def ends_of(**changes: object) -> UdpEnds:
    given = {name: getattr(ENDS, name) for name in UdpEnds.__slots__}
    return UdpEnds(**(given | changes))  # type: ignore[arg-type]


def check(frame: bytes, ends: UdpEnds, payload: bytes, number: int, *, summed: bool) -> None:
    """Every field, with an independent parser and independent checksums."""
    parsed = dpkt.ethernet.Ethernet(frame)
    assert (parsed.src, parsed.dst) == (ends.source_mac, ends.destination_mac)
    assert frame[12:16] == struct.pack("!HH", 0x8100, ends.vlan) if ends.vlan else True
    ip_at = 18 if ends.vlan else 14
    ip = dpkt.ip.IP(frame[ip_at:])
    assert ip.src == struct.pack("!I", ends.source_ip)
    assert ip.dst == struct.pack("!I", ends.destination_ip)
    assert (ip.len, ip.id, ip.ttl, ip.tos) == (
        28 + len(payload),
        number,
        ends.ttl,
        ends.service_class,
    )
    assert (ip.df, ip.offset, ip.p) == (1, 0, dpkt.ip.IP_PROTO_UDP)
    assert checksum_of(frame[ip_at : ip_at + 20]) == 0
    udp = frame[ip_at + 20 :]
    assert struct.unpack("!HHH", udp[:6]) == (
        ends.source_port,
        ends.destination_port,
        8 + len(payload),
    )
    assert udp[8:] == payload
    given = struct.unpack("!H", udp[6:8])[0]
    if not summed:
        assert given == 0
        return
    pseudo = ip.src + ip.dst + struct.pack("!BBH", 0, 17, len(udp))
    assert given == (checksum_of(pseudo + udp[:6] + bytes(2) + payload) or 0xFFFF)


numbers, words = st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1)
any_ends = st.builds(
    UdpEnds,
    source_ip=numbers,
    destination_ip=numbers,
    source_port=words,
    destination_port=words,
    source_mac=st.binary(min_size=6, max_size=6),
    destination_mac=st.binary(min_size=6, max_size=6),
    vlan=words,
    ttl=st.integers(0, 255),
    service_class=st.integers(0, 255),
)
sends = st.lists(st.tuples(st.binary(max_size=1500), words, st.booleans()), min_size=1, max_size=8)


@given(any_ends, sends)
def test_a_frame_written_again_and_again_is_as_one_made_anew(
    ends: UdpEnds, many: list[tuple[bytes, int, bool]]
) -> None:
    template = UdpTemplate(ends, 1500)
    for payload, number, summed in many:
        check(template.frame(payload, number, summed=summed), ends, payload, number, summed=summed)


@pytest.mark.parametrize("size_bytes", [0, 1, 2, 3, 1472, 8972, 65_506, 65_507])
def test_all_lengths_fit(size_bytes: int) -> None:
    template, payload = UdpTemplate(ENDS), bytes(range(256)) * 256
    for before in (0, 65_507):
        template.frame(payload[:before], 0xFFFF)
        frame = template.frame(payload[:size_bytes], 7)
        check(frame, ENDS, payload[:size_bytes], 7, summed=True)


def test_scapy_finds_the_same_checksums() -> None:
    scapy = pytest.importorskip("scapy.all")
    template = UdpTemplate(ends_of(vlan=100, ttl=3))
    random = np.random.default_rng(5)
    for number in range(20):
        payload = random.bytes(int(random.integers(0, 1400)))
        made = (
            scapy.Ether(src=MAC, dst=FAR_MAC)
            / scapy.Dot1Q(vlan=100)
            / scapy.IP(src="10.0.0.1", dst="239.1.2.3", id=number, ttl=3, flags="DF")
            / scapy.UDP(sport=40_001, dport=31_000)
            / payload
        )
        assert template.frame(payload, number) == bytes(made)


def test_a_sum_of_zero_is_sent_as_all_ones() -> None:
    """0 would say that there is no checksum."""
    template = UdpTemplate(ENDS)
    plain = struct.unpack("!H", template.frame(bytes(2))[40:42])[0]
    frame = template.frame(struct.pack("!H", plain))
    assert frame[40:42] == b"\xff\xff"
    check(frame, ENDS, struct.pack("!H", plain), 0, summed=True)


@njit(nogil=True)
def fill_many(function, template, frame, payload, length, times):
    total = 0
    for number in range(times):
        total += call_kernel(function, template, frame, SUMMED + number, payload, length)
    return total


def test_a_kernel_fills_a_frame() -> None:
    template, payload = UdpTemplate(ENDS, 100), np.frombuffer(b"order", np.uint8)
    made = fill_many(
        FILL_FUNCTION, template.address, template.frame_address, payload.ctypes.data, 5, 3
    )
    assert made == 3 * (HEADERS_BYTES + 5)
    check(template.memory[:47].tobytes(), ENDS, b"order", 2, summed=True)
    arguments = (template.address, template.frame_address, payload.ctypes.data)
    assert fill_many(FILL_FUNCTION, *arguments, 65_508, 1) == -90  # -EMSGSIZE, nothing written
    assert fill_many(FILL_FUNCTION, *arguments, -1, 1) == -90


def test_the_headers_are_those_of_a_frame_made_at_once() -> None:
    ends = ends_of(source_port=4000, ttl=1)
    frame = UdpTemplate(ends).frame(b"order", summed=False)
    other = udp_frame(b"order", "239.1.2.3", 31_000)
    assert frame[26:40] == other[26:40] and frame[42:] == other[42:]
    assert socket.inet_ntoa(frame[30:34]) == "239.1.2.3"


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="101 bytes do not fit in 100"):
        UdpTemplate(ENDS, 100).frame(bytes(101))
    with pytest.raises(ValueError, match="at most 65507 bytes"):
        UdpTemplate(ENDS, 65_508)
    with pytest.raises(ValueError, match="a MAC has 6 bytes, not 5"):
        UdpTemplate(ends_of(source_mac=bytes(5)))
