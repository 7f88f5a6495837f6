"""The writer, and dpkt and scapy as independent readers and writers."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import dpkt
import numpy as np
import pytest
from captures_made import START_S, every_format, frame, pcap
from scapy.layers.l2 import Ether as scapy_ether
from scapy.utils import PcapNgWriter, RawPcapNgReader, RawPcapReader, RawPcapWriter

from captures import PcapWriter, open_capture

AT_NS = START_S * 10**9 + 999_999_999
PACKETS = [(AT_NS + i * 7, frame(60 + i, i)) for i in range(50)]


def ours(source: Path | io.BytesIO) -> list[tuple[int, bytes]]:
    with open_capture(source) as capture:
        out = [(f.timestamp_ns, bytes(f.data)) for f in capture.frames()]
        assert capture.error is None
        return out


def theirs(path: Path) -> list[tuple[int, bytes]]:
    with path.open("rb") as file:
        reader = dpkt.pcap.Reader(file)
        return [(round(time * 10**9), data) for time, data in reader]


def test_what_is_written_is_read_the_same_by_all(tmp_path: Path) -> None:
    path = tmp_path / "one.pcap"
    with PcapWriter(path) as writer:
        for ns, data in PACKETS:
            writer.write(ns, data)
        assert writer.packet_count == len(PACKETS)
    assert ours(path) == theirs(path) == PACKETS
    scapy_read = [(m.sec * 10**9 + m.usec, data) for data, m in RawPcapReader(str(path))]
    assert scapy_read == PACKETS
    assert path.read_bytes() == pcap(PACKETS, snaplen=262_144)


def test_bulk_is_the_same_as_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "bulk.pcap"
    with open_capture(io.BytesIO(pcap(PACKETS))) as capture, PcapWriter(path) as writer:
        for chunk in capture.packets(7):
            writer.write_packets(chunk, capture.data, capture.origin)
        assert writer.packet_count == len(PACKETS)
    assert path.read_bytes() == pcap(PACKETS, snaplen=262_144)


def test_bulk_larger_than_the_buffer(tmp_path: Path) -> None:
    packets = [(AT_NS, bytes([i]) * 200_000) for i in range(12)]
    path = tmp_path / "large.pcap"
    source = tmp_path / "source.pcap"
    source.write_bytes(pcap(packets, snaplen=262_144))
    with open_capture(source) as capture, PcapWriter(path) as writer:
        for chunk in capture.packets():
            writer.write_packets(chunk[::-1], capture.data, capture.origin)
    assert ours(path) == packets[::-1]


def test_cut_packets_keep_their_length(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    with PcapWriter(path, link_type=113) as writer:
        writer.write(1, b"abc", wire_bytes=1500)
    with open_capture(path) as capture:
        packet = next(capture.packets())[0]
    assert (packet["wire_bytes"], packet["link_type"]) == (1500, 113)


def test_to_a_stream() -> None:
    stream = io.BytesIO()
    with PcapWriter(stream) as writer:
        writer.write(7, b"abc")
    assert ours(io.BytesIO(stream.getvalue())) == [(7, b"abc")]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), PcapWriter(path) as writer:
        writer.write(1, b"abc")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
    writer = PcapWriter(path)
    writer.write(1, b"abc")
    assert path.read_bytes() == b"before"
    writer.close()
    writer.close()
    assert ours(path) == [(1, b"abc")]
    assert list(tmp_path.iterdir()) == [path]


def test_what_pcap_cannot_hold(tmp_path: Path) -> None:
    with open_capture(io.BytesIO(pcap(PACKETS, link=113))) as capture:
        packets, data = next(capture.packets()), capture.data
    writer = PcapWriter(io.BytesIO())
    with pytest.raises(ValueError, match="link type"):
        writer.write_packets(packets, data)
    with pytest.raises(ValueError, match="outside of the window"):
        writer.write_packets(packets, data[:-1])
    with pytest.raises(ValueError, match="outside of the window"):
        writer.write_packets(packets, data, origin=41)
    with pytest.raises(ValueError, match="timestamp_ns"):
        writer.write(1 << 63, b"")
    with pytest.raises(ValueError, match="262145 bytes"):
        writer.write(1, bytes(262_145))
    late = packets.copy()
    late["link_type"] = 1
    late["timestamp_ns"] = 1 << 63
    with pytest.raises(ValueError, match="2106"):
        writer.write_packets(late, data)
    writer.write_packets(packets[:0], np.empty(0, dtype=np.uint8))
    assert writer.packet_count == 0


@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_scapy_writes_and_we_read(tmp_path: Path, nanoseconds: bool, order: str) -> None:
    path = tmp_path / "scapy.pcap"
    unit_ns = 1 if nanoseconds else 1000
    with RawPcapWriter(str(path), linktype=1, endianness=order, nano=nanoseconds) as writer:
        writer.write_header(None)
        for ns, data in PACKETS:
            writer.write_packet(data, sec=ns // 10**9, usec=ns % 10**9 // unit_ns)
    assert ours(path) == [(ns - ns % unit_ns, data) for ns, data in PACKETS]


def test_scapy_writes_pcapng_and_we_read(tmp_path: Path) -> None:
    path = tmp_path / "scapy.pcapng"
    with PcapNgWriter(str(path)) as writer:
        writer.write_header(scapy_ether())
        for i, (_, data) in enumerate(PACKETS):
            writer.write_packet(scapy_ether(data), sec=START_S + i * 0.5)
    expected = [(START_S * 10**9 + i * 500_000_000, d) for i, (_, d) in enumerate(PACKETS)]
    assert ours(path) == expected


def test_dpkt_writes_and_we_read(tmp_path: Path) -> None:
    path = tmp_path / "dpkt.pcap"
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, nano=True)
        for i, (_, data) in enumerate(PACKETS):
            writer.writepkt(data, ts=START_S + i * 0.5)
    expected = [(START_S * 10**9 + i * 500_000_000, d) for i, (_, d) in enumerate(PACKETS)]
    assert ours(path) == expected
    path = tmp_path / "dpkt.pcapng"
    with path.open("wb") as file:
        ng_writer = dpkt.pcapng.Writer(file)
        for i, (_, data) in enumerate(PACKETS):
            ng_writer.writepkt(data, ts=START_S + i * 0.5)
    assert ours(path) == expected


@pytest.mark.parametrize("name", [n for n in every_format() if n != "erf"])
def test_scapy_reads_the_made_captures_as_we_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.write_bytes(every_format()[name])
    if name.startswith("pcapng"):
        # scapy does not read the obsolete packet block: only the first packet can be compared
        data, meta = next(iter(RawPcapNgReader(str(path))))
        ticks = meta.tshigh << 32 | meta.tslow
        assert (ticks * 10**9 // meta.tsresol, data) == ours(path)[0]
        return
    unit_ns = 1 if "nsec" in name else 1000
    read = [(m.sec * 10**9 + m.usec * unit_ns, d) for d, m in RawPcapReader(str(path))]
    assert read == ours(path)


def test_header_fields(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    PcapWriter(path, link_type=276).close()
    fields = struct.unpack("<IHHiIII", path.read_bytes())
    assert fields == (0xA1B23C4D, 2, 4, 0, 0, 262_144, 276)
