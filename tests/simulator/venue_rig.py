"""A venue in few words: commands, an exchange, and a book rebuilt from what it publishes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from nic.regions import reset, violations
from simulator.matching import records as r
from simulator.matching.model import VenueModel
from simulator.matching.venue import Exchange

B, S = a.BUY, a.SELL
CENT = 1_000_000
DOLLAR = 100 * CENT
PLAIN = VenueModel(name="plain")
REPORT_NAMES = tuple(name for name in r.REPORT_DTYPE.names or () if name != "spare")
Records = NDArray[np.void]


def command(kind: int, **more: int) -> Records:
    """One command; of instrument 1 and owner 1, a day limit order, where nothing else is said."""
    row = np.zeros(1, r.COMMAND_DTYPE)
    row["kind"] = kind
    given = {"instrument": 1, "owner": 1, "type": r.LIMIT, "cap": a.NO_PRICE, **more}
    for name, value in given.items():
        row[name] = value
    return row


def as_dict(row: Records) -> dict[str, int]:
    """A command as the slow venue takes it."""
    names = [name for name in r.COMMAND_DTYPE.names or () if name != "spare"]
    return {name: int(row[name][0]) for name in names}


class Floor:
    """An exchange, and a book that hears only its public events; compared after every command."""

    def __init__(self, model: VenueModel = PLAIN, instruments: int = 2, **more: Any) -> None:
        given = {"orders": 64, **more}
        self.exchange = Exchange(model, instruments, **given)
        self.book = VenueBook(Sizes(orders=256, levels=256, instruments=instruments + 1))
        self.public = np.zeros(0, a.ACTION_DTYPE)
        self.reports = np.zeros(0, r.REPORT_DTYPE)
        self.token = 0
        reset()

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert violations().count == 0, violations()
        self.exchange.close()
        self.book.close()

    def send(self, kind: int, **more: int) -> None:
        """Sends one command; what came of it is in `public` and `reports`."""
        self.submit(command(kind, **more))

    def submit(self, commands: Records) -> None:
        """Sends commands."""
        public, reports = self.exchange.submit(commands)
        self.public, self.reports = public.copy(), reports.copy()
        self.book.apply(self.public)
        for instrument in range(1, self.exchange.instruments + 1):
            self.check(instrument)

    def check(self, instrument: int) -> None:
        """The feed tells the truth: what a subscriber built is what the exchange displays."""
        for side in (B, S):
            built = self.book.ladder(instrument, side).tolist()
            assert built == self.exchange.levels(instrument, side).tolist()
        rows = self.book.orders(instrument)[["id", "side", "price", "quantity"]].tolist()
        assert rows == self.exchange.orders(instrument).tolist()
        assert self.book.faults() == {}

    def order(self, side: int, quantity: int, price: int = 0, **more: int) -> int:
        """A new order, priced in cents; gives its token."""
        self.token += 1
        self.send(r.NEW, side=side, quantity=quantity, price=price * CENT, token=self.token, **more)
        return self.token

    def cancel(self, token: int, down_to: int = 0, **more: int) -> None:
        """Cancels an order, or down to some shares."""
        self.send(r.CANCEL, target=token, quantity=down_to, **more)

    def replace(self, token: int, quantity: int, price: int = 0, **more: int) -> int:
        """Replaces an order; gives the new token."""
        self.token += 1
        new = {"target": token, "token": self.token, "quantity": quantity}
        self.send(r.REPLACE, price=price * CENT, **new, **more)
        return self.token

    def national(self, bid: int, offer: int) -> None:
        """The national best prices, in cents."""
        self.send(r.REFERENCE, price=bid * CENT, cap=offer * CENT)

    def told(self) -> list[tuple[int, int, int]]:
        """(kind, price in cents, quantity) of the last public events."""
        rows = self.public[["kind", "price", "quantity"]].tolist()
        return [(kind, price // CENT, quantity) for kind, price, quantity in rows]

    def fills(self) -> list[tuple[int, float, int]]:
        """(token, price in cents, shares) of the last executions."""
        rows = self.reports[self.reports["kind"] == r.EXECUTED]
        return [(t, p / CENT, q) for t, p, q in rows[["token", "price", "quantity"]].tolist()]

    def said(self, token: int) -> list[tuple[int, int]]:
        """(kind, reason) of the last reports on a token."""
        rows = self.reports[self.reports["token"] == token]
        pairs: list[tuple[int, int]] = rows[["kind", "reason"]].tolist()
        return pairs

    def side(self, side: int, instrument: int = 1) -> list[tuple[int, int]]:
        """(price in cents, quantity) of the displayed levels, best first."""
        rows = self.exchange.levels(instrument, side)[["price", "quantity"]].tolist()
        return [(price // CENT, quantity) for price, quantity in rows]
