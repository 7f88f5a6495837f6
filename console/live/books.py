"""Books beside a running loop: gaps are filled, images asked for, symbols learnt, tables grown."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import numpy as np

from console.bookplan import venue_of
from console.live.run import LiveRun
from console.recovery import ANSWERS, RecoveryDriver, position_in
from console.recoverycme import PROTOCOL, CmeDriver, live_in
from feedhandler.actions import TEST_SYMBOL
from feedhandler.books.grower import Grower
from feedhandler.channelmap import ChannelAddress
from feedhandler.commands import Commands
from feedhandler.consolidated.streamformat import TRADE
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.lines.layout import OVERFLOWED, STATES
from feedhandler.symbols import convention_of, text_of
from nic.block import Block
from nic.injectport import InjectPort
from nic.port import ipv4_number
from nic.ringview import Ring

LISTINGS: Final = 1 << 17  # symbols that may wait to be learnt
BY_INDEX: Final = "nyse_integrated_25"  # images are asked for by the numbers of symbols


class SymbolLearner:
    """Takes what feeds say of their symbols, and tells the consolidated book.

    Args:
        run: its master knows beforehand all that can be traded; other securities are passed over.
    """

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._listings = Subscription(run.market, ["listing"], LISTINGS)
        run.market.head["wanted"] |= 1 << TRADE  # the router's; entering forgot it
        self._seen = dict.fromkeys(run.venues, 0)

    def step(self) -> None:
        """Learns what has come."""
        changed: set[int] = set()
        while len(records := self._listings.read()):
            for record in records:
                venue = int(record["venue"])
                key, text, rest, lot, flags = record["words"].tolist()
                convention = convention_of(self._run.feeds[self._run.venues[venue]])
                name, test = text_of(text, rest, convention), bool(flags & TEST_SYMBOL)
                self._run.master.learn(venue, key, name, lot=lot, test=test)
                changed.add(venue)
        for venue, name in enumerate(self._run.venues):
            if self._run.feeds[name].keys == "text" and self._learn_keys(venue, name):
                changed.add(venue)
        for venue in changed:
            self._run.master.fill(self._run.market, venue, self._run.books[self._run.venues[venue]])

    def _learn_keys(self, venue: int, name: str) -> bool:
        """Keys that are text themselves; a negative one came with its name."""
        book = self._run.books[name]
        known, first = int(book.head["known_keys"]), self._seen[name]
        for number in range(first + 1, known + 1):
            key = int(book.tops["key"][number])
            if key == 0 and book.owns(number):
                return number > first + 1  # its row is being written
            self._seen[name] = number
            if key > 0:
                self._run.master.learn_key(venue, key)
        return known > first

    def learn_numbers(self, venue: str, numbers: dict[str, int]) -> None:
        """What a venue's order entry says its instruments' numbers are, which its feed has too."""
        if venue not in self._run.venues or self._run.feeds[venue].keys == "text":
            return
        place = self._run.venues.index(venue)
        for name, number in numbers.items():
            self._run.master.learn(place, number, name)
        self._run.master.fill(self._run.market, place, self._run.books[venue])


class BooksDesk:
    """See the module. Call `step` every few milliseconds, from one thread.

    Args:
        run: the books.
        block: of the loop.
        commands: into it.
        inject: the port that recovery hands packets to the loop by.
        clock: ns since the epoch.
        say: tells people a line.
    """

    def __init__(
        self,
        run: LiveRun,
        block: Block,
        commands: Commands,
        inject: InjectPort,
        clock: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        self._run, self._block, self._inject, self._say = run, block, inject, say
        self._events = Ring(block["events"])
        self.learner = SymbolLearner(run)
        self._grower = Grower(commands, run.books, clock)
        self._stack = ExitStack()
        self.drivers: dict[int, RecoveryDriver | CmeDriver] = {}
        self._refused: dict[int, int] = {}
        for stream, name in run.stream_names().items():
            if name in run.setup.recoveries:
                self._open(stream, name)

    def _open(self, stream: int, name: str) -> None:
        channels = self._run.plan.channels
        mine = [channel for channel in channels if channel.name == name]
        places = {channel.line: channel.address for channel in mine}

        def inject(line: str, payload: bytes) -> None:
            place = places[line]
            assert isinstance(place, ChannelAddress)
            try:
                self._inject.send(payload, ipv4_number(place.group), place.udp_port)
            except ValueError as error:
                self._say(f"recovery of {name}: {error}")

        feed = mine[0].feed
        assert ANSWERS in places and feed is not None
        settings = self._run.setup.recoveries[name].settings
        where = position_in(self._block, stream)
        driver: RecoveryDriver | CmeDriver
        if feed.protocol.name == PROTOCOL:
            is_live = live_in(self._run.books[venue_of(mine[0])])
            driver = CmeDriver(feed, settings, inject, where, is_live=is_live)
        else:
            driver = RecoveryDriver(feed, settings, inject, where)
        self._stack.callback(driver.close)
        self.drivers[stream] = driver

    def step(self, now_ns: int) -> None:
        """Everything that is due."""
        for event in self._events.drain():
            record: np.void = event[0]
            kind, stream = int(record["kind"]), int(record["words"][5])
            if kind <= OVERFLOWED and stream in self.drivers:
                self.drivers[stream].on_event(record)
        for stream, driver in self.drivers.items():
            if driver.feed.protocol.name == BY_INDEX and not driver.settings.symbols:
                continue  # nobody has said yet which there are
            driver.step(now_ns)
            self._tell_refusals(stream, driver)
        self._inject.flush()
        self.learner.step()
        self._grower.poll()

    def _tell_refusals(self, stream: int, driver: RecoveryDriver | CmeDriver) -> None:
        told = self._refused.get(stream, 0)
        if driver.refused and len(driver.refused) != told:
            self._refused[stream] = len(driver.refused)
            name = self._run.stream_names()[stream]
            self._say(f"recovery of {name}: {driver.refused[-1]}")

    def learn_numbers(self, venue: str, numbers: dict[str, int]) -> None:
        """What a venue says its instruments' numbers are: for its feed, and for its images."""
        self.learner.learn_numbers(venue, numbers)
        recovery = self._run.setup.recoveries.get(venue)
        if recovery is not None and isinstance(recovery.settings.symbols, list):
            recovery.settings.symbols[:] = sorted(numbers.values())

    @property
    def states(self) -> dict[str, list[str]]:
        """By channel, how the streams that had packets stand."""
        names, made = self._run.stream_names(), dict[str, list[str]]()
        rows = self._block["streams"]
        for row in rows[rows["started"] != 0]:
            name = names.get(int(row["number"]), "?")
            made.setdefault(name, []).append(STATES[int(row["state"])])
        return made

    def close(self) -> None:
        """Ends recovery; the loop must have returned."""
        self._stack.close()
        self._grower.settle()
