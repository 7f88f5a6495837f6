"""The consolidated book once more in plain Python, from scratch at every look, as a judge.

Nothing here is shared with the kernels but the meaning of the words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from feedhandler.actions import (
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_QUOTING,
    STATUS_TRADING,
    STATUS_UNKNOWN,
)

Level = tuple[int, int]  # price, quantity
Best = tuple[int, int, list[int]]  # price, quantity, venues
NOTHING: Best = (0, 0, [])
STOPS = (STATUS_HALTED, STATUS_PAUSED, STATUS_QUOTING)


@dataclass
class SlowQuote:
    """What one venue has of one instrument: levels by price, and its states."""

    bids: dict[int, int] = field(default_factory=dict)
    offers: dict[int, int] = field(default_factory=dict)
    status: int = STATUS_UNKNOWN
    live: bool = True
    own_status: int = STATUS_UNKNOWN  # said of the instrument alone
    ineligible: set[bool] = field(default_factory=set)  # sides that do not count: True for bids

    def said(self, status: int, of_all: bool = False) -> None:
        """A status of the instrument alone, or of all that the venue has."""
        if not of_all:
            self.own_status = self.status = status
        elif self.own_status in STOPS and status not in (STATUS_HALTED, STATUS_PAUSED):
            self.status = self.own_status
        else:
            self.status = status

    def side(self, buy: bool) -> list[Level]:
        """Levels of a side, best first."""
        levels = self.bids if buy else self.offers
        return sorted(levels.items(), reverse=buy)


@dataclass
class SlowVenue:
    """How a venue's quotes count."""

    protected: bool = True
    halts_all: bool = False


@dataclass
class SlowInstrument:
    """One instrument at all venues; every question is answered from the levels."""

    venues: list[SlowVenue]
    lot: int = 100
    lower: int = 0
    upper: int = 0
    unknown_trades: bool = False
    quotes: list[SlowQuote] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.quotes = self.quotes or [SlowQuote() for _ in self.venues]

    def usable(self, venue: int) -> bool:
        """Whether a venue's quotes count at all."""
        quote = self.quotes[venue]
        silent = self.unknown_trades and quote.status == STATUS_UNKNOWN
        return quote.live and (quote.status == STATUS_TRADING or silent)

    def shown(self, venue: int, buy: bool) -> Level | None:
        """A venue's best price of any size."""
        levels = self.quotes[venue].side(buy)
        return levels[0] if levels and self.usable(venue) else None

    def protected(self, venue: int, buy: bool) -> Level | None:
        """Where a venue's shares, best first, make a round lot; in whole round lots.

        None where the venue's quotes are not automated, or this one is not eligible.
        """
        if not self.usable(venue) or not self.venues[venue].protected:
            return None
        if buy in self.quotes[venue].ineligible:
            return None
        shares = 0
        for price, quantity in self.quotes[venue].side(buy):
            shares += quantity
            if shares >= self.lot:
                return price, shares // self.lot * self.lot
        return None

    def odd(self, venue: int, buy: bool) -> Level | None:
        """A venue's best price if less than a round lot stands there."""
        shown = self.shown(venue, buy)
        return shown if shown is not None and shown[1] < self.lot else None

    def halted(self) -> bool:
        """Whether a venue that speaks for the market has stopped trading in the instrument."""
        return any(
            venue.halts_all and quote.status in STOPS
            for venue, quote in zip(self.venues, self.quotes, strict=True)
        )

    def best(self, kind: str, buy: bool) -> Best:
        """The best of all venues: "shown", "protected" (inside the bands) or "odd"."""
        found: dict[int, list[tuple[int, int]]] = {}
        if kind == "protected" and self.halted():
            return NOTHING
        for venue in range(len(self.venues)):
            level = getattr(self, kind)(venue, buy)
            if level is None:
                continue
            price, quantity = level
            outside = price > self.upper if buy else price < self.lower
            banded = self.upper != 0 if buy else self.lower != 0
            if kind == "protected" and banded and outside:
                continue
            found.setdefault(price, []).append((venue, quantity))
        if not found:
            return NOTHING
        price = max(found) if buy else min(found)
        at = found[price]
        return price, sum(quantity for _, quantity in at), [venue for venue, _ in at]

    def state(self) -> str:
        """Whether the national best bid and offer lock or cross."""
        bid, offer = self.best("protected", True), self.best("protected", False)
        if not bid[1] or not offer[1] or bid[0] < offer[0]:
            return "normal"
        return "locked" if bid[0] == offer[0] else "crossed"

    def flags(self) -> set[str]:
        """What is to be said about the national best besides."""
        if self.halted():
            return {"halted"}
        bid, offer = self.best("protected", True), self.best("protected", False)
        made = set()
        if bid[1] and self.lower and bid[0] < self.lower:
            made.add("bid_below")
        if offer[1] and self.upper and offer[0] > self.upper:
            made.add("offer_above")
        if bid[1] and self.upper and bid[0] == self.upper:
            made.add("limit_up")
        if offer[1] and self.lower and offer[0] == self.lower:
            made.add("limit_down")
        return made


def merged_depth(ladders: dict[int, list[Level]], buy: bool) -> list[tuple[int, int, list[int]]]:
    """The levels of several venues as one ladder, best first: price, quantity, venues."""
    found: dict[int, list[tuple[int, int]]] = {}
    for venue in sorted(ladders):
        for price, quantity in ladders[venue]:
            found.setdefault(price, []).append((venue, quantity))
    prices = sorted(found, reverse=buy)
    return [(p, sum(q for _, q in found[p]), [v for v, _ in found[p]]) for p in prices]
