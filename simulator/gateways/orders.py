"""The orders of an account that are not over, by the client's id and by the matching's token."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import NO_PRICE
from feedhandler.wire.record import Values
from simulator.matching import records as r

Wire = int | str
TOLD: Final = "kind reason liquidity instrument owner time_ns token order".split()
TOLD.extend("price quantity leaves aux fee".split())


class Told(NamedTuple):
    """A report of the matching; fields as in REPORT_DTYPE."""

    kind: int
    reason: int
    liquidity: int
    instrument: int
    owner: int
    time_ns: int
    token: int
    order: int
    price: int
    quantity: int
    leaves: int
    aux: int
    fee: int


@dataclass(slots=True, eq=False)
class Order:
    """An order as its session knows it.

    Attributes:
        wire: the client's id.
        token: the matching's.
        instrument: its number at the venue, from 1.
        terms: what the client sent, for the answers.
        command: what the matching was told; a replace begins from it.
        executed: shares, over all orders that this one has replaced.
        leaves: open shares; 0 before it is accepted.
        number: the venue's order number.
        entered_ns: when it was accepted or took another's place; what it trades then, it takes.
        old: the order that it is to replace; None where there is none or it has.
        asked: numbers of the cancels that the matching has not answered.
    """

    wire: Wire
    token: int
    instrument: int
    terms: Values
    command: NDArray[np.void]
    executed: int = 0
    leaves: int = 0
    number: int = 0
    entered_ns: int = 0
    old: Order | None = None
    asked: deque[int] = field(default_factory=deque)

    @property
    def executed_before(self) -> int:
        """Executed shares, also where a replace has not been answered."""
        order = self
        while order.old is not None:
            order = order.old
        return order.executed


class Request(NamedTuple):
    """A cancel that the matching has not answered.

    Attributes:
        order: which; None of a mass cancel.
        terms: what the client sent.
    """

    order: Order | None
    terms: Values


class Orders:
    """Orders and requests that are not over, a bounded number of each.

    Args:
        most: orders, and requests, at a time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_token: dict[int, Order] = {}
        self._by_wire: dict[Wire, Order] = {}
        self._requests: dict[int, Request] = {}
        self._last_request = 0

    def __len__(self) -> int:
        return len(self._by_token)

    @property
    def full(self) -> bool:
        """Whether one more order or request is one too many."""
        return len(self._by_token) >= self._most or len(self._requests) >= self._most

    @property
    def busy(self) -> bool:
        """Whether one more request is one too many; how many orders there are does not matter.

        An account at its limit of orders can still take them off.
        """
        return len(self._requests) >= self._most

    def find(self, wire: Wire) -> Order | None:
        """The order with a client's id, also before it is accepted."""
        return self._by_wire.get(wire)

    def of(self, token: int) -> Order | None:
        """The order with a token."""
        return self._by_token.get(token)

    def open_orders(self) -> list[Order]:
        """Those that the matching has accepted."""
        return [order for order in self._by_token.values() if order.leaves]

    def add(self, order: Order) -> None:
        """One more."""
        self._by_token[order.token] = self._by_wire[order.wire] = order

    def drop(self, order: Order) -> None:
        """It is over."""
        self._by_token.pop(order.token, None)
        self._by_wire.pop(order.wire, None)

    def ask(self, order: Order | None, terms: Values) -> int:
        """A cancel goes to the matching; gives its number, below 0: a token of no order."""
        self._last_request -= 1
        self._requests[self._last_request] = Request(order, terms)
        if order is not None:
            order.asked.append(self._last_request)
        return self._last_request

    def answered(self, number: int) -> Request | None:
        """The matching refused the cancel with this number, or is behind a mass cancel."""
        request = self._requests.pop(number, None)
        if request is not None and request.order is not None:
            request.order.asked.remove(number)
        return request

    def done(self, order: Order) -> Request | None:
        """The matching did the oldest cancel of an order that it has not answered."""
        return self.answered(order.asked[0]) if order.asked else None


def command(kind: int, time_ns: int, owner: int, **more: int) -> NDArray[np.void]:
    """One command for the matching."""
    row = np.zeros(1, r.COMMAND_DTYPE)
    row["kind"], row["time_ns"], row["owner"], row["cap"] = kind, time_ns, owner, NO_PRICE
    for name, value in more.items():
        row[name] = value
    return row
