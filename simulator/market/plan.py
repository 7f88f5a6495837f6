"""What a market is made of: the day, the instruments, the venues, the seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import msgspec

from feedhandler.dates import midnight_ns
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import Settings, VenueOf, load_settings
from simulator.market.symbols import made_symbols
from simulator.matching.model import VenueModel, shipped_models
from simulator.publishing.venues import VENUES

ZONE: Final = "America/New_York"
OPENING_S: Final = 34_200.0
DAY_S: Final = 86_400
SECOND_NS: Final = 1_000_000_000
TAIL_NS: Final = SECOND_NS  # behind the close
MODELS: Final = {"dark": "dark_midpoint"}  # of venues whose model has another name
MOST_SECONDS: Final = 23_400
MOST_SYMBOLS: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class MarketPlan:
    """A market to be made. The same plan gives the same market, byte for byte.

    Attributes:
        seed: of everything that is drawn.
        day: of the session, in New York.
        opening_s: when trading begins, seconds after midnight: 09:30.
        seconds: of trading.
        before_s: of orders before the opening.
        symbols: the instruments, most active first.
        stop_s: trading that is shown, when the market is left before it closes; None: all of it.
        settings: of the order flow; its venues are the market's.
        models: of the venues, by name.

    Raises:
        ValueError: a plan that cannot be.
    """

    seed: int = 1
    day: date = date(2026, 3, 16)
    opening_s: float = OPENING_S
    seconds: float = 600.0
    before_s: float = 10.0
    stop_s: float | None = None
    symbols: Sequence[str] = field(default_factory=lambda: made_symbols(50))
    settings: Settings = field(default_factory=load_settings)
    models: dict[str, VenueModel] = field(default_factory=shipped_models)

    def __post_init__(self) -> None:
        if not 1 <= self.seconds <= MOST_SECONDS:
            raise ValueError(f"duration of {self.seconds:g} s: expected 1 to {MOST_SECONDS}")
        if self.stop_s is not None and not 0 < self.stop_s <= self.seconds:
            raise ValueError(f"stop after {self.stop_s:g} s: expected up to {self.seconds:g} s")
        if not 0 < self.before_s <= self.opening_s:
            most = f"expected up to {self.opening_s:g}"
            raise ValueError(f"{self.before_s:g} s before the opening: {most}")
        if self.opening_s + self.seconds > DAY_S:
            raise ValueError(f"opening at {self.opening_s:g} s: the session ends behind midnight")
        if not 1 <= len(self.symbols) <= MOST_SYMBOLS:
            raise ValueError(f"{len(self.symbols)} symbols: expected 1 to {MOST_SYMBOLS}")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("symbols: one is there twice")
        for venue in self.settings.venues:
            self.model_of(venue.name)
            if venue.kind == "lit" and venue.name not in VENUES:
                raise ValueError(f"no feed for venue {venue.name!r}: {', '.join(VENUES)} have one")

    @property
    def times(self) -> SessionTimes:
        """When orders begin to come, when the auctions are."""
        open_ns = midnight_ns(self.day, ZONE) + round(self.opening_s * SECOND_NS)
        start_ns = open_ns - round(self.before_s * SECOND_NS)
        return SessionTimes(start_ns, open_ns, open_ns + round(self.seconds * SECOND_NS))

    @property
    def end_ns(self) -> int:
        """When the market is left: behind its close, or as `stop_s` says."""
        times = self.times
        if self.stop_s is None:
            return times.close_ns + TAIL_NS
        return times.open_ns + round(self.stop_s * SECOND_NS)

    def model_of(self, venue: str) -> VenueModel:
        """The matching of a venue. Raises ValueError naming those there are."""
        name = MODELS.get(venue, venue)
        if name not in self.models:
            raise ValueError(f"no model of venue {venue!r}: there are {', '.join(self.models)}")
        return self.models[name]


def with_venues(settings: Settings, names: Sequence[str]) -> Settings:
    """The settings with some of their venues only. Raises ValueError for an unknown one."""
    known: dict[str, VenueOf] = {venue.name: venue for venue in settings.venues}
    for name in names:
        if name not in known:
            raise ValueError(f"no venue {name!r}: there are {', '.join(known)}")
    if len(set(names)) < len(names):
        raise ValueError("venues: one is there twice")
    return msgspec.structs.replace(settings, venues=[known[name] for name in names])
