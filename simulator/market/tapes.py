"""The tapes of a made market: what a SIP would have made of all venues' quotes, some time later."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.entries import apply_actions
from feedhandler.consolidated.market import Market as NationalMarket
from feedhandler.consolidated.streamformat import NATIONAL
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.dates import midnight_ns
from feedhandler.symbology import Convention, parse
from nic.regions import CHECKED, allowed
from simulator.market.manifest import VenueMade
from simulator.market.market import Market, Output
from simulator.market.outlets import files_of
from simulator.market.plan import ZONE, MarketPlan
from simulator.publishing.faults import NO_FAULTS, FaultPlan
from simulator.publishing.lines import LineCapture, capture_path, lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.publisher import header_values
from simulator.publishing.tapes import LETTERS, OTHER, TAPES, Message, Side, TapePublisher

LOT: Final = 100
ORDERS: Final = 1 << 17  # that a venue can show at a time
LISTED: Final = {"nasdaq": "utp"}  # the tape of a listing venue; of others: CTA
USUAL_DELAY_NS: Final = 500_000
RING_SLOTS: Final = 1 << 14
Events = NDArray[np.void]
SIDES: Final = ("bid", "offer")


@dataclass(frozen=True)
class TapePlan:
    """How late the tapes are.

    Attributes:
        delay_ns: from an event at a venue to the tape's packet at us, beside its line's jitter.
    """

    delay_ns: int = USUAL_DELAY_NS


class TapeOutlet:
    """The captures of both lines of a tape; whole once `finish` was called."""

    def __init__(self, name: str, plan: MarketPlan, delay_ns: int, folder: Path,
                 faults: FaultPlan) -> None:  # fmt: skip
        self.publisher = TapePublisher(name)
        header = header_values(self.publisher.feed, plan.day)
        self.publisher = TapePublisher(name, header)
        self.about = msgspec.structs.replace(TAPES[name][0], delay_ns=delay_ns)
        self.packets = 0
        self._stack, self._lines = ExitStack(), []
        midnight = midnight_ns(plan.day, ZONE)
        for line in lines_of(self.about):
            path = capture_path(folder, line)
            stream = LineStream(line, faults, midnight, plan.seed)
            self._lines.append((line, path, stream, LineCapture(path, line)))
            self._stack.push(self._lines[-1][3].__exit__)

    def put(self, said: list[tuple[int, Message]]) -> None:
        """Sends messages over both lines."""
        packets = self.publisher.packets(said)
        self.packets += len(packets)
        for _, _, stream, capture in self._lines:
            capture.write(stream.carry(packets))

    def finish(self) -> VenueMade:
        """Ends the captures; what is in them."""
        for _, _, stream, capture in self._lines:
            capture.write(stream.flush())
        self._stack.close()
        files = files_of(self._lines)
        counts = {"messages": self.publisher.messages, "packets": self.packets}
        about = self.about
        return VenueMade(name=about.name, feed=about.feed, unsaid={}, files=files, **counts)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, value, traceback)


class Processor:
    """A SIP: takes all venues' public events, gives what each tape says of them.

    Args:
        plan: of the market.
        market: whose events they are.

    Attributes:
        said: by tape, (time, message) since `take` was called last; times are of the events.
    """

    def __init__(self, plan: MarketPlan, market: Market) -> None:
        self._stack = ExitStack()
        count = len(plan.symbols)
        lit = [n for n, e in enumerate(market.exchanges) if not e.model.dark]
        self._venues = {venue: number for number, venue in enumerate(lit)}
        self._letters = [LETTERS.get(market.names[venue], OTHER) for venue in lit]
        self._tape_of = self._tapes(plan, market)
        self.dialects = {name: TapePublisher(name).dialect for name in TAPES}
        self._symbols = [""] + [_spelt(symbol) for symbol in plan.symbols]
        self.said: dict[str, list[tuple[int, Message]]] = {name: [] for name in TAPES}
        sizes = Sizes(orders=ORDERS, levels=ORDERS // 2, instruments=count + 1)
        self._national = self._stack.enter_context(NationalMarket(count, count + 1, len(lit)))
        self._books = []
        for number, venue in enumerate(lit):
            book = VenueBook(sizes)
            self._stack.callback(book.close)
            self._books.append(book)
            self._national.add_venue(market.names[venue], book)
            for key in range(1, count + 1):
                self._national.map(number, key, key)
        for key, symbol in enumerate(plan.symbols, 1):
            self._national.set_instrument(key, symbol, lot=LOT)
        self._subscription = Subscription(self._national, ["national"], RING_SLOTS)
        self._waiting: list[list[Events]] = [[] for _ in lit]

    @staticmethod
    def _tapes(plan: MarketPlan, market: Market) -> list[str]:
        """The tape of each instrument, by number."""
        listed = market.flow.instruments["listing"].tolist()
        return [LISTED.get(market.names[venue], "cta") for venue in listed]

    def begin(self, time_ns: int) -> None:
        """The directory."""
        for key, symbol in enumerate(self._symbols[1:], 1):
            tape = self._tape_of[key]
            self.said[tape].append((time_ns, self.dialects[tape].directory(time_ns, symbol, LOT)))

    def take(self, output: Output) -> None:
        """Takes a piece of the market; what is certain by its end is said."""
        for venue, number in self._venues.items():
            self._waiting[number].append(output.public[venue].copy())
        ready, rest = [], []
        for events in map(np.concatenate, self._waiting):
            end = int(np.searchsorted(events["time_ns"], output.until_ns, side="right"))
            ready.append(events[:end])
            rest.append([events[end:]])
        self._waiting = rest
        self._apply(ready)

    def _apply(self, ready: list[Events]) -> None:
        """All venues' events by time, those of one venue at one moment together."""
        events = np.concatenate(ready)
        if len(events) == 0:
            return
        of = np.repeat(np.arange(len(ready)), [len(some) for some in ready])
        order = np.argsort(events["time_ns"], kind="stable")
        events, of = events[order], of[order]
        times = events["time_ns"]
        cuts = np.flatnonzero((np.diff(times) != 0) | (np.diff(of) != 0)) + 1
        starts = [0, *cuts.tolist()]
        for start, end in zip(starts, [*cuts.tolist(), len(events)], strict=True):
            self._one(int(of[start]), events[start:end], int(times[start]))

    def _one(self, venue: int, events: Events, time_ns: int) -> None:
        national = self._national
        address, count = int(events.ctypes.data), len(events)
        memory: list[Any] = [*national.blocks, *national.book_blocks(), events] if CHECKED else []
        with allowed(*memory):
            book = self._books[venue].address
            apply_actions(national.address, venue, book, address, count, time_ns)
        if venue == 0:
            for event in events[(events["kind"] == a.BANDS) | (events["kind"] == a.STATUS)]:
                self._state(event, time_ns)
        while len(records := self._subscription.read()):
            for record in records[records["kind"] == NATIONAL]:
                self._quote(venue, int(record["instrument"]), record["words"].tolist(), time_ns)

    def _state(self, event: Any, time_ns: int) -> None:
        """Bands, halts and their end, as the first venue has them: they are sent to all at once."""
        key = int(event["key"])
        if not 0 < key < len(self._symbols):
            return
        tape, symbol = self._tape_of[key], self._symbols[key]
        dialect, message = self.dialects[tape], None
        if event["kind"] == a.BANDS:
            lower, upper = (max(0, int(event[name])) for name in ("price", "aux"))
            message = dialect.bands(time_ns, symbol, lower, upper)
        else:
            message = dialect.state(time_ns, symbol, int(event["aux"]))
        if message is not None:
            self.said[tape].append((time_ns, message))

    def _quote(self, venue: int, key: int, words: list[int], time_ns: int) -> None:
        bid, offer, bid_size, offer_size, venues = words
        masks = (venues & 0xFFFFFFFF, venues >> 32 & 0xFFFFFFFF)
        quotes = self._national.quotes[key]
        best, own = [], []
        for name, price, size, mask in zip(
            SIDES, (bid, offer), (bid_size, offer_size), masks, strict=True
        ):
            field = f"protected_{name}"
            there = [n for n in range(len(self._letters)) if size and mask >> n & 1]
            sizes = {n: int(quotes[n][f"{field}_quantity"]) for n in there}
            first = max(there, key=lambda n: (sizes[n], -n), default=-1)
            letter = self._letters[first] if first >= 0 else ""
            best.append(Side(price, _lots(sizes.get(first, 0)), letter))
            shown = int(quotes[venue][f"{field}_quantity"])
            own.append(Side(int(quotes[venue][field]), _lots(shown), self._letters[venue]))
        tape, symbol = self._tape_of[key], self._symbols[key]
        message = self.dialects[tape].quote(time_ns, symbol, (own[0], own[1]), (best[0], best[1]))
        self.said[tape].append((time_ns, message))

    def end(self, time_ns: int) -> None:
        """The day is over."""
        for name, dialect in self.dialects.items():
            self.said[name].append((time_ns, dialect.end(time_ns)))

    def taken(self) -> Mapping[str, list[tuple[int, Message]]]:
        """What was said, which is forgotten here."""
        said, self.said = self.said, {name: [] for name in TAPES}
        return said

    def close(self) -> None:
        """Gives the memory back."""
        self._stack.close()


def _lots(shares: int) -> int:
    """Shares rounded down to round lots, as tapes show them."""
    return shares // LOT * LOT


def _spelt(symbol: str) -> str:
    """A symbol of this house as the tapes spell it."""
    found = parse(symbol, Convention.NASDAQ)
    return found.spell(Convention.CQS) if found is not None else symbol


class TapeWriters:
    """The tapes of a market into captures: a processor and an outlet a tape.

    A `with` block that an exception leaves before `finish` leaves no captures behind.
    """

    def __init__(
        self,
        plan: MarketPlan,
        market: Market,
        tapes: TapePlan,
        folder: Path,
        faults: FaultPlan = NO_FAULTS,
    ) -> None:
        self.processor = Processor(plan, market)
        self._stack = ExitStack()
        self._stack.callback(self.processor.close)
        self.outlets: dict[str, TapeOutlet] = {}
        for name in TAPES:
            outlet = TapeOutlet(name, plan, tapes.delay_ns, folder, faults)
            self._stack.push(outlet.__exit__)
            self.outlets[name] = outlet

    def begin(self, time_ns: int) -> None:
        """The directory."""
        self.processor.begin(time_ns)
        self._put()

    def take(self, output: Output) -> None:
        """A piece of the market."""
        self.processor.take(output)
        self._put()

    def _put(self) -> None:
        for name, said in self.processor.taken().items():
            self.outlets[name].put(said)

    def finish(self, end_ns: int | None) -> list[VenueMade]:
        """Ends the captures, with the tapes' own end where the day has one."""
        if end_ns is not None:
            self.processor.end(end_ns)
            self._put()
        return [outlet.finish() for outlet in self.outlets.values()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, value, traceback)
