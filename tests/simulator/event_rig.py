"""Seeded public events of a venue, as a matching would make them, and the books they make."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from simulator.publishing.dialects.dialect import Listing

DAY = date(2026, 3, 16)
MIDNIGHT_NS = 1_773_633_600_000_000_000  # of that day in New York
START_NS = MIDNIGHT_NS + (9 * 3600 + 30 * 60) * 1_000_000_000
CENT = 1_000_000
LISTINGS = [
    Listing("AAPL", decimals=4),
    Listing("SPY", decimals=6),
    Listing("BRK.A", decimals=3),
    Listing("F", decimals=4),
    Listing("ZVZZT", decimals=2),
]
MIDDLES = [21_412, 56_633, 4_212_600, 1_203, 1_000]  # cents
# shares of a busy day, a little more of what is rare
WEIGHTS = {
    "add": 470,
    "delete": 370,
    "execute": 50,
    "execute_price": 12,
    "reduce": 25,
    "replace": 46,
    "modify": 20,
    "trade": 8,
    "state": 4,
}


@dataclass
class Flow:
    """Random events that a book can follow; references and trade ids count upwards.

    Attributes:
        orders: reference -> [key, side, price, shares], as they rest now.
        made: rows of ACTION_DTYPE as tuples.
    """

    chance: random.Random
    time_ns: int = START_NS
    least_gap_ns: int = 0
    most_gap_ns: int = 200_000
    live: int = 60
    orders: dict[int, list[int]] = field(default_factory=dict)
    made: list[tuple[int, ...]] = field(default_factory=list)
    references: list[int] = field(default_factory=list)
    number: int = 0
    trade_id: int = 0

    def emit(self, kind: int, key: int, **more: int) -> None:
        """One event."""
        names = ("side", "flags", "order_id", "price", "quantity", "aux")
        side, flags, order, price, quantity, aux = (more.get(name, 0) for name in names)
        sequence = len(self.made) + 1
        row = (kind, side, flags, 0, key, order, price, quantity, aux, self.time_ns, sequence)
        self.made.append(row)

    def price(self, key: int, side: int) -> int:
        """A price on its side of the instrument's middle."""
        away = self.chance.randint(1, 40)
        return (MIDDLES[key - 1] + (away if side == a.SELL else -away)) * CENT

    def shares(self) -> int:
        """Round lots mostly, sometimes odd or very large."""
        if self.chance.random() < 0.02:
            return self.chance.randint(65_000, 200_000)
        return self.chance.choice((100, 100, 200, 300, 500, 7, 45))

    def enter(self, key: int, side: int) -> int:
        """A new reference, put among the orders by the caller."""
        self.number += 1
        self.references.append(self.number)
        return self.number

    def add(self) -> None:
        """A new order."""
        key, side = self.chance.randint(1, len(LISTINGS)), self.chance.choice((a.BUY, a.SELL))
        reference, price, shares = self.enter(key, side), self.price(key, side), self.shares()
        self.orders[reference] = [key, side, price, shares]
        flags = a.ATTRIBUTED if self.chance.random() < 0.05 else 0
        given = {"order_id": reference, "price": price, "quantity": shares}
        self.emit(a.ADD, key, side=side, flags=flags, **given)

    def pick(self) -> tuple[int, list[int]]:
        """Any order that rests."""
        while True:
            place = self.chance.randrange(len(self.references))
            reference = self.references[place]
            if reference in self.orders:
                return reference, self.orders[reference]
            self.references[place] = self.references[-1]
            self.references.pop()

    def delete(self) -> None:
        """An order goes."""
        reference, (key, *_) = self.pick()
        del self.orders[reference]
        self.emit(a.DELETE, key, order_id=reference)

    def less(self, kind: int) -> None:
        """Shares of an order go."""
        reference, order = self.pick()
        key, _, price, shares = order
        taken = shares if self.chance.random() < 0.4 else self.chance.randint(1, shares)
        order[3] -= taken
        if order[3] == 0:
            del self.orders[reference]
        given = {"order_id": reference, "quantity": taken}
        if kind != a.REDUCE:
            self.trade_id += 1
            given["aux"] = self.trade_id
        if kind == a.EXECUTE_PRICE:
            given["price"] = price + CENT * self.chance.randint(-3, 3)
        self.emit(kind, key, **given)

    def replace(self) -> None:
        """An order leaves for another of its side."""
        reference, (key, side, *_) = self.pick()
        del self.orders[reference]
        new, price, shares = self.enter(key, side), self.price(key, side), self.shares()
        self.orders[new] = [key, side, price, shares]
        given = {"order_id": reference, "aux": new, "price": price, "quantity": shares}
        self.emit(a.REPLACE, key, **given)

    def modify(self) -> None:
        """In place: less at the same price, or anything at the back of a level."""
        reference, order = self.pick()
        key, side, _, shares = order
        flags, price = 0, self.price(key, side)
        if self.chance.random() < 0.5:
            flags, price = a.KEEPS_PRIORITY, a.NO_PRICE
            shares = self.chance.randint(1, shares)
        else:
            shares, order[2] = self.shares(), price
        order[3] = shares
        given = {"order_id": reference, "price": price, "quantity": shares}
        self.emit(a.MODIFY, key, flags=flags, **given)

    def trade(self) -> None:
        """A trade that no displayed order had part in, or one taken back."""
        key = self.chance.randint(1, len(LISTINGS))
        if self.chance.random() < 0.2 and self.trade_id > 0:
            self.emit(a.BREAK, key, aux=self.trade_id)
            return
        self.trade_id += 1
        flags = a.CROSS if self.chance.random() < 0.2 else a.HIDDEN
        given = {"price": MIDDLES[key - 1] * CENT, "quantity": self.shares()}
        self.emit(a.TRADE, key, flags=flags, side=a.BUY, aux=self.trade_id, **given)

    def state(self) -> None:
        """A trading state, a price test, an auction's outlook, bands."""
        key, middle = self.chance.randint(1, len(LISTINGS)), 0
        middle = MIDDLES[key - 1] * CENT
        what = self.chance.randrange(4)
        if what == 0:
            states = (a.STATUS_HALTED, a.STATUS_TRADING, a.STATUS_PAUSED, a.STATUS_TRADING)
            self.emit(a.STATUS, key, aux=self.chance.choice(states))
        elif what == 1:
            self.emit(a.RESTRICT, key, aux=self.chance.randint(0, 1))
        elif what == 2:
            self.emit(a.BANDS, key, price=middle - 50 * CENT, aux=middle + 50 * CENT)
        else:
            given = {"order_id": 300, "quantity": 2_000, "price": middle, "aux": middle + CENT}
            self.emit(a.AUCTION, key, side=a.BUY, **given)

    def run(self, count: int) -> NDArray[np.void]:
        """So many more events."""
        names, weights = list(WEIGHTS), list(WEIGHTS.values())
        kinds = {"execute": a.EXECUTE, "execute_price": a.EXECUTE_PRICE, "reduce": a.REDUCE}
        first = len(self.made)
        for word in self.chance.choices(names, weights, k=count):
            self.time_ns += self.chance.randint(self.least_gap_ns, self.most_gap_ns)
            if len(self.orders) < self.live and word != "state":
                self.add()
            elif word in kinds:
                self.less(kinds[word])
            else:
                getattr(self, word)()
        return np.array(self.made[first:], a.ACTION_DTYPE)


def events_of(seed: int, count: int, **more: int) -> NDArray[np.void]:
    """Seeded events of five instruments."""
    return Flow(random.Random(seed), **more).run(count)
