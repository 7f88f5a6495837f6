"""Auctions as one record, whatever venue told of them: plain Python, from the actions of a feed.

A venue's message about an auction becomes up to three actions (`feedhandler.actions`): where all
interest would trade, the far price, and which auction it is. They come one behind the other. What
comes of an auction is a trade that is marked as a cross.

| field | NYSE | Nasdaq | Cboe | IEX |
|---|---|---|---|---|
| `near` | continuous book clearing | near | indicative | indicative clearing |
| `far` | auction interest (closing only) clearing | far | auction only | auction book clearing |
| `indicative` | indicative match | | | |
| `market_imbalance` | market imbalance | | | |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import AUCTION, AUCTION_TYPES, CROSS, FAR, NO_PRICE, TRADE, TYPED


@dataclass(frozen=True)
class AuctionUpdate:
    """What a venue says that an auction would do now.

    Attributes:
        time_ns: epoch; 0 unknown.
        key: the venue's own of the instrument.
        auction: a name of `actions.AUCTION_TYPES`.
        letter: the venue's own for it.
        side: of the imbalance: 1 buy, 2 sell, 0 none.
        paired, imbalance, market_imbalance: shares.
        reference, near, far, indicative: prices of 1e-8 units; None where the venue says none.
    """

    time_ns: int
    sequence: int
    key: int
    auction: str
    letter: str
    side: int
    paired: int
    imbalance: int
    market_imbalance: int
    reference: int | None
    near: int | None
    far: int | None
    indicative: int | None


@dataclass(frozen=True)
class AuctionResult:
    """What an auction traded: one price, so many shares (none: it ran and nothing traded)."""

    time_ns: int
    sequence: int
    key: int
    price: int | None
    shares: int


def told(price: int) -> int | None:
    """A price, or None for those that say that there is none."""
    return None if price in (0, NO_PRICE) else price


def letter_of(word: int) -> str:
    """The venue's letter in an action's word."""
    return chr(word & 0xFF).strip(" \0")


def auctions_of(actions: NDArray[np.void]) -> Iterator[AuctionUpdate | AuctionResult]:
    """The auctions that a packet's actions tell of, in their order."""
    near = far = None
    for row in actions[np.isin(actions["kind"], (AUCTION, TRADE))]:
        flags = int(row["flags"])
        if row["kind"] == TRADE:
            if flags & CROSS:
                yield result_of(row)
        elif flags & FAR:
            far = row
        elif not flags & TYPED:
            near, far = row, None
        elif near is not None and near["key"] == row["key"]:
            yield update_of(near, far, row)
            near = far = None


def result_of(row: np.void) -> AuctionResult:
    """The cross that an action reports."""
    time_ns, sequence, key = (int(row[name]) for name in ("time_ns", "sequence", "key"))
    return AuctionResult(time_ns, sequence, key, told(int(row["price"])), int(row["quantity"]))


def update_of(near: np.void, far: np.void | None, kind: np.void) -> AuctionUpdate:
    """One record of the two or three actions of a message."""
    auction = int(kind["aux"])
    return AuctionUpdate(
        time_ns=int(near["time_ns"]),
        sequence=int(near["sequence"]),
        key=int(near["key"]),
        auction=AUCTION_TYPES[auction if auction < len(AUCTION_TYPES) else 0],
        letter=letter_of(int(kind["order_id"])),
        side=int(near["side"]),
        paired=int(near["quantity"]),
        imbalance=int(near["order_id"]),
        market_imbalance=int(kind["quantity"]),
        reference=told(int(near["price"])),
        near=told(int(near["aux"])),
        far=None if far is None else told(int(far["aux"])),
        indicative=told(int(kind["price"])),
    )
