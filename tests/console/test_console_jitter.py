"""`sweepwire jitter` runs, as a table and as JSON; its figures belong to the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from console.main import run

CORE = str(min(os.sched_getaffinity(0)))


def test_a_core_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--core", CORE, "--seconds", "0.02", "--threshold", "1", "--no-hold"]
    assert run(["jitter", *arguments]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"core {CORE}, ") and "of the time lost" in shown
    assert "longest ns" in shown and "p99.9" in shown and "--no-hold" in shown


def test_the_measurement_as_json() -> None:
    command = [sys.executable, "-c", "from console.main import main; main()", "jitter"]
    arguments = ["--seconds", "0.02", "--threshold", "1", "--json"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["core"] is None and found["reads"] >= found["hiccups"] > 0
    assert 0 <= found["lost_share"] <= 1 and found["threshold_ns"] == 1
    assert len(found["longest"]) > 0 and isinstance(found["not_held"], list)


def test_a_core_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jitter", "--core", "4000"]) == 2
    assert "core 4000 is not online" in capsys.readouterr().err
