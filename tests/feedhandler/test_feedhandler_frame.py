"""The frame parser against a slow twin written from the RFCs, and against dpkt."""

import os
import struct
import subprocess
import sys
from ipaddress import IPv4Address
from pathlib import Path

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from feedhandler.frame import FRAME_DTYPE, parse_frame
from feedhandler.reasons import REASON_COUNT, REASON_TEXT, Reason
from nic import regions

ROOT = Path(__file__).resolve().parents[2]
LINK_HEADER = {1: 14, 113: 16, 276: 20, 101: 0, 12: 0, 228: 0}
TYPE_PLACE = {1: 12, 113: 14, 276: 0}


@njit
def parse(frame, length, link_type, record):
    return parse_frame(frame, length, link_type, record)


def kernel(data, link_type=1):
    """(Reason, fields) of the kernel, which may touch the frame's own bytes only."""
    memory = np.frombuffer(data, np.uint8).copy() if data else np.zeros(0, np.uint8)
    record = np.zeros(1, FRAME_DTYPE)
    with regions.allowed(memory, record):
        reason = Reason(
            parse(
                np.uint64(memory.ctypes.data), len(data), link_type, np.uint64(record.ctypes.data)
            )
        )
    if reason > Reason.TCP:
        return reason, None
    row = record[0]
    start = int(row["payload_address"]) - memory.ctypes.data
    payload = data[start : start + int(row["payload_bytes"])]
    assert start >= 0
    assert start + int(row["payload_bytes"]) <= len(data)
    numbers = [
        int(row[name])
        for name in (
            "source_ip",
            "destination_ip",
            "source_port",
            "destination_port",
            "vlan",
            "outer_vlan",
        )
    ]
    if reason == Reason.TCP:
        numbers += [int(row[n]) for n in ("tcp_sequence", "tcp_acknowledgement", "tcp_flags")]
    return reason, (payload, *numbers)


def twin_ip(packet, vlan, outer):
    if len(packet) < 20:
        return Reason.TRUNCATED, None
    if packet[0] >> 4 != 4:
        return Reason.IP_VERSION, None
    header, total = 4 * (packet[0] & 15), int.from_bytes(packet[2:4], "big")
    if header < 20:
        return Reason.IP_HEADER_LENGTH, None
    if total < header:
        return Reason.IP_TOTAL_LENGTH, None
    if packet[6] & 0x20 or packet[6] & 0x1F or packet[7]:
        return Reason.FRAGMENT, None
    if total > len(packet):
        return Reason.TRUNCATED, None
    ips = struct.unpack(">II", packet[12:20])
    segment = packet[header:total]
    if packet[9] == 17:
        stated = int.from_bytes(segment[4:6], "big")
        if len(segment) < 8 or not 8 <= stated <= len(segment):
            return Reason.UDP_LENGTH, None
        ports = struct.unpack(">HH", segment[:4])
        return Reason.OK, (segment[8:stated], *ips, *ports, vlan, outer)
    if packet[9] != 6:
        return Reason.PROTOCOL, None
    if len(segment) < 20 or not 20 <= 4 * (segment[12] >> 4) <= len(segment):
        return Reason.TCP_HEADER_LENGTH, None
    ports, numbers = struct.unpack(">HH", segment[:4]), struct.unpack(">II", segment[4:12])
    payload = segment[4 * (segment[12] >> 4) :]
    return Reason.TCP, (payload, *ips, *ports, vlan, outer, *numbers, segment[13])


def twin(data, link_type=1):
    """What the kernel should say, in plain Python on slices."""
    if link_type not in LINK_HEADER:
        return Reason.LINK_TYPE, None
    if link_type not in TYPE_PLACE:
        if link_type != 228 and not data:
            return Reason.TRUNCATED, None
        if link_type != 228 and data[0] >> 4 == 6:
            return Reason.IPV6, None
        return twin_ip(data, 0, 0)
    if len(data) < LINK_HEADER[link_type]:
        return Reason.TRUNCATED, None
    place = TYPE_PLACE[link_type]
    ether_type, rest = data[place : place + 2], data[LINK_HEADER[link_type] :]
    tags = []
    while ether_type in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
        if len(tags) == 2:
            return Reason.VLAN_DEPTH, None
        if len(rest) < 4:
            return Reason.TRUNCATED, None
        tags.append(int.from_bytes(rest[:2], "big") & 0xFFF)
        ether_type, rest = rest[2:4], rest[4:]
    outer, vlan = [0, 0, *tags][-2:]
    if ether_type == b"\x08\x00":
        return twin_ip(rest, vlan, outer)
    return (Reason.IPV6 if ether_type == b"\x86\xdd" else Reason.NOT_IP), None


def ip(segment, protocol=17, options=b"", fragment=0x4000, version=4):
    first = version << 4 | 5 + len(options) // 4
    total = 20 + len(options) + len(segment)
    ips = IPv4Address("10.1.2.3").packed + IPv4Address("233.54.12.111").packed
    header = struct.pack(">BBHHHBBH", first, 0, total, 7, fragment, 16, protocol, 0)
    return header + ips + options + segment


def udp(payload=b"market data", extra=0):
    return struct.pack(">HHHH", 30000, 26400, 8 + len(payload) + extra, 0) + payload


def tcp(payload=b"order", options=b""):
    offset = (5 + len(options) // 4) << 4
    return struct.pack(">HHIIBBHHH", 5, 6, 70000, 80000, offset, 24, 9, 0, 0) + options + payload


def link(packet, link_type=1, tags=(), ether_type=0x0800):
    """Puts a link header and VLAN tags (TPID, TCI) before a packet."""
    if link_type not in TYPE_PLACE:
        return packet
    types = [tpid for tpid, _ in tags] + [ether_type]
    body = (
        b"".join(
            struct.pack(">HH", tci, following)
            for (_, tci), following in zip(tags, types[1:], strict=True)
        )
        + packet
    )
    header = bytearray(LINK_HEADER[link_type])
    header[TYPE_PLACE[link_type] : TYPE_PLACE[link_type] + 2] = struct.pack(">H", types[0])
    return bytes(header) + body


FRAMES = {
    "udp": (link(ip(udp())), 1),
    "padded": (link(ip(udp(b"x"))) + bytes(25), 1),
    "empty payload": (link(ip(udp(b""))), 1),
    "options": (link(ip(udp(), options=b"\x94\x04\x00\x00" * 3)), 1),
    "vlan": (link(ip(udp()), 1, [(0x8100, 0x6064)]), 1),
    "qinq": (link(ip(udp()), 1, [(0x88A8, 0x0111), (0x8100, 0x0222)]), 1),
    "old qinq": (link(ip(udp()), 1, [(0x9100, 0x0111), (0x8100, 0x0222)]), 1),
    "sll": (link(ip(udp()), 113), 113),
    "sll vlan": (link(ip(udp()), 113, [(0x8100, 5)]), 113),
    "sll2": (link(ip(udp()), 276), 276),
    "sll2 vlan": (link(ip(udp()), 276, [(0x8100, 5)]), 276),
    "raw": (ip(udp()), 101),
    "raw bsd": (ip(udp()), 12),
    "raw ipv4": (ip(udp()), 228),
}


@pytest.mark.parametrize("name", FRAMES)
def test_datagrams_are_found_under_every_link(name):
    data, link_type = FRAMES[name]
    reason, fields = kernel(data, link_type)
    assert reason == Reason.OK
    assert (reason, fields) == twin(data, link_type)
    assert fields[1:5] == (0x0A010203, 0xE9360C6F, 30000, 26400)
    vlans = {"vlan": (0x64, 0), "qinq": (0x222, 0x111), "old qinq": (0x222, 0x111)}
    expected = vlans.get(name, (5, 0) if "vlan" in name else (0, 0))
    assert fields[5:7] == expected


@pytest.mark.parametrize(
    ("data", "link_type", "reason"),
    [
        (link(ip(udp()), 1, [(0x8100, 1)] * 3), 1, Reason.VLAN_DEPTH),
        (link(bytes(46), ether_type=0x0806), 1, Reason.NOT_IP),
        (link(bytes(46), ether_type=0x0026), 1, Reason.NOT_IP),
        (link(bytes(46), ether_type=0x86DD), 1, Reason.IPV6),
        (b"\x60" + bytes(60), 101, Reason.IPV6),
        (b"\x60" + bytes(60), 228, Reason.IP_VERSION),
        (link(ip(udp(), version=5)), 1, Reason.IP_VERSION),
        (link(b"\x44" + ip(udp())[1:]), 1, Reason.IP_HEADER_LENGTH),
        (link(b"\x4f" + ip(udp())[1:]), 1, Reason.IP_TOTAL_LENGTH),
        (link(ip(udp(), fragment=0x2000)), 1, Reason.FRAGMENT),
        (link(ip(udp(), fragment=0x0001)), 1, Reason.FRAGMENT),
        (link(ip(udp(), protocol=1)), 1, Reason.PROTOCOL),
        (link(ip(udp(extra=1))), 1, Reason.UDP_LENGTH),
        (link(ip(udp(b"", extra=-1))), 1, Reason.UDP_LENGTH),
        (link(ip(b"1234567")), 1, Reason.UDP_LENGTH),
        (link(ip(tcp()[:19], 6)), 1, Reason.TCP_HEADER_LENGTH),
        (link(ip(tcp(b"", b"")[:12] + b"\xf0" + bytes(7), 6)), 1, Reason.TCP_HEADER_LENGTH),
        (link(ip(udp())), 105, Reason.LINK_TYPE),
        (b"", 1, Reason.TRUNCATED),
        (b"", 101, Reason.TRUNCATED),
    ],
)
def test_everything_else_has_its_reason(data, link_type, reason):
    assert kernel(data, link_type)[0] == reason
    assert twin(data, link_type)[0] == reason


@pytest.mark.parametrize("options", [b"", bytes(12)])
def test_tcp_segments_are_told_apart(options):
    data = link(ip(tcp(options=options), 6))
    reason, fields = kernel(data)
    assert reason == Reason.TCP
    assert fields[0] == b"order"
    assert fields[3:] == (5, 6, 0, 0, 70000, 80000, 24)
    assert (reason, fields) == twin(data)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_cut_at_any_byte_is_never_read_past(name):
    data, link_type = FRAMES[name]
    before = regions.violations().count
    for length in range(len(data)):
        assert kernel(data[:length], link_type) == twin(data[:length], link_type)
    assert regions.violations().count == before


LINK_TYPES = st.sampled_from([*LINK_HEADER, 0, 105])
TAGS = st.lists(
    st.tuples(st.sampled_from([0x8100, 0x88A8, 0x9100]), st.integers(0, 0xFFFF)), max_size=3
)
SEGMENTS = st.one_of(
    st.tuples(st.builds(udp, st.binary(max_size=60), st.sampled_from([0, 0, -5, 1])), st.just(17)),
    st.tuples(st.builds(tcp, st.binary(max_size=20), st.sampled_from([b"", bytes(8)])), st.just(6)),
)


@st.composite
def mutated_frames(draw):
    link_type, (segment, protocol) = draw(LINK_TYPES), draw(SEGMENTS)
    options = bytes(4 * draw(st.integers(0, 10)))
    data = bytearray(link(ip(segment, protocol, options), link_type, draw(TAGS)))
    changes = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=3)
    for place, value in draw(changes):
        if place < len(data):
            data[place] = value
    end = draw(st.sampled_from([len(data), len(data), draw(st.integers(0, len(data)))]))
    return bytes(data[:end]) + bytes(draw(st.integers(0, 4))), link_type


@settings(max_examples=600, deadline=None)
@given(mutated_frames())
def test_kernel_and_twin_agree_on_mutated_frames(case):
    before = regions.violations().count
    assert kernel(*case) == twin(*case)
    assert regions.violations().count == before


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), LINK_TYPES)
def test_kernel_and_twin_agree_on_noise(data, link_type):
    before = regions.violations().count
    assert kernel(data, link_type) == twin(data, link_type)
    assert regions.violations().count == before


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), TAGS.filter(lambda tags: len(tags) < 2), st.integers(0, 30))
def test_dpkt_finds_the_same_datagram(payload, tags, padding):
    tags = [(0x8100, tci) for _, tci in tags]
    data = link(ip(udp(payload)), 1, tags) + bytes(padding)
    reason, fields = kernel(data)
    seen = dpkt.ethernet.Ethernet(data)
    assert reason == Reason.OK
    datagram = seen.ip.udp
    assert bytes(datagram.data) == payload
    assert fields[0] == payload
    assert fields[1:3] == (int.from_bytes(seen.ip.src, "big"), int.from_bytes(seen.ip.dst, "big"))
    assert fields[3:5] == (datagram.sport, datagram.dport)
    assert fields[5] == (seen.vlan_tags[-1].id if tags else 0)


def test_every_reason_has_a_text_and_a_counter():
    assert set(REASON_TEXT) == set(Reason)
    assert max(Reason) < REASON_COUNT


def test_all_of_this_holds_in_the_checked_build():
    if regions.CHECKED:
        pytest.skip("this is the checked build")
    environment = {**os.environ, "SWEEPWIRE_CHECKED": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
