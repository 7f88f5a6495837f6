"""`sweepwire replay` of the large CME capture: two lines of one channel through the hot loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from console.main import run

LARGE = "omi_Cme.Mdp3.Sbe.v1.8.pcap.gz"
CHANNEL = """
[[channels]]
name = "cme fx"
feed = "cme_mdp3"
group = "224.0.{}.11"
port = {}
line = "{}"
"""
LINES = ((31, 14_320, "A"), (32, 15_320, "B"))


def test_the_first_copy_of_each_packet_is_read(
    real_captures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = real_captures / "large" / LARGE
    if not capture.exists():
        pytest.skip(f"{LARGE} is not there")
    channels = tmp_path / "channels.toml"
    channels.write_text("".join(CHANNEL.format(*line) for line in LINES))
    code = run(["replay", str(capture), "--channels", str(channels), "--json", "-"])
    seen = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (seen["packets"], seen["messages"]) == (10_000, 5_299)
    assert not any(channel["faults"] for channel in seen["channels"])
    assert seen["feeds"] == {"cme_mdp3@1.13": 5_299}
    (stream,) = seen["lines"]
    assert (stream["delivered"], stream["duplicates"]) == (5_000, 5_000)
    # joined within the session, and nobody has an image
    assert (stream["gaps"], stream["lost"], stream["state"]) == (1, 0, "stale")
