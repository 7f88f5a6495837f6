"""Several loops over one market: what all of them have together is what one loop has."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routed_rig import the_day
from sharded_rig import SYMBOLS, Loops, shards_of

from console.plan import replay_uri
from console.routed.run import RoutedRun
from feedhandler.consolidated.market import Market
from feedhandler.shards.config import Shards


def rows_of(market: Any) -> dict[str, np.ndarray]:
    """What a market says of everything, without the counts of changes."""
    return {name: getattr(market, name).copy() for name in ("records", "quotes", "instruments")}


@cache
def single() -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The tables that one loop ends with, and its books."""
    day = the_day()
    with RoutedRun(day.plan, day.orders) as run:
        run.adopt(day.scout)
        with run.opened(day.kernels[0], replay_uri(day.captures), burst=64) as step:
            while step(64):
                pass
        return rows_of(run.market), books_of([run])


def books_of(runs: Sequence[RoutedRun]) -> dict[str, Any]:
    """Ladders and orders by venue and key, of all runs together."""
    made: dict[str, Any] = {}
    for run in runs:
        for venue, book in run.books.items():
            for number in np.flatnonzero(book.tops["key"]).tolist():
                at = f"{venue} {int(book.tops['key'][number])}"
                assert at not in made
                orders = np.sort(book.orders(number), order="id").tobytes()
                made[at] = [*(book.ladder(number, side).tobytes() for side in (1, 2)), orders]
    return made


def check_same(shards: Shards, burst: int = 64) -> None:
    """A run of several loops ends with the tables of one."""
    tables, books = single()
    with Loops(shards) as loops:
        seen = loops.whole_run(burst)
        for name, rows in rows_of(loops.market).items():
            assert rows.tobytes() == tables[name].tobytes(), name
        assert books_of(loops.runs) == books
        assert loops.market.counted("record_changes") > 400
        assert sum(one.symbols for one in seen) == len(the_day().scout.master)
        assert all(not one.faults and not one.failed for one in seen)
        assert all(one.left_out > 0 for one in seen if one.symbols < 4) or len(seen) == 1


SPLITS = [[["rest"]], [["A-M"], ["N-Z"]], [["0/3"], ["1/3"], ["2/3"]], [["KOZ", "VUS"], ["rest"]]]


@pytest.mark.parametrize("rules", SPLITS, ids=str)
def test_records_and_books_are_those_of_one_loop(rules: list[list[str]]) -> None:
    check_same(shards_of(*rules))


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), count=st.integers(1, 3), burst=st.sampled_from([1, 7, 256]))
def test_however_symbols_are_divided(data: st.DataObject, count: int, burst: int) -> None:
    owners = [data.draw(st.integers(0, count - 1)) for _ in SYMBOLS]
    rules = [
        [name for name, of in zip(SYMBOLS, owners, strict=True) if of == n] for n in range(count)
    ]
    rules[data.draw(st.integers(0, count - 1))].append("rest")
    check_same(shards_of(*(rule or [f"QQ{n}"] for n, rule in enumerate(rules))), burst)


@cache
def states() -> dict[int, set[bytes]]:
    """All rows that an instrument's record ever has, looked at behind each packet of one loop."""
    day, numbers = the_day(), range(1, len(SYMBOLS) + 1)
    with RoutedRun(day.plan, day.orders) as run:
        run.adopt(day.scout)
        seen = {number: {run.market.records[number].tobytes()} for number in numbers}
        with run.opened(day.kernels[0], replay_uri(day.captures), burst=1) as step:
            while step(1):
                for number in numbers:
                    seen[number].add(run.market.records[number].tobytes())
        return seen


def test_readers_see_whole_rows_while_two_loops_write() -> None:
    known, reads, torn = states(), 0, list[int]()
    assert min(map(len, known.values())) > 20
    for _ in range(3):
        with Loops(shards_of(["A-M"], ["N-Z"])) as loops:
            ended = threading.Event()

            def look(market: Market = loops.market, ended: threading.Event = ended) -> None:
                nonlocal reads
                for _ in range(100_000):
                    if ended.is_set():
                        return
                    for number, rows in known.items():
                        reads += 1
                        if market.record(number).tobytes() not in rows:
                            torn.append(number)

            reader = threading.Thread(target=look)
            reader.start()
            loops.whole_run(burst=1)
            ended.set()
            reader.join()
    assert torn == [] and reads > 100
