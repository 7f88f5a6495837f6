"""Messages a second of `sweepwire market make`, wall clock, and what its parts take alone.

The default market: 50 symbols, nine venues, eight feeds, each message on two lines and in two
captures. The loop alone runs the order flow and all matchings on one core and publishes nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from simulator.market.make import PIECE_NS, make_market
from simulator.market.market import Market
from simulator.market.measure import Measure
from simulator.market.plan import MarketPlan

SECONDS, QUICK_SECONDS, ROUNDS = 600.0, 20.0, 3


def loop_alone(plan: MarketPlan) -> tuple[float, int]:
    """Seconds and public events of the market without its feeds."""
    with Market(plan) as market:
        began, events = time.perf_counter(), 0
        while market.now_ns < plan.end_ns:
            for output in market.run(min(plan.end_ns, market.now_ns + PIECE_NS)):
                events += sum(map(len, output.public))
        return time.perf_counter() - began, events


def made(plan: MarketPlan, *, measured: bool) -> tuple[float, int]:
    """Seconds and messages of a market that is written into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        if measured:
            with Measure(plan) as measure:
                manifest = make_market(plan, Path(folder), watch=measure.watch)
                measure.result()
        else:
            manifest = make_market(plan, Path(folder))
        return time.perf_counter() - began, manifest.messages


def run(quick: bool) -> list[dict[str, Any]]:
    """Rows for the table; the best of a few rounds each, taken in turn."""
    plan = MarketPlan(seconds=QUICK_SECONDS if quick else SECONDS)
    made(MarketPlan(seconds=1.0), measured=True)  # compiles
    ways = {
        "order flow and matchings, one core": lambda: loop_alone(plan),
        "market make, two lines a venue": lambda: made(plan, measured=False),
        "market make, measured": lambda: made(plan, measured=True),
    }
    took = [{name: way() for name, way in ways.items()} for _ in range(1 if quick else ROUNDS)]
    rows = []
    for name in ways:
        seconds, count = min(one[name] for one in took)
        rows.append(
            {
                "name": name,
                "messages": count,
                "messages_per_second": count / seconds,
                "ns_per_message": seconds * 1e9 / count,
            }
        )
    return rows
