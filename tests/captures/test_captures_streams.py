"""Pipes, compression, truncation: what came before the end is kept and what is wrong is said."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from captures_made import START_S, every_format, frame, pcap

from captures import Capture, CaptureError, open_capture
from captures.compressed import compression_of

AT_NS = START_S * 10**9
PACKETS = [(AT_NS + i, frame(60 + i % 90, i)) for i in range(3000)]
COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


class Dripping(io.RawIOBase):
    """A pipe from which every read gets few bytes."""

    def __init__(self, data: bytes, step_bytes: int) -> None:
        self._rest = data
        self._step_bytes = step_bytes

    def read(self, _size: int = -1) -> bytes:
        piece, self._rest = self._rest[: self._step_bytes], self._rest[self._step_bytes :]
        return piece


def records(capture: Capture) -> list[tuple[int, bytes]]:
    return [(ns, bytes(data)) for ns, data, _ in capture.frames()]


@pytest.mark.parametrize("name", every_format())
@pytest.mark.parametrize("step_bytes", [1, 7, 64])
def test_any_cut_of_a_pipe_gives_the_same(name: str, step_bytes: int) -> None:
    data = every_format()[name]
    with open_capture(io.BytesIO(data)) as capture:
        expected = records(capture)
    with open_capture(Dripping(data, step_bytes)) as capture:
        assert records(capture) == expected
        assert capture.error is None


@pytest.mark.parametrize("name", every_format())
def test_truncation_at_every_byte(name: str, tmp_path: Path) -> None:
    data = every_format()[name]
    with open_capture(io.BytesIO(data)) as capture:
        chunk = next(capture.packets())
        ends = [int(p["offset"] + p["caplen_bytes"]) for p in chunk]
        expected = records(open_capture(io.BytesIO(data)))
    clean = 0
    for cut in range(len(data)):
        path = tmp_path / "cut"
        path.write_bytes(data[:cut])
        for source in (path, Dripping(data[:cut], 5)):
            try:
                capture = open_capture(source)
            except CaptureError as error:
                assert (error.offset_bytes or 0) <= cut
                continue
            with capture:
                kept = records(capture)
                whole = sum(end <= cut for end in ends)
                assert kept == expected[: len(kept)]
                assert whole - 1 <= len(kept) <= whole
                assert capture.packet_count == len(kept)
                clean += capture.error is None
                if capture.error is not None:
                    assert "truncated" in str(capture.error)
                    assert (capture.error.offset_bytes or 0) < cut
    assert 0 < clean < len(data)


def test_a_pipe_yields_packets_before_it_ends() -> None:
    read_end, write_end = os.pipe()
    data = pcap([(AT_NS, frame(60)), (AT_NS + 1, frame(61))])
    with os.fdopen(read_end, "rb") as stream, os.fdopen(write_end, "wb", buffering=0) as sink:
        sink.write(data[:100])
        with open_capture(stream) as capture:
            chunks = capture.packets()
            assert next(chunks)["timestamp_ns"].tolist() == [AT_NS]
            sink.write(data[100:])
            assert next(chunks)["timestamp_ns"].tolist() == [AT_NS + 1]
            sink.close()
            assert list(chunks) == []
            assert capture.error is None


def test_named_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(pcap(PACKETS),))
    writer.start()
    with open_capture(path) as capture:
        assert records(capture) == PACKETS
    writer.join()


def test_frames_stay_readable_after_the_window_moved_and_the_capture_closed(tmp_path: Path) -> None:
    path = tmp_path / "capture"
    path.write_bytes(pcap(PACKETS))
    for source in (path, Dripping(pcap(PACKETS), 4096)):
        with open_capture(source) as capture:
            held = list(capture.frames())
        assert [(ns, bytes(data)) for ns, data, _ in held] == PACKETS
        assert all(data.readonly for _, data, _ in held)
        assert capture.packet_count == len(PACKETS)
        assert list(capture.packets()) == []


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_file_and_pipe(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"  # the name says nothing
    data = COMPRESSORS[kind](pcap(PACKETS))
    path.write_bytes(data)
    assert compression_of(data) == kind
    for source in (path, Dripping(data, 1000)):
        with open_capture(source) as capture:
            assert records(capture) == PACKETS
            assert capture.error is None
            assert capture.format == "pcap-nsec-LE"


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_in_several_members_with_padding(kind: str) -> None:
    data = pcap(PACKETS)
    members = [COMPRESSORS[kind](data[:5000]), COMPRESSORS[kind](data[5000:])]
    padding = b"" if kind == "zstd" else bytes(200_000)
    with open_capture(io.BytesIO(padding.join(members) + padding)) as capture:
        assert records(capture) == PACKETS
        assert capture.error is None


@pytest.mark.parametrize("kind", COMPRESSORS)
@pytest.mark.parametrize("from_pipe", [False, True])
def test_compressed_and_cut(kind: str, from_pipe: bool, tmp_path: Path) -> None:
    noise = os.urandom  # does not compress, so that much comes out before the cut
    packets = [(AT_NS + i, noise(1000)) for i in range(400)]
    data = COMPRESSORS[kind](pcap(packets))
    cut = data[: len(data) * 3 // 4]
    path = tmp_path / "cut"
    path.write_bytes(cut)
    with open_capture(Dripping(cut, 5000) if from_pipe else path) as capture:
        kept = records(capture)
        assert 10 < len(kept) < len(packets)
        assert kept == packets[: len(kept)]
        assert f"truncated {kind} data" in str(capture.error)
        assert capture.error is not None
        assert capture.error.offset_bytes == len(cut)


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_compressed_and_damaged(kind: str) -> None:
    data = bytearray(COMPRESSORS[kind](pcap(PACKETS)))
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xff" * 40
    with pytest.raises(CaptureError, match=r"damaged|truncated|impossible"):  # noqa: SIM117
        with open_capture(io.BytesIO(bytes(data)), strict=True) as capture:
            assert records(capture) == PACKETS[: capture.packet_count]


def test_compressed_text_is_text() -> None:
    with pytest.raises(CaptureError, match="text file"):
        open_capture(io.BytesIO(gzip.compress(b"hello\n" * 100)))


def test_strict_raises_once_all_before_was_read(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(PACKETS)[:-1])
    seen = 0
    with open_capture(path, strict=True) as capture:
        with pytest.raises(CaptureError) as caught:
            for chunk in capture.packets():
                seen += len(chunk)
        assert seen == len(PACKETS) - 1
    assert str(caught.value).startswith(str(path))
    assert "at byte" in str(caught.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"nowhere\.pcap: cannot open: No such file"):
        open_capture(tmp_path / "nowhere.pcap")
    with pytest.raises(CaptureError, match="cannot open: Is a directory"):
        open_capture(tmp_path)


def test_addresses_and_windows_agree(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(PACKETS[:7]))
    with open_capture(path) as capture:
        chunk = next(capture.packets(3))
        assert len(chunk) == 3
        for packet, (ns, data) in zip(chunk, PACKETS, strict=False):
            first = int(packet["offset"]) - capture.origin
            assert int(packet["timestamp_ns"]) == ns
            assert capture.data[first : first + len(data)].tobytes() == data
            assert capture.address == capture.data.ctypes.data


def test_reused_chunk_is_one_array(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(PACKETS))
    with open_capture(path) as capture:
        addresses = {chunk.ctypes.data for chunk in capture.packets(100, reuse=True)}
    assert len(addresses) == 1
    with open_capture(path) as capture:
        kept = list(capture.packets(100))
    assert len({chunk.ctypes.data for chunk in kept}) == 30
    assert sum(len(chunk) for chunk in kept) == len(PACKETS)


def test_offsets_beyond_four_gibibytes(tmp_path: Path) -> None:
    path = tmp_path / "huge.pcap"  # of holes: only the record headers take room
    caplen, count = 16 << 20, 260
    with path.open("wb") as file:
        file.write(pcap([], snaplen=caplen))
        for i in range(count):
            file.seek(24 + i * (16 + caplen))
            file.write(struct.pack("<IIII", START_S, i, caplen, caplen))
        file.truncate(24 + count * (16 + caplen))
    with open_capture(path) as capture:
        packets = next(capture.packets())
        assert len(packets) == count
        assert int(packets["offset"][-1]) == 24 + (count - 1) * (16 + caplen) + 16 > 1 << 32
        assert int(packets["timestamp_ns"][-1]) == AT_NS + count - 1
        assert list(capture.packets()) == []
        assert capture.error is None


@pytest.mark.parametrize("kind", COMPRESSORS)
def test_memory_is_bounded_when_much_comes_out_of_little(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "zeros"
    zeros = pcap([]) + (struct.pack("<IIII", 1, 2, 60_000, 60_000) + bytes(60_000)) * 1000
    path.write_bytes(COMPRESSORS[kind](zeros))
    assert path.stat().st_size < len(zeros) // 100
    del zeros
    tracemalloc.start()
    try:
        with open_capture(path) as capture:
            count = sum(len(chunk) for chunk in capture.packets(1024))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 1000
    assert peak_bytes < 40 << 20


def test_an_xz_header_that_asks_for_gigabytes_gets_none() -> None:
    data = bytearray(lzma.compress(pcap(PACKETS[:3])))
    head_end = 12 + (data[12] + 1) * 4
    assert data[14:16] == b"\x21\x01"  # the LZMA2 filter and the size of its properties
    data[16] = 40  # a dictionary of 4 GiB
    data[head_end - 4 : head_end] = struct.pack("<I", zlib.crc32(data[12 : head_end - 4]))
    with pytest.raises(CaptureError, match=r"damaged xz data .*[Mm]emory"):
        open_capture(io.BytesIO(bytes(data)))
