"""Measures a market by its public events: proportions, spread, depth, clusters, lifetimes.

    collector = Collector(flow.settings, instruments, times, ticks)
    collector.take(venue, events)     # ACTION_DTYPE of a venue, any number, in order
    collector.look(time_ns)           # every tenth of a second
    statistics = collector.result()

The books are rebuilt by the feedhandler, so that what is measured is what the feeds tell.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import (
    ADD,
    BUY,
    CROSS,
    DELETE,
    EXECUTE,
    EXECUTE_PRICE,
    MODIFY,
    REDUCE,
    REPLACE,
    SELL,
    TRADE,
)
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from simulator.flow.lifetimes import Lifetimes
from simulator.flow.measures import MarketStatistics, Series
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import Settings

BIN_NS: Final = 100_000_000
BINS_A_SECOND: Final = 10
GROUPS: Final = {
    "adds": (ADD,),
    "deletes": (DELETE,),
    "executions": (EXECUTE, EXECUTE_PRICE),
    "replaces": (REPLACE, MODIFY),
    "reduces": (REDUCE,),
}
DEPTH_TICKS: Final = 30
MOST_SPREAD: Final = 20
MOST_QUEUE: Final = 30
LAGS: Final = (1, 2, 3, 5, 10, 20, 30, 50, 100)
WINDOWS: Final = (1, 2, 5, 10, 20, 50, 100)
LIFE_S: Final = tuple(float(10 ** (power / 4)) for power in range(-16, 12))
FEWEST_ACTIVE: Final = 3  # instruments that the correlation of venues is measured of
FEWEST: Final = 30  # of anything, to make a number of it


class Collector:
    """Takes a market's public events in and gives its statistics.

    Args:
        instruments: their number; keys of events are 1 … instruments.
        ticks: of each instrument in 1e-8 units, by number, place 0 unused.
        sizes: room of the books that are rebuilt, a venue.
    """

    def __init__(
        self,
        settings: Settings,
        instruments: int,
        times: SessionTimes,
        ticks: NDArray[np.int64],
        sizes: Sizes | None = None,
    ) -> None:
        self.settings, self.times = settings, times
        self.instruments, self.ticks = instruments, ticks.astype(np.int64)
        self.lit = [n for n, venue in enumerate(settings.venues) if venue.kind == "lit"]
        room = sizes or Sizes(orders=200_000, levels=100_000, instruments=instruments + 1)
        self.books = {venue: VenueBook(room) for venue in self.lit}
        self.lives = {venue: Lifetimes() for venue in self.lit}
        self.counts = np.zeros((len(settings.venues), 32), np.int64)
        bins = (times.close_ns - times.open_ns) // BIN_NS + 1
        self.arrivals = np.zeros((instruments + 1, bins), np.int32)
        self.trades = np.zeros(3, np.int64)  # of displayed orders, of hidden ones, odd lots
        self.depth = np.zeros(DEPTH_TICKS, np.float64)
        self.queues = np.zeros(MOST_QUEUE + 1, np.int64)
        self.looks: list[NDArray[np.float64]] = []  # bids and offers [side, instrument, venue]
        self.ladders = 0

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_exception: object) -> None:
        for book in self.books.values():
            book.close()

    def take(self, venue: int, events: NDArray[np.void]) -> None:
        """Takes public events of a venue, in order. Outside of the session they only make books."""
        if venue in self.books:
            self.books[venue].apply(np.ascontiguousarray(events))
            self.lives[venue].take(events)
        times = self.times
        inside = (events["time_ns"] >= times.open_ns) & (events["time_ns"] < times.close_ns)
        events = events[inside]
        kinds = events["kind"]
        self.counts[venue] += np.bincount(kinds, minlength=32)[:32]
        self._take_trades(venue, events, kinds)
        added = events[kinds == ADD]
        places = (added["time_ns"] - times.open_ns) // BIN_NS
        np.add.at(self.arrivals, (added["key"], places), 1)

    def _take_trades(self, venue: int, events: NDArray[np.void], kinds: NDArray[np.uint8]) -> None:
        if venue not in self.books:
            return
        printed = np.isin(kinds, (EXECUTE, EXECUTE_PRICE))
        unseen = (kinds == TRADE) & ((events["flags"] & CROSS) == 0)
        small = (events["quantity"] < self.settings.sizes.lot) & (printed | unseen)
        self.trades += [int(printed.sum()), int(unseen.sum()), int(small.sum())]

    def look(self, time_ns: int) -> None:
        """Looks at all books as they are now; call it every tenth of a second."""
        if not self.times.open_ns <= time_ns < self.times.close_ns:
            return
        prices = np.zeros((2, self.instruments + 1, len(self.lit)))
        for place, venue in enumerate(self.lit):
            tops = self.books[venue].tops[: self.instruments + 1]
            prices[0, :, place] = np.where(tops["bid_quantity"] > 0, tops["bid"], np.nan)
            prices[1, :, place] = np.where(tops["offer_quantity"] > 0, tops["offer"], np.nan)
        self.looks.append(prices)
        self._look_deep(1 + len(self.looks) % self.instruments)

    def _look_deep(self, instrument: int) -> None:
        """Adds an instrument's ladders at all venues to the depth profile and the queues."""
        for book in self.books.values():
            for side in (BUY, SELL):
                levels = book.ladder(instrument, side)
                if not len(levels):
                    continue
                away = np.abs(levels["price"] - levels["price"][0]) // self.ticks[instrument]
                near = away < DEPTH_TICKS
                np.add.at(self.depth, away[near], levels["quantity"][near])
                self.queues[min(MOST_QUEUE, int(levels["orders"][0]))] += 1
                self.ladders += 1

    def result(self) -> MarketStatistics:
        """The statistics of what was taken so far."""
        bid, offer = self._national()
        ticks = self.ticks[1:]
        with np.errstate(invalid="ignore"):
            spread = (offer - bid) / ticks
        arrivals = self.arrivals[1:, :].sum(0)
        autocorrelation, fano = _autocorrelation(self.arrivals[1:]), _fano(self.arrivals[1:])
        return MarketStatistics(
            seconds=self.times.seconds,
            instruments=self.instruments,
            messages=self._messages(self.lit),
            venues={
                self.settings.venues[venue].name: sum(self._messages([venue]).values())
                for venue in self.lit
            },
            measured=self._measured(spread, autocorrelation, fano),
            targets=msgspec.structs.asdict(self.settings.targets),
            spread=_by_second(spread),
            spreads=_spreads(spread),
            depth=Series(
                [float(tick) for tick in range(DEPTH_TICKS)],
                [float(shares) / max(1, self.ladders) for shares in self.depth],
            ),
            intensity=_intensity(arrivals),
            autocorrelation=autocorrelation,
            fano=fano,
            lifetimes={"canceled": self._lives("canceled"), "executed": self._lives("executed")},
            queues=_shares(self.queues),
        )

    def _messages(self, venues: list[int]) -> dict[str, int]:
        return {
            name: int(self.counts[np.ix_(venues, kinds)].sum()) for name, kinds in GROUPS.items()
        }

    def _national(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """National bid and offer [look, instrument], nan where there is none."""
        if not self.looks:
            nothing = np.full((0, self.instruments), np.nan)
            return nothing, nothing
        prices = np.stack(self.looks)[:, :, 1:]
        bid = np.fmax.reduce(prices[:, 0], axis=2)
        return bid, np.fmin.reduce(prices[:, 1], axis=2)

    def _lives(self, end: str) -> Series:
        lives = np.concatenate([getattr(one, end) for one in self.lives.values()] or [[]]) / 1e9
        values = [float((lives <= limit).mean()) if len(lives) else 0.0 for limit in LIFE_S]
        return Series(list(LIFE_S), values)

    def _measured(
        self, spread: NDArray[np.float64], autocorrelation: Series, fano: Series
    ) -> dict[str, float]:
        found: dict[str, float] = {}
        messages = self._messages(self.lit)
        whole = sum(messages.values())
        if whole >= FEWEST:
            found |= {name: messages[name] / whole for name in list(GROUPS)[:4]}
        shown, unseen, odd = self.trades.tolist()
        if shown + unseen >= FEWEST:
            found["odd_lot_trades"] = odd / (shown + unseen)
            found["hidden_trades"] = unseen / (shown + unseen)
        lives = np.array([life for one in self.lives.values() for life in one.canceled]) / 1e9
        if len(lives) >= FEWEST:
            found["canceled_within_50_ms"] = float((lives <= 0.05).mean())
            found["canceled_within_500_ms"] = float((lives <= 0.5).mean())
            found["canceled_after_5_s"] = float((lives > 5).mean())
        known = spread[np.isfinite(spread)]
        if len(known) >= FEWEST:
            seen = spread[:, np.isfinite(spread).any(0)]
            found["spread_ticks"] = float(np.median(np.nanmean(seen, axis=0)))
            found["locked_or_crossed"] = float((known <= 0).mean())
        if fano.values:
            found["fano_1_s"] = fano.values[WINDOWS.index(BINS_A_SECOND)]
            found["clustering"] = autocorrelation.values[0]
        correlation = self._venue_correlation()
        return found if correlation is None else found | {"venue_correlation": correlation}

    def _venue_correlation(self) -> float | None:
        """Median correlation of two-second moves: pairs of venues, the most active instruments.

        Of others little is to be seen in two seconds but each venue's own coming and going: the
        correlation vanishes with the interval (Epps, JASA 74, 1979).
        """
        if len(self.looks) < FEWEST * BINS_A_SECOND // 2:
            return None
        middle = np.stack(self.looks[:: 2 * BINS_A_SECOND]).mean(1)[:, 1:]
        moves = np.diff(middle, axis=0)
        found = []
        most = max(FEWEST_ACTIVE, self.instruments // 10)
        for instrument in np.argsort(-self.arrivals[1:].sum(1))[:most].tolist():
            for a in range(len(self.lit)):
                for b in range(a):
                    pair = moves[:, instrument, [a, b]]
                    pair = pair[np.isfinite(pair).all(1)]
                    if len(pair) >= 8 and (pair.std(0) > 0).all():
                        found.append(float(np.corrcoef(pair.T)[0, 1]))
        return float(np.median(found)) if found else None


def _by_second(spread: NDArray[np.float64]) -> Series:
    """Mean spread of the instruments, second by second."""
    places, values = [], []
    for first in range(0, len(spread), BINS_A_SECOND):
        some = spread[first : first + BINS_A_SECOND]
        if np.isfinite(some).any():
            places.append(first / BINS_A_SECOND)
            values.append(float(np.nanmean(some)))
    return Series(places, values)


def _spreads(spread: NDArray[np.float64]) -> Series:
    known = spread[np.isfinite(spread)]
    counts = np.bincount(np.clip(known, 0, MOST_SPREAD).astype(int), minlength=MOST_SPREAD + 1)
    return _shares(counts)


def _shares(counts: NDArray[np.int64]) -> Series:
    whole = max(1, int(counts.sum()))
    return Series(list(map(float, range(len(counts)))), [float(n) / whole for n in counts])


def _intensity(arrivals: NDArray[np.int64]) -> Series:
    whole = len(arrivals) // BINS_A_SECOND
    seconds = arrivals[: whole * BINS_A_SECOND].reshape(whole, BINS_A_SECOND).sum(1)
    return Series(list(map(float, range(whole))), [float(count) for count in seconds])


def _autocorrelation(arrivals: NDArray[np.int32]) -> Series:
    """Of the counts in tenths of a second, mean over instruments with enough orders."""
    busy = arrivals[arrivals.sum(1) >= FEWEST].astype(np.float64)
    lags = [lag for lag in LAGS if 4 * lag < arrivals.shape[1]]
    if not len(busy) or not lags:
        return Series([], [])
    away = busy - busy.mean(1, keepdims=True)
    power = (away**2).sum(1)
    values = [float(((away[:, lag:] * away[:, :-lag]).sum(1) / power).mean()) for lag in lags]
    return Series([lag / BINS_A_SECOND for lag in lags], values)


def _fano(arrivals: NDArray[np.int32]) -> Series:
    """Variance by mean of the counts in windows, mean over instruments with enough orders."""
    busy = arrivals[arrivals.sum(1) >= FEWEST].astype(np.float64)
    windows = [size for size in WINDOWS if 4 * size <= arrivals.shape[1]]
    if not len(busy) or BINS_A_SECOND not in windows:
        return Series([], [])
    values = []
    for size in windows:
        whole = busy.shape[1] // size
        counts = busy[:, : whole * size].reshape(len(busy), whole, size).sum(2)
        values.append(float((counts.var(1) / counts.mean(1)).mean()))
    return Series([size / BINS_A_SECOND for size in windows], values)
