"""Captures through the loop with the books of all venues and the consolidated book behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.bookplan import venue_of
from console.compiling import Kernel
from console.plan import Plan
from console.venuerun import UNREAD, Piece, VenueRun
from feedhandler.actions import TEST_SYMBOL
from feedhandler.consolidated.layout import LEFT_OUT, NO_INSTRUMENT
from feedhandler.consolidated.market import Market, MarketShard
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.feed import Feed
from feedhandler.stateblock import Wait
from feedhandler.symbols import SymbolMaster, convention_of, text_of
from nic.block import Block

BURST: Final = 64
RING_SLOTS: Final = 1 << 18  # what one burst can publish, many times over


class MarketRun(VenueRun):
    """One run of captures with the consolidated book.

    Args:
        plan: its channels all have feeds that come in datagrams.
        orders: room of each venue's order table at first.
        unknown_trades: whether a venue that never said its status counts as trading.
        strict: the run stops at the first packet with an impossible input.
        piece: as of VenueRun.
        market: its shard of a consolidated book that others have made; None makes one.

    Attributes:
        market, master: what the run fills beside the books.
        venues: names by venue number.
    """

    def __init__(
        self,
        plan: Plan,
        orders: int,
        *,
        unknown_trades: bool = False,
        strict: bool = False,
        piece: Piece | None = None,
        market: MarketShard | None = None,
    ) -> None:
        super().__init__(plan, orders, strict=strict, piece=piece)
        self.venues = list(self.feeds)
        self.master = SymbolMaster(owner=piece.owner if piece is not None else None)
        self.market = market or self._own_market(unknown_trades)
        for number, (name, feed) in enumerate(self.feeds.items()):
            tape = feed.consolidated
            self.market.add_venue(name, self.books[name], protected=not tape, halts_all=tape)
            self.master.add_venue(number, convention_of(feed))

    def _own_market(self, unknown_trades: bool) -> Market:
        made = Market(venues=len(self.feeds), unknown_trades=unknown_trades)
        self._stack.callback(made.close)
        return made

    def __enter__(self) -> MarketRun:
        return self

    def venue_rows(self) -> Mapping[int, int]:
        """Where each channel's venue is in the consolidated book."""
        channels = enumerate(self.plan.channels)
        numbers = {n: self.venues.index(venue_of(channel)) for n, channel in channels}
        return {n: self.market.venue_address(venue) for n, venue in numbers.items()}

    def memory(self) -> Iterator[Block]:
        """The consolidated book and the books."""
        yield from self.market.blocks
        yield from super().memory()

    def rounds(self, kernel: Kernel, uri: str) -> Iterator[None]:
        """Runs the loop burst by burst. Raises PortError where the port fails."""
        wait = Wait.SPIN if uri.endswith("speed=max") else Wait.SLEEP
        with self.opened(kernel, uri, burst=BURST, wait=wait) as step:
            goes_on = True
            while goes_on:
                goes_on = step(1)
                yield

    def learn(self, kernel: Kernel, uri: str) -> None:
        """A run for the symbols alone: fills master and maps."""
        subscription = Subscription(self.market, ["listing"], RING_SLOTS)
        for _ in self.rounds(kernel, uri):
            while len(records := subscription.read()):
                self._learn(records)
        for venue, feed in enumerate(self.feeds.values()):
            book = self.books[self.venues[venue]]
            if feed.named:
                for number in range(1, int(book.head["known_keys"]) + 1):
                    self._learn_key(venue, feed, int(book.tops["key"][number]))
            self.master.fill(self.market, venue, book)

    def _learn_key(self, venue: int, feed: Feed, key: int) -> None:
        """Names an instrument by its key where nothing else has."""
        if feed.keys == "text":
            self.master.learn_key(venue, key)
        elif self.master.by_key(venue, key) == NO_INSTRUMENT:
            self.master.learn(venue, key, "", lot=1)  # contracts are traded one by one

    def _learn(self, records: NDArray[np.void]) -> None:
        for record in records:
            venue = int(record["venue"])
            key, text, rest, lot, flags = record["words"].tolist()
            feed = self.feeds[self.venues[venue]]
            name = text_of(text, rest, convention_of(feed))
            self.master.learn(venue, key, name, lot=lot, test=bool(flags & TEST_SYMBOL))

    def adopt(self, other: MarketRun) -> None:
        """Takes over what another run of the same captures learnt."""
        self.master = other.master
        self.market.maps[:] = self._owned_of(other)
        self.market.instruments[:] = other.market.instruments
        for band in ("lower_band", "upper_band"):  # come again, each at its time
            self.market.instruments[band] = 0

    def _owned_of(self, other: MarketRun) -> NDArray[np.int32]:
        """The maps of another run, those of other owners left out.

        Keys that are text have their numbers by the order in which a run met them: a piece of it
        meets others, so it is told.
        """
        maps: NDArray[np.int32] = other.market.maps.copy()
        if self.piece is None:
            return maps
        for name, feed in self.feeds.items():
            if feed.keys == "text" and self.books[name].sizes != UNREAD:
                self.books[name].know_keys(other.books[name])
        owner, names = self.piece.owner, self.master.name_of
        others = [n for n in range(1, len(self.master) + 1) if not owner.owns(names(n))]
        maps[np.isin(maps, others)] = LEFT_OUT
        return maps
