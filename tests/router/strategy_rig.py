"""A router's tables with parents in them, and days that fill what strategies ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from nic.regions import allowed
from router import tables
from router.parentfile import load_parents
from router.strategies.curves import curve_sections
from router.strategies.hours import SessionHours
from router.strategies.parent import ParentOrder
from router.strategies.plan import plan
from router.strategies.settings import Strategy
from router.tablespace import RouterTables, Sizes

HOURS = SessionHours(day=date(2026, 3, 16))
OPEN_NS = HOURS.open_ns
SECOND = 1_000_000_000
SYMBOLS = {"BAK": 1, "DOL": 2}
ACCOUNTS = {"desk": 1, "house": 2}
SMALL = Sizes(
    accounts=2,
    venues=4,
    instruments=4,
    parents=16,
    children=16,
    tokens=16,
    intents=16,
    timers=16,
    executions=16,
    log_lines=64,
)


@dataclass(frozen=True)
class Said:
    """A plan, for people."""

    style: str
    quantity: int
    next_ns: int
    done: bool
    limit: int
    shown: int


def an_order(strategy: Strategy, **fields: Any) -> ParentOrder:
    """A parent of 1,000 shares to buy, with what a test wants otherwise."""
    usual = {"name": "one", "symbol": "BAK", "side": "buy", "quantity": 1000, "account": "desk"}
    return ParentOrder(strategy=strategy, **{**usual, **fields})


class Desk:
    """Tables with one parent in them, whose orders fill as the test says."""

    def __init__(self, order: ParentOrder, *, seed: int = 7, arrived_ns: int = OPEN_NS) -> None:
        self.tables = RouterTables(SMALL, curve_sections(16))
        self.tables.head["seed"] = seed
        (self.number,) = load_parents([order], self.tables, SYMBOLS, ACCOUNTS)
        self.row = self.tables.parents[self.number]
        self.row["arrived_ns"] = arrived_ns
        self.instrument = self.tables.instruments[int(self.row["instrument"])]
        self.now = arrived_ns
        self._plan = self.tables.block["plan"]

    def says(self, at_ns: int | None = None) -> Said:
        """What the strategy wants at a time, by default now."""
        if at_ns is not None:
            self.now = at_ns
        plan_row = self.tables.block.section_address("plan")
        with allowed(self.tables.block):
            plan(self.tables.address, self.number, self.now, plan_row)
        words = self._plan[0]
        return Said(
            tables.STYLES[int(words["style"])],
            int(words["quantity"]),
            int(words["next_ns"]),
            bool(words["done"]),
            int(words["limit"]),
            int(words["shown"]),
        )

    def opens(self, shares: int, children: int = 1) -> None:
        """Orders of so many shares stand at venues."""
        self.row["open"] += shares
        self.row["open_children"] += children

    def ends(self, filled: int = 0) -> None:
        """All open orders are over, so many shares of them executed."""
        self.row["open"] = self.row["open_children"] = 0
        self.row["cum"] += filled

    def fills(self, shares: int) -> None:
        """So many shares are executed, seen by the market too."""
        self.row["cum"] += shares
        self.instrument["volume"] += shares


@contextmanager
def a_desk(order: ParentOrder, **more: Any) -> Iterator[Desk]:
    """A desk whose tables are given back."""
    desk = Desk(order, **more)
    try:
        yield desk
    finally:
        desk.row, desk.instrument, desk._plan = (np.zeros(1),) * 3
        desk.tables.close()


@dataclass(frozen=True)
class Step:
    """One look of a day."""

    at_ns: int
    said: Said
    cum: int


def a_day(desk: Desk, fill: Callable[[Said], int], end_ns: int, most: int = 5000) -> list[Step]:
    """Looks whenever the strategy asked for it; `fill` says how much of what it wants it gets."""
    steps = []
    for _ in range(most):
        said = desk.says()
        steps.append(Step(desk.now, said, int(desk.row["cum"])))
        if said.done or desk.now >= end_ns:
            return steps
        got = fill(said)
        desk.fills(got)
        desk.now = desk.now + 1 if got and said.next_ns > desk.now + 1 else said.next_ns
        if said.next_ns == 0:
            return steps
    raise AssertionError(f"more than {most} looks")


def takes_only(said: Said) -> int:
    """A market in which nothing that rests is executed, and all that is taken."""
    return said.quantity if said.style == "take" else 0


def all_of_it(said: Said) -> int:
    """A market that executes whatever is sent."""
    return said.quantity if said.style != "wait" else 0
