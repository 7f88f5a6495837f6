"""Captures through several loops that keep books: each its symbols, all one consolidated book."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from console.compiling import Kernel
from console.linestats import lines_of
from console.loops import loop_kernel
from console.marketrun import MarketRun
from console.plan import Plan
from console.sharded.pieces import Part, parts_of
from console.sharded.threads import Job, run_together
from console.snapshot import snapshot
from feedhandler.consolidated.market import Market
from feedhandler.shards.config import Shards

ROUNDS: Final = 256  # of a loop between two looks at how full its tables are
BURST: Final = 64
Object = dict[str, Any]
Times = tuple[float, float]  # by the clock, and of a core


@dataclass(frozen=True)
class Seen:
    """What one loop did.

    Attributes:
        name, core: of the shard.
        seconds: in the loop, with the growth of tables, by the clock.
        cpu_seconds: of them, those that its thread had a core.
        symbols: instruments of the consolidated book that are its own.
        left_out: actions on others' symbols.
        orders: alive at the end, in all books.
        faults: of books, by venue.
        feed: a snapshot of its counters (console.snapshot).
        failed: why its captures ended early; empty: they did not.
    """

    name: str
    core: int | None
    seconds: float
    cpu_seconds: float
    symbols: int
    left_out: int
    orders: int
    faults: dict[str, dict[str, int]]
    feed: Object
    failed: str


def market_kernels(plans: Sequence[Plan]) -> list[Kernel]:
    """The loops for pieces of a plan; pieces with the same feeds share one."""
    return [
        loop_kernel(plan.feeds, market=True, lines=lines_of(plan) is not None, owned=True)
        for plan in plans
    ]


class ShardedBooks:
    """Runs of several loops over one consolidated book.

    Args:
        plan: all channels.
        shards: which of them and which symbols are whose; `place` is their file.
        orders: room of each venue's order table at first, in each loop.
        scout: a run that has learnt the symbols.
        pinned: whether each loop stays on its core.

    Attributes:
        market: the book; look at it from any thread.
        parts, runs: of the loops, in the order of the shards.
    """

    def __init__(
        self,
        plan: Plan,
        shards: Shards,
        place: Path,
        orders: int,
        scout: MarketRun,
        *,
        unknown_trades: bool = False,
        pinned: bool = True,
    ) -> None:
        self._stack = ExitStack()
        self._told: list[int] = []
        try:
            self.market: Market
            self.market, self.parts = parts_of(
                plan, shards, place, self._stack, unknown_trades=unknown_trades, pinned=pinned
            )
            self.runs = [self._run_of(part, orders, scout) for part in self.parts]
        except BaseException:
            self._stack.close()
            raise

    def _run_of(self, part: Part, orders: int, scout: MarketRun) -> MarketRun:
        made = MarketRun(part.plan, orders, piece=part.piece, market=part.market)
        self._stack.enter_context(made)
        made.adopt(scout)
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def stop(self) -> None:
        """Asks all loops to end soon."""
        self._told.append(1)

    def go(
        self, kernels: Sequence[Kernel], uri: str, *, burst: int = BURST, rounds: int = ROUNDS
    ) -> list[Seen]:
        """Replays into all loops at once, each from a port of its own; what each did.

        Raises PortError where a port cannot be opened.
        """
        with ExitStack() as stack:
            jobs = []
            for part, run, kernel in zip(self.parts, self.runs, kernels, strict=True):
                step = stack.enter_context(run.opened(kernel, uri, burst=burst))
                jobs.append(Job(part.name, part.core, self._driven(step, rounds), self.stop))
            times = run_together(jobs)
            feeds = [snapshot(run.block) for run in self.runs]
        given = zip(self.parts, self.runs, times, feeds, strict=True)
        return [self._seen(*each) for each in given]

    def _driven(self, step: Callable[[int], bool], rounds: int) -> Callable[[], Times]:
        def work() -> Times:
            began_s, had_s = time.perf_counter(), time.thread_time()
            while step(rounds) and not self._told:
                pass
            return time.perf_counter() - began_s, time.thread_time() - had_s

        return work

    def _seen(self, part: Part, run: MarketRun, times: Times, feed: Object) -> Seen:
        owner, names = part.piece.owner, range(1, len(run.master) + 1)
        own = [n for n in names if owner.owns(run.master.name_of(n))]
        return Seen(
            name=part.name,
            core=part.core,
            seconds=times[0],
            cpu_seconds=times[1],
            symbols=len(own),
            left_out=sum(book.left_out for book in run.books.values()),
            orders=sum(int(book.head["live_orders"]) for book in run.books.values()),
            faults={name: dict(found) for name, found in run.faults().items()},
            feed=feed,
            failed=run.failed,
        )
