"""Orders of a small router, and the reports that venues send about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedhandler import actions as a
from router import log
from router.orders.control import Orders
from router.orders.layout import order_sections
from router.orders.states import EVENT, STATES, marks_text
from router.tables import LIQUIDITY, STRATEGIES
from router.tablespace import RouterTables, Sizes

DOLLAR = 100_000_000
BUY, SELL = a.BUY, a.SELL
RATES = ("added", "removed", "added_hidden", "midpoint", "crossed")
SMALL = Sizes(
    accounts=2,
    venues=3,
    instruments=2,
    parents=4,
    children=24,
    tokens=48,
    intents=8,
    timers=8,
    executions=64,
    log_lines=1024,
)


class OrderRig:
    """Tables, the kernels on them, and words for what venues say.

    Every call is a nanosecond after the one before.
    """

    def __init__(self, sizes: Sizes = SMALL, market: Any = None) -> None:
        address = market.address if market is not None else 0
        self.tables = RouterTables(sizes, order_sections(sizes), market=address)
        blocks = market.blocks if market is not None else ()
        self.orders = Orders(self.tables, *blocks)
        self.now = 1000
        self.execution = 100

    def __enter__(self) -> OrderRig:
        return self

    def __exit__(self, *_: object) -> None:
        self.tables.close()

    def tick(self) -> int:
        """The next time."""
        self.now += 1
        return self.now

    def tier(self, venue: int, number: int, from_shares: int, **rates: tuple[int, int]) -> None:
        """A tier of fees of a venue: (a share, of the notional) by name of liquidity."""
        row = self.tables.venues[venue]
        row["tier_count"] = max(int(row["tier_count"]), number + 1)
        row["tiers"][number]["from_shares"] = from_shares
        for name, rate in rates.items():
            row["tiers"][number][name] = rate

    def place(self, number: int, quantity: int, side: int = BUY, **fields: int) -> int:
        """A parent's row as the control side writes it."""
        row = self.tables.parents[number]
        given = {"instrument": 1, "account": 1, "side": side, "quantity": quantity, **fields}
        for name, value in given.items():
            row[name] = value
        row["state"], row["strategy"] = STATES.index("new"), STRATEGIES.index("sweep")
        self.tables.head["parent_count"] = max(int(self.tables.head["parent_count"]), number)
        return number

    def start(self, number: int, quantity: int, side: int = BUY, **fields: int) -> int:
        """A parent that works."""
        self.place(number, quantity, side, **fields)
        assert self.orders.start_parent(number, self.tick()) == 1
        return number

    def enter(self, quantity: int = 100, price: int = 10 * DOLLAR, **fields: int) -> int:
        """A child; by default of no parent, to buy instrument 1 for account 1 at venue 1."""
        given = {"instrument": 1, "account": 1, "venue": 1, "side": BUY, **fields}
        return self.orders.order(self.tick(), quantity=quantity, price=price, **given)

    def say(self, kind: str, token: int, **fields: int) -> int:
        """A venue's report of an order, by the kind's name."""
        row = np.zeros(1, a.ACTION_DTYPE)
        row["kind"], row["order_id"] = a.KINDS.index(kind), token
        for name, value in fields.items():
            row[name] = value
        return self.orders.hear(row, self.tick())

    def token(self, child: int) -> int:
        """What the venue knows a child by."""
        return int(self.tables.children[child]["token"])

    def new_token(self, child: int) -> int:
        """The token of its replace under way."""
        return int(self.tables.children[child]["new_token"])

    def ack(self, child: int) -> None:
        """The venue accepts a child."""
        self.say("accepted", self.token(child), aux=5000 + child)

    def accepted(self, quantity: int = 100, price: int = 10 * DOLLAR, **fields: int) -> int:
        """A child that the venue has accepted."""
        child = self.enter(quantity, price, **fields)
        self.ack(child)
        return child

    def fill(
        self,
        child: int,
        shares: int,
        price: int = 10 * DOLLAR,
        execution: int | None = None,
        liquidity: str = "removed",
    ) -> int:
        """The venue executes shares; the execution's id."""
        if execution is None:
            self.execution += 1
            execution = self.execution
        unit = LIQUIDITY.index(liquidity)
        fields = {"quantity": shares, "price": price, "aux": execution, "unit": unit}
        self.say("executed", self.token(child), **fields)
        return execution

    def cancel(self, child: int) -> int:
        """We ask for a cancel."""
        return self.orders.ask_cancel(child, self.tick())

    def replace(self, child: int, quantity: int, price: int = 10 * DOLLAR) -> int:
        """We ask for a replace; the new token."""
        return self.orders.ask_replace(child, quantity, price, self.tick())

    def event(self, child: int, name: str) -> int:
        """What the control side knows of a child."""
        return self.orders.child_event(child, event_of(name), 0, self.tick())

    # What has come of it.

    def state(self, child: int) -> str:
        """A child's state."""
        return STATES[int(self.tables.children[child]["state"])]

    def shares(self, child: int) -> tuple[int, int]:
        """A child's executed and open shares."""
        row = self.tables.children[child]
        return int(row["cum"]), int(row["leaves"])

    def marks(self, child: int) -> str:
        """What was odd about a child."""
        return marks_text(int(self.tables.children[child]["marks"]))

    def parent(self, number: int) -> str:
        """A parent's state."""
        return STATES[int(self.tables.parents[number]["state"])]

    def count(self, name: str) -> int:
        """One of the head's counts."""
        return int(self.tables.head[f"{name}_count"])

    def reserved(self, side: str = "buy") -> tuple[int, int]:
        """Shares of the position and money of the account that open orders hold back."""
        row, account = self.tables.positions[1, 1], self.tables.accounts[1]
        return int(row[f"open_{side}"]), int(account[f"open_{side}"])

    def records(self, kind: int) -> list[Sequence[int]]:
        """Words of the log's records of a kind that have come since the last look."""
        return [record.words for record in self.tables.log.read() if record.kind == kind]


def event_of(name: str) -> int:
    """The number of an event."""
    return int(getattr(EVENT, name.replace(" ", "_")))


CHILD_LOG, FILL_LOG, PARENT_LOG = log.CHILD, log.FILL, log.PARENT
