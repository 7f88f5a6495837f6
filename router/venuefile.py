"""Where orders can go: venues as a TOML file, and their rows in the router's tables.

[[venues]]
name = "nasdaq"
quotes = "nasdaq"        # the venue's name in the channel map; absent: it shows nothing
protocol = "ouch50"      # or "ouch42", "boe", "pillar", "meo"
latency_ns = 22_000      # expected, from our send to its matching
answer_ms = 2_000        # so long the answer to a cancel or replace is waited for; 0: for ever
breaker = { failures = 25, window_ms = 1_000, rest_ms = 5_000 }
[[venues.fees]]          # tiers, the first from 0 shares a day
removed = { per_share = 300_000, per_notional = 300_000 }
added = { per_share = -200_000 }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import numpy as np

from nic.configfile import ConfigError, load
from router import tables
from router.tablespace import NAME_BYTES, RouterTables

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
Short = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=86_400_000)]
Protocol = Literal["ouch50", "ouch42", "boe", "pillar", "meo"]
MOST_RATE: Final = 10_000_000  # a tenth of a currency unit a share, a tenth of the notional
SHIPPED: Final = Path(__file__).with_name("venues.toml")
NS_PER_MS: Final = 1_000_000
RATES: Final = ("added", "removed", "added_hidden", "midpoint", "crossed")


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an execution costs, in 1e-8 units; a rebate is negative.

    Attributes:
        per_share: 1e-8 currency units a share, at a price of one currency unit or more.
        per_notional: 1e-8 of price x shares, below that price.
    """

    per_share: int = 0
    per_notional: int = 0

    def __post_init__(self) -> None:
        if max(abs(self.per_share), abs(self.per_notional)) > MOST_RATE:
            raise ValueError(f"per_share, per_notional: expected at most {MOST_RATE}")


class Tier(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rates of who has executed `from_shares` or more today."""

    from_shares: Count = 0
    added: Rate = Rate()
    removed: Rate = Rate()
    added_hidden: Rate = Rate()
    midpoint: Rate = Rate()
    crossed: Rate = Rate()


class Breaker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When orders stop going to a venue that does not take them; see `router.loop.breaker`.

    Attributes:
        failures: rejects, refused sends and missing answers that open it; 0: there is none.
        window_ms: in which so many come.
        rest_ms: until the venue is tried again; 0: until a person says so.
    """

    failures: Short = 25
    window_ms: Milliseconds = 1_000
    rest_ms: Milliseconds = 5_000


class RoutedVenue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A venue that orders can be sent to.

    Attributes:
        name: as people and results call it.
        protocol: of its order entry.
        quotes: its name in the channel map; empty: it shows nothing.
        dark: executions at the midpoint only.
        protected: its quotes are protected by rule.
        lot: orders are multiples of it.
        least: shares of an order.
        iso, hidden, post_only: what it takes.
        latency_ns: expected, from our send to its matching.
        answer_ms: so long the answer to a cancel or replace is waited for; 0: for ever.
        breaker: when orders stop going there by themselves.
        tick, small_tick: of prices of a currency unit and more, and below, 1e-8.
        fees: tiers, ascending.
    """

    name: str
    protocol: Protocol
    quotes: str = ""
    dark: bool = False
    protected: bool = True
    lot: Positive = 1
    least: Positive = 1
    iso: bool = True
    hidden: bool = True
    post_only: bool = True
    latency_ns: Count = 0
    answer_ms: Milliseconds = 2_000
    breaker: Breaker = Breaker()
    tick: Positive = 1_000_000
    small_tick: Positive = 10_000
    fees: tuple[Tier, ...] = (Tier(),)

    def __post_init__(self) -> None:
        if not 1 <= len(self.name.encode()) <= NAME_BYTES:
            raise ValueError(f"name: expected 1 to {NAME_BYTES} bytes, got {self.name!r}")
        if not self.dark and not self.quotes:
            raise ValueError(f"venue {self.name}: quotes: expected the name of its feed, or dark")
        if not 1 <= len(self.fees) <= tables.MOST_TIERS:
            raise ValueError(f"venue {self.name}: fees: expected 1 to {tables.MOST_TIERS} tiers")
        starts = [tier.from_shares for tier in self.fees]
        if starts[0] != 0 or any(a >= b for a, b in pairwise(starts)):
            raise ValueError(f"venue {self.name}: fees: from_shares must rise from 0")


class VenueFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the file."""

    venues: tuple[RoutedVenue, ...]

    def __post_init__(self) -> None:
        names = [venue.name for venue in self.venues]
        if len(set(names)) < len(names):
            raise ValueError("venues: a name is there twice")
        if not names:
            raise ValueError("venues: expected at least one")


def load_venues(path: Path = SHIPPED) -> tuple[RoutedVenue, ...]:
    """The venues of a file. Raises ConfigError naming file and key."""
    return load(path, VenueFile).venues


def fill_venues(
    made: RouterTables, venues: Sequence[RoutedVenue], quoting: Mapping[str, int], path: Path
) -> None:
    """Writes the venues' rows, numbered as they come.

    Args:
        made: fresh tables.
        venues: of the file at `path`.
        quoting: numbers in the consolidated book, by the name in the channel map. A venue whose
            feed is not among them is switched off: its book cannot be seen.
        path: named in errors.

    Raises:
        ConfigError: more venues than there is room for, or two that show the same quotes.
    """
    if len(venues) > len(made.venues):
        raise ConfigError(f"{path}: venues: there is room for {len(made.venues)}")
    routed = made.block["routed"]
    for number, venue in enumerate(venues):
        row = made.venues[number]
        row["name"] = venue.name.encode()
        seen = quoting.get(venue.quotes, -1) if venue.quotes else -1
        if seen >= 0 and routed[seen] >= 0:
            raise ConfigError(f"{path}: venues[{number}].quotes: {venue.quotes!r} is there twice")
        if seen >= 0:
            routed[seen] = number
        row["quotes"], row["session"] = seen, number
        row["down"] = tables.DOWN_ASKED if venue.quotes and seen < 0 else 0
        row["dark"], row["protected"] = venue.dark, venue.protected
        row["lot"], row["least"], row["latency_ns"] = venue.lot, venue.least, venue.latency_ns
        row["takes_iso"], row["takes_hidden"] = venue.iso, venue.hidden
        row["takes_post_only"] = venue.post_only
        row["tick"], row["small_tick"] = venue.tick, venue.small_tick
        row["answer_ns"] = venue.answer_ms * NS_PER_MS
        row["breaker_failures"] = venue.breaker.failures
        row["breaker_window_ns"] = venue.breaker.window_ms * NS_PER_MS
        row["breaker_rest_ns"] = venue.breaker.rest_ms * NS_PER_MS
        row["tier_count"] = len(venue.fees)
        for tier, fees in enumerate(venue.fees):
            _fill_tier(row["tiers"][tier], fees)
    made.head["venue_count"] = len(venues)


def _fill_tier(row: np.void, fees: Tier) -> None:
    row["from_shares"] = fees.from_shares
    for name in RATES:
        rate: Rate = getattr(fees, name)
        row[name] = (rate.per_share, rate.per_notional)
