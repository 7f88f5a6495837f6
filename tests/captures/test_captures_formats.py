"""Every format, from bytes laid out by hand."""

from __future__ import annotations

import io
import struct

import pytest
from captures_made import (
    START_S,
    block,
    enhanced,
    erf,
    every_format,
    frame,
    interface,
    obsolete,
    pcap,
    section,
    simple,
)

from captures import Capture, CaptureError, open_capture
from captures.records import (
    PACKET_BAD_FRAME,
    PACKET_CUT,
    PACKET_FCS_SHIFT,
    PACKET_HW_TIMESTAMP,
    PACKET_NO_TIMESTAMP,
    PACKET_TIME_CLAMPED,
)

AT_NS = START_S * 10**9 + 123_456_789


def opened(data: bytes) -> Capture:
    return open_capture(io.BytesIO(data))


def frames(data: bytes) -> list[tuple[int, bytes, int]]:
    with opened(data) as capture:
        out = [(ns, bytes(view), link) for ns, view, link in capture.frames()]
        assert capture.error is None
        assert capture.packet_count == len(out)
        return out


def flags(data: bytes) -> list[int]:
    with opened(data) as capture:
        return [int(f) for chunk in capture.packets() for f in chunk["flags"]]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("nanoseconds", "unit_ns"), [(True, 1), (False, 1000)])
def test_pcap(order: str, nanoseconds: bool, unit_ns: int) -> None:
    time = AT_NS // unit_ns
    data = pcap(
        [(time, frame(60)), (time - 5, b"")], order=order, nanoseconds=nanoseconds, link=113
    )
    assert frames(data) == [(time * unit_ns, frame(60), 113), ((time - 5) * unit_ns, b"", 113)]


@pytest.mark.parametrize("name", every_format())
def test_format_name(name: str) -> None:
    with opened(every_format()[name]) as capture:
        assert capture.format == (name[:6] if name.startswith("pcapng") else name)
        assert sum(len(chunk) for chunk in capture.packets()) == 2


def test_pcap_cut_packet_and_fcs_length() -> None:
    head = pcap([], link=1 | 0x04000000 | 2 << 28)
    cut = struct.pack("<IIII", 1, 2, 3, 100) + b"abc"
    whole = struct.pack("<IIII", 1, 2, 3, 3) + b"abc"
    assert flags(head + cut + whole) == [PACKET_CUT, 4 << PACKET_FCS_SHIFT]
    with opened(head + cut) as capture:
        packet = next(capture.packets())[0]
    assert (packet["caplen_bytes"], packet["wire_bytes"], packet["offset"]) == (3, 100, 40)
    assert packet["link_type"] == 1


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected_ns"),
    [
        (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (9, AT_NS, AT_NS),
        (0, 1_700_000_000, 1_700_000_000 * 10**9),
        (3, 1_700_000_000_001, 1_700_000_000_001_000_000),
        (12, 1_700_000_000_123_456, 1_700_000_000_123),
        (28, 10**19 + 5, 1),
        (29, 10**19, 0),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, 1_700_000_000_500_000_000),
        (0x80 | 20, 1_700_000_000 << 20 | 3, 1_700_000_000_000_000_000 + 3 * 10**9 // 2**20),
        (0x80 | 63, 3 << 62, 1_500_000_000),
        (0x80 | 64, 1 << 63, 500_000_000),
        (0x80 | 127, 2**64 - 1, 0),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_resolution(order: str, resolution: int, ticks: int, expected_ns: int) -> None:
    data = section(order) + interface(order, 1, 0, (2, b"eth0"), (9, bytes([resolution])))
    assert frames(data + enhanced(order, 0, ticks, b"xyz")) == [(expected_ns, b"xyz", 1)]


def test_pcapng_default_resolution_is_microseconds() -> None:
    data = section() + interface() + enhanced("<", 0, 77, b"xyz")
    assert frames(data) == [(77_000, b"xyz", 1)]


def test_pcapng_time_offset() -> None:
    offset = (14, struct.pack("<q", 1_000_000_000)), (9, b"\x09")
    data = section() + interface("<", 1, 0, *offset) + enhanced("<", 0, 5, b"x")
    assert frames(data)[0][0] == 10**18 + 5
    before_1970 = (14, struct.pack("<q", -10)), (9, b"\x09")
    data = section() + interface("<", 1, 0, *before_1970) + enhanced("<", 0, 5, b"x")
    assert frames(data)[0][0] == 0
    assert flags(data) == [PACKET_TIME_CLAMPED]
    data = section() + interface() + enhanced("<", 0, 2**64 - 1, b"x")
    assert frames(data)[0][0] == 2**64 - 1
    assert flags(data) == [PACKET_TIME_CLAMPED]


def test_pcapng_sections_with_their_own_byte_order_and_interfaces() -> None:
    nanoseconds = (9, b"\x09")
    data = (
        section("<")
        + interface("<", 1, 0, nanoseconds)
        + interface("<", 113)
        + block("<", 0x80000BAD, b"ours")
        + enhanced("<", 1, 7, b"micro")
        + enhanced("<", 0, 7, b"nano")
        + section(">")
        + interface(">", 276, 0, nanoseconds)
        + block(">", 4, bytes(8))
        + enhanced(">", 0, AT_NS, b"other")
        + obsolete(">", 0, AT_NS, b"old")
    )
    assert frames(data) == [
        (7000, b"micro", 113),
        (7, b"nano", 1),
        (AT_NS, b"other", 276),
        (AT_NS, b"old", 276),
    ]
    with opened(data) as capture:
        chunk = next(capture.packets())
        assert chunk["interface_id"].tolist() == [1, 0, 0, 0]
        assert capture.skipped_count == 2


def test_pcapng_interfaces_of_an_earlier_section_are_gone() -> None:
    data = section() + interface() + interface() + section() + interface()
    with opened(data + enhanced("<", 1, 0, b"x")) as capture:
        assert list(capture.frames()) == []
        assert capture.error is not None
        assert "interface 1, 1 are described" in str(capture.error)


def test_pcapng_simple_packets() -> None:
    data = section() + interface("<", 1, 4) + simple("<", b"abcd", wire=9) + simple("<", b"xy")
    assert frames(data) == [(0, b"abcd", 1), (0, b"xy", 1)]
    assert flags(data) == [PACKET_NO_TIMESTAMP | PACKET_CUT, PACKET_NO_TIMESTAMP]


def test_pcapng_packet_flags() -> None:
    def packet(word: int) -> bytes:
        comment, flag_word = (1, b"hello"), (2, struct.pack("<I", word))
        return enhanced("<", 0, 0, b"abc", None, comment, flag_word)

    data = section() + interface("<", 1, 0, (13, b"\x04"))
    assert flags(data + packet(1 << 24) + packet(0) + packet(2 << 5)) == [
        PACKET_BAD_FRAME | 4 << PACKET_FCS_SHIFT,
        4 << PACKET_FCS_SHIFT,
        2 << PACKET_FCS_SHIFT,
    ]


@pytest.mark.parametrize("kind", [2, 11, 16, 20])
@pytest.mark.parametrize("extensions", [0, 1, 3])
def test_erf_ethernet(kind: int, extensions: int) -> None:
    first = erf(AT_NS, frame(70), kind=kind, extensions=extensions)
    second = erf(AT_NS + 10, frame(60) + bytes(4), kind=kind, wire=60)
    assert frames(first + second) == [(AT_NS, frame(70), 1), (AT_NS + 10, frame(60), 1)]


def test_erf_other_types_and_flags() -> None:
    data = (
        erf(AT_NS, frame(40), kind=22, flags=4 | 3)
        + erf(AT_NS, bytes(32), kind=27)
        + erf(AT_NS, bytes(16), kind=48)
        + erf(AT_NS, frame(20), kind=2, flags=0x14, wire=64)
    )
    assert [(len(f[1]), f[2]) for f in frames(data)] == [(40, 101), (20, 1)]
    assert flags(data) == [PACKET_HW_TIMESTAMP, PACKET_HW_TIMESTAMP | PACKET_BAD_FRAME | PACKET_CUT]
    with opened(data) as capture:
        packets = next(capture.packets())
        assert packets["interface_id"].tolist() == [3, 0]
        assert packets["wire_bytes"].tolist() == [40, 64]
        assert capture.skipped_count == 2


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"time,price\n1,2\n", "text file"),
        (b"\x7fELF" + bytes(300), "begins with 7f454c46"),
        (pcap([], version=(3, 0)), "version 3.0, expected 2.4"),
        (section(version=2), "version 2.0, expected 1.0"),
        (pcap([])[:20], "20 of 24 bytes"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0" + bytes(20), "byte-order magic"),
    ],
)
def test_what_is_no_capture(data: bytes, words: str) -> None:
    try:
        capture = opened(data)
    except CaptureError as error:
        assert words in str(error)
        return
    with capture:
        assert list(capture.frames()) == []
        assert words in str(capture.error)


def wrong_trailing_length() -> bytes:
    good = enhanced("<", 0, 0, b"abcd")
    return section() + interface() + good[:-4] + struct.pack("<I", len(good) + 4)


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (pcap([(0, b"ok")]) + struct.pack("<IIII", 0, 0, 262_145, 9) + bytes(300_000), 42),
        (section() + interface() + struct.pack("<II", 6, 33) + bytes(64), 48),
        (section() + interface() + struct.pack("<II", 6, 8) + bytes(64), 48),
        (section() + interface() + struct.pack("<II", 99, 1 << 26) + bytes(64), 48),
        (wrong_trailing_length(), 48),
        (section() + interface() + block("<", 6, bytes(12) + b"\xff\0\0\0" + bytes(4)), 48),
        (section() + interface() + block("<", 6, bytes(16)), 48),
        (section() + interface() + block("<", 3, b""), 48),
        (section() + interface() + block("<", 3, b"\x09\0\0\0"), 48),
        (section() + block("<", 1, bytes(4)), 28),
        (section() + block("<", 1, bytes(8) + struct.pack("<HHI", 9, 40, 0)), 28),
        (erf(AT_NS, frame(60)) * 2 + erf(AT_NS, b"")[:10] + b"\0\x08" + bytes(40), 156),
    ],
)
def test_impossible_lengths(data: bytes, offset: int) -> None:
    with opened(data) as capture:
        list(capture.frames())
        assert capture.error is not None
        assert "impossible length" in capture.error.reason
        assert capture.error.offset_bytes == offset


def test_too_many_interfaces() -> None:
    with opened(section() + interface() * 1024 + enhanced("<", 1023, 0, b"x")) as capture:
        assert len(list(capture.frames())) == 1
    with opened(section() + interface() * 1025) as capture:
        assert list(capture.frames()) == []
        assert "too many interfaces" in str(capture.error)


def test_snap_length_above_the_usual_is_believed() -> None:
    big = frame(300_000)
    assert frames(pcap([(5, big)], snaplen=400_000)) == [(5, big, 1)]
