"""Captures through the loop with the books of all venues and the consolidated book behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Final

import numpy as np
from numpy.typing import NDArray

from console.bookplan import sizes_of_venue, venue_of
from console.compiling import Kernel
from console.linestats import lines_of
from console.loops import make_state
from console.main import complain
from console.plan import Plan
from feedhandler.actions import TEST_SYMBOL
from feedhandler.books.venuebook import VenueBook
from feedhandler.channels import NO_CHANNEL
from feedhandler.consolidated.market import Market
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.feed import Feed
from feedhandler.state import LINK_FAILED
from feedhandler.stateblock import LoopOptions, Wait
from feedhandler.symbols import SymbolMaster, convention_of, text_of
from nic.port import Port, open_port
from nic.regions import allowed

BURST: Final = 64
RING_SLOTS: Final = 1 << 18  # what one burst can publish, many times over


class MarketRun:
    """One run of captures.

    Args:
        plan: its channels all have feeds that come in datagrams.
        orders: room of each venue's order table.
        unknown_trades: whether a venue that never said its status counts as trading.

    Attributes:
        market, master, books: what the run fills.
        venues: names by venue number.
    """

    def __init__(self, plan: Plan, orders: int, *, unknown_trades: bool = False) -> None:
        self.plan = plan
        feeds: dict[str, Feed] = {}
        for channel in plan.channels:
            assert channel.feed is not None
            feeds.setdefault(venue_of(channel), channel.feed)
        self.feeds = feeds
        self.venues = list(feeds)
        self.master = SymbolMaster()
        self._stack = ExitStack()
        self.market = Market(venues=len(feeds), unknown_trades=unknown_trades)
        self._stack.callback(self.market.close)
        self.books: list[VenueBook] = []
        for number, (name, feed) in enumerate(feeds.items()):
            book = VenueBook(sizes_of_venue(feed, orders))
            self._stack.callback(book.close)
            self.books.append(book)
            tape = feed.consolidated
            self.market.add_venue(name, book, protected=not tape, halts_all=tape)
            self.master.add_venue(number, convention_of(feed))

    def __enter__(self) -> MarketRun:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    def rounds(self, kernel: Kernel, uri: str) -> Iterator[None]:
        """Runs the loop burst by burst. Raises PortError where the port fails."""
        channels = enumerate(self.plan.channels)
        numbers = {n: self.venues.index(venue_of(channel)) for n, channel in channels}
        rows = {n: self.market.venue_address(venue) for n, venue in numbers.items()}
        heads = {n: self.books[venue].address for n, venue in numbers.items()}
        lines = lines_of(self.plan)
        options = LoopOptions(
            burst_max=BURST,
            wait=Wait.SPIN if uri.endswith("speed=max") else Wait.SLEEP,
            measure=False,
            round_limit=1,
            default_channel=0 if self.plan.catch_all else NO_CHANNEL,
        )
        with ExitStack() as stack:
            port = stack.enter_context(open_port(uri))
            block = make_state(self.plan, [port], options, None, 0.0, heads, rows, lines)
            stack.callback(block.close)
            memory = [block, *self.market.blocks, *self.market.book_blocks(), *port.regions]
            stack.enter_context(allowed(*memory))
            while block["control"]["open_links"][0]:
                kernel.dispatcher(np.uint64(block.address))
                yield
            self._check(port, int(block["links"]["status"][0]))

    def _check(self, port: Port, status: int) -> None:
        if status == LINK_FAILED or port.stats().rx_errors:
            complain(port.last_error or f"{port.uri}: the port failed")

    def learn(self, kernel: Kernel, uri: str) -> None:
        """A run for the symbols alone: fills master and maps."""
        subscription = Subscription(self.market, ["listing"], RING_SLOTS)
        for _ in self.rounds(kernel, uri):
            while len(records := subscription.read()):
                self._learn(records)
        for venue, feed in enumerate(self.feeds.values()):
            book = self.books[venue]
            if feed.keys == "text":
                for number in range(1, int(book.head["known_keys"]) + 1):
                    key = int(book.tops["key"][number])
                    if key > 0:  # a negative one is a long symbol, folded: it came with its name
                        self.master.learn_key(venue, key)
            self.master.fill(self.market, venue, book)

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
        self.market.maps[:] = other.market.maps
        self.market.instruments[:] = other.market.instruments
        for band in ("lower_band", "upper_band"):  # come again, each at its time
            self.market.instruments[band] = 0

    def faults(self) -> Mapping[str, dict[str, int]]:
        """Impossible actions by venue."""
        found = {name: book.faults() for name, book in zip(self.venues, self.books, strict=True)}
        return {name: faults for name, faults in found.items() if faults}
