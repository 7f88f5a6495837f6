"""Books and their slow model side by side, and action records in few words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.compare import differences, everything
from feedhandler.books.sizes import Sizes
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from nic.regions import reset, violations

SMALL = Sizes(orders=64, levels=64, instruments=16)
B, S = a.BUY, a.SELL


def act(kind: int, **more: int) -> NDArray[np.void]:
    """One action record; fields not named are 0."""
    row = np.zeros(1, a.ACTION_DTYPE)
    row["kind"] = kind
    for name, value in more.items():
        row[name] = value
    return row


def add(
    number: int, side: int, price: int, quantity: int, key: int = 1, **more: int
) -> NDArray[np.void]:
    """A new order."""
    given = {"order_id": number, "side": side, "price": price, "quantity": quantity, "key": key}
    return act(a.ADD, **given, **more)


class Pair:
    """Both kinds of books under the same actions; every step is compared."""

    def __init__(self, sizes: Sizes = SMALL) -> None:
        self.book, self.model = VenueBook(sizes), SlowBooks(sizes)
        self.with_orders = True  # order by order as well, wherever levels are compared
        reset()

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert violations().count == 0, violations()
        self.book.close()

    def apply(self, *records: NDArray[np.void], whole: bool = True) -> None:
        """Applies records one by one; `whole` compares all instruments, else those touched."""
        for rows in records:
            for number in range(len(rows)):
                one = rows[number : number + 1]
                self.book.apply(one)
                self.model.apply(one)
                self.check(one, whole)

    def check(self, one: NDArray[np.void], whole: bool) -> None:
        """Fails with what differs."""
        if whole:
            found = everything(self.book, self.model)
        else:
            touched = self.model.touched
            found = differences(self.book, self.model, touched, orders=self.with_orders)
        assert not found, (one, found)

    def side(self, side: int, instrument: int = 1) -> list[tuple[int, int, int]]:
        """(price, quantity, orders) of a side, best first."""
        levels: list[tuple[int, int, int]] = self.book.ladder(instrument, side).tolist()
        return levels

    def queue(self, instrument: int = 1) -> list[tuple[int, int]]:
        """(order id, queue position), bids first, best price first."""
        pairs: list[tuple[int, int]] = self.book.orders(instrument)[["id", "position"]].tolist()
        return pairs

    def top(self, instrument: int = 1) -> tuple[int, int, int, int]:
        """Bid, its quantity, offer, its quantity."""
        row = self.book.best(instrument)
        names = ("bid", "bid_quantity", "offer", "offer_quantity")
        bid, bid_quantity, offer, offer_quantity = (int(row[name]) for name in names)
        return bid, bid_quantity, offer, offer_quantity
