"""What replays and live runs with orders share: a market with the router's tables behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from console.marketrun import MarketRun
from feedhandler.consolidated.market import MarketShard
from feedhandler.consolidated.streamformat import TRADE
from feedhandler.feed import Feed
from nic.block import Block
from nic.regions import allowed
from router.loop.entries import ready
from router.loop.stages import NOT_DONE, STAGES_DTYPE
from router.orders.layout import order_sections
from router.risk.layout import risk_sections
from router.routing.layout import scratch_sections
from router.routing.learning import learning_sections
from router.strategies.curves import curve_sections
from router.tablespace import RouterTables, Section, Sizes

SPARE_PARENTS: Final = 64  # rows for parents that come while it runs


def sections_of(sizes: Sizes) -> list[Section]:
    """The sections of all parts of a router but its sessions."""
    return [
        *order_sections(sizes),
        *risk_sections(sizes.accounts, sizes.instruments, sizes.venues),
        *scratch_sections(sizes.instruments),
        *learning_sections(sizes.instruments, sizes.venues, sizes.parents),
        *curve_sections(sizes.parents),
        ("stages", STAGES_DTYPE, 1),
    ]


def quoting_numbers(feeds: Mapping[str, Feed]) -> dict[str, int]:
    """Numbers in the consolidated book by venue name, and by the feed's first word if one has it.

    Where channels are guessed a venue is called by its feed: "iex_deep" is found as "iex" too.
    """
    numbers = {name: number for number, name in enumerate(feeds)}
    words = [feed.name.partition("_")[0] for feed in feeds.values()]
    short = {word: number for number, word in enumerate(words) if words.count(word) == 1}
    return short | numbers


def marks_of(tables: RouterTables, market: MarketShard) -> dict[int, int]:
    """Midpoints now by instrument; else what positions in it were last marked at."""
    held = tables.positions["mark"].max(axis=0)
    last = {int(n): int(held[n]) for n in np.flatnonzero(held)}
    records = market.records
    two_sided = (records["bid_quantity"] > 0) & (records["offer_quantity"] > 0)
    middles = (records["bid"] + records["offer"]) >> 1
    return last | {int(n): int(middles[n]) for n in np.flatnonzero(two_sided)}


class RouterRun(MarketRun):
    """A market run with a router behind it.

    Attributes:
        tables: the router's, once `make_tables` has made them.
        measure: whether each step is timed.
    """

    tables: RouterTables
    measure: bool

    def make_tables(self, sizes: Sizes, more: Sequence[Section] = ()) -> None:
        """Makes the router's tables, with sections of others; they are closed with the run."""
        sections = [*sections_of(sizes), *more]
        self.tables = RouterTables(sizes, sections, market=self.market.address)
        self._stack.callback(self.tables.close)
        self.market.head["wanted"] |= 1 << TRADE
        self.tables.block["stages"]["spent"] = NOT_DONE
        with allowed(self.tables.block):
            ready(self.tables.address)

    def memory(self) -> Iterator[Block]:
        """Books, consolidated book and the router's tables."""
        yield from super().memory()
        yield self.tables.block

    def prepare(self, block: Block) -> None:
        """Tells a fresh loop where the router is."""
        block["control"]["router"] = self.tables.address

    def connect(self, act: int, take_answers: int) -> None:
        """Tells the loop where the functions are that decide and that take answers."""
        self.tables.head["act"], self.tables.head["take_answers"] = act, take_answers

    @property
    def quoting(self) -> dict[str, int]:
        """Numbers in the consolidated book of the venues that some channel is read of."""
        numbers = quoting_numbers(self.feeds)
        return {name: n for name, n in numbers.items() if self.venues[n] in self.read}

    @property
    def marks(self) -> dict[int, int]:
        """Midpoints now by instrument; else what positions in it were last marked at."""
        return marks_of(self.tables, self.market)
