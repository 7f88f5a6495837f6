"""Random commands for a venue, dense enough that orders meet, and what must hold whatever comes."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from router.venuefile import Rate
from simulator.matching import records as r
from simulator.matching.model import Fees, Latency, Tick, VenueModel

CENT = 1_000_000
TIERS = (
    Fees(removed=Rate(30, 3000), added=Rate(-20, -1), midpoint=Rate(5), retail_added=Rate(-33)),
    Fees(from_shares=2000, removed=Rate(25), added_hidden=Rate(7), crossed=Rate(1)),
)
HALF = (Tick(CENT // 4), Tick(CENT, from_price=100 * CENT))
MODELS = {
    "itch": VenueModel(name="itch", fees=TIERS, inbound=Latency(base_ns=5)),
    "kept": VenueModel(
        name="kept", references="kept", reserve_refresh="at_once", bands="reject", ticks=HALF
    ),
    "strict": VenueModel(
        name="strict",
        size_down="loses",
        halts="cancel_only",
        auctions=False,
        retail=False,
        protect=True,
        self_trade=("cancel_new", "decrement"),
    ),
    "midpoint": VenueModel(name="midpoint", kind="midpoint", fees=TIERS),
    "conditional": VenueModel(name="conditional", kind="conditional", firm_up_ns=20),
}
KINDS = (
    (r.NEW,) * 58
    + (r.CANCEL,) * 10
    + (r.REPLACE,) * 18
    + (r.REFERENCE,) * 8
    + (r.BANDS, r.BANDS, r.HALT, r.RESUME, r.RESUME, r.AUCTION, r.AUCTION)
)
RARE = (r.SESSION, r.DISCONNECT, r.MASS_CANCEL, 0, 200)
FLAGS = (0,) * 20 + (
    r.HIDDEN,
    r.HIDDEN,
    r.HIDDEN,
    r.POST_ONLY,
    r.POST_ONLY | r.SLIDE,
    r.SWEEP,
    r.RETAIL,
    r.CANCEL_ON_DISCONNECT,
    r.CANCEL_ON_DISCONNECT,
    r.REFUSE,
    r.POST_ONLY | r.HIDDEN,
)
HALTS = (0, a.STATUS_TRADING, a.STATUS_PAUSED, a.STATUS_AUCTION, a.STATUS_QUOTING)
STATUSES = (a.STATUS_TRADING,) * 4 + (a.STATUS_PREOPEN, a.STATUS_AUCTION, a.STATUS_CLOSED)
DEPTHS = (-2, -1, -1, 0, 0, 0, 1, 1, 2, 2, 3, 4)  # cents away from 100; negative ones take
PRICED = (r.MIDPOINT_PEG, r.MIDPOINT_PEG, r.PRIMARY_PEG, r.PRIMARY_PEG, r.MARKET, 0, 9)


def traffic(seed: int, count: int, conditional: bool = False) -> NDArray[np.void]:
    """`count` commands in time order on two instruments."""
    rng = random.Random(seed)
    rows, entered = np.zeros(count, r.COMMAND_DTYPE), [1]
    for number in range(count):
        row = rows[number]
        row["kind"] = rng.choice(RARE) if rng.random() < 0.02 else rng.choice(KINDS)
        row["time_ns"], row["token"] = 10 + number, number + 1
        row["instrument"], row["owner"] = rng.choice((1, 1, 1, 2)), rng.choice((1, 1, 2, 3))
        row["target"] = rng.choice(entered[-20:])
        if row["kind"] in (r.CANCEL, r.REPLACE) and rng.random() < 0.95:
            row["owner"] = rows[row["target"] - 1]["owner"]
        if row["kind"] in (r.NEW, r.REPLACE):
            entered.append(number + 1)
        row["cap"], row["side"] = a.NO_PRICE, rng.choice((a.BUY, a.SELL))
        FILL.get(int(row["kind"]), _fill_other)(rng, row, conditional)
        if rng.random() < 0.01:
            row[rng.choice(("instrument", "owner", "side", "quantity", "price", "token"))] = 0
    return rows


def _fill_terms(rng: random.Random, row: np.void) -> None:
    away = rng.choice(DEPTHS) * (-1 if row["side"] == a.BUY else 1)
    row["type"], row["price"] = r.LIMIT, (100 + away) * CENT
    row["quantity"] = rng.choice((1, 50, 100, 100, 200, 300, 500))
    if rng.random() < 0.15:
        row["display"] = rng.choice((100, 100, 200, 30))
    if rng.random() < 0.12:
        row["minimum"] = rng.choice((100, 200, 300))
    if rng.random() < 0.03:
        row["price"] += rng.choice((1, CENT // 4, -99 * CENT, 1 << 53))


def _fill_new(rng: random.Random, row: np.void, conditional: bool) -> None:
    _fill_terms(rng, row)
    row["flags"] = rng.choice(FLAGS)
    if rng.random() < 0.25:
        row["type"] = rng.choice(PRICED)
        row["price"] = rng.choice((0, 0, -1, 1)) * CENT if row["type"] != r.MARKET else 0
        row["cap"] = rng.choice((a.NO_PRICE, a.NO_PRICE, 99 * CENT, 101 * CENT))
    if row["minimum"]:
        row["flags"] |= r.HIDDEN
    if rng.random() < 0.2:
        row["time_in_force"] = rng.choice((r.IOC, r.IOC, r.FOK, r.OPENING, r.CLOSING))
    if rng.random() < 0.4:
        row["group"] = rng.choice((1, 2))
        row["flags"] |= rng.randrange(6) << r.STP_SHIFT
    if conditional and rng.random() < 0.4:
        row["flags"], row["time_in_force"] = r.CONDITIONAL, r.DAY
        row["type"] = r.MIDPOINT_PEG


def _fill_replace(rng: random.Random, row: np.void, conditional: bool) -> None:
    _fill_terms(rng, row)
    row["flags"] = r.FIRM_UP if conditional and rng.random() < 0.7 else 0
    row["minimum"] = rng.choice((0,) * 9 + (100,))
    row["price"] = rng.choice((0, 98, 99, 100, 101, 102)) * CENT
    if rng.random() < 0.3:
        row["price"], row["quantity"] = 100 * CENT, rng.choice((20, 50, 100))


def _fill_cancel(rng: random.Random, row: np.void, _conditional: bool) -> None:
    row["quantity"] = rng.choice((0, 0, 0, 100, 50, 600, -1))


def _fill_reference(rng: random.Random, row: np.void, *_rest: object) -> None:
    bid = rng.choice((0, 97, 98, 99, 99, 100, 100, 101))
    row["price"], row["cap"] = bid * CENT, (bid + rng.choice((-1, 0, 1, 1, 2, 3))) * CENT
    if rng.random() < 0.03:
        row[rng.choice(("price", "cap"))] = rng.choice((a.NO_PRICE, -CENT, 1 << 62))


def _fill_bands(rng: random.Random, row: np.void, *_rest: object) -> None:
    row["price"] = rng.choice((a.NO_PRICE, a.NO_PRICE, 96, 98, 99))
    row["cap"] = rng.choice((a.NO_PRICE, a.NO_PRICE, 101, 102, 104))
    for name in ("price", "cap"):
        if row[name] != a.NO_PRICE:
            row[name] = row[name] * CENT + rng.choice((0, 0, CENT // 2))


def _fill_other(rng: random.Random, row: np.void, *_rest: object) -> None:
    kind = int(row["kind"])
    if kind == r.AUCTION:
        row["flags"] = rng.choice((r.OPENING, r.CLOSING))
        row["price"] = rng.choice((0, a.NO_PRICE, 100 * CENT, 101 * CENT))
    elif kind == r.HALT:
        row["flags"] = rng.choice(HALTS)
    elif kind == r.SESSION:
        row["flags"] = rng.choice(STATUSES)
    elif kind == r.MASS_CANCEL:
        row["instrument"] = rng.choice((0, 1, 2))


FILL = {
    r.NEW: _fill_new,
    r.REPLACE: _fill_replace,
    r.CANCEL: _fill_cancel,
    r.REFERENCE: _fill_reference,
    r.BANDS: _fill_bands,
}


class Ledger:
    """Every order from its acceptance to its end, by what its owner is told alone."""

    def __init__(self) -> None:
        self.open: dict[tuple[int, int], int] = {}
        self.ended: Counter[tuple[int, int]] = Counter()

    def read(self, reports: NDArray[np.void]) -> None:
        """Books reports; fails where shares appear or are lost, or an ended order is spoken of."""
        for row in reports:
            key = int(row["owner"]), int(row["token"])
            kind, shares, leaves = int(row["kind"]), int(row["quantity"]), int(row["leaves"])
            if kind == r.ACCEPTED:
                assert key not in self.open and shares == leaves > 0
                self.open[key] = leaves
            elif kind == r.REPLACED:
                self.end((key[0], int(row["aux"])))
                assert key not in self.open and shares == leaves > 0
                self.open[key] = leaves
            elif kind in (r.EXECUTED, r.CANCELED):
                assert shares > 0 and self.open[key] - shares == leaves >= 0
                self.open[key] = leaves
                if leaves == 0:
                    self.end(key)
            elif kind in (r.RESTATED, r.INVITED):
                assert self.open[key] == leaves

    def end(self, key: tuple[int, int]) -> None:
        """An order is over, for good."""
        del self.open[key]
        self.ended[key] += 1
