"""What the loop's commands make of captures without a channel map."""

from __future__ import annotations

from pathlib import Path

from console.options import shipped_channels
from console.plan import guessed_plan

SAMPLES = Path(__file__).resolve().parents[2] / "captures" / "samples"


def test_two_lines_that_the_shipped_map_knows_are_one_channel():
    files = [SAMPLES / "nasdaq-a.pcap", SAMPLES / "nasdaq-b.pcap"]
    channels = guessed_plan(files, shipped_channels(), lambda _: None).channels
    assert [(channel.name, channel.line) for channel in channels] == [
        ("nasdaq", "A"),
        ("nasdaq", "B"),
    ]


def test_channels_that_no_map_knows_are_named_by_their_address():
    files = [SAMPLES / "nasdaq-a.pcap", SAMPLES / "nasdaq-b.pcap"]
    channels = guessed_plan(files, None, lambda _: None).channels
    assert [(channel.name, channel.line) for channel in channels] == [
        ("233.200.1.1:30001", "A"),
        ("233.200.1.2:30001", "A"),
    ]
