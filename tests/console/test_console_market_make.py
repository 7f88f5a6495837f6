"""`sweepwire market make`: what it prints, what it keeps, what it refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from console.main import run
from console.marketmake import seconds_of, symbols_of
from simulator.flow.measures import load
from simulator.market.manifest import MANIFEST, load_manifest
from simulator.market.plan import MarketPlan
from simulator.market.stored import KEPT, STATISTICS, forget_oldest, market_folder

SMALL = ["market", "make", "--duration", "1s", "--symbols", "2", "--venues", "nasdaq,iex"]


def test_a_folder_gets_captures_and_the_table_says_how_many(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*SMALL, "-o", str(tmp_path / "made"), "--seed", "4"]) == 0
    manifest = load_manifest(tmp_path / "made")
    assert (manifest.seed, manifest.symbols) == (4, symbols_of("2"))
    shown = capfd.readouterr()
    assert f"{manifest.venues[0].messages:,}" in shown.out and "100 %" in shown.err


def test_a_market_that_is_kept_is_not_made_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.market.stored.cache_root", lambda: tmp_path)
    first = run([*SMALL, "--seed", "5"])
    assert "messages in" in capfd.readouterr().out
    (folder,) = (tmp_path / "markets").iterdir()
    before = (folder / MANIFEST).stat().st_mtime_ns
    assert run([*SMALL, "--seed", "5"]) == first
    shown = capfd.readouterr()
    assert "made before" in shown.out and "making" not in shown.err
    assert (folder / MANIFEST).stat().st_mtime_ns == before
    assert first == (1 if load(folder / STATISTICS).missed() else 0)


def test_faults_are_in_the_captures(tmp_path: Path) -> None:
    plan = tmp_path / "faults.toml"
    plan.write_text('[[faults]]\nkind = "down"\nline = "B"\n')
    assert run([*SMALL, "-o", str(tmp_path / "made"), "--faults", str(plan)]) == 0
    for venue in load_manifest(tmp_path / "made").venues:
        assert [file.packets for file in venue.files] == [venue.packets, 0]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--duration", "soon"], "expected a duration"),
        (["--venues", "lse"], "no venue 'lse'"),
        (["--symbols", "0"], "0 symbols"),
        (["--stop-after", "2h"], "stop after"),
        (["--faults", "faults.toml"], "--faults needs --out"),
    ],
)
def test_what_cannot_be_made_is_refused(
    options: list[str], wrong: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["market", "make", *options]) == 2
    assert wrong in " ".join(capfd.readouterr().err.split())


def test_durations_and_symbols_as_people_write_them() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "10m", "6.5h")] == [90, 90, 600, 23_400]
    assert symbols_of("koz, brk.a") == ["KOZ", "BRK.A"]


def test_another_plan_is_kept_elsewhere_and_only_the_newest_stay(tmp_path: Path) -> None:
    assert market_folder(MarketPlan()) != market_folder(MarketPlan(seed=2))
    assert market_folder(MarketPlan()) == market_folder(MarketPlan())
    for age in range(KEPT + 2):
        folder = tmp_path / str(age)
        folder.mkdir()
        (folder / MANIFEST).write_text("{}")
        os.utime(folder / MANIFEST, (1_000 - age, 1_000 - age))
    forget_oldest(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [str(n) for n in range(KEPT)]
