"""The merge: by time, equal times in the order of the inputs, order inside an input kept."""

from __future__ import annotations

import heapq
import io
from pathlib import Path

import pytest
from captures_made import pcap
from hypothesis import given, settings
from hypothesis import strategies as st

from captures import CaptureError, PcapWriter, merge_captures, open_capture

Times = list[list[int]]


def merged(times: Times, chunk_packets: int = 65_536) -> list[tuple[int, int, bytes]]:
    """(time, source, data) as the package merges captures whose packets number themselves."""
    files = [
        io.BytesIO(pcap([(ns, b"%d:%d" % (i, j)) for j, ns in enumerate(column)]))
        for i, column in enumerate(times)
    ]
    out = []
    with merge_captures(files) as merge:
        windows = merge.captures
        for chunk in merge.packets(chunk_packets):
            for row in chunk:
                capture, packet = windows[row["source"]], row["packet"]
                first = int(packet["offset"]) - capture.origin
                data = capture.data[first : first + int(packet["caplen_bytes"])].tobytes()
                out.append((int(packet["timestamp_ns"]), int(row["source"]), data))
        assert merge.errors == []
    return out


def labelled(times: Times) -> list[list[tuple[int, int, bytes]]]:
    return [
        [(ns, i, b"%d:%d" % (i, j)) for j, ns in enumerate(column)]
        for i, column in enumerate(times)
    ]


few_times = st.lists(st.lists(st.integers(0, 30), max_size=40), max_size=7)


@given(few_times, st.sampled_from([1, 3, 65_536]))
@settings(max_examples=150, deadline=None)
def test_ordered_inputs_come_out_sorted(times: Times, chunk_packets: int) -> None:
    times = [sorted(column) for column in times]
    every = [row for column in labelled(times) for row in column]
    expected = sorted(every, key=lambda row: row[0])  # stable: inputs in order, then places
    assert merged(times, chunk_packets) == expected


@given(few_times)
@settings(max_examples=150, deadline=None)
def test_inputs_whose_time_goes_back_keep_their_order(times: Times) -> None:
    expected = heapq.merge(*labelled(times), key=lambda row: row[0])
    assert merged(times) == list(expected)


def test_many_inputs_longer_than_the_look_ahead() -> None:
    times = [[step * 5 + i for step in range(2500)] for i in range(5)]
    rows = merged(times)
    assert [row[0] for row in rows] == list(range(12_500))
    assert [row[1] for row in rows[:7]] == [0, 1, 2, 3, 4, 0, 1]


def test_nothing_to_merge() -> None:
    assert merged([]) == []
    assert merged([[], []]) == []


class Dripping(io.RawIOBase):
    def __init__(self, data: bytes) -> None:
        self._rest = data

    def read(self, _size: int = -1) -> bytes:
        piece, self._rest = self._rest[:37], self._rest[37:]
        return piece


def test_pipes_and_frames() -> None:
    a = pcap([(ns, b"a%d" % ns) for ns in range(0, 400, 2)])
    b = pcap([(ns, b"b%d" % ns) for ns in range(0, 400, 3)], link=113)
    with merge_captures([Dripping(a), Dripping(b)]) as merge:
        frames = list(merge.frames())
        assert merge.errors == []
    expected = sorted(
        [(ns, 0, 1, b"a%d" % ns) for ns in range(0, 400, 2)]
        + [(ns, 1, 113, b"b%d" % ns) for ns in range(0, 400, 3)]
    )
    assert [(f.timestamp_ns, f.source, f.link_type, bytes(f.data)) for f in frames] == expected


def test_one_truncated_input_does_not_stop_the_others() -> None:
    files = [io.BytesIO(pcap([(5, b"abc"), (6, b"def")])[:-1]), io.BytesIO(pcap([(7, b"ghi")]))]
    with merge_captures(files) as merge:
        assert [(f.timestamp_ns, f.source) for f in merge.frames()] == [(5, 0), (7, 1)]
        (error,) = merge.errors
        assert "truncated" in str(error)
    files = [io.BytesIO(pcap([(5, b"abc")])[:-1])]
    with merge_captures(files, strict=True) as merge, pytest.raises(CaptureError):
        list(merge.frames())


def test_a_source_that_is_no_capture_is_named(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.pcap", tmp_path / "bad.pcap"
    good.write_bytes(pcap([]))
    bad.write_text("not a capture\n")
    with pytest.raises(CaptureError, match=r"bad\.pcap: this is a text file"):
        merge_captures([good, bad])


def test_merged_packets_are_written_in_bulk(tmp_path: Path) -> None:
    files = [
        io.BytesIO(pcap([(2 * i, b"a%d" % i) for i in range(9)])),
        io.BytesIO(pcap([(2 * i + 1, b"b%d" % i) for i in range(9)])),
    ]
    path = tmp_path / "merged.pcap"
    with merge_captures(files) as merge, PcapWriter(path) as writer:
        for chunk in merge.packets(4):
            writer.write_addressed(chunk["packet"], merge.addresses(chunk))
    with open_capture(path) as capture:
        frames = [(f.timestamp_ns, bytes(f.data)) for f in capture.frames()]
    assert frames == [(i, b"%c%d" % (b"ab"[i % 2], i // 2)) for i in range(18)]
