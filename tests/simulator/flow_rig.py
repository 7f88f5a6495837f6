"""Order flows of small markets for tests, and the plain market they are measured in."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from plain_market import PlainMarket

from simulator.flow.flow import OrderFlow
from simulator.flow.measures import MarketStatistics
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import Settings, load_settings
from simulator.flow.statistics import BIN_NS, Collector

SECOND_NS = 1_000_000_000
START_NS = 1_773_671_398 * SECOND_NS  # two seconds before 09:30 in New York, 2026-03-16


def times(seconds: float, before_s: float = 2.0) -> SessionTimes:
    """A session of so many seconds of trading."""
    open_ns = START_NS + round(before_s * SECOND_NS)
    return SessionTimes(START_NS, open_ns, open_ns + round(seconds * SECOND_NS))


def changed(**parts: dict[str, Any]) -> Settings:
    """The default settings with some values changed: changed(news={"per_session": 0})."""
    settings = load_settings()
    for name, values in parts.items():
        part = msgspec.structs.replace(getattr(settings, name), **values)
        settings = msgspec.structs.replace(settings, **{name: part})
    return settings


def all_commands(flow: OrderFlow, slice_ns: int, until_ns: int) -> list[np.ndarray]:
    """Everything that an untold flow sends until a time, by venue."""
    sent: list[list[np.ndarray]] = [[] for _ in flow.venues]
    now_ns = flow.times.start_ns
    while now_ns < until_ns:
        now_ns = flow.step(min(until_ns, now_ns + slice_ns))
        for venue in range(len(flow.venues)):
            sent[venue].append(flow.commands_of(venue).copy())
    return [np.concatenate(parts) for parts in sent]


def measured(
    flow: OrderFlow, warm_s: float
) -> tuple[PlainMarket, MarketStatistics, list[np.ndarray]]:
    """Runs a whole session; its statistics from `warm_s` after the opening on, and commands."""
    market, session = PlainMarket(flow, 2_000_000), flow.times
    late = SessionTimes(
        session.start_ns, session.open_ns + round(warm_s * SECOND_NS), session.close_ns
    )
    instruments = len(flow.instruments) - 1
    ticks = flow.instruments["tick"].copy()
    with Collector(flow.settings, instruments, late, ticks) as collector:
        parts: list[list[np.ndarray]] = [[] for _ in flow.venues]
        while market.now_ns < session.close_ns + SECOND_NS:
            for venue, events in enumerate(market.slice()):
                parts[venue].append(events)
            if market.now_ns % BIN_NS == 0:
                for venue, some in enumerate(parts):
                    collector.take(venue, np.concatenate(some))
                    some.clear()
                collector.look(market.now_ns)
        return market, collector.result(), market.sent
