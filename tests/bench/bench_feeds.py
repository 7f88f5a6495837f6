"""ns a message from packets to books for each protocol, and with the consolidated book behind.

Made days of five venues, one capture each, through the whole loop: port, frame, lines, decode and
books of full depth. One loop is built for all feeds, as a running system has it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench_publish import DAY, PROTOCOLS, make, piece_of_events, repeated

from console.bookrun import ROUNDS
from console.compiling import Kernel, compile_all
from console.linestats import lines_of as pairs_of
from console.loops import loop_kernel
from console.marketrun import MarketRun
from console.plan import Plan, mapped_plan, replay_uri
from console.venuerun import VenueRun
from feedhandler.channelfile import load_channels
from simulator.publishing.lines import capture_path, channel_map, lines_of
from simulator.publishing.venues import VENUES

ORDERS = 1 << 16
PASSES = 5
BURST = 64


def plan_in(folder: Path) -> Plan:
    """The channels of both lines of all venues."""
    path = folder / "channels.toml"
    path.write_text(channel_map([VENUES[venue] for venue in PROTOCOLS], DAY))
    return mapped_plan(load_channels(path), None)


def seconds_of(run: VenueRun, kernel: Kernel, uri: str) -> float:
    """One pass over a capture with fresh books; the time of the loop alone."""
    spent, goes_on = 0.0, True
    with run.opened(kernel, uri, burst=BURST) as step:
        while goes_on:
            started = time.perf_counter()
            goes_on = step(ROUNDS)
            spent += time.perf_counter() - started
    return spent


def market_run(plan: Plan, kernel: Kernel, uri: str) -> MarketRun:
    """A run that knows the capture's symbols."""
    run = MarketRun(plan, ORDERS, unknown_trades=True)
    with MarketRun(plan, ORDERS) as scout:
        scout.learn(kernel, uri)
        run.adopt(scout)
    return run


def median_ns(make_run: Callable[[], VenueRun], kernel: Kernel, uri: str, messages: int) -> float:
    """The median of some passes, the first of all left out, ns a message."""
    taken = []
    for _ in range(PASSES + 1):
        with make_run() as run:
            taken.append(seconds_of(run, kernel, uri) * 1e9 / messages)
    return statistics.median(taken[1:])


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows of this bench."""
    events = repeated(piece_of_events(), 1 if quick else 4)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan = plan_in(folder)
        lines = pairs_of(plan) is not None
        books = loop_kernel(plan.feeds, books=True, lines=lines)
        market = loop_kernel(plan.feeds, market=True, lines=lines)
        compile_all([books, market])
        for venue in PROTOCOLS:
            _, messages, _ = make(venue, events, folder)
            uri = replay_uri([capture_path(folder, lines_of(VENUES[venue])[0])])
            alone = median_ns(partial(VenueRun, plan, ORDERS), books, uri, messages)
            together = median_ns(partial(market_run, plan, market, uri), market, uri, messages)
            rows.append(
                {
                    "name": VENUES[venue].feed,
                    "messages": messages,
                    "books_ns_per_message": alone,
                    "with_consolidated_ns_per_message": together,
                }
            )
    return rows
