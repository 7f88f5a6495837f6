"""Real exchange captures against what an independent decoder reads in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from captures import link_name, merge_captures, open_capture

Expected = list[tuple[int, int, int]]
"""(timestamp_ns, caplen_bytes, wire_bytes)"""


def read(path: Path) -> tuple[Expected, str, set[str], str]:
    """What we read: packets, format, link types and the error, as text."""
    rows: Expected = []
    links: set[int] = set()
    with open_capture(path) as capture:
        for chunk in capture.packets():
            columns = (chunk[name].tolist() for name in ("timestamp_ns", "caplen_bytes"))
            rows += zip(*columns, chunk["wire_bytes"].tolist(), strict=True)
            links |= set(chunk["link_type"].tolist())
        assert capture.packet_count == len(rows)
        error = "" if capture.error is None else capture.error.reason
        return rows, capture.format, {link_name(link) for link in links}, error


def test_every_small_capture(real_captures: Path) -> None:
    entries = json.loads((real_captures / "manifest.json").read_text())
    assert len(entries) > 100
    for entry in entries:
        path = real_captures / entry["file"]
        decode = json.loads(path.with_name(path.name.removesuffix(".pcap") + ".json").read_text())
        rows, format_name, links, error = read(path)
        expected = [(p["ts_ns"], p["caplen"], p["len"]) for p in decode["packets"]]
        assert rows == expected, path.name
        assert len(rows) == entry["packets"]
        assert (format_name, links, error) == (entry["format"], {entry["link"]}, ""), path.name


@pytest.mark.parametrize(
    ("name", "format_name", "error"),
    [
        ("goiex_DEEP10.pcap", "pcap-usec-LE", "the last record is truncated: 476 of 1506 bytes"),
        ("omi_Cme.Mdp3.Sbe.v1.8.pcap", "pcapng", ""),
    ],
)
def test_large_captures(real_captures: Path, name: str, format_name: str, error: str) -> None:
    path = real_captures / "large" / f"{name}.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not there")
    expected: Expected = []
    with gzip.open(path.with_name(f"{name}.ndjson.gz"), "rt") as lines:
        for line in lines:
            # The head of each line is enough, and parsing all of it takes a minute.
            head = json.loads(line[: line.index(',"l4"')] + "}")
            expected.append((head["ts_ns"], head["caplen"], head["len"]))
    rows, found_format, links, found_error = read(path)
    assert rows == expected
    assert (found_format, links) == (format_name, {"EN10MB"})
    assert found_error.startswith(error)
    assert bool(found_error) == bool(error)


def test_all_small_captures_merge_by_time(real_captures: Path) -> None:
    entries = json.loads((real_captures / "manifest.json").read_text())
    paths = [real_captures / entry["file"] for entry in entries]
    with merge_captures(paths) as merge:
        merged = [(f.timestamp_ns, f.source, bytes(f.data)) for f in merge.frames()]
        assert merge.errors == []
    assert len(merged) == sum(entry["packets"] for entry in entries)
    for index, path in enumerate(paths):
        with open_capture(path) as capture:
            own = [(f.timestamp_ns, index, bytes(f.data)) for f in capture.frames()]
        assert [row for row in merged if row[1] == index] == own
