"""What the venues' accounts did: every order with its executions, as plain values.

It is the venues' side of the story, for whoever wants to compare it with a client's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY
from simulator.gateways.gateway import Gateway
from simulator.gateways.orders import TOLD, Told
from simulator.matching import records as r

Object = dict[str, Any]
ONE: Final = 100_000_000
OPEN: Final = "open"
OVER: Final = {r.REJECTED: "rejected", r.CANCELED: "canceled", r.REPLACED: "replaced"}


@dataclass
class Entry:
    """An order that the matching has heard of.

    Attributes:
        wire: the client's id.
        quantity: shares that were open when it entered.
        executions: trade id, shares, price in 1e-8, time.
    """

    wire: str
    symbol: str
    side: str
    quantity: int
    leaves: int
    state: str = OPEN
    executions: list[tuple[int, int, int, int]] = field(default_factory=list)

    def shown(self) -> Object:
        """As JSON has it."""
        return {
            "id": self.wire,
            "symbol": self.symbol,
            "side": self.side,
            "quantity": self.quantity,
            "executed": sum(shares for _, shares, _, _ in self.executions),
            "leaves": self.leaves,
            "state": self.state,
            "executions": [
                {"id": number, "shares": shares, "price": price / ONE, "time_ns": time_ns}
                for number, shares, price, time_ns in self.executions
            ],
        }


class Ledger:
    """The orders of all accounts at one venue."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}

    def note(self, gateway: Gateway, reports: NDArray[np.void]) -> None:
        """Takes reports, before the gateway does: it forgets what is over."""
        owners = {session.account.owner: session for session in gateway.sessions.values()}
        mine = reports[np.isin(reports["owner"], list(owners))]
        for row, side in zip(mine[TOLD].tolist(), mine["side"].tolist(), strict=True):
            told = Told(*row)
            session = owners[told.owner]
            order = session.orders.of(told.token)
            if told.kind in (r.ACCEPTED, r.REJECTED, r.REPLACED) and order is not None:
                wire, symbol = str(order.wire), gateway.symbols[told.instrument - 1]
                way = "buy" if side == BUY else "sell"
                entry = Entry(wire, symbol, way, told.leaves, told.leaves)
                self._entries.setdefault((session.name, told.token), entry)
            self._apply(session.name, told)

    def _apply(self, name: str, told: Told) -> None:
        entry = self._entries.get((name, told.token))
        if told.kind == r.REPLACED:
            old = self._entries.get((name, told.aux))
            if old is not None:
                old.leaves, old.state = 0, OVER[r.REPLACED]
        elif entry is None or told.kind in (r.CANCEL_REJECTED, r.RESTATED, r.INVITED):
            return
        elif told.kind == r.EXECUTED:
            entry.executions.append((told.aux, told.quantity, told.price, told.time_ns))
            entry.leaves = told.leaves
            entry.state = OPEN if told.leaves else "filled"
        elif told.kind == r.CANCELED:
            entry.leaves = told.leaves
            entry.state = OPEN if told.leaves else OVER[r.CANCELED]
        elif told.kind == r.REJECTED:
            entry.leaves, entry.state = 0, OVER[r.REJECTED]

    def accounts(self) -> Object:
        """The orders by account, in the order in which they entered."""
        made: Object = {}
        for (name, _), entry in self._entries.items():
            made.setdefault(name, []).append(entry.shown())
        return made
