"""summary.json of the small run, every number worked out by hand, and of runs with oddities."""

from __future__ import annotations

import msgspec
import pytest
from runreport_rig import (
    ARCA,
    REJECTED,
    START_NS,
    Run,
    empty_results,
    small_results,
    small_run,
    some_facts,
    some_names,
    write_log,
)

from console.routed.far import reject_words
from console.runreport.collect import Collector
from console.runreport.summary import summary_of
from console.runreport.write import SUMMARY, write_results
from router import log
from router.entry.protocols import PROTOCOLS
from router.venuefile import RoutedVenue, load_venues


@pytest.fixture(scope="module")
def summary():
    return summary_of(small_results()[0])


def test_totals(summary):
    assert (summary["packets"], summary["messages"]) == (40, 90)
    assert (summary["orders"], summary["fills"], summary["decisions"]) == (5, 5, 3)
    assert summary["rejects"] == 3  # two by the gate, one by a venue
    assert summary["order_messages"] == {"new": 5, "replace": 1, "cancel": 1, "bytes": 343}
    assert summary["commands"] == {"taken": 1, "refused": 1}
    assert summary["log"] == {"records": 23, "lost": 0, "differs": {}}
    assert summary["order_stream_sha256"] == small_results()[1]


def test_latency(summary):
    tick = summary["tick_to_order_ns"]
    assert tick == {"count": 10, "mean": 5.5, "p50": 5, "p99": 10, "p999": 10, "max": 10}
    assert summary["stages_ns"]["parse"]["p50"] == 2
    assert summary["stages_ns"]["parse"]["mean"] == 2.5
    nothing = {"count": 0, "mean": None, "p50": None, "p99": None, "p999": None, "max": None}
    assert summary["stages_ns"]["risk"] == nothing


def test_cycles_become_nanoseconds():
    results = empty_results(stages=some_facts().stages, tick_hz=2.5e9)
    assert summary_of(results)["tick_to_order_ns"]["max"] == 4.0


def test_venues(summary):
    arca, bx, dark = summary["venues"]
    assert arca == {
        "venue": "arca", "number": 0, "dark": False, "orders": 3, "sent_shares": 700, "fills": 3,
        "executed_shares": 500, "fill_rate": round(5 / 7, 8), "notional": 6999.0, "fees": 1.3,
        "liquidity": {"added": 200, "removed": 300}, "refused": 1, "answer_ns_p50": 60_000.0,
    }  # fmt: skip
    assert (bx["venue"], bx["fees"], bx["fill_rate"]) == ("<bx>&", -0.1, round(2 / 3, 8))
    assert dark["dark"] and dark["liquidity"] == {"midpoint": 100}
    assert dark["answer_ns_p50"] is None


def test_a_parent_that_is_over(summary):
    first = summary["parents"][0]
    assert (first["name"], first["side"], first["symbol"]) == ("first", "buy", "ABC")
    assert (first["strategy"], first["state"], first["reason"]) == ("sweep", "filled", None)
    assert (first["executed"], first["fill_rate"], first["fills"]) == (600, 0.6, 4)
    assert first["duration_s"] == 0.002 and first["limit"] == 10.05
    assert first["average_price"] == 10.01166667
    assert first["shortfall"] == {
        "execution": 7.0, "fees": 0.9, "opportunity": 40.0, "total": 47.9, "total_bps": 47.9,
    }  # fmt: skip
    assert first["vwap"] == {"price": 10.03, "deviation": -11.0, "deviation_bps": -18.27849784}


def test_a_parent_that_works_on_is_measured_up_to_now(summary):
    second = summary["parents"][1]
    assert second["ended_ns"] is None and second["closing_price"] == 19.9
    assert second["shortfall"]["total"] == 34.4 and second["shortfall"]["total_bps"] == 34.4
    assert second["vwap"]["price"] == 19.97 and second["vwap"]["deviation"] == -2.0
    assert second["symbol"] == "<script>&?[1m"
    assert second["duration_s"] == (summary["last_ns"] - START_NS) / 1e9


def test_a_parent_without_executions_or_arrival_price(summary):
    third = summary["parents"][2]
    assert third["name"] == "parent 3" and third["average_price"] is None
    assert third["shortfall"]["total"] is None and third["vwap"]["deviation"] is None


def test_rejects_by_reason(summary):
    assert summary["rejects_by_reason"] == {
        "risk": {"order too large": 1, "price collar": 1},
        "venues": {"arca: code X": 1},
    }


def test_venue_codes_have_words_where_they_are_known():
    with small_run() as (run, _):
        names = some_names(venue_codes={(ARCA, ord("X")): "invalid price"})
        collector = Collector(run.tables, names)
        write_log(run)
        run.record(log.CHILD, 1, 7, 2 << 8 | REJECTED, 100, 0, 7000)
        rejects = summary_of(collector.finish(some_facts()))["rejects_by_reason"]
    assert rejects["venues"] == {"arca: code 7000": 1, "arca: invalid price": 1}


def test_usual_rejects_of_every_protocol_have_words():
    venues = load_venues()
    words = reject_words(venues)
    for number, venue in enumerate(venues):
        reasons = PROTOCOLS[venue.protocol].reasons
        assert words[number, reasons["refused"]] and words[number, reasons["unknown"]]
    assert {venue.protocol for venue in venues} == set(PROTOCOLS) - {"ouch42", "meo"}
    assert (
        reject_words([RoutedVenue(name="a", protocol="ouch42", dark=True)])[0, ord("H")] == "halted"
    )
    assert reject_words([RoutedVenue(name="a", protocol="meo", dark=True)])[0, ord("J")]


def test_positions_and_profit(summary):
    held, short = summary["positions"]
    assert held == {
        "account": "desk", "symbol": "ABC", "shares": 600, "bought": 600, "sold": 0,
        "average_cost": 10.01166667, "mark": 10.1, "realised": 0.0, "unrealised": 53.0,
        "fees": 0.9, "net": 52.1,
    }  # fmt: skip
    assert (short["shares"], short["average_cost"], short["unrealised"]) == (-200, 19.98, 16.0)
    assert short["net"] == 15.6
    assert [row["account"] for row in summary["accounts"]] == ["desk"]


def test_without_a_midpoint_the_last_trade_is_the_mark():
    with small_run() as (run, collector):
        run.tables.instruments[2]["last"] = 0
        held, short = summary_of(collector.finish(some_facts(marks={})))["positions"]
    assert held["mark"] == 10.09 and held["unrealised"] == 47.0
    assert short["mark"] is None and short["unrealised"] is None and short["net"] is None


def test_an_end_that_was_not_written_down_is_not_known():
    with small_run() as (run, collector):
        for name in ("closing", "closing_volume", "closing_notional"):
            run.tables.parents[1][name] = 0
        parent = summary_of(collector.finish(some_facts()))["parents"][0]
    assert parent["vwap"]["price"] is None and parent["shortfall"]["opportunity"] is None
    assert parent["shortfall"]["execution"] == 7.0 and parent["shortfall"]["total"] is None


def test_log_and_counters_that_differ_are_told():
    with small_run() as (run, collector):
        write_log(run)
        run.tables.head["fill_count"] = 6
        found = summary_of(collector.finish(some_facts()))
    assert found["log"]["differs"] == {"fills": [5, 6]} and found["fills"] == 5


def test_where_records_were_lost_the_counters_are_taken():
    run = Run(log_lines=4)
    with run.tables:
        collector = Collector(run.tables, some_names())
        for number in range(6):
            run.record(log.FILL, 1, 1, 1, 0, number, 1)
        collector.drain()
        run.record(log.FILL, 1, 1, 1, 0, 7, 1)
        run.tables.head["fill_count"] = 7
        found = summary_of(collector.finish(some_facts()))
    assert found["fills"] == 7 and found["log"]["lost"] == 2


def test_a_run_without_orders(tmp_path):
    write_results(tmp_path / "new" / "folder", empty_results(name="none", packets=3, messages=7))
    found = msgspec.json.decode((tmp_path / "new" / "folder" / SUMMARY).read_bytes())
    assert (found["orders"], found["fills"], found["rejects"], found["messages"]) == (0, 0, 0, 7)
    assert found["tick_to_order_ns"]["p50"] is None
    assert found["parents"] == found["venues"] == found["positions"] == []
    # The digest of nothing at all.
    assert found["order_stream_sha256"].startswith("e3b0c44298fc1c149afbf4c8996fb924")
