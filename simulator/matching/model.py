"""What makes a venue that venue: its rules, fees, speed and troubles, as a TOML file.

kind = "lit"                     # or "midpoint"; "conditional": a midpoint pool with invitations

[[ticks]]                        # price bands, the first from 0
from_price = 0
tick = 10_000                    # 1e-8 currency units

[[fees]]                         # tiers, the first from 0 shares a day
removed = { per_share = 300_000, per_notional = 300_000 }
added = { per_share = -200_000 }
"""

from __future__ import annotations

from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from nic.configfile import load
from router.venuefile import Rate
from simulator.matching import layout

STP_MODES: Final = ("none", "cancel_new", "cancel_old", "cancel_both", "decrement")
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 40)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
Chance = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Fees(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tier: the rates of an owner who has executed `from_shares` or more today.

    `retail_added` and `retail_removed` are for orders with the RETAIL flag, by default as others.
    """

    from_shares: Count = 0
    added: Rate = Rate()
    removed: Rate = Rate()
    added_hidden: Rate = Rate()
    midpoint: Rate = Rate()
    crossed: Rate = Rate()
    retail_added: Rate | None = None
    retail_removed: Rate | None = None

    @property
    def rates(self) -> tuple[Rate, ...]:
        """By liquidity code, then those of retail orders."""
        plain = (Rate(), self.added, self.removed, self.added_hidden, self.midpoint, self.crossed)
        return *plain, self.retail_added or self.added, self.retail_removed or self.removed


class Tick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least step of prices from `from_price` on, both in 1e-8 currency units."""

    tick: Positive
    from_price: Count = 0


class Latency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A way through the venue: at least `base_ns`, and a jitter with a long tail.

    The jitter is lognormal: `jitter_ns` its median, `spread` the deviation of its logarithm, cut at
    its 99.99th percentile. One message in 1 / `spike_chance` takes `spike_ns` more.
    """

    base_ns: Count = 0
    jitter_ns: Count = 0
    spread: Annotated[float, msgspec.Meta(ge=0, le=4)] = 0.5
    spike_chance: Chance = 0.0
    spike_ns: Count = 0


class Troubles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong by itself: chances a message."""

    reject_chance: Chance = 0.0
    disconnect_chance: Chance = 0.0


def _usual_ticks() -> tuple[Tick, ...]:
    return Tick(10_000), Tick(1_000_000, from_price=layout.DOLLAR)


class VenueModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A venue.

    Attributes:
        name: as people call it.
        kind: "lit"; "midpoint" has midpoint pegs only and publishes trades alone; "conditional" is
            such a pool that takes invitations too.
        fees: tiers, ascending, the first from 0.
        ticks: price bands, ascending, the first from 0.
        round_lot: shares; the least displayed part of a reserve order.
        most_shares: of one order.
        references: "new": a changed order gets a new public reference (ITCH); "kept": it keeps it.
        size_down: what a replace to fewer shares at the same price does to an order's priority.
        reserve_refresh: "at_once" shows the next slice before hidden orders at the price trade;
            "after" when the taker is done, the reserve trading behind hidden orders until then.
        halts: "queue": orders wait for the end of a halt; "cancel_only": they are refused.
        bands: orders beyond LULD bands are priced at them, or refused.
        protect: orders that are no sweeps stop short of better prices elsewhere.
        retail: orders with the RETAIL flag are taken.
        auctions: orders for auctions are taken.
        self_trade: the modes of self-trade prevention that may be asked for.
        firm_up_ns: how long an invitation holds.
        inbound, outbound: latency to the matching and from it.
        messages_per_second: beyond it they queue; 0: no limit.
        troubles: what goes wrong by itself.
    """

    name: str
    kind: Literal["lit", "midpoint", "conditional"] = "lit"
    fees: tuple[Fees, ...] = (Fees(),)
    ticks: tuple[Tick, ...] = msgspec.field(default_factory=_usual_ticks)
    round_lot: Positive = 100
    most_shares: Annotated[int, msgspec.Meta(ge=1, le=(1 << 31) - 1)] = 1_000_000
    references: Literal["new", "kept"] = "new"
    size_down: Literal["keeps", "loses"] = "keeps"
    reserve_refresh: Literal["at_once", "after"] = "after"
    halts: Literal["queue", "cancel_only"] = "queue"
    bands: Literal["slide", "reject"] = "slide"
    protect: bool = False
    retail: bool = True
    auctions: bool = True
    self_trade: tuple[
        Literal["none", "cancel_new", "cancel_old", "cancel_both", "decrement"], ...
    ] = STP_MODES
    firm_up_ns: Count = 1_000_000_000
    inbound: Latency = Latency()
    outbound: Latency = Latency()
    messages_per_second: Count = 0
    troubles: Troubles = Troubles()

    def __post_init__(self) -> None:
        if not 1 <= len(self.fees) <= layout.MOST_TIERS:
            raise ValueError(f"fees: expected 1 to {layout.MOST_TIERS} tiers")
        if not 1 <= len(self.ticks) <= layout.MOST_TICKS:
            raise ValueError(f"ticks: expected 1 to {layout.MOST_TICKS} bands")
        _ascending("fees: from_shares", [tier.from_shares for tier in self.fees])
        _ascending("ticks: from_price", [band.from_price for band in self.ticks])

    @property
    def dark(self) -> bool:
        """Whether nothing is displayed here."""
        return self.kind != "lit"

    @property
    def rules(self) -> int:
        """The rules as the kernels read them."""
        chosen = {
            layout.SIZE_DOWN_KEEPS: self.size_down == "keeps",
            layout.IN_PLACE: self.references == "kept",
            layout.REFRESH_AT_ONCE: self.reserve_refresh == "at_once",
            layout.HALT_QUEUES: self.halts == "queue",
            layout.BANDS_SLIDE: self.bands == "slide",
            layout.MIDPOINT_ONLY: self.dark,
            layout.CONDITIONALS: self.kind == "conditional",
            layout.PROTECT: self.protect,
            layout.TAKES_RETAIL: self.retail,
            layout.NO_AUCTIONS: not self.auctions,
        }
        return sum(bit for bit, on in chosen.items() if on)

    @property
    def self_trade_bits(self) -> int:
        """Bit n: mode n may be asked for; none at all always may."""
        return 1 | sum(1 << STP_MODES.index(mode) for mode in set(self.self_trade) - {"none"})


def _ascending(what: str, values: list[int]) -> None:
    if values[0] != 0 or any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"{what}: expected 0 first, then ascending values")


def load_model(path: Path) -> VenueModel:
    """The model in a file. Raises ConfigError."""
    return load(path, VenueModel)


def shipped_models() -> dict[str, VenueModel]:
    """The models that come along, by the name of their file."""
    folder = Path(str(files("simulator") / "venues"))
    return {path.stem: load_model(path) for path in sorted(folder.glob("*.toml"))}
