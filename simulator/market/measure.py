"""Measures a market while it is made: what its feeds will tell, a tenth of a second at a time."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from feedhandler.books.sizes import Sizes
from simulator.flow.measures import MarketStatistics
from simulator.flow.session_times import SessionTimes
from simulator.flow.statistics import BIN_NS, Collector
from simulator.market.market import Market, Output, Records
from simulator.market.plan import SECOND_NS, MarketPlan

WARM_SHARE = 0.1  # of the session, before the lifetimes of what rests are those of the day
MOST_WARM_S = 30.0


class Measure:
    """Takes what comes out of a market (`watch`); gives its statistics.

    Args:
        plan: of the market.
        orders: that a venue can show at a time.

    Measured is the session behind its first tenth, at most half a minute.
    """

    def __init__(self, plan: MarketPlan, orders: int = 1 << 18) -> None:
        times = plan.times
        warm_s = min(MOST_WARM_S, WARM_SHARE * plan.seconds)
        late = SessionTimes(
            times.start_ns, times.open_ns + round(warm_s * SECOND_NS), times.close_ns
        )
        instruments = len(plan.symbols)
        room = Sizes(orders=orders, levels=orders // 2, instruments=instruments + 1)
        ticks = np.full(instruments + 1, round(plan.settings.prices.tick * 1e8), np.int64)
        self._collector = Collector(plan.settings, instruments, late, ticks, room)
        self._waiting: list[list[Records]] = [[] for _ in plan.settings.venues]
        self._looked_ns = times.start_ns - times.start_ns % BIN_NS

    def watch(self, _market: Market, output: Output) -> None:
        """Takes one piece."""
        for some, events in zip(self._waiting, output.public, strict=True):
            some.append(events.copy())
        bins = np.arange(self._looked_ns + BIN_NS, output.until_ns + 1, BIN_NS)
        if len(bins) == 0:
            return
        whole = [np.concatenate(some) for some in self._waiting]
        ends = [np.searchsorted(events["time_ns"], bins) for events in whole]
        starts = [0] * len(whole)
        for place, time_ns in enumerate(bins.tolist()):
            for venue, events in enumerate(whole):
                end = int(ends[venue][place])
                if end > starts[venue]:
                    self._collector.take(venue, events[starts[venue] : end])
                    starts[venue] = end
            self._collector.look(time_ns)
        self._waiting = [[events[at:]] for events, at in zip(whole, starts, strict=True)]
        self._looked_ns = int(bins[-1])

    def result(self) -> MarketStatistics:
        """The statistics of what was taken so far."""
        return self._collector.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._collector.__exit__(kind, value, traceback)
