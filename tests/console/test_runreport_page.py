"""The page: one file that needs nothing else, its drawings, and its size."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pytest
from runreport_rig import (
    START_NS,
    Run,
    empty_results,
    histogram,
    set_row,
    small_results,
    some_facts,
    some_names,
    units,
)

from console.runreport.collect import Collector
from console.runreport.html import page
from console.runreport.plots import Track, bars_across, latency_track, thinned, track_chart
from console.runreport.write import PAGE, write_results
from console.svg import LEFT, WIDTH
from router import log
from router.tablespace import RouterTables, Sizes

VOID = {"meta", "br"}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


class Checker(HTMLParser):
    """Fails on tags that are not closed in order, and keeps tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        assert not any(name in ("src", "href", "onload") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def checked(text: str) -> Checker:
    """A page that was parsed; its drawings are XML."""
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    for drawing in re.findall(r"<svg.*?</svg>", text, re.S):
        ET.fromstring(drawing)
    assert "http" not in text and "<script" not in text and "@import" not in text
    return checker


@pytest.fixture(scope="module")
def text():
    return page(small_results()[0])


def test_one_file_without_links(text):
    tags = checked(text).tags
    assert tags.count("svg") == 3 + 2 * 3  # latency, venues, shortfall; two a parent
    assert tags.count("table") == 8


def test_names_with_odd_characters_are_escaped(text):
    assert "&lt;bx&gt;&amp;" in text and "<bx>" not in text
    assert "Replay of &lt;small&gt; &amp; odd" in text
    assert "&lt;script&gt;&amp;?[1m" in text and "\x1b" not in text


def test_the_page_says_the_numbers(text):
    for said in ("+47.90", "47.90", "-11.00", "-18.28", "60.0 %", "order too large", "code X"):
        assert f">{said}<" in text or said in text
    assert "Perold 1988" in text and "Berkowitz" in text
    assert "Times in UTC" in text or "times in UTC" in text


def test_a_run_without_orders_has_a_page():
    text = page(empty_results(name="none"))
    assert checked(text).tags.count("svg") == 3
    assert text.count("nothing was measured") == 3
    assert "not measured: no orders timed" in text


def many_fills(parents: int, fills: int):
    """A run with as many parents and fills of each."""
    sizes = Sizes(parents=parents, children=parents, instruments=4, venues=4, log_lines=1 << 15)
    run = Run.__new__(Run)
    run.tables, run.time_ns = RouterTables(sizes), START_NS
    with run.tables as tables:
        collector = Collector(tables, some_names())
        tables.head["parent_count"] = tables.head["child_count"] = parents
        for number in range(1, parents + 1):
            done = {"cum": fills, "notional": units(10) * fills * number}
            set_row(
                tables.parents[number], side=1, quantity=fills, account=1, instrument=1,
                arrived_ns=START_NS, arrival=units(10), **done,
            )  # fmt: skip
            set_row(tables.children[number], parent=number, venue=number % 4, **done)
            for one in range(fills):
                price = units(10) + 10_000 * (one % 50)
                run.record(log.FILL, number, 1, price, 1, number * fills + one, 2)
            collector.drain()
        return collector.finish(some_facts())


def test_ten_thousand_fills_stay_below_two_megabytes():
    text = page(many_fills(40, 250))
    assert len(text.encode()) < 2_000_000
    checked(text)
    assert "The 24 of 40 that traded the most money." in text
    assert ">parent 40: buy 250 ABC" in text and ">parent 2: buy 250 ABC" not in text
    assert "200 of 250 fills are drawn" in text


def test_one_parent_with_many_fills_is_thinned_out_and_says_so():
    text = page(many_fills(1, 1000))
    assert "400 of 1,000 fills are drawn, evenly chosen." in text
    assert text.count("<circle") == 2 * 400


def test_what_is_thinned_keeps_its_ends():
    assert thinned(5, 10).tolist() == [0, 1, 2, 3, 4]
    assert thinned(101, 5).tolist() == [0, 25, 50, 75, 100]
    assert thinned(0, 5).tolist() == []


def test_steps_have_corners_and_dots_are_where_they_belong():
    tracks = [Track("cum", 0, [0, 10], [0, 8], "step"), Track("v", 1, [10], [8], "dots")]
    root = ET.fromstring(track_chart("t", tracks, "s", "shares"))
    line = next(part for part in root if part.tag == "polyline")
    points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(points) == 3 and points[0][1] == points[1][1] and points[1][0] == points[2][0]
    dot = next(part for part in root.iter("circle"))
    assert (float(dot.attrib["cx"]), float(dot.attrib["cy"])) == points[2]
    assert points[0][0] == LEFT and points[2][0] < WIDTH


def test_bars_go_to_both_sides_of_zero():
    root = ET.fromstring(bars_across("b", ["a", "b" * 40], [4.0, -2.0], ["4", "-2"], [1, 2]))
    right, left = (part for part in root if part.tag == "rect")
    x1, w1 = (float(right.attrib[name]) for name in ("x", "width"))
    x2, w2 = (float(left.attrib[name]) for name in ("x", "width"))
    assert w1 == pytest.approx(2 * w2, abs=0.3) and x2 + w2 == pytest.approx(x1, abs=0.2)
    assert "bbb…" in ET.tostring(root, "unicode")


def test_latencies_are_drawn_as_shares():
    track = latency_track("parse", 0, histogram({8: 3, 20: 1}), 1e9)
    at = dict(zip(np.round(np.array(track.places) * 1e9), track.values, strict=True))
    assert at[8] == pytest.approx(0.75 / np.log2(12 / 8))
    assert at[20] == pytest.approx(0.25 / np.log2(24 / 20))
    assert {place for place, value in at.items() if value} == {8, 20}
    assert latency_track("risk", 0, histogram({}), 1e9).places == []


def test_a_browser_shows_it(tmp_path):
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium or Chrome here to open the page with")
    write_results(tmp_path, small_results()[0])
    shown = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", tmp_path / PAGE],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert shown.count("<svg") == 9 and "Orders by venue" in shown
