"""A consolidated book over real venue books, driven by actions, beside its slow twin."""

from __future__ import annotations

from typing import Any

import numpy as np

from feedhandler import actions as a
from feedhandler.books.layout import LIVE, STALE
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.entries import apply_actions
from feedhandler.consolidated.layout import STATES
from feedhandler.consolidated.market import Market
from feedhandler.consolidated.slow import SlowInstrument, SlowVenue
from nic.regions import allowed

SMALL = Sizes(orders=256, levels=256, instruments=8)
FLAGS = {1: "bid_below", 2: "offer_above", 4: "limit_up", 8: "limit_down", 16: "halted"}


def action(kind: int, **fields: Any) -> np.ndarray:
    """One action record."""
    row = np.zeros(1, a.ACTION_DTYPE)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


class Rig:
    """Venues with books of their own and instruments that all of them trade."""

    def __init__(self, venues: list[SlowVenue], instruments: int = 1, **options: Any) -> None:
        self.market = Market(instruments, 8, len(venues), **options)
        self.books = [VenueBook(SMALL) for _ in venues]
        self.slow = {}
        self.extra: list[Any] = []
        for number, venue in enumerate(venues):
            self.market.add_venue(
                f"v{number}",
                self.books[number],
                protected=venue.protected,
                halts_all=venue.halts_all,
            )
            for instrument in range(1, instruments + 1):
                self.market.map(number, instrument, instrument)
        for instrument in range(1, instruments + 1):
            self.slow[instrument] = SlowInstrument(
                venues, unknown_trades=options.get("unknown_trades", False)
            )
        self.time_ns = 1000

    def close(self) -> None:
        """Gives the memory back."""
        self.market.close()
        for book in self.books:
            book.close()

    def apply(self, venue: int, *rows: np.ndarray) -> None:
        """One packet of a venue."""
        self.time_ns += 1
        batch = np.concatenate(rows)
        blocks = [*self.market.blocks, *self.market.book_blocks(), batch, *self.extra]
        with allowed(*blocks):
            apply_actions(
                self.market.address,
                venue,
                self.books[venue].address,
                batch.ctypes.data,
                len(batch),
                self.time_ns,
            )

    def level(self, venue: int, instrument: int, side: int, price: int, quantity: int) -> None:
        """A level's new size, on both."""
        row = action(a.LEVEL, side=side, key=instrument, price=price, quantity=quantity)
        self.apply(venue, row)
        quote = self.slow[instrument].quotes[venue]
        levels = quote.bids if side == a.BUY else quote.offers
        levels[price] = quantity
        if quantity == 0:
            del levels[price]

    def status(self, venue: int, instrument: int, status: int) -> None:
        """A venue's trading status of an instrument, on both."""
        self.apply(venue, action(a.STATUS, key=instrument, aux=status))
        self.slow[instrument].quotes[venue].said(status)

    def status_of_all(self, venue: int, status: int) -> None:
        """A status of everything that a venue has, on both."""
        self.apply(venue, action(a.STATUS, flags=a.ALL, aux=status))
        for slow in self.slow.values():
            slow.quotes[venue].said(status, of_all=True)

    def quote(
        self, venue: int, instrument: int, side: int, level: tuple[int, int], eligible: bool = True
    ) -> None:
        """The one level of a side, price and size, and whether it is eligible, on both."""
        price, quantity = level
        flags = 0 if eligible else a.CLOSED_SIDE
        row = action(a.TOP, side=side, key=instrument, price=price, quantity=quantity, flags=flags)
        self.apply(venue, row)
        quote = self.slow[instrument].quotes[venue]
        levels = quote.bids if side == a.BUY else quote.offers
        levels.clear()
        if quantity:
            levels[price] = quantity
        (quote.ineligible.discard if eligible else quote.ineligible.add)(side == a.BUY)

    def banded(self, venue: int, instrument: int, lower: int, upper: int) -> None:
        """Price bands that a venue's feed says, on both."""
        self.apply(venue, action(a.BANDS, key=instrument, price=lower, aux=upper))
        self.slow[instrument].lower, self.slow[instrument].upper = lower, upper

    def trust(self, venue: int, instrument: int, live: bool) -> None:
        """A book goes stale or live, on both."""
        self.books[venue].tops["trust"][instrument] = LIVE if live else STALE
        self.time_ns += 1
        self.market.refresh(self.time_ns)
        self.slow[instrument].quotes[venue].live = live

    def bands(self, instrument: int, lower: int, upper: int) -> None:
        """Price bands, on both."""
        self.market.set_instrument(instrument, f"I{instrument}", bands=(lower, upper))
        self.slow[instrument].lower, self.slow[instrument].upper = lower, upper
        self.time_ns += 1
        self.market.refresh(self.time_ns)

    def lot(self, instrument: int, lot: int) -> None:
        """A round lot, on both."""
        self.market.set_instrument(instrument, f"I{instrument}", lot=lot)
        self.slow[instrument].lot = lot
        self.time_ns += 1
        self.market.refresh(self.time_ns)

    def check(self) -> None:
        """Fast and slow say the same of every instrument."""
        for instrument, slow in self.slow.items():
            assert seen(self.market, instrument) == wanted(slow)


def bits(venues: int) -> list[int]:
    """The venues of a set."""
    return [number for number in range(32) if venues >> number & 1]


def seen(market: Market, instrument: int) -> dict[str, Any]:
    """What a record says, in the slow twin's words."""
    row = market.record(instrument)
    made: dict[str, Any] = {}
    kinds = {"": "shown", "national_": "protected", "odd_": "odd"}
    for prefix, kind in kinds.items():
        for side in ("bid", "offer"):
            name = prefix + side
            best = int(row[name]), int(row[f"{name}_quantity"]), bits(int(row[f"{name}_venues"]))
            made[f"{kind} {side}"] = best
    made["state"] = STATES[row["state"]]
    made["flags"] = {name for bit, name in FLAGS.items() if row["flags"] & bit}
    return made


def wanted(slow: SlowInstrument) -> dict[str, Any]:
    """The same from the slow twin."""
    made: dict[str, Any] = {}
    for kind in ("shown", "protected", "odd"):
        for side in ("bid", "offer"):
            made[f"{kind} {side}"] = slow.best(kind, side == "bid")
    return made | {"state": slow.state(), "flags": slow.flags()}
