"""`sweepwire market show`: the table, the page, and what is said of files that are none."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from console.main import run
from console.svg import HEIGHT, WIDTH, Line, bar_chart, line_chart
from console.svgscale import Scale, linear, logarithmic, number_text, round_step, time_text
from simulator.flow.measures import MarketStatistics, Series, save

SOME = Series([0.0, 1.0, 2.0], [1.0, 3.0, 2.0])
TIMES = Series([0.001, 0.1, 10.0], [0.2, 0.6, 1.0])


def statistics(**more: object) -> MarketStatistics:
    """Statistics of a made-up market."""
    given = {
        "seconds": 3.0,
        "instruments": 2,
        "messages": {"adds": 480, "deletes": 400},
        "venues": {"nasdaq": 600, "<bx>": 280},
        "measured": {"adds": 0.48, "deletes": 0.4},
        "targets": {"adds": (0.45, 0.5), "deletes": (0.37, 0.43), "fano_1_s": (2.0, 9.0)},
        "spread": SOME,
        "spreads": SOME,
        "depth": SOME,
        "intensity": SOME,
        "autocorrelation": TIMES,
        "fano": TIMES,
        "lifetimes": {"canceled": TIMES, "executed": TIMES},
        "queues": SOME,
    }
    return MarketStatistics(**{**given, **more})


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    save(statistics(), path)
    return path


def test_show_prints_the_table_and_writes_the_page(kept, capsys):
    assert run(["market", "show", str(kept)]) == 0
    out = capsys.readouterr().out
    assert re.search(r"adds +0.45 to 0.5 +0.48 +ok", out)
    assert re.search(r"fano_1_s +2 to 9 +not measured", out)
    assert str(kept.with_suffix(".html")) in out
    assert kept.with_suffix(".html").is_file()


def test_the_page_is_one_file_with_eight_drawings(kept, tmp_path):
    target = tmp_path / "page.html"
    assert run(["market", "show", str(kept), "-o", str(target)]) == 0
    text = target.read_text("utf-8")
    drawings = re.findall(r"<svg.*?</svg>", text)
    assert len(drawings) == 8
    for drawing in drawings:
        ET.fromstring(drawing)
    assert "http" not in text and "<script" not in text
    for unit in ("ticks", "seconds from the opening", "orders a second", "share of looks"):
        assert unit in text


def test_a_missed_target_is_said_in_the_exit_code(tmp_path, capsys):
    path = tmp_path / "off.json"
    save(statistics(measured={"adds": 0.6}), path)
    assert run(["market", "show", str(path)]) == 1
    assert re.search(r"adds .* outside", capsys.readouterr().out)


def test_an_empty_market_still_has_a_page(tmp_path):
    nothing = Series([], [])
    names = "spread spreads depth intensity autocorrelation fano queues".split()
    empty = statistics(**dict.fromkeys(names, nothing), lifetimes={}, measured={})
    path = tmp_path / "empty.json"
    save(empty, path)
    assert run(["market", "show", str(path)]) == 0
    assert path.with_suffix(".html").read_text("utf-8").count("nothing was measured") == 8


@pytest.mark.parametrize("content", ["", "{}", "[1]", "not json", '{"seconds": "x"}'])
def test_a_file_that_is_none_is_one_line(tmp_path, capsys, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    assert run(["market", "show", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "not the statistics of a market" in lines[0]


def test_a_file_that_is_not_there(capsys):
    assert run(["market", "show", "/nowhere.json"]) == 2
    assert "/nowhere.json: cannot open" in capsys.readouterr().err


def test_scales_reach_their_ends_and_ticks_are_round():
    scale = linear([0.3, 7.2], 100, 0)
    assert scale.at(scale.low) == 100 and scale.at(scale.high) == 0
    assert scale.at(-5) == 100 and scale.at(99) == 0
    assert scale.low == 0 and scale.high >= 7.2
    assert all(math.isclose(tick % 2, 0, abs_tol=1e-9) for tick in scale.ticks())
    log = logarithmic([0.002, 300], 0, 10)
    assert log.ticks() == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100, 1000])
    assert log.at(1) == pytest.approx(5)
    assert round_step(0.3) == 0.5 and round_step(20) == 20 and round_step(21) == 25
    assert Scale(0, 1, 0, 1).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


def test_numbers_and_times_as_axes_show_them():
    assert [number_text(value) for value in (0, 0.25, 12, 3000, 2.5e6)] == [
        "0", "0.25", "12", "3 k", "2.5 M",
    ]  # fmt: skip
    shown = [time_text(value) for value in (1e-7, 1e-4, 0.005, 1, 120)]
    assert shown == ["100 ns", "100 µs", "5 ms", "1 s", "2 min"]


def test_points_lie_inside_of_the_drawing():
    text = line_chart("a < b", [Line("x & y", [0, 5, 10], [2, -1, 8])], "s", "shares")
    root = ET.fromstring(text)
    line = next(part for part in root if part.tag == "polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(points) == 3
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert points[2][1] < points[0][1] < points[1][1]
    assert root[0].text == "a < b"


def test_bars_are_as_high_as_their_values():
    root = ET.fromstring(bar_chart("b", "one", ["1", "2", "3"], [1.0, 4.0, 2.0], "x", "y"))
    bars = [part for part in root if part.tag == "rect" and len(part)]
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert heights[1] == pytest.approx(4 * heights[0], abs=0.3)
    assert [bar[0].text for bar in bars] == ["1: 1", "2: 4", "3: 2"]
