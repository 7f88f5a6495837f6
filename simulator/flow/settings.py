"""The parameters of the order flow, read from a TOML file: `default.toml` says what each one does.

Shares are of 1, times in the unit of their name, prices in dollars.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from nic.configfile import load, parse

MOST_CLASSES: Final = 6
MOST_KERNELS: Final = 4
MOST_VENUES: Final = 16

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Day = Annotated[list[Positive], msgspec.Meta(min_length=1, max_length=64)]
Range = tuple[float, float]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file; keys that are unknown, missing or of another type are refused."""


class Kernel(_Part, frozen=True, kw_only=True):
    """One exponential of the self-excitation: how long it lasts, how many events one causes."""

    time_s: Positive
    branching: Share


class Activity(_Part, frozen=True, kw_only=True):
    """How often orders come, of which instruments, when."""

    new_orders_per_s: Positive
    zipf_exponent: NotNegative
    day: Day
    kernels: Annotated[list[Kernel], msgspec.Meta(max_length=MOST_KERNELS)]

    def __post_init__(self) -> None:
        if self.branching >= 1:
            raise ValueError(f"kernels: branching adds up to {self.branching:g}, expected below 1")

    @property
    def branching(self) -> float:
        """The share of events that earlier ones caused."""
        return sum(kernel.branching for kernel in self.kernels)


class Proportions(_Part, frozen=True, kw_only=True):
    """How often orders are executed, replaced, reduced."""

    executions_per_add: Share
    replace_share: Share
    reduce_share: Share


class Prices(_Part, frozen=True, kw_only=True):
    """The latent prices, and the spread around them."""

    median: Positive
    log_sigma: NotNegative
    least: Positive
    most: Positive
    tick: Positive
    volatility: NotNegative
    half_spread_steps: NotNegative
    most_half_spread: Share
    impact: NotNegative
    spread_day: Day

    def __post_init__(self) -> None:
        if not 40 * self.tick <= self.least <= self.median <= self.most <= 1e6:
            raise ValueError("least: expected 40 ticks <= least <= median <= most <= 1000000")


class Lifetime(_Part, frozen=True, kw_only=True):
    """A class of orders: its share of new ones, its mean life, how far from the touch it is."""

    name: str
    share: Share
    mean_s: Positive
    reach_ticks: Positive


class Placement(_Part, frozen=True, kw_only=True):
    """At which prices orders come."""

    tail_exponent: Positive
    most_ticks: Count
    improve: Share
    lock: Share
    follow: Share
    post_only: Share
    side_memory: Share


class SizesOf(_Part, frozen=True, kw_only=True):
    """How large orders are."""

    lot: Count
    odd_share: Share
    mixed_share: Share
    tail_exponent: Positive
    one_lot_share: Share
    most_lots: Count

    def __post_init__(self) -> None:
        if self.lot < 2:
            raise ValueError("lot: expected 2 or more")


class Hidden(_Part, frozen=True, kw_only=True):
    """What is not shown."""

    hidden: Share
    reserve: Share
    midpoint: Share
    reserve_lots: Count

    def __post_init__(self) -> None:
        if self.hidden + self.reserve + self.midpoint > 1:
            raise ValueError("hidden: hidden, reserve and midpoint add up to more than 1")


class Takers(_Part, frozen=True, kw_only=True):
    """Who takes what is there."""

    sweep: Share
    whole: Share
    market: Share
    dark: Share
    stale: Share


class News(_Part, frozen=True, kw_only=True):
    """Jumps of the latent price."""

    per_session: NotNegative
    size: NotNegative
    excitement: NotNegative
    flight_per_s: Positive


class Halts(_Part, frozen=True, kw_only=True):
    """Halts and pauses of an instrument."""

    per_session: NotNegative
    length_s: Positive
    bands: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    pause_s: Positive


class Auctions(_Part, frozen=True, kw_only=True):
    """Orders for the opening and the closing auction."""

    opening: Share
    closing: Share
    closing_window: Share


class Orders(_Part, frozen=True, kw_only=True):
    """Who owns resting orders (owners of order flow are below 1000), and how many there are."""

    owners: Annotated[int, msgspec.Meta(ge=1, le=800)]
    filling: Share


class VenueOf(_Part, frozen=True, kw_only=True):
    """One venue. A dark one takes midpoint pegs only and has no book to be seen."""

    name: str
    share: Share
    kind: Literal["lit", "dark"] = "lit"
    listings: Share = 0.0
    delay_us: NotNegative = 0.0
    jitter_us: NotNegative = 0.0


class Targets(_Part, frozen=True, kw_only=True):
    """Lowest and highest value of what `statistics` measures, by its names."""

    adds: Range
    deletes: Range
    executions: Range
    replaces: Range
    odd_lot_trades: Range
    hidden_trades: Range
    canceled_within_50_ms: Range
    canceled_within_500_ms: Range
    canceled_after_5_s: Range
    spread_ticks: Range
    fano_1_s: Range
    clustering: Range
    venue_correlation: Range
    locked_or_crossed: Range


class Settings(_Part, frozen=True, kw_only=True):
    """All parameters of an order flow."""

    activity: Activity
    proportions: Proportions
    prices: Prices
    lifetimes: Annotated[list[Lifetime], msgspec.Meta(min_length=1, max_length=MOST_CLASSES)]
    placement: Placement
    sizes: SizesOf
    hidden: Hidden
    takers: Takers
    news: News
    halts: Halts
    auctions: Auctions
    orders: Orders
    venues: Annotated[list[VenueOf], msgspec.Meta(min_length=1, max_length=MOST_VENUES)]
    targets: Targets

    def __post_init__(self) -> None:
        lit = [venue for venue in self.venues if venue.kind == "lit"]
        names = [venue.name for venue in self.venues]
        if len(set(names)) != len(names):
            raise ValueError("venues: expected every name once")
        if not any(venue.share > 0 for venue in lit):
            raise ValueError("venues: expected a lit venue with a share")
        if any(venue.listings > 0 for venue in self.venues if venue.kind == "dark"):
            raise ValueError("venues: a dark venue lists nothing")
        if not any(one.share > 0 for one in self.lifetimes):
            raise ValueError("lifetimes: expected a class with a share")


def load_settings(path: Path | None = None) -> Settings:
    """The settings of a file; without one, of the default market. Raises ConfigError."""
    if path is not None:
        return load(path, Settings)
    text = (files("simulator.flow") / "default.toml").read_text("utf-8")
    return parse(text, Settings, "simulator/flow/default.toml")
