"""Plain matching in Python, as one writes it first: a heap a side, canceled orders left in it."""

from __future__ import annotations

from heapq import heappop, heappush

BUY = 1
Row = tuple[int, int, int, int, int, int]


class HeapMatcher:
    """Limit orders by price and time.

    Attributes:
        executed: shares, each trade counted once.
        events: adds, executions and deletes that a feed would tell.
    """

    def __init__(self) -> None:
        self.sides: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (price key, token)
        self.open: dict[int, int] = {}
        self.executed = self.events = 0

    def new(self, instrument: int, side: int, token: int, price: int, quantity: int) -> None:
        """Takes what the price reaches and keeps the rest."""
        other = self.sides.setdefault((instrument, 3 - side), [])
        limit = price if side == BUY else -price
        while quantity and other and other[0][0] <= limit:
            resting = other[0][1]
            shares = self.open.get(resting, 0)
            if shares == 0:
                heappop(other)
                continue
            traded = min(shares, quantity)
            quantity -= traded
            self.executed += traded
            self.events += 1
            if traded == shares:
                del self.open[resting]
                heappop(other)
            else:
                self.open[resting] = shares - traded
        if quantity:
            self.open[token] = quantity
            key = -price if side == BUY else price
            heappush(self.sides.setdefault((instrument, side), []), (key, token))
            self.events += 1

    def cancel(self, token: int) -> None:
        """Forgets an order, if it is there."""
        if self.open.pop(token, 0):
            self.events += 1

    def run(self, rows: list[Row]) -> None:
        """(new, instrument, side, token, price, quantity) rows; not new: a cancel of the token."""
        for new, instrument, side, token, price, quantity in rows:
            if new:
                self.new(instrument, side, token, price, quantity)
            else:
                self.cancel(token)
