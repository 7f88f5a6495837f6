"""What is special to replays: merging, pacing, repeating, trailers, damaged captures."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from port_rigs import FIRST_NS, numbered, payload_of, pcap, udp_frame

from nic.layout import DESCRIPTOR_DTYPE, FLAG_HW_TIMESTAMP, RX_END
from nic.port import PortError, copy_frame, open_port
from nic.uri import UriError

HOUR_NS = 3_600_000_000_000


def write(path: Path, count: int = 3, step_ns: int = 1000, start_ns: int = FIRST_NS) -> Path:
    times = [start_ns + step_ns * index for index in range(count)]
    path.write_bytes(pcap([udp_frame(payload) for payload in numbered(count)], times))
    return path


def metawatch(time_ns: int) -> bytes:
    """FCS, seconds, nanoseconds, flags, device, port."""
    return struct.pack("!IIIBHB", 0xDEADBEEF, time_ns // 10**9, time_ns % 10**9, 1, 7, 3)


def test_frames_lie_in_the_memory_map(tmp_path: Path) -> None:
    with open_port(f"replay:{write(tmp_path / 'a.pcap')}") as port:
        descriptors = np.zeros(4, DESCRIPTOR_DTYPE)
        assert port.rx_burst(descriptors) == 3
        ((base, size_bytes),) = port.regions
        for frame in descriptors[:3]:
            assert base <= int(frame["address"])
            assert int(frame["address"]) + int(frame["length_bytes"]) <= base + size_bytes
        assert int(descriptors["address"][0]) == base + 24 + 16  # no copy: right behind the headers


def test_captures_are_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path / "a.pcap", 50, 2000)
    write(tmp_path / "b.pcap", 50, 3000, FIRST_NS + 500)
    with open_port(f"replay:{tmp_path}/*.pcap") as port:
        times = [frame.timestamp_ns for frame in port.receive()]
        assert len(port.regions) == 2
    assert len(times) == 100 and times == sorted(times)


def test_files_may_be_listed_and_quoted(tmp_path: Path) -> None:
    write(tmp_path / "odd,na?me.pcap", 2)
    write(tmp_path / "other.pcap", 3)
    with open_port(f"replay:{tmp_path}/odd%2Cna%3Fme.pcap,{tmp_path}/other.pcap") as port:
        assert len(port.receive()) == 5


def test_a_file_named_twice_is_played_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap")
    with open_port(f"replay:{path},{tmp_path}/*.pcap") as port:
        assert len(port.receive()) == 3


def test_compressed_captures_are_expanded(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.pcap").read_bytes()
    (tmp_path / "b.pcap.gz").write_bytes(gzip.compress(plain))
    with open_port(f"replay:{tmp_path}/b.pcap.gz") as port:
        assert [payload_of(frame.data) for frame in port.receive()] == numbered(3)


def test_loops_repeat_with_times_that_go_on(tmp_path: Path) -> None:
    with open_port(f"replay:{write(tmp_path / 'a.pcap')}?loop=3") as port:
        frames = port.receive()
        assert port.over
    times = [frame.timestamp_ns for frame in frames]
    assert [payload_of(frame.data) for frame in frames] == numbered(3) * 3
    assert times == sorted(set(times))
    assert times[:4] == [FIRST_NS, FIRST_NS + 1000, FIRST_NS + 2000, FIRST_NS + 2001]


def test_a_loop_without_end_does_not_end(tmp_path: Path) -> None:
    with open_port(f"replay:{write(tmp_path / 'a.pcap')}?loop=0") as port:
        assert len(port.receive(1000)) == 1000 and not port.over


def test_an_empty_capture_ends_at_once_even_in_a_loop(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap([]))
    with open_port(f"replay:{tmp_path}/a.pcap?loop=0") as port:
        assert port.receive() == [] and port.over


def test_real_time_holds_back_what_is_not_due(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", step_ns=HOUR_NS)
    with open_port(f"replay:{path}?speed=real") as port:
        assert len(port.receive(idle_s=0.05)) == 1 and not port.over


def test_a_faster_clock_brings_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", step_ns=HOUR_NS)
    with open_port(f"replay:{path}?speed=1000000") as port:
        frames = port.receive(idle_s=20)
        assert port.over
    assert [frame.timestamp_ns for frame in frames] == [FIRST_NS + HOUR_NS * n for n in range(3)]


def test_pacing_starts_with_the_first_poll_and_keeps_times(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", 20, step_ns=1_000_000)
    with open_port(f"replay:{path}?speed=2.5") as port:
        frames = port.receive(idle_s=20)
    assert [frame.timestamp_ns for frame in frames] == [FIRST_NS + 10**6 * n for n in range(20)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_where_a_burst_is_cut_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.pcap"
    write(path, 150)
    with open_port(f"replay:{path}?ring=16") as port:
        seen: list[bytes] = []
        for turn in range(10_000):
            descriptors = np.zeros(sizes[turn % len(sizes)], DESCRIPTOR_DTYPE)
            count = port.rx_burst(descriptors)
            if count == RX_END:
                break
            seen += [payload_of(copy_frame(frame).data) for frame in descriptors[:count]]
            port.release(descriptors[:count])
    assert seen == numbered(150)


def test_a_trailer_gives_the_time(tmp_path: Path) -> None:
    device_ns = FIRST_NS + 123_456
    frames = [udp_frame(b"x" * 64) + metawatch(device_ns), udp_frame(b"y" * 64)]
    (tmp_path / "a.pcap").write_bytes(pcap(frames))
    with open_port(f"replay:{tmp_path}/a.pcap?trailer=metawatch") as port:
        stamped, plain = port.receive()
    assert stamped.timestamp_ns == device_ns and stamped.flags & FLAG_HW_TIMESTAMP
    assert plain.timestamp_ns == FIRST_NS + 1000 and not plain.flags & FLAG_HW_TIMESTAMP
    with open_port(f"replay:{tmp_path}/a.pcap") as port:
        assert port.receive()[0].timestamp_ns == FIRST_NS


def test_trailers_of_real_captures_are_found(real_captures: Path) -> None:
    files = sorted((real_captures / "nasdaq_ouch50").glob("*.pcap"))
    with open_port(f"replay:{','.join(map(str, files))}") as port:
        plain = [frame.timestamp_ns for frame in port.receive()]
    with open_port(f"replay:{','.join(map(str, files))}?trailer=metawatch") as port:
        stamped = [frame for frame in port.receive() if frame.flags & FLAG_HW_TIMESTAMP]
    assert stamped, "no capture in the folder has a trailer"
    assert {frame.timestamp_ns for frame in stamped} <= set(plain)  # they agree to the ns there


def test_a_capture_that_breaks_off_is_counted_and_named(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.pcap", 5)
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(write(tmp_path / "x", 5, 1500).read_bytes()[:-10])
    with open_port(f"replay:{whole},{broken}?loop=2") as port:
        assert len(port.receive()) == 2 * (5 + 4)
        assert port.stats().rx_errors == 1
        assert port.last_error.startswith(f"{broken}: offset ")
        assert "truncated" in port.last_error


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"time,price\n1,2\n" * 9, "text"), (b"\x00\x01\x02" * 30, "")],
    ids=["empty", "text", "binary"],
)
def test_what_is_no_capture_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(PortError, match=f"{path}: .*{reason}"):
        open_port(f"replay:{path}")


def test_no_match_is_an_error_that_names_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(UriError, match=r"no file matches .*none\*\.pcap"):
        open_port(f"replay:{tmp_path}/none*.pcap")


def test_the_link_type_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(pcap([b"\x45" + bytes(40)], link_type=101))
    with open_port(f"replay:{tmp_path}/a.pcap") as port:
        assert port.receive()[0].link_type == 101


def pcapng(*blocks: str) -> bytes:
    """One Ethernet interface and a 56-byte frame for each "simple" or "enhanced" block."""
    out = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    out += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    frame, stamp_us = udp_frame(b"1234" * 4)[:56], FIRST_NS // 1000
    for block in blocks:
        head = struct.pack("<III", 3, 16 + 56, 56)
        if block == "enhanced":
            times = (stamp_us >> 32, stamp_us & 0xFFFFFFFF)
            head = struct.pack("<IIIIIII", 6, 32 + 56, 0, *times, 56, 56)
        out += head + frame + struct.pack("<I", len(head) + 60)
    return out


@pytest.mark.parametrize(
    ("blocks", "times_ns"),
    [
        (("enhanced", "simple"), [FIRST_NS, FIRST_NS]),
        (("simple", "enhanced"), [0, FIRST_NS]),  # pacing starts with the first time there is
    ],
)
def test_records_without_a_time_take_that_of_the_one_before(
    tmp_path: Path, blocks: tuple[str, ...], times_ns: list[int]
) -> None:
    (tmp_path / "a.pcapng").write_bytes(pcapng(*blocks))
    with open_port(f"replay:{tmp_path}/a.pcapng?speed=real") as port:
        assert [frame.timestamp_ns for frame in port.receive(idle_s=1)] == times_ns
