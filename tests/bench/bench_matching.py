"""Events a second of the matching kernel on adds, cancels and executions, beside plain Python.

One core, one stream of commands: 100 instruments with Zipf activity, orders canceled after an
exponential lifetime, 8 % of them priced to take. An event is a command taken or an execution. The
heap matcher in Python, and lightmatchingengine where it is installed, get the same commands (fewer
of them, they are slow); all must execute as many shares.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from heap_matcher import HeapMatcher, Row
from numpy.typing import NDArray

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.model import VenueModel
from simulator.matching.venue import Exchange

INSTRUMENTS, LIFETIME = 100, 20_000
ORDERS, QUICK_ORDERS, SLOW_ORDERS = 1_000_000, 200_000, 100_000
MOST_OPEN = 1 << 18
BATCH, ROUNDS = 4096, 3
CENT = 1_000_000
MODEL = VenueModel(name="bench")


def mix(count: int, lifetime: int = LIFETIME, seed: int = 1) -> NDArray[np.void]:
    """Commands of `count` orders: each is sent, and canceled after a while unless it takes."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(2 * count, r.COMMAND_DTYPE)
    new, cancel = rows[:count], rows[count:]
    new["kind"], cancel["kind"] = r.NEW, r.CANCEL
    new["instrument"] = rng.zipf(1.3, count) % INSTRUMENTS + 1
    cancel["instrument"] = new["instrument"]
    rows["owner"], rows["type"], rows["cap"] = 1, r.LIMIT, a.NO_PRICE
    new["token"] = cancel["target"] = np.arange(1, count + 1)
    new["side"] = rng.integers(a.BUY, a.SELL + 1, count)
    takes = rng.random(count) < 0.08
    away = np.where(takes, -2, rng.geometric(0.25, count))
    new["price"] = np.where(new["side"] == a.BUY, 10_000 - away, 10_001 + away) * CENT
    new["quantity"] = rng.integers(1, 6, count) * 100
    times = np.arange(count) + np.where(takes, 0, rng.exponential(lifetime, count))
    order = np.argsort(np.concatenate([np.arange(count), times]), kind="stable")
    kept = np.concatenate([np.ones(count, bool), ~takes])
    rows = rows[order[kept[order]]]
    rows["time_ns"] = np.arange(len(rows))
    return rows


def plain(rows: NDArray[np.void]) -> list[Row]:
    """The commands as the matchers in Python take them."""
    new = rows["kind"] == r.NEW
    token = np.where(new, rows["token"], rows["target"])
    columns = (new, rows["instrument"], rows["side"], token, rows["price"], rows["quantity"])
    return list(zip(*(column.tolist() for column in columns), strict=True))


class Kernel:
    """One venue with all the commands, in batches."""

    def __init__(self, rows: NDArray[np.void]) -> None:
        self.batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
        self.executed = self.events = 0
        self.submitted(rows[:1])  # compiles, or loads from the cache

    def submitted(self, *batches: NDArray[np.void]) -> float:
        """CPU seconds of all batches on a fresh venue."""
        with Exchange(MODEL, INSTRUMENTS, MOST_OPEN) as exchange:
            started = time.thread_time()
            for batch in batches:
                exchange.submit(batch)
            taken = time.thread_time() - started
            self.executed = exchange.executed_shares(1) // 2
            self.events = sum(map(len, batches)) + int(exchange.head["trades"])
        return taken

    def run(self) -> float:
        """CPU seconds of the whole stream."""
        return self.submitted(*self.batches)


def heap_run(rows: list[Row]) -> tuple[float, int]:
    """CPU seconds and executed shares of the heap matcher."""
    matcher = HeapMatcher()
    started = time.thread_time()
    matcher.run(rows)
    return time.thread_time() - started, matcher.executed


def light_run(rows: list[Row]) -> tuple[float, int]:
    """CPU seconds and executed shares of lightmatchingengine."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine

    engine, placed, executed = LightMatchingEngine(), {}, 0
    started = time.thread_time()
    for new, instrument, side, token, price, quantity in rows:
        if new:
            order, trades = engine.add_order(str(instrument), price, quantity, side)
            placed[token] = order
            executed += sum(trade.trade_qty for trade in trades) // 2
        elif placed[token].leaves_qty > 0:  # a cancel of a gone order is an error there
            engine.cancel_order(placed[token].order_id, str(instrument))
    return time.thread_time() - started, executed


def others() -> dict[str, Callable[[list[Row]], tuple[float, int]]]:
    """The matchers in Python that are here."""
    found = {"heap matcher in Python": heap_run}
    if importlib.util.find_spec("lightmatchingengine") is not None:
        found["lightmatchingengine"] = light_run
    return found


def row_of(name: str, events: int, seconds: float, base_ns: float, **more: Any) -> dict[str, Any]:
    """One row of the table."""
    ns = seconds * 1e9 / events
    made = {"name": name, "events_per_second": events / seconds, "ns_per_event": ns}
    return {**made, "ratio_to_kernel": ns / base_ns, **more}


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows of this bench."""
    rows = mix(QUICK_ORDERS if quick else ORDERS)
    large, small = Kernel(rows), Kernel(mix(SLOW_ORDERS))
    times = [(large.run(), small.run()) for _ in range(ROUNDS)]
    seconds, small_seconds = (statistics.median(column) for column in zip(*times, strict=True))
    base_ns = small_seconds * 1e9 / small.events
    note = f"{len(rows):,} commands, some {LIFETIME:,} orders open"
    table = [
        row_of("kernel", large.events, seconds, seconds * 1e9 / large.events, note=note),
        row_of("kernel, the stream of those below", small.events, small_seconds, base_ns),
    ]
    few = plain(mix(SLOW_ORDERS))
    for name, matcher in others().items():
        taken, executed = matcher(few)
        if executed != small.executed:
            raise AssertionError(f"{name} executed {executed} shares, the kernel {small.executed}")
        table.append(row_of(name, small.events, taken, base_ns))
    return table
