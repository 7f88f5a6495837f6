"""One run of captures with orders: a market, the router behind it, venues beyond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from console.marketrun import MarketRun
from console.plan import Plan
from console.routed.far import far_venues, install_far
from console.routed.setup import Setup
from console.venuerun import Piece
from feedhandler.consolidated.market import MarketShard
from feedhandler.consolidated.streamformat import TRADE
from feedhandler.feed import Feed
from nic.block import Block
from nic.configfile import ConfigError
from nic.regions import allowed
from router.entry.forms import Constants
from router.entry.layout import UP
from router.entry.sessions import Listing, Sessions
from router.entry.sessions import Settings as SessionSettings
from router.loop.entries import place, ready
from router.loop.stages import NOT_DONE, STAGES_DTYPE
from router.orders.layout import order_sections
from router.parentfile import ParentOrder, SessionHours, load_parents
from router.risk.keeper import LimitsKeeper
from router.risk.layout import risk_sections
from router.risk.shares import WHOLE
from router.routing.layout import scratch_sections
from router.routing.learning import Learning, learning_sections
from router.strategies.curves import curve_sections
from router.tablespace import RouterTables, Section, Sizes
from router.venuefile import fill_venues
from simulator.replay.venues import ReplayVenues

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


def quoting_of(run: MarketRun) -> dict[str, int]:
    """The same, of those venues that a run reads some channel of."""
    numbers = quoting_numbers(run.feeds)
    return {name: number for name, number in numbers.items() if run.venues[number] in run.read}


class Wanted(Protocol):
    """What `place_parents` needs of a run's files."""

    @property
    def parents(self) -> Sequence[ParentOrder]: ...
    @property
    def parents_path(self) -> Path | None: ...
    @property
    def hours(self) -> SessionHours: ...


def place_parents(
    tables: RouterTables, wanted: Wanted, symbols: Mapping[str, int], accounts: Mapping[str, int]
) -> None:
    """Writes the parents that a run begins with; they wait for their time, at least the opening.

    Raises ConfigError naming their file.
    """
    try:
        numbers = load_parents(wanted.parents, tables, symbols, accounts)
    except ValueError as error:
        raise ConfigError(f"{wanted.parents_path}: {error}") from None
    with allowed(tables.block):
        for number in numbers:
            row = tables.parents[number]
            row["start_ns"] = row["start_ns"] or wanted.hours.open_ns
            place(tables.address, number)


class RoutedRun(MarketRun):
    """A run with orders.

    Args:
        plan, orders, unknown_trades, strict: as of MarketRun.
        setup: the files; None for a run that only learns the symbols.
        other: the run that learnt them.
        measure: whether each step is timed.
        piece, market: as of MarketRun.
        part: of the limits, where several loops divide them.

    Attributes:
        tables: the router's.
        far: the venues at the other end; None without a setup.
    """

    def __init__(
        self,
        plan: Plan,
        orders: int,
        setup: Setup | None = None,
        other: MarketRun | None = None,
        *,
        unknown_trades: bool = False,
        strict: bool = False,
        measure: bool = False,
        piece: Piece | None = None,
        market: MarketShard | None = None,
        part: Fraction = WHOLE,
    ) -> None:
        super().__init__(
            plan, orders, unknown_trades=unknown_trades, strict=strict, piece=piece, market=market
        )
        self.measure, self.part = measure, part
        self.far: ReplayVenues | None = None
        if other is not None:
            self.adopt(other)
        if setup is None:
            self._make(Sizes(accounts=1, venues=1, parents=1, children=1, instruments=1), None)
            return
        self.setup = setup
        try:
            self._set_up(setup)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> RoutedRun:
        return self

    def _make(self, sizes: Sizes, sessions: Sessions | None) -> None:
        more = sections_of(sizes) + (sessions.sections() if sessions is not None else [])
        self.tables = RouterTables(sizes, more, market=self.market.address)
        self._stack.callback(self.tables.close)
        self.market.head["wanted"] |= 1 << TRADE
        self.tables.block["stages"]["spent"] = NOT_DONE
        with allowed(self.tables.block):
            ready(self.tables.address)

    def _set_up(self, setup: Setup) -> None:
        sizes = Sizes(
            accounts=len(setup.accounts),
            instruments=max(1, len(self.master)),
            parents=len(setup.parents) + SPARE_PARENTS,
        )
        names = {n: self.master.name_of(n) for n in range(1, len(self.master) + 1)}
        listings = {number: Listing(name, number) for number, name in names.items()}
        settings = [
            SessionSettings(
                name=venue.name,
                venue=number,
                protocol=venue.protocol,
                listings=listings,
                constants=Constants(),
                midnight_ns=setup.hours.first_midnight_ns,
            )
            for number, venue in enumerate(setup.venues)
        ]
        sessions = Sessions(settings, sizes.instruments + 1)
        self._make(sizes, sessions)
        fill_venues(self.tables, setup.venues, quoting_of(self), setup.venues_path)
        self.tables.head["seed"] = setup.seed
        sessions.install(self.tables)
        self.learning = Learning(self.tables)
        for number, name in enumerate(setup.accounts, 1):
            self.tables.accounts[number]["name"] = name.encode()
        symbols = {name: number for number, name in names.items()}
        accounts = {name: number for number, name in enumerate(setup.accounts, 1)}
        venues = {venue.name: number for number, venue in enumerate(setup.venues)}
        self.limits = LimitsKeeper(self.tables, symbols, venues, accounts, self.part)
        self.limits.load(setup.limits_path)
        place_parents(self.tables, setup, symbols, accounts)
        midnight_ns = setup.hours.first_midnight_ns
        self.far = far_venues(setup.venues, self.tables, names, setup.seed, midnight_ns)
        self._stack.callback(self.far.close)
        install_far(self.tables, self.far)
        for number, port in enumerate(self.far.ports):
            sessions.connect(number, port)
            sessions.set_state(number, UP)

    def memory(self) -> Iterator[Block]:
        """Books, consolidated book, the router's tables and the far end's."""
        yield from super().memory()
        yield self.tables.block
        if self.far is not None:
            yield from self.far.blocks()

    def prepare(self, block: Block) -> None:
        """Tells a fresh loop where the router is."""
        block["control"]["router"] = self.tables.address

    def connect(self, act: int, take_answers: int) -> None:
        """Tells the loop where the functions are that decide and that take answers."""
        self.tables.head["act"], self.tables.head["take_answers"] = act, take_answers

    @property
    def marks(self) -> dict[int, int]:
        """Midpoints now by instrument; else what positions in it were last marked at."""
        return marks_of(self.tables, self.market)
