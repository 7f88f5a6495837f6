"""Messages a second of one loop and of two, and what it costs to keep some symbols only.

The default market: 50 symbols, eight feeds on two lines each, ten minutes. Both loops read all
channels, as where venues mix symbols: what is decoded twice is the price of the division. All ways
take turns in one run. The seconds are those that a thread had its core; of two loops those of the
slower one. A message counts once, however many loops decode it.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any, Final

import numpy as np

from console.bookplan import book_plan, order_room
from console.compiling import Kernel, compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.marketrun import MarketRun
from console.plan import Plan, replay_uri
from console.sharded.books import Seen, ShardedBooks, market_kernels
from feedhandler.shards.config import Shard, Shards
from nic.thread import online_cores
from simulator.market.make import CHANNELS
from simulator.market.plan import MarketPlan
from simulator.market.stored import stored_market

ROUNDS: Final = 3
QUICK_S: Final = 30.0
ALL: Final = ("rest",)
Rules = list[tuple[str, ...]]


class Day:
    """Captures, and a run that has learnt their symbols."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*.pcap*"))
        self.plan: Plan = book_plan(self.files, folder / CHANNELS, "")
        self.orders, self.uri = order_room(self.files), replay_uri(self.files)
        lines = lines_of(self.plan) is not None
        self.whole = loop_kernel(self.plan.feeds, market=True, lines=lines)
        self.owned: Kernel = market_kernels([self.plan])[0]
        compile_all([self.whole, self.owned])
        self.scout = MarketRun(self.plan, self.orders)
        self.scout.learn(self.whole, self.uri)

    def by_activity(self) -> Rules:
        """Two parts with about as many changes of the consolidated book each."""
        changes = self.scout.market.records["version"]
        parts, sums = list[list[str]]([[], []]), [0, 0]
        known = 1 + np.argsort(-changes[1 : len(self.scout.master) + 1])
        for number in known.tolist():
            fewer = int(sums[1] < sums[0])
            parts[fewer].append(self.scout.master.name_of(number))
            sums[fewer] += int(changes[number])
        return [tuple(parts[0]), (*parts[1], "rest")]

    def ways(self) -> dict[str, tuple[bool, Rules]]:
        """By name: whether the loop knows of owners, and whose the symbols are."""
        return {
            "one loop": (False, [ALL]),
            "one loop that asks, and keeps everything": (True, [ALL]),
            "two loops, all symbols in the second": (True, [("QQQQ",), ALL]),
            "two loops, halves of the symbols by hash": (True, [("0/2",), ("1/2",)]),
            "two loops, halves of the activity": (True, self.by_activity()),
        }

    def go(self, owned: bool, rules: Rules) -> list[Seen]:
        """One replay with fresh books."""
        cores = sorted(online_cores())
        shards = [Shard(name=f"s{n}", core=cores[n], symbols=rule) for n, rule in enumerate(rules)]
        made = Shards(shards=tuple(shards))
        with ShardedBooks(self.plan, made, Path("bench"), self.orders, self.scout) as loops:
            kernel = self.owned if owned else self.whole
            return loops.go([kernel] * len(rules), self.uri)


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows; none where there are no two cores."""
    if len(online_cores()) < 2:
        return []
    folder, _ = stored_market(MarketPlan(seconds=QUICK_S) if quick else MarketPlan())
    day = Day(folder)
    ways = day.ways()
    taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
    messages = 0
    for number in range((1 if quick else ROUNDS) + 1):
        for name, (owned, rules) in ways.items():
            seen = day.go(owned, rules)
            messages = int(seen[0].feed["messages"])
            if number:  # the first of each is left out
                cpu = [one.cpu_seconds for one in seen]
                taken[name].append((max(cpu), min(cpu), max(one.seconds for one in seen)))
    medians = {
        name: [statistics.median(times) for times in zip(*of, strict=True)]
        for name, of in taken.items()
    }
    base = medians["one loop"][0]
    return [
        {
            "name": name,
            "messages": messages,
            "messages_per_second": messages / slower,
            "ns_per_message": slower * 1e9 / messages,
            "of_the_other_loop_ns": quicker * 1e9 / messages,
            "by_the_clock_s": wall,
            "speedup_over_one_loop": base / slower,
        }
        for name, (slower, quicker, wall) in medians.items()
    ]
