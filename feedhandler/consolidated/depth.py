"""The books of several venues as one ladder, made when someone asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY

DEPTH_DTYPE: Final = np.dtype(
    [
        ("price", "i8"),
        ("quantity", "i8"),  # of all venues at the price
        ("orders", "i8"),
        ("venues", "i8"),  # who they are, bit v for venue v
    ]
)


class Ladders(Protocol):
    """A venue's books, as `feedhandler.books.views.BookViews` shows them."""

    def ladder(self, instrument: int, side: int, most: int | None = None) -> NDArray[np.void]:
        """Levels of a side, best first."""


def merge(ladders: Mapping[int, NDArray[np.void]], side: int) -> NDArray[np.void]:
    """Venues' ladders as one, best first.

    Args:
        ladders: by venue number, rows with price, quantity and orders.
        side: BUY or SELL of `feedhandler.actions`.

    Returns:
        DEPTH_DTYPE rows, one a price.
    """
    given = [(venue, levels) for venue, levels in sorted(ladders.items()) if len(levels)]
    if not given:
        return np.zeros(0, DEPTH_DTYPE)
    prices = np.concatenate([levels["price"] for _, levels in given])
    bits = np.concatenate([np.full(len(levels), 1 << venue) for venue, levels in given])
    found, place = np.unique(prices, return_inverse=True)
    made = np.zeros(len(found), DEPTH_DTYPE)
    made["price"] = found
    for name in ("quantity", "orders"):
        np.add.at(made[name], place, np.concatenate([levels[name] for _, levels in given]))
    np.bitwise_or.at(made["venues"], place, bits)
    return made[::-1].copy() if side == BUY else made


def merged_depth(
    books: Iterable[tuple[int, Ladders, int]], side: int, most: int | None = None
) -> NDArray[np.void]:
    """The merged ladder of an instrument over any set of venues, read while the loop runs.

    Args:
        books: (venue number, its books, its instrument number) of each venue.
        side: BUY or SELL.
        most: at most so many prices; all without.

    Each venue's ladder is of one moment; those of different venues may be a moment apart.
    """
    read = {venue: of.ladder(number, side, most) for venue, of, number in books}
    return merge(read, side)[:most]
