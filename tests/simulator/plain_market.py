"""A minimal price-time market in plain Python, to drive an order flow in tests.

It knows limit and market orders, IOC, post-only, hidden orders and reserves, cancels, replaces, and
midpoint pegs that meet other pegs. Orders for auctions are taken and answered as canceled.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from simulator.flow.flow import OrderFlow
from simulator.matching import records as r

FIELDS = ("kind", "side", "type", "time_in_force", "flags", "instrument", "owner", "time_ns",
          "token", "target", "price", "quantity", "display")  # fmt: skip
COLUMNS = list(FIELDS)


@dataclass(slots=True, eq=False)
class Order:
    """A resting order; `shown` is the displayed part of what is open."""

    token: int
    number: int
    side: int
    price: int
    quantity: int
    shown: int
    display: int
    live: bool = True


@dataclass(slots=True)
class Side:
    """Orders of one side: queues by price key, displayed ones before hidden ones."""

    queues: dict[int, tuple[deque[Order], deque[Order]]] = field(default_factory=dict)
    heap: list[int] = field(default_factory=list)
    shown: dict[int, int] = field(default_factory=dict)  # by key
    best: list[int] = field(default_factory=list)  # heap of minus keys that were shown

    def show(self, key: int, shares: int) -> None:
        """Adds to what is displayed at a price."""
        before = self.shown.get(key, 0)
        self.shown[key] = before + shares
        if before == 0:
            heapq.heappush(self.best, -key)

    def put(self, key: int, order: Order) -> None:
        """Enters an order at the end of its queue."""
        if key not in self.queues:
            self.queues[key] = (deque(), deque())
            heapq.heappush(self.heap, -key)
        self.queues[key][0 if order.shown else 1].append(order)

    def front(self) -> tuple[int, Order] | None:
        """The first order to trade, and its key."""
        while self.heap:
            key = -self.heap[0]
            for queue in self.queues[key]:
                while queue and not queue[0].live:
                    queue.popleft()
                if queue:
                    return key, queue[0]
            heapq.heappop(self.heap)
            del self.queues[key]
        return None

    def top(self) -> tuple[int, int]:
        """Key and displayed shares of the best displayed price; (0, 0) for none."""
        while self.best:
            if total := self.shown[-self.best[0]]:
                return -self.best[0], total
            heapq.heappop(self.best)
        return 0, 0


class PlainVenue:
    """One venue: commands in, public events and reports out."""

    def __init__(self) -> None:
        self.books: dict[int, tuple[Side, Side]] = {}
        self.pegs: dict[int, tuple[deque[Order], deque[Order]]] = {}
        self.orders: dict[int, tuple[Order, int]] = {}  # by token: order, instrument
        self.references: dict[int, int] = {}
        self.touched: set[int] = set()
        self.public: list[tuple[int, ...]] = []
        self.reports: list[tuple[int, ...]] = []  # kind, token, quantity, leaves, liquidity
        self.number = 0
        self.kinds: dict[int, int] = {}

    def submit(self, commands: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.void]]:
        """Takes commands; what the public and the owners hear."""
        self.public, self.reports = [], []
        for command in commands[COLUMNS].tolist():
            self._one(dict(zip(FIELDS, command, strict=True)))
        public = np.array(self.public, a.ACTION_DTYPE)
        reports = np.zeros(len(self.reports), r.REPORT_DTYPE)
        for name, column in zip(
            ("kind", "token", "quantity", "leaves", "liquidity"),
            zip(*self.reports, strict=True),
            strict=False,
        ):
            reports[name] = column
        return public, reports

    def top(self, instrument: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Best bid and offer: prices and shares."""
        if instrument not in self.books:
            return (0, 0), (0, 0)
        bids, offers = self.books[instrument]
        bid, (key, shares) = bids.top(), offers.top()
        return bid, (-key, shares)

    def _one(self, c: dict[str, int]) -> None:
        kind = c["kind"]
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == r.NEW:
            self._new(c)
        elif kind == r.CANCEL:
            self._cancel(c)
        elif kind == r.REPLACE:
            self._replace(c)
        elif kind == r.REFERENCE:
            self.references[c["instrument"]] = c["price"]

    def _tell(self, c: dict[str, int], kind: int, order: Order, quantity: int, aux: int = 0,
              flags: int = 0) -> None:  # fmt: skip
        head = (kind, order.side, flags, 0, c["instrument"], order.number, order.price, quantity)
        self.public.append((*head, aux, c["time_ns"], len(self.public)))
        self.touched.add(c["instrument"])

    def _new(self, c: dict[str, int]) -> None:
        token, quantity = c["token"], c["quantity"]
        if c["time_in_force"] >= r.OPENING:
            self.reports.append((r.CANCELED, token, quantity, 0, 0))
            return
        if c["type"] == r.MIDPOINT_PEG:
            self._peg(c)
            return
        left = self._match(c, quantity)
        if left is None:
            self.reports.append((r.REJECTED, token, quantity, 0, 0))
        elif left and (c["time_in_force"] == r.IOC or c["type"] == r.MARKET):
            self.reports.append((r.CANCELED, token, left, 0, 0))
        elif left:
            self._rest(c, left)

    def _match(self, c: dict[str, int], left: int) -> int | None:
        """Trades what it can; shares left, None when post-only is refused."""
        book = self.books.setdefault(c["instrument"], (Side(), Side()))
        other = book[1 if c["side"] == a.BUY else 0]
        sign = 1 if c["side"] == a.BUY else -1
        while left:
            front = other.front()
            if front is None:
                break
            key, order = front
            if c["type"] != r.MARKET and key < -c["price"] * sign:
                break
            if c["flags"] & r.POST_ONLY:
                return None
            left -= self._execute(c, other, key, order, left)
        return left

    def _execute(self, c: dict[str, int], side: Side, key: int, order: Order, left: int) -> int:
        seen = order.shown > 0
        part = min(left, order.shown if seen else order.quantity)
        order.quantity -= part
        self.number += 1
        kind, flags = (a.EXECUTE, 0) if seen else (a.TRADE, a.HIDDEN)
        self._tell(c, kind, order, part, self.number, flags)
        self._traded(c, order, part, left - part)
        if seen:
            order.shown -= part
            side.show(key, -part)
        if order.quantity == 0:
            order.live = False
            del self.orders[order.token]
        elif seen and order.shown == 0:  # a reserve is shown anew, at the back
            order.live = False
            self.number += 1
            fresh = Order(order.token, self.number, order.side, order.price, order.quantity,
                          min(order.display, order.quantity), order.display)  # fmt: skip
            self.orders[order.token] = (fresh, c["instrument"])
            side.put(key, fresh)
            side.show(key, fresh.shown)
            self._tell(c, a.ADD, fresh, fresh.shown)
        return part

    def _traded(self, c: dict[str, int], order: Order, part: int, left: int) -> None:
        """Tells both owners; `left` is what the incoming order has open behind the trade."""
        self.reports.append((r.EXECUTED, order.token, part, order.quantity, r.ADDED))
        self.reports.append((r.EXECUTED, c["token"], part, left, r.REMOVED))

    def _rest(self, c: dict[str, int], left: int) -> None:
        self.number += 1
        hidden = bool(c["flags"] & r.HIDDEN)
        shown = 0 if hidden else min(left, c["display"] or left)
        order = Order(c["token"], self.number, c["side"], c["price"], left, shown, c["display"])
        self.orders[order.token] = (order, c["instrument"])
        book = self.books.setdefault(c["instrument"], (Side(), Side()))
        side, sign = (book[0], 1) if c["side"] == a.BUY else (book[1], -1)
        side.put(c["price"] * sign, order)
        if shown:
            side.show(c["price"] * sign, shown)
            self._tell(c, a.ADD, order, shown)

    def _hide(self, order: Order, instrument: int, shares: int) -> None:
        """Takes off what a displayed order shows no more."""
        sign = 1 if order.side == a.BUY else -1
        self.books[instrument][0 if sign > 0 else 1].show(order.price * sign, -shares)

    def _cancel(self, c: dict[str, int]) -> None:
        found = self.orders.get(c["target"])
        if found is None:
            self.reports.append((r.CANCEL_REJECTED, c["target"], 0, 0, 0))
            return
        order, _ = found
        gone = order.quantity - c["quantity"]
        if c["quantity"] and gone > 0:
            order.quantity -= gone
            if order.shown > order.quantity:
                self._tell(c, a.REDUCE, order, order.shown - order.quantity)
                self._hide(order, c["instrument"], order.shown - order.quantity)
                order.shown = order.quantity
        else:
            order.live = False
            del self.orders[c["target"]]
            if order.shown:
                self._hide(order, c["instrument"], order.shown)
                self._tell(c, a.DELETE, order, 0)
        self.reports.append((r.CANCELED, c["target"], gone, order.quantity if order.live else 0, 0))

    def _replace(self, c: dict[str, int]) -> None:
        found = self.orders.pop(c["target"], None)
        if found is None:
            self.reports.append((r.CANCEL_REJECTED, c["token"], 0, 0, 0))
            return
        old, _ = found
        old.live = False
        self._hide(old, c["instrument"], old.shown)
        if not old.shown:
            c["flags"] |= r.HIDDEN
        count = len(self.public)
        left = self._match(c, c["quantity"])
        if left:
            self._rest(c, left)
        if old.shown and left and len(self.public) == count + 1:
            entered = self.public.pop()
            number = self.number
            self.public.append((a.REPLACE, *entered[1:5], old.number, *entered[6:8], number,
                                *entered[9:]))  # fmt: skip
        elif old.shown:
            self._tell(c, a.DELETE, old, 0)

    def _peg(self, c: dict[str, int]) -> None:
        """A midpoint peg trades with pegs of the other side, else it rests or goes."""
        pegs = self.pegs.setdefault(c["instrument"], (deque(), deque()))
        mine, other = (0, 1) if c["side"] == a.BUY else (1, 0)
        left = c["quantity"]
        while left and pegs[other]:
            order = pegs[other][0]
            if order.live:
                part = min(left, order.quantity)
                left, order.quantity = left - part, order.quantity - part
                self.number += 1
                self._tell(c, a.TRADE, order, part, self.number, a.HIDDEN)
                self._traded(c, order, part, left)
            if not order.live or order.quantity == 0:
                order.live = False
                self.orders.pop(order.token, None)
                pegs[other].popleft()
        if left and c["time_in_force"] == r.DAY:
            self.number += 1
            order = Order(c["token"], self.number, c["side"], 0, left, 0, 0)
            pegs[mine].append(order)
            self.orders[order.token] = (order, c["instrument"])
        elif left:
            self.reports.append((r.CANCELED, c["token"], left, 0, 0))


class PlainMarket:
    """All venues of an order flow, driven in slices of time."""

    def __init__(self, flow: OrderFlow, slice_ns: int = 1_000_000) -> None:
        self.flow, self.slice_ns = flow, slice_ns
        self.venues = [PlainVenue() for _ in flow.venues]
        self.now_ns = flow.times.start_ns
        self.sent: list[NDArray[np.void]] = []  # commands to all venues

    def slice(self) -> list[NDArray[np.void]]:
        """One slice: commands to the venues, reports and tops back; public events by venue."""
        until_ns = self.now_ns + self.slice_ns
        public: list[list[NDArray[np.void]]] = [[] for _ in self.venues]
        while True:
            reached_ns = self.flow.step(until_ns)
            for number, venue in enumerate(self.venues):
                self._trade(number, venue, public[number])
            if reached_ns >= until_ns:
                break
        self.now_ns = until_ns
        return [np.concatenate(parts) for parts in public]

    def _trade(self, number: int, venue: PlainVenue, public: list[NDArray[np.void]]) -> None:
        commands = self.flow.commands_of(number).copy()
        self.sent.append(commands)
        events, reports = venue.submit(commands)
        public.append(events)
        if len(reports):
            self.flow.hear(reports)
        for instrument in venue.touched:
            self.flow.show(number, instrument, *venue.top(instrument))
        venue.touched.clear()
