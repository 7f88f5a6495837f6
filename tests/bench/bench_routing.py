"""ns a sweep, from books to intents and the decision in the log, beside numpy, Python and HiGHS.

Each call of the kernel is timed on its own, less what reading the counter costs; books, tables and
log are warm. The others work out the same allocation from ladders that are at hand as arrays, and
write nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from nic.call import read_tsc
from nic.clock import Clock
from nic.raw import load_i64le, store_u64le
from router.log import READ, WRITTEN
from router.routing.sweep import take
from router.tables import HEAD

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "router"))

import milp_sweep
from slow_sweep import Problem, cost_of
from sweep_rig import DOLLAR, NOW_NS, SweepRig, Venue

CENT, MIL = DOLLAR // 100, DOLLAR // 10_000
CALLS, QUICK_CALLS = 200_000, 20_000
FEES = (30, 30, -2, 28, 25, 30)  # mils a share
Row = dict[str, Any]


@njit(nogil=True, cache=True)
def timed(router, quantity, times, out):
    """Ticks of each of `times` sweeps, written at `out`; reading the counter twice at first."""
    log, total = load_i64le(router + HEAD.log), np.int64(0)
    for call in range(times):
        store_u64le(router + HEAD.intent_count, 0)
        store_u64le(log + READ, load_i64le(log + WRITTEN))
        before = read_tsc()
        total += take(router, np.int64(1), quantity, np.int64(0), np.int64(NOW_NS))
        store_u64le(out + 8 * call, read_tsc() - before)
    return total


@njit(nogil=True, cache=True)
def empty(times, out):
    """Ticks of nothing."""
    for call in range(times):
        before = read_tsc()
        store_u64le(out + 8 * call, read_tsc() - before)


def venues(levels: int, lots: tuple[int, ...] = (1,), flight: int = 0) -> list[Venue]:
    """Six venues at or a cent behind the best price."""
    made = []
    for number, fee in enumerate(FEES):
        top = 10 * DOLLAR + CENT * (number % 2)
        ladder = [(top + CENT * rank, 200 + 100 * rank + 10 * number) for rank in range(levels)]
        lot = lots[number % len(lots)]
        made.append(Venue(ladder, fee=fee * MIL, lot=lot, latency_ns=10_000 * number))
    made[2].flight = flight
    return made


SCENES: dict[str, tuple[list[Venue], int]] = {
    "one venue gives all": (venues(1), 100),
    "three venues at the best price": (venues(1), 600),
    "the same, an own order under way": (venues(1, flight=50), 600),
    "six venues, two levels, ISOs": (venues(3), 1600),
    "lots of 1, 10 and 100, search": (venues(3, (1, 10, 100)), 1655),
}


def kernel_figures(rig: SweepRig, clock: Clock, quantity: int, calls: int) -> Row:
    """Percentiles of the kernel, without the cost of looking at the clock."""
    ticks = np.zeros(calls, np.int64)
    empty(calls, ticks.ctypes.data)
    nothing = np.median(ticks)
    timed(rig.tables.address, quantity, 1000, ticks.ctypes.data)
    timed(rig.tables.address, quantity, calls, ticks.ctypes.data)
    ns = np.sort(ticks - nothing) * 1e9 / clock.tick_hz
    return {f"p{part:g}_ns": float(ns[int(calls * part / 100)]) for part in (50, 90, 99)}


def by_numpy(ladders: list[np.ndarray[Any, Any]], quantity: int) -> int:
    """Greed with numpy: all levels sorted by effective price, cut where the quantity is full."""
    cost = np.concatenate([ladder[:, 0] for ladder in ladders])
    shares = np.concatenate([ladder[:, 1] for ladder in ladders])
    order = np.argsort(cost, kind="stable")
    ends = np.minimum(np.cumsum(shares[order]), quantity)
    return int((np.diff(ends, prepend=0) * cost[order]).sum())


def by_python(problem: Problem, quantity: int) -> int:
    """Greed in plain Python."""
    levels = sorted((at.cost, at.shares) for ladder in problem.ladders for at in ladder)
    total = 0
    for cost, shares in levels:
        part = min(shares, quantity)
        total += part * cost
        quantity -= part
        if quantity == 0:
            break
    return total


def median_ns(function: Callable[[], Any], calls: int) -> float:
    """Median time of a call."""
    spent = []
    for _ in range(calls):
        before = time.perf_counter_ns()
        function()
        spent.append(time.perf_counter_ns() - before)
    return float(np.median(spent))


def figures(rig: SweepRig, clock: Clock, name: str, quick: bool) -> list[Row]:
    """The rows of a scene. Raises AssertionError where the contestants do not agree."""
    given, quantity = SCENES[name]
    rig.set_up(given, "buy")
    problem = Problem(given, "buy", 0, 100, rig.count)
    swept = rig.take(quantity)
    cost = sum(cost_of(problem.ladders[v], row["quantity"]) for v, row in swept.orders.items())
    mixed = len({venue.lot for venue in given}) > 1
    kernel = kernel_figures(rig, clock, quantity, QUICK_CALLS if quick else CALLS)
    rows: list[Row] = [{"name": name} | kernel]
    others: dict[str, Callable[[], Any]] = {
        "HiGHS": lambda: milp_sweep.solve(problem, quantity, MIL)[1]
    }
    if not mixed:
        arrays = [np.array([(at.cost, at.shares) for at in ladder]) for ladder in problem.ladders]
        others["numpy"] = lambda: by_numpy(arrays, quantity)
        others["Python"] = lambda: by_python(problem, quantity)
    for other, function in others.items():
        assert function() == cost, (name, other)
        took = median_ns(function, 20 if other == "HiGHS" else 500)
        rows.append(
            {"name": f"- {other}", "p50_ns": took, "ratio_to_kernel": took / kernel["p50_ns"]}
        )
    return rows


def run(quick: bool) -> list[Row]:
    """Rows of every scene; none where there is no time stamp counter."""
    clock = Clock()
    if not clock.has_tsc:
        return []
    rig = SweepRig(len(FEES))
    rows = [row for name in SCENES for row in figures(rig, clock, name, quick)]
    rig.close()
    return rows
