"""What the public events of a venue must show, whatever its owners do: priority and no crossing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a

CHANGES = (a.EXECUTE, a.EXECUTE_PRICE, a.REDUCE)


class Tape:
    """The displayed queues of one instrument as the events build them, checked event by event."""

    def __init__(self) -> None:
        self.queues: dict[int, list[list[int]]] = {
            a.BUY: [],
            a.SELL: [],
        }  # [reference, price, left]
        self.executions = self.hidden_trades = 0

    def best(self, side: int) -> list[int] | None:
        """The displayed order that trades first: best price, then time."""
        orders = self.queues[side]
        ahead = max if side == a.BUY else min
        return ahead(orders, key=lambda order: order[1]) if orders else None

    def read(self, events: NDArray[np.void]) -> None:
        """Checks and applies events."""
        for event in events:
            self.read_one(event)

    def read_one(self, event: np.void) -> None:
        """Checks and applies one event."""
        kind, side = int(event["kind"]), int(event["side"])
        price, shares, reference = (int(event[n]) for n in ("price", "quantity", "order_id"))
        if kind == a.ADD:
            self.queues[side].append([reference, price, shares])
        elif kind == a.TRADE and event["flags"] & a.HIDDEN:
            self.check_hidden(side, price)
        elif kind == a.EXECUTE:
            first = self.best(side)
            assert first is not None and first[:2] == [reference, price], (first, event)
            self.executions += 1
        if kind in (*CHANGES, a.DELETE, a.MODIFY, a.REPLACE):
            order = next(order for order in self.queues[side] if order[0] == reference)
            self.change(event, order)

    def check_hidden(self, side: int, price: int) -> None:
        """A hidden order trades behind all that is displayed at its price or a better one."""
        first = self.best(side)
        assert first is None or (first[1] < price if side == a.BUY else first[1] > price)
        self.hidden_trades += 1

    def change(self, event: np.void, order: list[int]) -> None:
        """Applies what happens to an order."""
        kind, queue = int(event["kind"]), self.queues[int(event["side"])]
        if kind == a.MODIFY and event["flags"] & a.KEEPS_PRIORITY:
            assert event["quantity"] <= order[2] and event["price"] == order[1]
            order[2] = int(event["quantity"])
            return
        if kind in CHANGES:
            order[2] -= int(event["quantity"])
            assert order[2] >= 0
        if kind not in CHANGES or order[2] == 0:
            queue.remove(order)
        if kind in (a.MODIFY, a.REPLACE):
            new = int(event["aux"]) if kind == a.REPLACE else order[0]
            queue.append([new, int(event["price"]), int(event["quantity"])])

    def crossed(self) -> bool:
        """Whether the best displayed prices meet."""
        bid, offer = self.best(a.BUY), self.best(a.SELL)
        return bid is not None and offer is not None and bid[1] >= offer[1]
