"""The committed samples: made by the tables of today, decoded as their golden files say."""

from __future__ import annotations

from pathlib import Path

import dpkt
import make_samples


def test_the_samples_are_what_their_maker_makes(tmp_path: Path) -> None:
    made = make_samples.make(tmp_path)
    assert [path.name for path in made] == sorted(
        (path.name for path in make_samples.SAMPLES.glob("*.pcap")),
        key=[path.name for path in made].index,
    )
    for path in made:
        assert path.read_bytes() == (make_samples.SAMPLES / path.name).read_bytes(), path.name
    channels = "channels.toml"
    assert (tmp_path / channels).read_text() == (make_samples.SAMPLES / channels).read_text()


def test_the_samples_decode_as_their_golden_files_say() -> None:
    for path in sorted(make_samples.SAMPLES.glob("*.pcap")):
        assert make_samples.golden(path) == path.with_suffix(".jsonl").read_text(), path.name


def test_an_independent_reader_finds_the_headers_right() -> None:
    for path in make_samples.SAMPLES.glob("*.pcap"):
        with path.open("rb") as file:
            for _, raw in dpkt.pcap.Reader(file):
                ip = dpkt.ethernet.Ethernet(raw).data
                assert dpkt.in_cksum(raw[14:34]) == 0
                assert ip.len == 20 + ip.data.ulen == 28 + len(ip.data.data)
