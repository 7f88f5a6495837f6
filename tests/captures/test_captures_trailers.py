"""Hardware trailers: the devices' formats laid out by hand, and what must not be taken for one."""

from __future__ import annotations

import io
import random
import struct

import numpy as np
import pytest
from captures_made import START_S, ipv4, pcap

from captures import merge_captures, open_capture
from captures.records import PACKET_HW_TIMESTAMP
from captures.trailers import KINDS

NS = 10**9
CAPTURE_NS = START_S * NS + 250
FCS = b"\xde\xad\xbe\xef"
ALL = tuple(KINDS)


def metawatch(
    seconds: int = START_S + 1, nanoseconds: int = 17, flags: int = 1, extensions: bytes = b""
) -> bytes:
    tail = struct.pack(">IIBHB", seconds, nanoseconds, flags, 513, 42)
    return FCS + extensions + tail


def hpt(seconds: int = START_S - 2, fraction: int = 1 << 39, flags: int = 0) -> bytes:
    return FCS + struct.pack(">BBI", 16, 9, seconds) + fraction.to_bytes(5, "big") + bytes([flags])


def read(
    frames: list[tuple[int, bytes]], trailer: str | tuple[str, ...], **options: float
) -> tuple[np.ndarray, np.ndarray]:
    with open_capture(io.BytesIO(pcap(frames)), trailer=trailer, **options) as capture:
        packets = next(capture.packets())
        return packets, capture.trailers


def read_one(data: bytes, trailer: str | tuple[str, ...] = ALL, **options: float) -> np.void:
    return read([(CAPTURE_NS, data)], trailer, **options)[1][0]


@pytest.mark.parametrize("vlans", [0, 1, 2])
@pytest.mark.parametrize("new_fcs", [b"", b"\1\2\3\4"])
@pytest.mark.parametrize("payload", [0, 18, 26, 300])
@pytest.mark.parametrize("trailer", ["metawatch", "exablaze"])
def test_behind_datagram_and_padding(
    vlans: int, new_fcs: bytes, payload: int, trailer: str
) -> None:
    frame = ipv4(bytes(payload), vlans=vlans)
    frame += b"\x77" * (60 - len(frame))
    added = metawatch() if trailer == "metawatch" else hpt()
    found = read_one(frame + added + new_fcs)
    assert found["kind"] == KINDS[trailer]
    assert found["frame_bytes"] == len(frame)
    assert found["trailer_bytes"] == 16
    assert found["original_fcs"] == 0xDEADBEEF
    if trailer == "metawatch":
        assert found["timestamp_ns"] == (START_S + 1) * NS + 17
        assert (found["device"], found["port"], found["flags"]) == (513, 42, 1)
    else:
        assert found["timestamp_ns"] == (START_S - 2) * NS + NS // 2
        assert (found["device"], found["port"], found["flags"]) == (16, 9, 0)


def test_packet_times_are_replaced_and_flagged() -> None:
    plain, stamped = ipv4(bytes(50)), ipv4(bytes(50)) + metawatch()
    frames = [(CAPTURE_NS, plain), (CAPTURE_NS + 1, stamped)]
    packets, trailers = read(frames, "metawatch")
    assert packets["timestamp_ns"].tolist() == [CAPTURE_NS, (START_S + 1) * NS + 17]
    assert packets["flags"].tolist() == [0, PACKET_HW_TIMESTAMP]
    assert trailers["kind"].tolist() == [0, KINDS["metawatch"]]
    packets, trailers = read(frames, "exablaze")
    assert packets["timestamp_ns"].tolist() == [CAPTURE_NS, CAPTURE_NS + 1]
    assert not trailers["kind"].any()


def test_merge_by_hardware_time() -> None:
    def file(*seconds: int) -> io.BytesIO:
        frames = [(CAPTURE_NS, ipv4(bytes(50)) + metawatch(START_S + s)) for s in seconds]
        return io.BytesIO(pcap(frames))

    with merge_captures([file(1, 3, 5), file(2, 4)], trailer="metawatch") as merge:
        times = [(f.timestamp_ns - 17) // NS - START_S for f in merge.frames()]
    assert times == [1, 2, 3, 4, 5]


def test_hpt_picoseconds() -> None:
    found = read_one(ipv4(bytes(50)) + hpt(START_S, (1 << 40) - 1))
    assert found["timestamp_ns"] == START_S * NS + NS - 1
    assert found["timestamp_ps"] == 999
    found = read_one(ipv4(bytes(50)) + hpt(START_S, 2))
    assert (found["timestamp_ns"], found["timestamp_ps"]) == (START_S * NS, 1)


def test_metawatch_extensions() -> None:
    sub_ns = struct.pack(">I", 0x800000 << 8 | 1)  # half a nanosecond
    sequence = struct.pack(">II", 99, 1 << 6 | 0)  # one more word
    text = b"tag-text" + struct.pack(">I", 1 << 6 | 0x1F)
    last = 0x20
    first = struct.pack(">I", 0x123456 << 8 | last | 3)
    extensions = first + text + sequence + sub_ns
    found = read_one(ipv4(bytes(50)) + metawatch(flags=3, extensions=extensions))
    assert found["kind"] == KINDS["metawatch"]
    assert found["timestamp_ps"] == 500
    assert found["trailer_bytes"] == 16 + len(extensions)
    assert found["original_fcs"] == 0xDEADBEEF
    unended = struct.pack(">I", 0x123456 << 8 | 3)
    assert read_one(ipv4(bytes(50)) + metawatch(flags=3, extensions=unended))["kind"] == 0


@pytest.mark.parametrize(
    "data",
    [
        ipv4(bytes(50)) + metawatch(nanoseconds=NS),
        ipv4(bytes(50)) + metawatch(seconds=START_S + 86_500),
        ipv4(bytes(50)) + hpt(seconds=START_S - 86_500),
        ipv4(bytes(50)) + b"\0" * 5 + metawatch(),  # behind more than Ethernet's padding
        ipv4(bytes(50) + metawatch()),  # inside the datagram
        ipv4(bytes(50)) + metawatch()[1:],
        ipv4(bytes(50)) + metawatch() + b"\0\0",
        ipv4(bytes(50))[:12] + b"\x08\x06" + bytes(46) + metawatch(),  # ARP
        b"\0" * 13,
        ipv4(bytes(50)) + bytes(16),
        ipv4(bytes(50)),
    ],
)
def test_what_is_no_trailer(data: bytes) -> None:
    assert read_one(data)["kind"] == 0


def test_window_is_the_callers() -> None:
    late = ipv4(bytes(50)) + metawatch(seconds=START_S + 86_500)
    assert read_one(late, trailer_window_s=90_000)["kind"] == KINDS["metawatch"]
    near = ipv4(bytes(50)) + metawatch(seconds=START_S + 1)
    assert read_one(near, trailer_window_s=0.5)["kind"] == 0


def test_random_padding_is_no_trailer() -> None:
    random_bytes = random.Random(5).randbytes
    frames = [(CAPTURE_NS + i, ipv4(bytes(6)) + random_bytes(40)) for i in range(20_000)]
    _, trailers = read(frames, ("metawatch", "exablaze"), trailer_window_s=60)
    assert trailers["kind"].sum() == 0


def test_ipv6() -> None:
    ip = struct.pack(">IHBB", 6 << 28, 30, 17, 64) + bytes(32) + bytes(30)
    found = read_one(bytes(12) + b"\x86\xdd" + ip + metawatch())
    assert found["kind"] == KINDS["metawatch"]


KEY_NS = START_S * NS
KEY_COUNTER = 0x1_FFFF_FF00  # wraps soon
HZ = 350_000_000


def key_frame() -> bytes:
    body = b"EXKF\1\0\0\0" + struct.pack(">QQQQ", KEY_NS, KEY_COUNTER, HZ, KEY_COUNTER)
    return b"\xff" * 12 + b"\x88\xb5" + body + bytes(24)


def compatible_key_frame() -> bytes:
    body = struct.pack(">QQQQQQQHHBB", KEY_COUNTER, KEY_NS, 0, 1, 1, 0, 0, 2, 0, 0, 0)
    frame = bytearray(ipv4(body, protocol=253))
    frame[26:34] = bytes(4) + b"\xff" * 4
    return bytes(frame)


def stretched(counter: int) -> int:
    """The compatible form leaves bit 7 of the counter's lowest byte unused."""
    return (counter & ~0x7F) << 1 | (counter & 0x7F)


@pytest.mark.parametrize("new_fcs", [b"", b"\1\2\3\4"])
@pytest.mark.parametrize("compatible", [False, True])
def test_exablaze_counter(new_fcs: bytes, compatible: bool) -> None:
    frames = [(CAPTURE_NS, compatible_key_frame() if compatible else key_frame())]
    waits_ns = [1_000, 2_000_000, 900_000_000, 7_000_000_000, 30_000_000_000]
    for wait_ns in waits_ns:
        counter = KEY_COUNTER + wait_ns * HZ // NS
        shown = stretched(counter) if compatible else counter
        stamp = (shown & 0xFFFFFFFF).to_bytes(4, "big")
        frames.append((CAPTURE_NS + wait_ns + 5_000, ipv4(bytes(80)) + stamp + new_fcs))
    early = [(CAPTURE_NS, frames[1][1])]
    _, trailers = read(early + frames, "exablaze-counter")
    assert trailers["kind"].tolist() == [0, 0] + [KINDS["exablaze-counter"]] * 5
    apart = trailers["timestamp_ns"][2:].astype(np.int64) - KEY_NS - np.array(waits_ns)
    assert np.abs(apart).max() <= 3  # one tick
    assert (trailers["trailer_bytes"][2:] == 4).all()


def test_exablaze_counter_far_from_expected_is_padding() -> None:
    counter = KEY_COUNTER + HZ  # a second on, captured 20 ms after the key frame
    stamp = (counter & 0xFFFFFFFF).to_bytes(4, "big")
    frames = [(CAPTURE_NS, key_frame()), (CAPTURE_NS + 20_000_000, ipv4(bytes(80)) + stamp)]
    assert read(frames, "exablaze-counter")[1]["kind"].tolist() == [0, 0]


def test_unknown_trailer_name() -> None:
    with pytest.raises(ValueError, match="'x': expected one of metawatch, exablaze"):
        open_capture(io.BytesIO(pcap([])), trailer="x")
