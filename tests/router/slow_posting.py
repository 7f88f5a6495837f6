"""Where passive orders go, in floats: the model of Cont and Kukanov in a few lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS = 16


@dataclass
class SlowVenue:
    """A lit venue as a passive order finds it; prices in ticks, sizes in shares.

    Attributes:
        near, far: price and shares of the order's own and the other side.
        outflow: shares that are expected to execute on the own side within the horizon.
        adds, removes: fee a share for adding and for removing, in ticks.
        drift: mean move of the midpoint against who was executed, in ticks.
    """

    near: tuple[int, int]
    far: tuple[int, int]
    outflow: float
    adds: float = 0.0
    removes: float = 0.0
    drift: float = 0.0


def chance(outflow: float, queue: float, size: float) -> float:
    """Expected part of `size` shares behind `queue` that executes."""
    gone = math.exp(-queue / outflow) - math.exp(-(queue + size) / outflow)
    return outflow / size * gone


@dataclass
class SlowPosting:
    """Posting for a buyer (sign 1) or seller (-1) over venues."""

    venues: Sequence[SlowVenue]
    sign: int

    def best(self, side: str) -> int:
        """Best price of the own side, `near`, or of the other."""
        prices = [getattr(venue, side)[0] * self.sign for venue in self.venues]
        return (max(prices) if side == "near" else min(prices)) * self.sign

    @property
    def mid(self) -> float:
        """The midpoint."""
        return (self.best("near") + self.best("far")) / 2

    def price(self, peg: int, offset: int, limit: int | None) -> int:
        """Where an order stands: joined, improved or behind, within the limit, not crossing."""
        away = {0: 0, 1: offset, 2: -offset}[peg]
        price = self.best("near") * self.sign + away
        price = min(price, self.best("far") * self.sign - 1)
        if limit is not None:
            price = min(price, limit * self.sign)
        return price * self.sign

    def take(self) -> float:
        """Cost of taking a share, against the midpoint."""
        there = [v.removes for v in self.venues if v.far[0] == self.best("far")]
        return (self.best("far") - self.mid) * self.sign + min(there)

    def queue(self, venue: SlowVenue, price: int) -> int:
        """Shares ahead at a price, where only the best of each venue is known."""
        return venue.near[1] if venue.near[0] * self.sign >= price * self.sign else 0

    def cost(self, venue: SlowVenue, price: int, begin: float, size: float) -> float:
        """Expected cost a share of the part of an order from `begin` on."""
        filled = (price - self.mid) * self.sign + venue.adds + venue.drift
        executes = chance(venue.outflow, self.queue(venue, price) + begin, size)
        return executes * filled + (1 - executes) * self.take()

    def total(self, split: Sequence[int], price: int) -> float:
        """Expected cost of all shares of a split."""
        return sum(
            shares * self.cost(venue, price, 0, shares)
            for venue, shares in zip(self.venues, split, strict=True)
            if shares
        )

    def split(self, quantity: int, price: int, lot: int = 100) -> list[int]:
        """Blocks of lots, each to where it costs least."""
        given = [0] * len(self.venues)
        block = math.ceil(math.ceil(quantity / BLOCKS) / lot) * lot
        left = quantity
        while left:
            size = min(block, left)
            costs = [self.cost(v, price, given[k], size) for k, v in enumerate(self.venues)]
            given[costs.index(min(costs))] += size
            left -= size
        return given
