"""One run of captures with orders: a market, the router behind it, venues beyond."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from console.marketrun import MarketRun
from console.plan import Plan
from console.routed.far import far_venues, install_far
from console.routed.routerrun import SPARE_PARENTS, RouterRun
from console.routed.setup import Setup
from console.venuerun import Piece
from feedhandler.consolidated.market import MarketShard
from nic.block import Block
from nic.configfile import ConfigError
from nic.regions import allowed
from router.entry.forms import Constants
from router.entry.layout import UP
from router.entry.sessions import Listing, Sessions
from router.entry.sessions import Settings as SessionSettings
from router.loop.entries import place
from router.parentfile import ParentOrder, SessionHours, load_parents
from router.risk.keeper import LimitsKeeper
from router.risk.shares import WHOLE
from router.routing.learning import Learning
from router.tablespace import RouterTables, Sizes
from router.venuefile import fill_venues
from simulator.replay.venues import ReplayVenues


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


class RoutedRun(RouterRun):
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
            self.make_tables(Sizes(accounts=1, venues=1, parents=1, children=1, instruments=1))
            return
        self.setup = setup
        try:
            self._set_up(setup)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> RoutedRun:
        return self

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
        self.make_tables(sizes, sessions.sections())
        fill_venues(self.tables, setup.venues, self.quoting, setup.venues_path)
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
        """As `RouterRun.memory`, and the far end's."""
        yield from super().memory()
        if self.far is not None:
            yield from self.far.blocks()
