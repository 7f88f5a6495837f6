"""The tables of a live run: books, consolidated book, the router's, and its sessions, all down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from console.bookplan import venue_of
from console.linestats import lines_of
from console.live.setup import LiveSetup
from console.marketrun import MarketRun
from console.plan import Plan, PlannedChannel
from console.routed.run import SPARE_PARENTS, marks_of, place_parents, quoting_of, sections_of
from console.sharded.pieces import Part
from feedhandler.consolidated.streamformat import TRADE
from feedhandler.lines.setup import LineOptions, Lines
from nic.block import Block
from nic.regions import allowed
from router.entry.forms import Constants
from router.entry.logins import TO_VENUE
from router.entry.sessions import Listing, Sessions
from router.entry.sessions import Settings as SessionSettings
from router.loop.entries import ready
from router.loop.stages import NOT_DONE
from router.risk.keeper import LimitsKeeper
from router.risk.shares import WHOLE
from router.routing.learning import Learning
from router.sessioncommands import early_section
from router.tablespace import RouterTables, Sizes
from router.venuefile import fill_venues

NS_PER_MS: Final = 1_000_000
HELD_PACKETS: Final = 16_384  # that wait behind gaps, of all streams


class LiveRun(MarketRun):
    """A live run's memory.

    Args:
        setup: the files.
        plan: the channels, recovery lines included.
        part: of several loops, which this is.

    Attributes:
        tables: the router's.
        sessions: of all venues; those that nobody logs in to stay down.
        symbols, accounts, venue_numbers: row numbers by name.

    Raises ConfigError: files that do not fit each other.
    """

    def __init__(self, setup: LiveSetup, plan: Plan, part: Part | None = None) -> None:
        live = setup.live
        super().__init__(
            plan,
            live.orders,
            unknown_trades=live.assume_trading,
            piece=part.piece if part is not None else None,
            market=part.market if part is not None else None,
        )
        self.setup, self.measure = setup, live.measure
        self._share = part.share if part is not None else WHOLE
        try:
            self._set_up(setup)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> LiveRun:
        return self

    @property
    def lines(self) -> Lines | None:
        """All channels are lines, those alone too: their gaps are seen and filled."""
        found, live = lines_of(self.plan, alone=True), self.setup.live
        if found is None:
            return None
        options = LineOptions(
            window_ns=live.window_ms * NS_PER_MS,
            recovery_ns=live.recovery_ms * NS_PER_MS if self.setup.recoveries else 0,
            slots=HELD_PACKETS,
        )
        return Lines(found.streams, options)

    def stream_names(self) -> dict[int, str]:
        """The channel of each stream number."""
        lines = lines_of(self.plan, alone=True)
        channels = self.plan.channels
        return {} if lines is None else {s: channels[n].name for n, (s, _) in lines.streams.items()}

    def _set_up(self, setup: LiveSetup) -> None:
        live = setup.live
        self.master.room = len(setup.symbols)
        for name in setup.symbols:
            number = self.master.add(name)
            self.market.set_instrument(number, name)
        self.symbols = {name: number for number, name in enumerate(setup.symbols, 1)}
        self.accounts = {name: number for number, name in enumerate(setup.accounts, 1)}
        self.venue_numbers = {venue.name: number for number, venue in enumerate(setup.venues)}
        sizes = Sizes(
            accounts=len(setup.accounts),
            instruments=len(setup.symbols),
            parents=len(setup.parents) + 16 * SPARE_PARENTS,
            children=live.children,
            tokens=live.first_token + 2 * live.children,
        )
        self.sessions = Sessions(self._session_settings(), sizes.instruments + 1)
        more = [*sections_of(sizes), *self.sessions.sections(), early_section(len(setup.venues))]
        self.tables = RouterTables(sizes, more, market=self.market.address)
        self._stack.callback(self.tables.close)
        self.market.head["wanted"] |= 1 << TRADE
        self.tables.block["stages"]["spent"] = NOT_DONE
        with allowed(self.tables.block):
            ready(self.tables.address)
        fill_venues(self.tables, setup.venues, quoting_of(self), setup.venues_path)
        head = self.tables.head
        head["seed"], head["live"], head["token_count"] = live.seed, 1, live.first_token - 1
        self.sessions.install(self.tables)
        self.learning = Learning(self.tables)
        for name, number in self.accounts.items():
            self.tables.accounts[number]["name"] = name.encode()
        self.limits = LimitsKeeper(
            self.tables, self.symbols, self.venue_numbers, self.accounts, self._share
        )
        self.limits.load(setup.limits_path)
        place_parents(self.tables, setup, self.symbols, self.accounts)

    def _session_settings(self) -> list[SessionSettings]:
        setup = self.setup
        given = {session.venue: session for session in setup.live.sessions}
        listings = {number: Listing(name, number) for name, number in self.symbols.items()}
        made = []
        for number, venue in enumerate(setup.venues):
            session, constants = given.get(venue.name), Constants()
            if session is not None:
                constants = Constants(
                    firm=session.firm,
                    capacity=session.capacity,
                    account=session.account,
                    clearing_firm=session.clearing_firm,
                    stream=(session.stream, TO_VENUE) if venue.protocol == "pillar" else (0, 0),
                )
            made.append(
                SessionSettings(
                    name=venue.name,
                    venue=number,
                    protocol=venue.protocol,
                    listings=listings,
                    constants=constants,
                    midnight_ns=setup.hours.first_midnight_ns,
                )
            )
        return made

    def book_address(self, channel: PlannedChannel) -> int:
        """The books that a channel's messages go to."""
        return self.books[venue_of(channel)].address

    def memory(self) -> Iterator[Block]:
        """Books, consolidated book and the router's tables."""
        yield from super().memory()
        yield self.tables.block

    def prepare(self, block: Block) -> None:
        """Tells a fresh loop where the router is."""
        self.block = block
        block["control"]["router"] = self.tables.address

    def connect(self, act: int, take_answers: int) -> None:
        """Tells the loop where the functions are that decide and that take answers."""
        self.tables.head["act"], self.tables.head["take_answers"] = act, take_answers

    @property
    def marks(self) -> dict[int, int]:
        """See RoutedRun."""
        return marks_of(self.tables, self.market)
