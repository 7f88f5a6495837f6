"""The main job: captures of nine venues through books, routing, risk and orders, and back.

The default market (50 symbols, eight feeds on two lines each, ten minutes) with the parents that
come along. Most of its packets carry one message, and each comes twice. Tick to order is the time
inside the loop from a packet in hand to the first order message that it led to handed to the port.
The steps are timed with the cycle counter; reading it is part of what it says, 11 to 25 ns a step.
Of the run in real time the first seconds are played at their own speed: most of the time nothing
comes, and caches cool.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from console.compiling import compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.marketrun import MarketRun
from console.plan import replay_uri
from console.routed.command import Inputs, inputs_of, prepared
from console.routed.options import USUAL_SEED, Asked, Pace
from console.routed.replaying import How, replay_with_orders
from console.routed.setup import Setup
from console.runreport.results import Results
from console.runreport.summary import summary_of
from simulator.market.plan import MarketPlan
from simulator.market.stored import stored_market

ROUNDS: Final = 3
REAL_TIME_S: Final = 20.0
FULL_SPEED: Final = Pace(speed="max", burst=64, measure=True)
Row = dict[str, Any]


def asked_for(*, market: bool) -> Asked:
    """The options of the main job, or of the sample."""
    return Asked(
        parents=None,
        limits=None,
        venues=None,
        seed=USUAL_SEED,
        out=None,
        sample=not market,
        market=market,
        assume_trading=False,
    )


def job(*, market: bool) -> tuple[How, Setup]:
    """The main job's captures and files, or the sample's."""
    asked = asked_for(market=market)
    return prepared(inputs_of(asked, [], None, ""), asked, FULL_SPEED)


def without_orders(how: How) -> float:
    """Seconds of the same captures through books and consolidated book alone."""
    kernel = loop_kernel(how.plan.feeds, market=True, lines=lines_of(how.plan) is not None)
    compile_all([kernel])
    with MarketRun(how.plan, how.orders) as scout, MarketRun(how.plan, how.orders) as run:
        scout.learn(kernel, replay_uri(how.files))
        run.adopt(scout)
        with run.opened(kernel, replay_uri(how.files), burst=how.burst) as step:
            began_s = time.perf_counter()
            while step(64):
                pass
            return time.perf_counter() - began_s


def throughput_rows(how: How, setup: Setup, rounds: int) -> list[Row]:
    """Messages a second with and without routing, nothing timed inside."""
    plain = replace(how, measure=False)
    took: dict[str, list[float]] = {"books and consolidated book": [], "with orders": []}
    for _ in range(rounds):
        took["books and consolidated book"].append(without_orders(plain))
        results = replay_with_orders(plain, setup)
        took["with orders"].append(results.facts.elapsed_s)
    return [
        {
            "name": name,
            "messages": results.facts.messages,
            "mmessages_per_s": results.facts.messages / min(seconds) / 1e6,
            "ns_per_packet": min(seconds) / results.facts.packets * 1e9,
            "orders": results.counts.messages if name == "with orders" else 0,
        }
        for name, seconds in took.items()
    ]


def stage_rows(title: str, results: Results) -> list[Row]:
    """Percentiles of each step."""
    summary = summary_of(results)
    steps = {name: row for name, row in summary["stages_ns"].items() if name != "total"}
    steps["tick to order"] = summary["tick_to_order_ns"]
    rows = []
    for name, figures in steps.items():
        row: Row = {"name": f"{title}: {name}"}
        for key in ("p50", "p99", "p999", "max"):
            if figures.get(key) is not None:
                row[f"{key}_ns"] = figures[key]
        rows.append(row)
    return rows


def in_real_time() -> Results:
    """The first seconds of the market, at their own speed."""
    folder, _ = stored_market(MarketPlan(stop_s=REAL_TIME_S))
    asked = asked_for(market=True)
    base = inputs_of(asked, [], None, "")
    inputs = Inputs(
        name="the first seconds in real time",
        captures=sorted(Path(folder).glob("*.pcap*")),
        channels=folder / "channels.toml",
        feed="",
        parents=base.parents,
        limits=base.limits,
        venues=base.venues,
    )
    how, own = prepared(inputs, asked, FULL_SPEED._replace(speed="1"))
    return replay_with_orders(how, own)


def run(quick: bool) -> list[Row]:
    """Rows for the table."""
    how, setup = job(market=not quick)
    rows = throughput_rows(how, setup, 1 if quick else ROUNDS)
    rows += stage_rows("full speed", replay_with_orders(how, setup))
    if not quick:
        rows += stage_rows("real time", in_real_time())
    return rows
