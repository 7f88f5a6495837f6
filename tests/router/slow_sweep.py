"""Sweeps in plain Python: the rules, and the best allocation by trying every number of shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sweep_rig import DOLLAR, Sweep, Venue

from router.tables import IOC, ISO, TAKES

FAR = 1 << 60


class Level(NamedTuple):
    """A level that can be taken: prices as keys, lower is better on both sides."""

    shown: int
    shares: int
    cost: int  # a share


class Quote(NamedTuple):
    """A protected quote: its key and the shares that sweep it."""

    key: int
    need: int


def sign_of(side: str) -> int:
    """1 for buys, -1 for sells."""
    return 1 if side == "buy" else -1


def usable(venue: Venue) -> bool:
    """Whether the router looks at a venue at all."""
    return venue.down == 0 and venue.live


def quote_of(venue: Venue, side: str, round_lot: int) -> Quote | None:
    """The protected quote of a venue that is up."""
    if not usable(venue) or not venue.protected:
        return None
    total = 0
    for price, shares in venue.levels:
        total += shares
        if total >= round_lot:
            need = total - total % round_lot - venue.flight
            return Quote(sign_of(side) * price, max(need, 0))
    return None


def fee_of(venue: Venue, price: int) -> int:
    """Fee of a share."""
    return venue.fee if price >= DOLLAR else price * venue.small_fee // DOLLAR


def ladder_of(venue: Venue, side: str, limit: int) -> list[Level]:
    """What can be taken of a venue, own orders and the limit heeded."""
    sign, flight, made = sign_of(side), venue.flight, []
    for price, shares in venue.levels if usable(venue) else []:
        if limit and sign * price > sign * limit:
            break
        if venue.own and sign * price >= sign * venue.own:
            break
        skipped = min(flight, shares)
        flight -= skipped
        if shares > skipped:
            level = Level(sign * price, shares - skipped, sign * price + fee_of(venue, price))
            made.append(level)
    return made


class Problem:
    """A sweep to be worked out: ladders and protected quotes by venue."""

    def __init__(
        self, venues: list[Venue], side: str, limit: int, round_lot: int, routed: int
    ) -> None:
        self.venues, self.sign = venues, sign_of(side)
        self.quotes = [quote_of(venue, side, round_lot) for venue in venues]
        self.ladders = [ladder_of(venue, side, limit) for venue in venues]
        for number, venue in enumerate(venues):
            if number >= routed:
                self.ladders[number] = []
            elif not venue.takes_iso:
                best = self.best_elsewhere(number)
                self.ladders[number] = [at for at in self.ladders[number] if at.shown <= best]

    def best_elsewhere(self, number: int) -> int:
        """Key of the best protected quote of the other venues."""
        keys = [quote.key for i, quote in enumerate(self.quotes) if quote and i != number]
        return min(keys, default=FAR)

    def need(self, number: int, worst: int) -> int:
        """Shares to sweep at a venue if something executes at a key."""
        quote = self.quotes[number]
        return quote.need if quote and quote.key < worst else 0

    def takes_part(self, number: int, worst: int) -> bool:
        """Whether what must be swept at a venue can be."""
        venue = self.venues[number]
        return self.need(number, worst) == 0 or venue.takes_iso


def cost_of(ladder: list[Level], shares: int) -> int:
    """What the first shares of a ladder cost."""
    cost = 0
    for level in ladder:
        part = min(level.shares, shares)
        cost += part * level.cost
        shares -= part
    return cost


def options(problem: Problem, number: int, worst: int, quantity: int) -> list[tuple[int, int]]:
    """(shares, cost) of the orders that a venue can get if nothing executes beyond a key."""
    venue, need = problem.venues[number], problem.need(number, worst)
    ladder = [level for level in problem.ladders[number] if level.shown <= worst]
    there = min(sum(level.shares for level in ladder), quantity)
    sizes = [s for s in range(0, there + 1, venue.lot) if s == 0 or s >= venue.least]
    return [(s, cost_of(ladder, s)) for s in sizes if s >= need]


def best_allocation(problem: Problem, quantity: int) -> tuple[int, int]:
    """Most shares up to the quantity, and the least that so many cost, by dynamic programming."""
    keys = {level.shown for ladder in problem.ladders for level in ladder}
    best = (0, 0)
    for worst in keys:
        costs = np.full(quantity + 1, FAR, np.int64)
        costs[0] = 0
        for number in range(len(problem.venues)):
            after = np.full(quantity + 1, FAR, np.int64)
            if problem.takes_part(number, worst):
                for shares, cost in options(problem, number, worst, quantity):
                    after[shares:] = np.minimum(
                        after[shares:], costs[: quantity + 1 - shares] + cost
                    )
            costs = np.where(after >= FAR // 2, FAR, after)
        reached = np.flatnonzero(costs < FAR // 2)
        if len(reached):
            most = int(reached[-1])
            best = max(best, (most, -int(costs[most])))
    return best[0], -best[1]


def check_orders(problem: Problem, sweep: Sweep, quantity: int, limit: int) -> tuple[int, int]:
    """Every rule that orders must keep; their shares and cost."""
    total, cost, worst_of = 0, 0, {}
    for number, order in sweep.orders.items():
        venue, ladder, shares = problem.venues[number], problem.ladders[number], order["quantity"]
        assert shares % venue.lot == 0 and shares >= max(venue.least, 1)
        key = problem.sign * order["price"]
        assert shares <= sum(level.shares for level in ladder if level.shown <= key)
        assert shares > sum(level.shares for level in ladder if level.shown < key)
        assert order["tif"] == IOC and order["flags"] & ~ISO == TAKES
        assert not limit or key <= problem.sign * limit
        worst_of[number], total, cost = key, total + shares, cost + cost_of(ladder, shares)
    worst = max(worst_of.values(), default=-FAR)
    for number in range(len(problem.venues)):
        need, order = problem.need(number, worst), sweep.orders.get(number)
        assert (order["quantity"] if order else 0) >= need
        if order:
            beyond = worst_of[number] > problem.best_elsewhere(number)
            assert bool(order["flags"] & ISO) == (beyond or need > 0)
            assert problem.venues[number].takes_iso or not order["flags"] & ISO
    assert total == sweep.asked <= quantity
    return total, cost
