"""What the decoder of a venue's feed should hear of public events, in plain Python.

Written from what the protocols can say, not from the forms: one method a kind of event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from feedhandler import actions as a

Heard = tuple[str, int, int, int, int, int]  # kind, key, order, price, quantity, aux
STATES = {  # what venues without a word for a state say instead
    "itch50": {a.STATUS_PREOPEN: a.STATUS_QUOTING, a.STATUS_CLOSED: a.STATUS_HALTED},
    "cboe_pitch": {a.STATUS_PAUSED: a.STATUS_HALTED, a.STATUS_CLOSED: a.STATUS_HALTED},
    "nyse_integrated_25": {a.STATUS_QUOTING: a.STATUS_PREOPEN},
    "memoir13": {a.STATUS_PREOPEN: a.STATUS_QUOTING, a.STATUS_CLOSED: a.STATUS_HALTED},
    "iex_deepplus": {a.STATUS_PREOPEN: a.STATUS_QUOTING, a.STATUS_CLOSED: a.STATUS_HALTED},
}
NAMES_KEY = ("itch50", "nyse_integrated_25", "memoir13", "iex_deepplus")
AUCTIONS = ("itch50", "cboe_pitch", "nyse_integrated_25")
UNTOLD = 0


@dataclass
class SlowFeed:
    """The actions that a protocol makes of events.

    Args:
        protocol: its name.
        wire_id: the order id of a reference on the wire.
        key: the decoder's key of an instrument.

    Attributes:
        orders: reference -> [key, wire id, price, shares].
    """

    protocol: str
    wire_id: Callable[[int], int]
    key: Callable[[int], int]
    orders: dict[int, list[int]] = field(default_factory=dict)
    restricted: dict[int, int] = field(default_factory=dict)
    status: dict[int, int] = field(default_factory=dict)
    own: int = 1 << 48

    def hear(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """The actions of one event."""
        name = a.KINDS[row[0]]
        yield from getattr(self, f"{name}_" if name in ("break", "status") else name)(row)

    def of_order(self, key: int) -> int:
        """The key of an action on an order: PITCH does not name it."""
        return self.key(key) if self.protocol in NAMES_KEY else UNTOLD

    def own_id(self) -> int:
        """An id that the publisher makes."""
        self.own += 1
        return self.wire_id(self.own)

    def add(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """Every protocol adds."""
        _, _, _, _, key, order, price, shares, *_ = row
        self.orders[order] = [key, self.wire_id(order), price, shares]
        yield "add", self.key(key), self.wire_id(order), price, shares, 0

    def delete(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """Every protocol deletes."""
        key, wire, *_ = self.orders.pop(row[5])
        yield "delete", self.of_order(key), wire, 0, 0, 0

    def take(self, row: tuple[int, ...]) -> tuple[int, int, int, int]:
        """Key, wire id, price and what is left of the order whose shares go."""
        order = self.orders[row[5]]
        order[3] -= row[7]
        if order[3] == 0:
            del self.orders[row[5]]
        return self.of_order(order[0]), order[1], order[2], order[3]

    def reduce(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """In place of it NYSE and IEX modify; nothing left is a deletion."""
        key, wire, price, left = self.take(row)
        if left == 0:
            yield "delete", key, wire, 0, 0, 0
        elif self.protocol in ("nyse_integrated_25", "iex_deepplus"):
            yield "modify", key, wire, price, left, 0
        else:
            yield "reduce", key, wire, 0, row[7], 0

    def execute(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """With the order's price where every execution has one."""
        key, wire, price, _ = self.take(row)
        if self.protocol in ("itch50", "cboe_pitch"):
            yield "execute", key, wire, 0, row[7], row[8]
        else:
            yield "execute_price", key, wire, price, row[7], row[8]

    def execute_price(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """PITCH states what is left, which the decoder makes two actions of."""
        key, wire, _, left = self.take(row)
        if self.protocol == "cboe_pitch":
            yield "modify", key, wire, a.NO_PRICE, left + row[7], 0
        yield "execute_price", key, wire, row[6], row[7], row[8]

    def enter_anew(self, key: int, wire: int, new: int, price: int, shares: int) -> Iterator[Heard]:
        """An order leaves, another enters."""
        if self.protocol == "memoir13":
            yield "delete", self.of_order(key), wire, 0, 0, 0
            yield "add", self.key(key), new, price, shares, 0
        else:
            yield "replace", self.of_order(key), wire, price, shares, new

    def replace(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """PITCH and IEX keep the id and modify."""
        key, wire, *_ = self.orders.pop(row[5])
        new, price, shares = self.wire_id(row[8]), row[6], row[7]
        if self.protocol in ("cboe_pitch", "iex_deepplus"):
            new = wire
            yield "modify", self.of_order(key), wire, price, shares, 0
        else:
            yield from self.enter_anew(key, wire, new, price, shares)
        self.orders[row[8]] = [key, new, price, shares]

    def modify(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """ITCH and MEMOIR reduce, or let another order enter."""
        order = self.orders[row[5]]
        key, wire, old, have = order
        price, shares = old if row[6] == a.NO_PRICE else row[6], row[7]
        order[2:] = price, shares
        keeps = row[2] & a.KEEPS_PRIORITY and price == old
        if self.protocol not in ("itch50", "memoir13"):
            yield "modify", self.of_order(key), wire, price, shares, 0
        elif keeps and shares < have:
            yield "reduce", self.of_order(key), wire, 0, have - shares, 0
        elif not keeps or shares > have:
            order[1] = self.own_id()
            yield from self.enter_anew(key, wire, order[1], price, shares)

    def trade(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """PITCH's auction summary names no trade."""
        untold = self.protocol == "cboe_pitch" and row[2] & a.CROSS
        yield "trade", self.key(row[4]), 0, row[6], row[7], 0 if untold else row[8]

    def break_(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """PITCH names no instrument."""
        yield "break", self.of_order(row[4]), 0, row[6], row[7], row[8]

    def state(self, key: int) -> int:
        """The state as the protocol says it."""
        status = self.status.get(key, a.STATUS_TRADING)
        return STATES[self.protocol].get(status, status)

    def both(self, key: int) -> Iterator[Heard]:
        """State and price test, for protocols that say both in one message."""
        yield "status", self.key(key), UNTOLD, 0, 0, self.state(key)
        yield "restrict", self.key(key), 0, 0, 0, self.restricted.get(key, 0)

    def status_(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """A trading state."""
        self.status[row[4]] = row[8]
        if self.protocol in ("cboe_pitch", "nyse_integrated_25"):
            yield from self.both(row[4])
        else:
            yield "status", self.key(row[4]), UNTOLD, 0, 0, self.state(row[4])

    def restrict(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """A price test."""
        self.restricted[row[4]] = row[8]
        if self.protocol in ("cboe_pitch", "nyse_integrated_25"):
            yield from self.both(row[4])
        else:
            yield "restrict", self.key(row[4]), 0, 0, 0, row[8]

    def bands(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """None says them: price bands come from the consolidated tapes."""
        yield from ()

    def auction(self, row: tuple[int, ...]) -> Iterator[Heard]:
        """Two actions: near and far."""
        if self.protocol in AUCTIONS:
            for _ in range(2):
                yield "auction", self.key(row[4]), row[5], row[6], row[7], row[8]
