"""`sweepwire replay --shards`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from console_made import ROOT

from console.main import run
from nic.thread import online_cores

IEX = ROOT / "captures" / "samples" / "iex-a.pcap"
CORES = sorted(online_cores())
SHARD = '[[shards]]\nname = "{}"\ncore = {}\nsymbols = {}\nshare = 0.5\n'

two_cores = pytest.mark.skipif(len(CORES) < 2, reason="wants two cores")


def write_shards(folder: Path, *rules: str, cores: list[int] = CORES) -> Path:
    """A file of shards with these symbols."""
    path = folder / "shards.toml"
    texts = (SHARD.format(f"s{n}", cores[n], rule) for n, rule in enumerate(rules))
    path.write_text("".join(texts))
    return path


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line of a command line that cannot work."""
    assert run(["replay", *map(str, arguments)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@two_cores
def test_books_in_two_loops(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shards, summary = write_shards(tmp_path, '["A-M"]', '["rest"]'), tmp_path / "out.json"
    given = ["replay", str(IEX), "--shards", str(shards), "--json", str(summary)]
    assert run([*given, "--assume-trading"]) == 0
    said = json.loads(summary.read_text())
    east, west = said["shards"]
    assert east["feed"]["messages"] == west["feed"]["messages"] > 100
    assert east["symbols"] + west["symbols"] == 4 and min(east["left_out"], west["left_out"]) > 0
    assert [shard["core"] for shard in said["shards"]] == CORES[:2]
    assert not east["faults"] and not west["faults"] and said["record_changes"] > 100
    out = capsys.readouterr().out
    assert "left out" in out and f"{said['record_changes']} changes of the consolidated" in out


@two_cores
def test_orders_in_two_loops(tmp_path: Path) -> None:
    shards, out = write_shards(tmp_path, '["A-M"]', '["N-Z"]'), tmp_path / "out"
    summary = tmp_path / "summary.json"
    given = ["replay", "--sample", "--shards", str(shards), "--out", str(out)]
    assert run([*given, "--json", str(summary)]) == 0
    said = json.loads(summary.read_text())
    assert len(said["parents"]) == 8
    assert any("2 loops, their counters together: s0, s1" in note for note in said["notes"])
    assert "report.html" in {path.name for path in out.iterdir()}
    assert run(["explain", "1", "--results", str(out)]) == 0


WRONG = [
    (("--shards", "{shards}"), "name captures or ports"),
    (("socket:lo", "--shards", "{shards}"), "with --shards only captures can be named"),
    ((IEX, "--shards", "{shards}", "--core", "0"), "--shards excludes --core and --state"),
    ((IEX, "--shards", "nowhere.toml"), "nowhere.toml: cannot open"),
]


@pytest.mark.parametrize(("arguments", "line"), WRONG)
def test_what_does_not_fit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[object, ...], line: str
) -> None:
    shards = write_shards(tmp_path, '["rest"]')
    given = [str(argument).format(shards=shards) for argument in arguments]
    assert line in complaint(capsys, *given)


def test_a_wrong_file_is_said_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = [*CORES, CORES[-1] + 1]
    shards = write_shards(tmp_path, '["A-M"]', '["O-Z"]', cores=there)
    for more in (("--sample",), (IEX,)):
        assert "nobody has N" in complaint(capsys, *more, "--shards", shards)
    shards.write_text(SHARD.format("far", 4000, '["rest"]'))
    assert "core 4000 is not online" in complaint(capsys, "--sample", "--shards", shards)
    shards.write_text(SHARD.format("s", CORES[0], '["rest"]') + 'channels = ["morse*"]\n')
    assert '"morse*" is none of the channels' in complaint(capsys, IEX, "--shards", shards)
