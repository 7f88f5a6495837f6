"""A venue's matching in plain Python: sorted lists of orders, nothing clever.

Written from what the order types mean, not from the kernels. Here: the orders of one instrument,
who stands before whom, and what an order that comes takes; `slow_venue` has the commands.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.layout import DOLLAR, MOST_PRICE
from simulator.matching.model import STP_MODES, VenueModel

Row = tuple[int, ...]
PEGS = (r.MIDPOINT_PEG, r.PRIMARY_PEG)


@dataclass(eq=False)
class Order:
    """An order, open or on its way in."""

    instrument: int
    owner: int
    token: int
    side: int
    type: int
    time_in_force: int
    flags: int
    group: int
    price: int
    leaves: int
    display: int = 0
    minimum: int = 0
    cap: int = 0
    offset: int = 0
    number: int = 0
    reference: int = 0
    shown: int = 0
    slices: int = 0
    arrival: tuple[int, int] = (0, 0)
    unseen: bool = False
    reserved: bool = False
    used_up: bool = False
    waits: bool = False
    invitation: bool = False
    invited_ns: int = 0

    @property
    def buys(self) -> bool:
        """Its side."""
        return self.side == a.BUY

    @property
    def least(self) -> int:
        """The fewest shares that it gives at once."""
        return min(self.minimum, self.leaves)

    @property
    def rank(self) -> Any:
        """Who is first at the venue: price, displayed before hidden, time."""
        return -self.price if self.buys else self.price, self.unseen or self.used_up, self.arrival

    def beyond(self, price: int, limit: int) -> bool:
        """Whether a price is more aggressive than a limit."""
        return price > limit if self.buys else price < limit


class Out:
    """The records that come out."""

    def __init__(self, model: VenueModel) -> None:
        self.model = model
        self.public: list[Row] = []
        self.reports: list[Row] = []
        self.sequence = self.numbers = self.trades = self.now = 0
        self.executed: dict[int, int] = {}
        self.tiers: dict[int, int] = {}

    def number(self) -> int:
        """A new order number or public reference."""
        self.numbers += 1
        return self.numbers

    def trade(self) -> int:
        """A new trade id."""
        self.trades += 1
        return self.trades

    def odd(self, shares: int) -> int:
        """The flag of a trade of less than a round lot."""
        return a.ODD_LOT if shares < self.model.round_lot else 0

    def tell(self, kind: int, key: int, side: int = 0, flags: int = 0, **more: int) -> None:
        """A public event."""
        names = ("order_id", "price", "quantity", "aux")
        rest = [more.get(name, 0) for name in names]
        self.sequence += 1
        self.public.append((kind, side, flags, 0, key, *rest, self.now, self.sequence))

    def told(self, kind: int, order: Order, **more: int) -> None:
        """A public event on a displayed order."""
        more.setdefault("order_id", order.reference)
        self.tell(kind, order.instrument, order.side, **more)

    def report(self, kind: int, order: Order, quantity: int, reason: int = 0, aux: int = 0) -> None:
        """A report on an order as it stands."""
        price = 0 if order.type == r.MARKET else order.price
        self.put(order, (kind, order.side, reason, 0), (price, quantity, order.leaves, aux, 0))

    def put(self, order: Order, first: Row, last: Row) -> None:
        """Writes a report."""
        self.sequence += 1
        names = (order.flags, order.instrument, order.owner, self.now, order.token, order.number)
        self.reports.append((*first, *names, *last, self.sequence))

    def fill(self, order: Order, liquidity: int, price: int, shares: int, trade: int) -> None:
        """The report of an execution, with its fee."""
        tier = self.model.fees[self.tiers.get(order.owner, 0)]
        rates = {
            r.ADDED: tier.added,
            r.REMOVED: tier.removed,
            r.ADDED_HIDDEN: tier.added_hidden,
            r.MIDPOINT: tier.midpoint,
            r.CROSSED: tier.crossed,
        }
        if order.flags & r.RETAIL:
            rates[r.ADDED] = tier.retail_added or tier.added
            rates[r.REMOVED] = tier.retail_removed or tier.removed
        rate = rates[liquidity]
        fee = rate.per_share * shares
        if price < DOLLAR:
            fee = price * shares * rate.per_notional // DOLLAR
        first = (r.EXECUTED, order.side, 0, liquidity)
        self.put(order, first, (price, shares, order.leaves, trade, fee))
        total = self.executed[order.owner] = self.executed.get(order.owner, 0) + shares
        later = self.tiers.get(order.owner, 0) + 1
        if later < len(self.model.fees) and total >= self.model.fees[later].from_shares:
            self.tiers[order.owner] = later


class Silent(Out):
    """Counts the shares that are executed and says nothing."""

    got = last = 0

    def tell(self, *_given: Any, **_more: Any) -> None:
        """Says nothing."""

    def put(self, *_given: Any) -> None:
        """Says nothing."""

    def fill(self, order: Order, liquidity: int, price: int, shares: int, trade: int) -> None:
        """Counts a trade at the first of its two reports."""
        if trade > self.last:
            self.got, self.last = self.got + shares, trade


@dataclass
class Book:
    """The orders of one instrument.

    Attributes:
        standing: in the ladders, in no order; `queue` sorts.
        beside: pegs, orders for auctions and invitations, in the order they came to be there.
    """

    instrument: int
    status: int
    standing: list[Order] = field(default_factory=list)
    beside: list[Order] = field(default_factory=list)
    lower: int = 0
    upper: int = MOST_PRICE
    bid: int = 0
    offer: int = 0
    last: int = 0
    ended: list[Order] = field(default_factory=list)  # for the venue to forget

    @property
    def trades(self) -> bool:
        """Whether it trades continuously."""
        return self.status == a.STATUS_TRADING

    def queue(self, side: int) -> list[Order]:
        """The orders of a side, first one first."""
        return sorted((o for o in self.standing if o.side == side), key=lambda o: o.rank)

    def shown(self, side: int) -> list[Order]:
        """The displayed orders of a side."""
        return [order for order in self.queue(side) if order.shown]

    def stand(self, order: Order, out: Out) -> None:
        """An order enters the ladder at the back of its queue."""
        self.standing.append(order)
        self.to_back(order, out)

    def to_back(self, order: Order, out: Out) -> None:
        """New time priority."""
        newest = max((o.arrival for o in self.standing), default=(0, 0))[1]
        order.arrival = out.sequence, newest + 1

    def leave(self, order: Order) -> None:
        """An order leaves the ladder, if it is there."""
        if order in self.standing:
            self.standing.remove(order)

    def end(self, order: Order) -> None:
        """An order is over."""
        self.leave(order)
        if order in self.beside:
            self.beside.remove(order)
        self.ended.append(order)

    def show(self, order: Order, out: Out) -> None:
        """An order appears on the public book."""
        order.reference = order.reference or out.number()
        order.shown = min(order.leaves, order.display) if order.reserved else order.leaves
        out.told(a.ADD, order, price=order.price, quantity=order.shown)

    def drop(self, order: Order, reason: int, out: Out) -> None:
        """Cancels an order, wherever it is."""
        if order.shown:
            out.told(a.DELETE, order)
        self.end(order)
        leaves, order.leaves = order.leaves, 0
        out.report(r.CANCELED, order, leaves, reason)

    # What an order takes.

    def within(self, order: Order) -> list[Order]:
        """The orders of the other side that an order's price reaches, first one first."""
        other = a.SELL if order.buys else a.BUY
        return [o for o in self.queue(other) if not order.beyond(o.price, order.price)]

    def partner(self, order: Order) -> Order | None:
        """Whom an order meets next: hidden ones that want more than it has are passed by."""
        for resting in self.within(order):
            if not (resting.unseen or resting.used_up) or resting.least <= order.leaves:
                return resting
        return None

    def take(self, order: Order, out: Out) -> None:
        """Takes until nobody is left to meet."""
        used_up: list[Order] = []
        while order.leaves:
            resting = self.partner(order)
            if resting is None:
                break
            mode = (order.flags >> r.STP_SHIFT) & 7
            if order.group and order.group == resting.group and mode:
                self.prevent(order, resting, STP_MODES[mode], out)
            else:
                self.meet(order, resting, used_up, out)
        for resting in used_up:
            if resting.leaves:
                self.refresh(resting, out)

    def reach(self, order: Order, out: Out) -> int:
        """How many shares it would get, found out on a copy."""
        book, trial = copy.deepcopy((self, order))
        silent = Silent(out.model)
        book.take(trial, silent)
        return silent.got

    def refresh(self, order: Order, out: Out) -> None:
        """The next slice of a reserve order appears, behind the others."""
        order.used_up = False
        self.to_back(order, out)
        order.reference = 0
        self.show(order, out)
        out.report(r.RESTATED, order, order.shown, r.REFRESHED)

    def prevent(self, order: Order, resting: Order, mode: str, out: Out) -> None:
        """Cancels instead of a self-trade."""
        if mode == "decrement":
            shares = min(order.leaves, resting.leaves)
            if resting.leaves == shares:
                self.drop(resting, r.SELF_TRADE, out)
            else:
                self.decrement(resting, shares, out)
            self.decrement(order, shares, out)
            return
        if mode in ("cancel_old", "cancel_both"):
            self.drop(resting, r.SELF_TRADE, out)
        if mode in ("cancel_new", "cancel_both"):
            self.decrement(order, order.leaves, out)

    def decrement(self, order: Order, shares: int, out: Out) -> None:
        """Takes shares off an order, those in reserve first."""
        order.leaves -= shares
        self.show_less(order, out)
        out.report(r.CANCELED, order, shares, r.SELF_TRADE)

    def show_less(self, order: Order, out: Out) -> None:
        """An order may not display more than it has."""
        less = order.shown - order.leaves
        if less > 0:
            order.shown = order.leaves
            out.told(a.REDUCE, order, quantity=less)

    def meet(self, order: Order, resting: Order, used_up: list[Order], out: Out) -> None:
        """Two orders trade at the resting one's price."""
        displayed, price = resting.shown > 0, resting.price
        shares = min(order.leaves, resting.shown if displayed else resting.leaves)
        trade = out.trade()
        order.leaves -= shares
        resting.leaves -= shares
        terms = {"price": price, "quantity": shares, "aux": trade}
        if displayed:
            resting.shown -= shares
            out.told(a.EXECUTE, resting, flags=out.odd(shares), **terms)
        else:
            out.told(a.TRADE, resting, flags=out.odd(shares) | a.HIDDEN, order_id=0, **terms)
        self.last = price
        made, took = r.ADDED if displayed else r.ADDED_HIDDEN, r.REMOVED
        if resting.type == r.MIDPOINT_PEG:
            made = r.MIDPOINT
            took = r.MIDPOINT if order.type == r.MIDPOINT_PEG else r.REMOVED
        out.fill(resting, made, price, shares, trade)
        out.fill(order, took, price, shares, trade)
        if not resting.leaves:
            self.end(resting)
        elif displayed and not resting.shown:
            if out.model.reserve_refresh == "at_once":
                self.refresh(resting, out)
            else:
                resting.used_up = True
                self.to_back(resting, out)
                used_up.append(resting)
