"""The tables of the report on a terminal, and its warnings."""

from __future__ import annotations

import io
import re

import pytest
from runreport_rig import Run, empty_results, small_results, small_run, some_facts, write_log

from console.runreport.collect import Collector
from console.runreport.screen import print_results
from console.runreport.sheets import bps, clock, money, percent, sheets
from console.runreport.summary import summary_of
from console.screen import console


def printed(results) -> str:
    """What `print_results` prints."""
    out = io.StringIO()
    print_results(console(out), results)
    return out.getvalue()


@pytest.fixture(scope="module")
def text():
    return printed(small_results()[0])


def test_every_table_is_there_with_units(text):
    for title in ("Run", "Latency by stage", "Orders by venue", "Parent orders",
                  "Cost of parent orders", "Rejects", "Positions", "Books"):  # fmt: skip
        assert f"\n{title}\n" in text
    for unit in ("ns", "bps", "fill rate", "shares sent", "P&L", "arrival mid"):
        assert unit in text


def test_rows_say_what_a_trader_looks_for(text):
    assert re.search(r"orders sent +5 *\n", text)
    assert re.search(r"tick-to-order, ns +p50 5, p99 10, p99.9 10, max 10", text)
    venue = r"arca +3 +700 +3 +500 +71.4 % +6,999.00 +1.3000 +200 added, 300 removed"
    assert re.search(venue, text)
    assert re.search(r"dark1 \(dark\) +1 +100", text)
    assert re.search(r"first +10.0117 +10.0000 +10.1000 +7.00 +0.90 +40.00 +47.90 +\+47.90", text)
    assert re.search(r"own risk check +price collar +1", text)
    assert re.search(r"desk +ABC +600 +600 +0 +10.0117 +10.1000 +0.00 +53.00 +0.90 +52.10", text)


def test_a_narrow_terminal_is_no_trouble():
    out = io.StringIO()
    narrow = console(out)
    narrow.width = 60
    print_results(narrow, small_results()[0])
    assert "Cost of parent orders" in out.getvalue()


def test_a_run_without_orders_prints_the_run_alone():
    text = printed(empty_results(name="none"))
    assert re.search(r"orders sent +0", text) and "Parent orders" not in text
    assert "!" not in text


def test_what_a_reader_must_know_is_said_first():
    with small_run() as (run, collector):
        write_log(run)
        run.tables.head["fill_count"] = 6
        run.tables.head["orphan_count"] = 2
        text = printed(collector.finish(some_facts(notes=("venues are simulated",))))
    lines = [line for line in text.splitlines() if line.startswith("! ")]
    assert lines == [
        "! venues are simulated",
        "! the log and the router's counters differ: fills 5 in the log, 6 counted",
        "! 2 reports of orders that are not ours",
    ]


def test_lost_records_are_said():
    run = Run(log_lines=4)
    with run.tables:
        collector = Collector(run.tables, small_results()[0].names)
        for number in range(5):
            run.record(2, 1, 1, 1, 1, number, 1)
        collector.drain()
        run.record(2, 1, 1, 1, 1, 6, 1)
        text = printed(collector.finish(some_facts()))
    assert "! 1 records of the log found no room" in text


def test_long_lists_are_cut_and_say_so():
    summary = summary_of(small_results()[0])
    summary["parents"] *= 30
    found = {sheet.title: sheet for sheet in sheets(summary)}
    assert len(found["Parent orders"].rows) == 50
    assert "The first 50 of 90; summary.json has all." in found["Parent orders"].said


def test_numbers_as_people_read_them():
    assert [money(value) for value in (1234.5, -0.126, 0.0, None)] == [
        "1,234.50", "-0.13", "0.00", "-",
    ]  # fmt: skip
    assert bps(-3.456) == "-3.46" and bps(None) == "-" and percent(1 / 3) == "33.3 %"
    assert clock(1_709_303_400_000_001_999) == "2024-03-01 14:30:00.000001 UTC"
