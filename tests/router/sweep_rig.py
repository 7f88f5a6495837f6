"""A router over a consolidated book of real venue books, for sweeps: scenarios in, orders out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from loop_kernels import run_note_gone, run_note_seen

from feedhandler import actions as a
from feedhandler.books.layout import LIVE, STALE
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.entries import apply_actions
from feedhandler.consolidated.market import Market
from nic.regions import allowed, violations
from router import log, tables
from router.logreader import Record
from router.routing.layout import scratch_sections
from router.routing.sweep import take
from router.tablespace import RouterTables
from router.tablespace import Sizes as TableSizes

DOLLAR: Final = 100_000_000
NOW_NS: Final = 1_000_000
SMALL: Final = Sizes(orders=256, levels=1024, instruments=4)
ROOM: Final = TableSizes(
    accounts=3,
    venues=8,
    instruments=3,
    parents=8,
    children=64,
    tokens=64,
    intents=64,
    timers=16,
    executions=16,
    log_lines=1 << 13,
)
SIDES: Final = {"buy": a.BUY, "sell": a.SELL}


@dataclass
class Venue:
    """A venue of a scenario; prices and fees in 1e-8 units.

    Attributes:
        levels: (price, shares) of the side that is swept, best first.
        fee: a share, at a dollar or more; below 0: a rebate.
        small_fee: parts in 1e-8 of the price, below a dollar.
        flight: shares that own orders under way take.
        own: price of an own order on the other side; 0: none.
    """

    levels: list[tuple[int, int]] = field(default_factory=list)
    fee: int = 0
    small_fee: int = 0
    lot: int = 1
    least: int = 1
    protected: bool = True
    takes_iso: bool = True
    down: int = 0
    live: bool = True
    latency_ns: int = 0
    flight: int = 0
    own: int = 0


@dataclass
class Sweep:
    """What a sweep did: shares asked for, orders by venue, the decision."""

    asked: int
    orders: dict[int, dict[str, int]]
    decision: Record
    candidates: np.ndarray[Any, Any]

    @property
    def bounded(self) -> bool:
        """Whether the search was cut short."""
        from router.routing.layout import BOUNDED

        return bool((self.candidates["flags"] & BOUNDED).any())


def action(kind: int, **fields: Any) -> np.ndarray[Any, Any]:
    """One action record."""
    row = np.zeros(1, a.ACTION_DTYPE)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


class SweepRig:
    """Books, market and router tables, used again by scenario after scenario.

    Attributes:
        keep_intents: whether what earlier sweeps want is still waiting at the next.

    The market has a venue more than the router: behind the others, without a way to it.
    """

    def __init__(self, venues: int = 6) -> None:
        self.count = venues
        self.market = Market(3, 4, venues + 1)
        self.books = [VenueBook(SMALL) for _ in range(venues + 1)]
        for number, book in enumerate(self.books):
            self.market.add_venue(f"v{number}", book)
            self.market.map(number, 2, 1)
        self.tables = RouterTables(
            ROOM, scratch_sections(ROOM.instruments), market=self.market.address
        )
        self.tables.head["venue_count"] = venues
        self.shown: list[dict[int, tuple[int, int]]] = [{} for _ in self.books]
        self.time_ns = 1
        self.keep_intents = False
        for number in range(venues + 1):
            self._apply(number, [action(a.STATUS, key=2, aux=a.STATUS_TRADING)])

    def close(self) -> None:
        """Gives the memory back."""
        self.tables.close()
        self.market.close()
        for book in self.books:
            book.close()

    def _apply(self, number: int, rows: list[np.ndarray[Any, Any]]) -> None:
        self.time_ns += 1
        batch = np.concatenate(rows)
        with allowed(*self.market.blocks, *self.market.book_blocks(), batch):
            apply_actions(
                self.market.address, number, self.books[number].address, batch.ctypes.data,
                len(batch), self.time_ns,
            )  # fmt: skip

    def _show(self, number: int, side: int, levels: list[tuple[int, int]]) -> list[Any]:
        """Actions that make a side of a book show just these levels."""
        wanted = {price: (side, shares) for price, shares in levels}
        gone = [(p, s) for p, (s, _) in self.shown[number].items() if wanted.get(p, (0, 0))[0] != s]
        rows = [action(a.LEVEL, side=s, key=2, price=p, quantity=0) for p, s in gone]
        rows += [
            action(a.LEVEL, side=side, key=2, price=price, quantity=shares)
            for price, shares in levels
        ]
        self.shown[number] = wanted
        return rows

    def set_up(self, venues: list[Venue], side: str, lot: int = 100) -> None:
        """Makes a scenario; venues behind those given are down and show nothing."""
        self.market.instruments["lot"][1] = lot
        taken = a.SELL if side == "buy" else a.BUY
        everyone = [*venues, *[Venue(down=1) for _ in range(self.count + 1 - len(venues))]]
        for number, venue in enumerate(everyone):
            self.market.venues["protected"][number] = venue.protected
            self.books[number].tops["trust"][2] = LIVE if venue.live else STALE
            rows = self._show(number, taken, venue.levels)
            rows.append(action(a.STATUS, key=2, aux=a.STATUS_TRADING))
            self._apply(number, rows)
            if number < self.count:
                self._set_venue(number, venue)
        self.market.refresh(self.time_ns)
        self._set_own(everyone, side)

    def _set_venue(self, number: int, venue: Venue) -> None:
        row = self.tables.venues[number]
        row["quotes"], row["down"], row["lot"] = number, venue.down, venue.lot
        row["least"], row["takes_iso"], row["latency_ns"] = (
            venue.least, venue.takes_iso, venue.latency_ns,
        )  # fmt: skip
        row["tier"], row["tier_count"] = 1, 2
        row["tiers"]["removed"]["per_share"] = [venue.fee + 10_000, venue.fee, 0, 0]
        row["tiers"]["removed"]["per_notional"] = [0, venue.small_fee, 0, 0]

    def _set_own(self, venues: list[Venue], side: str) -> None:
        """Open children of the account: under way on our side, resting on the other."""
        made, ours, children = 0, SIDES[side], self.tables.children
        for number, venue in enumerate(venues[: self.count]):
            for shares, price, child_side, flags in (
                (venue.flight, 1, ours, tables.TAKES), (100, venue.own, 3 - ours, 0),
            ):  # fmt: skip
                if shares == 0 or price == 0:
                    continue
                made += 1
                row = children[made]
                row["venue"], row["side"], row["leaves"] = number, child_side, shares
                row["price"], row["flags"], row["next_open"] = price, flags, made - 1
        self.tables.positions[1, 1]["first_open"] = made

    def take(self, quantity: int, limit: int = 0, side: str = "buy", now: int = NOW_NS) -> Sweep:
        """Sweeps for a parent of account 1 and collects what came of it."""
        parent = self.tables.parents[1]
        parent["instrument"], parent["account"], parent["side"] = 1, 1, SIDES[side]
        parent["idle"] = 0  # so that a sweep that finds nothing is told as well
        if not self.keep_intents:
            self.tables.head["intent_count"] = 0
        before = int(self.tables.head["intent_count"])
        list(self.tables.log.read())
        blocks = (self.tables.block, *self.market.blocks, *self.market.book_blocks())
        with allowed(*blocks):
            asked = take(self.tables.address, 1, quantity, limit, now)
        assert violations().count == 0, violations()
        (decision,) = self.tables.log.read()
        assert decision.kind == log.DECISION
        candidates = np.frombuffer(decision.more, log.CANDIDATE_DTYPE)
        return Sweep(int(asked), self.orders(before), decision, candidates)

    def take_quietly(self, quantity: int, limit: int) -> int:
        """A sweep of which nothing is collected."""
        with allowed(self.tables.block, *self.market.blocks, *self.market.book_blocks()):
            return int(take(self.tables.address, 1, quantity, limit, NOW_NS))

    def take_nothing(self) -> int:
        """A sweep of no shares."""
        with allowed(self.tables.block):
            return int(take(self.tables.address, 1, 0, 0, NOW_NS))

    def over(self, venue: int, side: str, quantity: int, now: int, *, heard: bool = True) -> None:
        """An order that takes was decided on what the venue shows now, and is over at a time."""
        row = self.tables.children[60]
        row["venue"], row["side"], row["instrument"] = venue, SIDES[side], 1
        row["quantity"], row["flags"], row["heard_ns"] = quantity, tables.TAKES, int(heard)
        with allowed(self.tables.block, *self.market.blocks):
            run_note_seen(self.tables.address, 60)
        self.after_seen()
        with allowed(self.tables.block, *self.market.blocks):
            run_note_gone(self.tables.address, 60, now)
        self.tables.head["now_ns"] = now

    def after_seen(self) -> None:
        """What happens between an order's decision and its end: for scenarios to replace."""

    def status(self, number: int, status: int) -> None:
        """A venue's trading status of the instrument; `set_up` makes it trade again."""
        self._apply(number, [action(a.STATUS, key=2, aux=status)])

    def orders(self, first: int = 0) -> dict[int, dict[str, int]]:
        """The intents waiting from a place on, by venue."""
        rows = self.tables.block["intents"][first : int(self.tables.head["intent_count"])]
        names = [name for name in rows.dtype.names or () if name != "unused"]
        found = {int(row["venue"]): {name: int(row[name]) for name in names} for row in rows}
        assert len(found) == len(rows)
        return found
