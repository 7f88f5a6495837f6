"""The log as columns, and the digest of the order stream."""

from __future__ import annotations

import hashlib

import pytest
from runreport_rig import (
    BX,
    DARK1,
    LIVE,
    MESSAGES,
    NEW,
    REJECTED,
    SEEN,
    START_NS,
    Run,
    small_results,
    small_run,
    some_facts,
    some_names,
    units,
    write_log,
)

from console.runreport.collect import Collector
from router import log
from router.tables import ENTER


@pytest.fixture(scope="module")
def made():
    return small_results()


def test_the_digest_is_over_time_session_kind_length_and_bytes(made):
    results, digest = made
    assert results.counts.sha256 == digest
    assert results.sent["bytes"].tolist() == [len(message) for _, _, message, _ in MESSAGES]


def test_records_become_columns(made):
    results, _ = made
    assert results.decisions["candidates"].tolist() == [5, 1, 0]
    assert results.candidates.tolist()[:5] == list(SEEN)
    assert results.candidate_decisions.tolist() == [0, 0, 0, 0, 0, 1]
    assert results.fills["execution"].tolist() == [1000, 1001, 1002, 1003, 1004]
    assert results.child_events[0].tolist()[1:] == (
        4, 7, NEW, REJECTED, 100, units(10.01), ord("X"),
    )  # fmt: skip
    assert results.gates[1].tolist()[1:] == (
        2, 0, 3, 100, units(10.01), BX, ENTER, 5000, 2000,
    )  # fmt: skip
    assert results.parent_events[0]["before"] == LIVE
    assert results.commands[0].tolist()[1:] == (1, 1, 2, 3, 4, 5)
    assert results.counts.first_ns == START_NS + 1000
    assert results.counts.records == 3 + 7 + 5 + 2 + 3 + 1 + 2


def test_where_the_log_is_read_between_does_not_matter(made):
    with small_run() as (run, collector):
        plain = run.record

        def record_and_drain(*words, **more):
            assert plain(*words, **more)
            assert collector.drain() == 1
            return True

        run.record = record_and_drain
        write_log(run)
        results = collector.finish(some_facts())
    assert results.counts == made[0].counts
    for name in ("sent", "fills", "gates", "decisions", "candidates", "child_events"):
        assert getattr(results, name).tolist() == getattr(made[0], name).tolist()


def test_a_log_that_runs_round_is_read_whole():
    run, digest = Run(log_lines=8), hashlib.sha256()
    with run.tables:
        collector = Collector(run.tables, some_names())
        for number in range(40):
            message = bytes([number]) * (1 + 7 * number % 150)
            run.sent(1, DARK1, message)
            for value in (run.time_ns, DARK1, ENTER, len(message)):
                digest.update(int(value).to_bytes(8, "little"))
            digest.update(message)
            assert collector.drain() == 1
        results = collector.finish(some_facts())
    assert results.counts.sha256 == digest.hexdigest() and len(results.sent) == 40


def test_lost_records_are_known():
    run = Run(log_lines=4)
    with run.tables:
        collector = Collector(run.tables, some_names())
        assert [run.record(log.FILL, 1, n, 1, 0, n, 1) for n in range(6)] == [True] * 4 + [
            False
        ] * 2
        collector.drain()
        run.record(log.FILL, 1, 6, 1, 0, 6, 1)
        results = collector.finish(some_facts())
    assert results.counts.lost == 2
    assert results.fills["shares"].tolist() == [0, 1, 2, 3, 6]


def test_fills_of_orders_that_are_not_there_belong_to_no_venue():
    run = Run()
    with run.tables:
        run.record(log.FILL, 60, 5, 1, 0, 1, 1)
        run.record(log.FILL, -3, 5, 1, 0, 2, 1)
        results = Collector(run.tables, some_names()).finish(some_facts())
    assert results.fill_children["venue"].tolist() == [-1, -1]
    assert results.fill_children["parent"].tolist() == [0, 0]
