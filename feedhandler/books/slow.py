"""The same books in plain Python: a dictionary of orders, sorted lists of levels, nothing clever.

Written from what the actions mean (`feedhandler.actions`), not from the kernels; `verify-books` and
the tests hold the two against each other. Also counts the room that the kernels' tables have, so
that full tables are refused at the same action.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes

Row = tuple[int, ...]  # an action record as ACTION_DTYPE.names orders it
MOST_SHARES: Final = (1 << 32) - 1
RESERVED_ID: Final = -1  # no venue's: the kernels mark free slots with it
FULL: Final = ("orders_full", "levels_full", "chunks_full")
ON_ORDERS: Final = (a.REDUCE, a.EXECUTE, a.EXECUTE_PRICE, a.DELETE, a.REPLACE, a.MODIFY)
GUARD_BYTES, LEVEL_BYTES, SMALLEST, LARGEST, LINE = 128, 12, 8, 8 << 23, 64


class BookFault(Exception):
    """An action that cannot be; its text is the fault's name."""


class Level(NamedTuple):
    """A price level as it is shown."""

    price: int
    quantity: int
    orders: int


@dataclass
class Order:
    """An order that rests."""

    number: int
    instrument: int
    side: int
    price: int
    quantity: int
    sequence: int
    attribution: int


@dataclass
class Side:
    """One side of an instrument: levels by price and the prices sorted, the best first."""

    side: int
    levels: dict[int, list[int]] = field(default_factory=dict)  # price -> [quantity, orders]
    keys: list[int] = field(default_factory=list)  # price, negative for bids
    room: int = 0

    def best(self) -> tuple[int, int]:
        """Price and quantity of the best level; zeros when there is none."""
        if not self.keys:
            return 0, 0
        price = -self.keys[0] if self.side == a.BUY else self.keys[0]
        return price, self.levels[price][0]


@dataclass
class Top:
    """What the top record of an instrument and its note say."""

    bid: int = 0
    bid_quantity: int = 0
    offer: int = 0
    offer_quantity: int = 0
    time_ns: int = 0
    status: int = 0
    stale: int = 0
    fault: str = ""
    restricted: int = 0
    unit: int = 0
    key: int = 0
    own_status: int = 0  # said of the instrument alone
    closed: set[int] = field(default_factory=set)  # sides whose quote is not eligible
    bands: tuple[int, int, int] = (0, 0, 0)  # lower, upper, exchange's time


class SlowBooks:
    """The books of one venue.

    Args:
        sizes: of the tables whose limits are kept.

    Attributes:
        orders: by order id.
        tops: by instrument number; only those that an action has touched.
        faults: how many impossible actions of each kind.
        touched: instruments that the last `apply` may have changed.
    """

    def __init__(self, sizes: Sizes | None = None) -> None:
        self.sizes = sizes or Sizes()
        self.orders: dict[int, Order] = {}
        self.sides: dict[tuple[int, int], Side] = {}
        self.tops: dict[int, Top] = {}
        self.keys: dict[int, int] = {}
        self.faults: Counter[str] = Counter()
        self.touched: set[int] = set()
        self._statuses: dict[int, int] = {}  # by unit, of instruments not seen yet
        self._level_count = 0
        self._chunk_bytes = self.sizes.chunk_room
        self._free_chunks: Counter[int] = Counter()
        self._inside_event = False

    def apply(self, records: NDArray[np.void]) -> None:
        """Applies ACTION_DTYPE records in order."""
        self.touched.clear()
        for row in records.tolist():
            self.apply_row(row)

    def apply_row(self, row: Row) -> None:
        """Applies one action; an impossible one is counted and marks its instrument."""
        try:
            self._apply(row)
        except BookFault as fault:
            self._note(str(fault), row[4])

    def grow(self, sizes: Sizes) -> None:
        """Goes on with more room."""
        self._chunk_bytes += sizes.chunk_room - self.sizes.chunk_room
        self.sizes = sizes

    # What readers see.

    def instrument(self, key: int) -> int | None:
        """The instrument number of a key; None when it has none."""
        if self.sizes.named:
            return self.keys.get(key)
        return key if 0 <= key < self.sizes.instruments else None

    def ladder(self, instrument: int, side: int) -> list[Level]:
        """The levels of a side, best first."""
        found = self.sides.get((instrument, side))
        if found is None:
            return []
        prices = [-key if side == a.BUY else key for key in found.keys]
        return [Level(price, *found.levels[price]) for price in prices]

    def queue(self, instrument: int) -> list[Order]:
        """The orders of an instrument: bids, then offers; best price first; by arrival."""
        mine = [order for order in self.orders.values() if order.instrument == instrument]
        return sorted(mine, key=_place)

    def top(self, instrument: int) -> Top:
        """The instrument's top record."""
        return self.tops.get(instrument) or Top(status=self._statuses.get(0, 0))

    # One method a kind of action.

    def _apply(self, row: Row) -> None:
        kind, side, flags, unit, key, number, price, quantity, aux, time_ns, sequence = row
        if kind == a.ADD:
            instrument = self._known(key)
            if side == 0:
                raise BookFault("bad_side")
            self._spoken_of(instrument, unit, key)
            order = Order(number, instrument, side, price, quantity, sequence, aux)
            self._enter(order, time_ns)
        elif kind in ON_ORDERS:
            self._on_order(row, self._order(number))
        elif kind in (a.LEVEL, a.TOP):
            instrument = self._known(key)
            if side == 0:
                raise BookFault("bad_side")
            self._inside_event = bool(flags & a.EVENT_OPEN)
            self._spoken_of(instrument, unit, key)
            if kind == a.LEVEL:
                self._level(instrument, side, price, quantity, time_ns)
            else:
                eligible = not flags & a.CLOSED_SIDE
                self._quote(instrument, side, price, quantity, eligible, time_ns)
        elif kind == a.CLEAR and flags & a.ALL:
            for instrument in self._of_unit(unit):
                self._clear(instrument, time_ns)
        elif kind == a.CLEAR:
            self._clear(self._known(key), time_ns)
        elif kind == a.STATUS and flags & a.ALL:
            self._all_status(unit, aux)
        elif kind in (a.STATUS, a.RESTRICT, a.SYMBOL, a.BANDS):
            top = self._spoken_of(self._known(key), unit, key)
            if kind == a.STATUS:
                top.status = top.own_status = aux & 0xFF
            elif kind == a.RESTRICT:
                top.restricted = aux & 1
            elif kind == a.BANDS:
                lower, upper = (0 if band == a.NO_PRICE else band for band in (price, aux))
                top.bands = (lower, upper, time_ns)

    def _on_order(self, row: Row, order: Order) -> None:
        kind, _, flags, _, _, _, price, quantity, aux, time_ns, sequence = row
        if kind == a.DELETE:
            self._leave(order, time_ns)
        elif kind == a.REPLACE:
            self._leave(order, time_ns)
            new = Order(aux, order.instrument, order.side, price, quantity, sequence, 0)
            new.attribution = order.attribution
            self._enter(new, time_ns)
        elif kind == a.MODIFY:
            self._modify(order, price, quantity, sequence if not flags & a.KEEPS_PRIORITY else None)
            self._show(order.instrument, order.side, time_ns)
        else:
            self._take(order, quantity, time_ns)

    def _enter(self, order: Order, time_ns: int) -> None:
        if order.price == a.NO_PRICE:
            raise BookFault("bad_price")
        if not 0 < order.quantity <= MOST_SHARES:
            raise BookFault("bad_quantity")
        if len(self.orders) >= self.sizes.orders:
            raise BookFault("orders_full")
        if order.number in self.orders or order.number == RESERVED_ID:
            raise BookFault("duplicate_order")
        self._change(order.instrument, order.side, order.price, order.quantity, 1)
        self.orders[order.number] = order
        self._show(order.instrument, order.side, time_ns)

    def _leave(self, order: Order, time_ns: int) -> None:
        del self.orders[order.number]
        self._change(order.instrument, order.side, order.price, -order.quantity, -1)
        self._show(order.instrument, order.side, time_ns)

    def _take(self, order: Order, quantity: int, time_ns: int) -> None:
        if quantity < 0:
            raise BookFault("bad_quantity")
        if quantity >= order.quantity:
            over = quantity > order.quantity
            self._leave(order, time_ns)
            if over:
                raise BookFault("over_reduced")
            return
        order.quantity -= quantity
        self._change(order.instrument, order.side, order.price, -quantity, 0)
        self._show(order.instrument, order.side, time_ns)

    def _modify(self, order: Order, price: int, quantity: int, sequence: int | None) -> None:
        if not 0 <= quantity <= MOST_SHARES:
            raise BookFault("bad_quantity")
        if quantity == 0:
            del self.orders[order.number]
            self._change(order.instrument, order.side, order.price, -order.quantity, -1)
            return
        target = order.price if price == a.NO_PRICE else price
        if target == order.price:
            self._change(order.instrument, order.side, target, quantity - order.quantity, 0)
        else:  # the new level is there before the old one goes: both need room
            self._change(order.instrument, order.side, target, quantity, 1)
            self._change(order.instrument, order.side, order.price, -order.quantity, -1)
        order.price, order.quantity = target, quantity
        if sequence is not None:
            order.sequence = sequence

    def _level(self, instrument: int, side: int, price: int, quantity: int, time_ns: int) -> None:
        if price == a.NO_PRICE:
            raise BookFault("bad_price")
        if quantity < 0:
            raise BookFault("bad_quantity")
        known = self._side(instrument, side).levels.get(price)
        if quantity == 0:
            if known is not None:
                self._drop(instrument, side, price)
        else:
            self._change(instrument, side, price, quantity - (known[0] if known else 0), 0)
        self._show(instrument, side, time_ns)

    def _quote(
        self, instrument: int, side: int, price: int, quantity: int, eligible: bool, time_ns: int
    ) -> None:
        if quantity < 0:
            raise BookFault("bad_quantity")
        if quantity != 0 and price == a.NO_PRICE:
            raise BookFault("bad_price")
        closed = self._top(instrument).closed
        (closed.discard if eligible else closed.add)(side)
        for level in self.ladder(instrument, side):
            if quantity == 0 or level.price != price:
                self._drop(instrument, side, level.price)
        if quantity != 0:
            self._level(instrument, side, price, quantity, time_ns)
        self._show(instrument, side, time_ns)

    def _clear(self, instrument: int, time_ns: int) -> None:
        for order in self.queue(instrument):
            del self.orders[order.number]
        for side in (a.BUY, a.SELL):
            for level in self.ladder(instrument, side):
                self._drop(instrument, side, level.price)
            if (instrument, side) in self.sides:
                self._show(instrument, side, time_ns)

    def _all_status(self, unit: int, status: int) -> None:
        halts = status & 0xFF in (a.STATUS_HALTED, a.STATUS_PAUSED)
        for instrument in self._of_unit(unit):
            top = self.tops[instrument]
            stopped = top.own_status in (a.STATUS_HALTED, a.STATUS_PAUSED, a.STATUS_QUOTING)
            top.status = top.own_status if stopped and not halts else status & 0xFF
            self.touched.add(instrument)
        if unit == 0:
            self._statuses[0] = status & 0xFF

    # Levels and the top.

    def _change(self, instrument: int, side: int, price: int, quantity: int, orders: int) -> None:
        """Adds to a level, made when it is new; one whose last order went is dropped."""
        found = self._side(instrument, side)
        level = found.levels.get(price)
        if level is None:
            self._make_room(found)
            key = -price if side == a.BUY else price
            found.keys.insert(bisect_left(found.keys, key), key)
            level = found.levels[price] = [0, 0]
            self._level_count += 1
        level[0] += quantity
        level[1] += orders
        if orders < 0 and level[1] == 0:
            self._drop(instrument, side, price)

    def _drop(self, instrument: int, side: int, price: int) -> None:
        found = self._side(instrument, side)
        del found.levels[price]
        del found.keys[bisect_left(found.keys, -price if side == a.BUY else price)]
        self._level_count -= 1

    def _make_room(self, side: Side) -> None:
        """Ladders grow by doubling; the smaller chunk is kept for another ladder.

        Only where no ladder has a window: which levels are in one is the kernels' own business,
        and books with windows are given chunks enough when they are compared.
        """
        if self._level_count >= self.sizes.levels:
            raise BookFault("levels_full")
        if self.sizes.window_count == 0 and len(side.keys) == side.room:
            size = 2 * side.room or SMALLEST
            if size > LARGEST or not self._take_chunk(size):
                raise BookFault("chunks_full")
            if side.room:
                self._free_chunks[side.room] += 1
            side.room = size

    def _take_chunk(self, size: int) -> bool:
        if self._free_chunks[size]:
            self._free_chunks[size] -= 1
            return True
        need = GUARD_BYTES + LEVEL_BYTES * size
        if need > self._chunk_bytes:
            return False
        self._chunk_bytes -= -(-need // LINE) * LINE
        return True

    def _show(self, instrument: int, side: int, time_ns: int) -> None:
        """Brings the top up to date; a book that crosses while it trades is a fault."""
        self.touched.add(instrument)
        top, (price, quantity) = self._top(instrument), self._side(instrument, side).best()
        if side == a.BUY:
            if (top.bid, top.bid_quantity) == (price, quantity):
                return
            top.bid, top.bid_quantity = price, quantity
        else:
            if (top.offer, top.offer_quantity) == (price, quantity):
                return
            top.offer, top.offer_quantity = price, quantity
        top.time_ns = time_ns
        both = top.bid != 0 and top.offer != 0 and not self._inside_event
        if both and top.bid >= top.offer and top.status == a.STATUS_TRADING:
            self.faults["crossed"] += 1
            top.fault = top.fault or "crossed"

    # Who is who.

    def _order(self, number: int) -> Order:
        if number not in self.orders:
            raise BookFault("unknown_order")
        return self.orders[number]

    def _known(self, key: int) -> int:
        """The instrument of a key; a new one gets the next number."""
        found = self.instrument(key)
        if found is None and self.sizes.named and len(self.keys) + 1 < self.sizes.instruments:
            found = self.keys[key] = len(self.keys) + 1
        if found is None:
            raise BookFault("unknown_instrument")
        return found

    def _spoken_of(self, instrument: int, unit: int, key: int) -> Top:
        top = self._top(instrument)
        top.unit, top.key = unit, key
        self.touched.add(instrument)
        return top

    def _top(self, instrument: int) -> Top:
        if instrument not in self.tops:
            self.tops[instrument] = Top(status=self._statuses.get(0, 0))
        return self.tops[instrument]

    def _side(self, instrument: int, side: int) -> Side:
        return self.sides.setdefault((instrument, side), Side(side))

    def _of_unit(self, unit: int) -> Iterable[int]:
        return [number for number, top in self.tops.items() if top.unit == unit]

    def _note(self, fault: str, key: int) -> None:
        """Counts a fault and marks the instrument that the action names, if it names one."""
        self.faults[fault] += 1
        if key == 0:
            return
        try:
            instrument = self._known(key)
        except BookFault:
            return
        top = self._top(instrument)
        top.fault = top.fault or fault
        top.stale |= fault in FULL
        self.touched.add(instrument)


def _place(order: Order) -> Any:
    price = -order.price if order.side == a.BUY else order.price
    return order.side, price, order.sequence, order.number
