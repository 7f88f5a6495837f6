"""The gate against its slow model: random tables, random limits, random streams of orders."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from risk_rig import ACCOUNTS, CENT, DOLLAR, PLAIN, SYMBOLS, VENUES, Rig, changed
from slow_risk import SlowGate, World

from feedhandler.actions import BUY, SELL
from router import tables as t
from router.risk.layout import REASONS

SEEN = 8
SHARES = [100, 100, 100, 150, 200, 300]
ODD_SHARES = [-5, 0, 1, 99, 1000, 2**31 - 1, 2**31, 2**62]
PRICES = [10 * DOLLAR + CENT * step for step in (-9, -2, -1, 0, 0, 0, 1, 1, 2, 9)]
ODD_PRICES = [
    0,
    0,
    1,
    9 * DOLLAR,
    8 * DOLLAR,
    12 * DOLLAR,
    9_990_000,
    -CENT,
    10 * DOLLAR + 1,
    4_000_000 * DOLLAR,
    2**62,
    -(2**63),
]
BUYS_AT, SELLS_AT = 9 * DOLLAR + 91 * CENT, 10 * DOLLAR + 9 * CENT
MONEY = [0, 1, 999, 1000, 5000, 100_000]
ODD_MONEY = [2**60, 2**60 + 1, -(2**60), 2**63 - 1, -(2**63)]
HELD = [0, 100, 200, 1000, -100, -300]


class Row(Mapping[str, int]):
    """A row of a table as plain integers."""

    def __init__(self, row: np.void) -> None:
        self._row = row

    def __getitem__(self, name: str) -> int:
        return int(self._row[name])

    def __iter__(self) -> Any:
        return iter(self._row.dtype.names)

    def __len__(self) -> int:
        return len(self._row.dtype.names)


def world_of(rig: Rig) -> World:
    """What the slow model looks at: the tables of a rig."""
    tables, market = rig.tables, rig.market
    return World(
        head=Row(tables.head),
        accounts=[Row(row) for row in tables.accounts],
        instruments=[Row(row) for row in tables.instruments],
        venues=[Row(row) for row in tables.venues],
        positions=[[Row(row) for row in rows] for rows in tables.positions],
        children=[Row(row) for row in tables.children],
        market={
            "records": [Row(row) for row in market.records],
            "quotes": [[Row(row) for row in rows] for rows in market.quotes],
            "instruments": [Row(row) for row in market.instruments],
            "unknown_trades": int(market.head["unknown_trades"]),
        },
    )


class Chance:
    """Random limits, tables and orders, all of one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wild = self.random.choice([0.05, 0.05, 1.0])  # calm streams get to the last checks

    def one(self, likely: list[int], unlikely: list[int] | None = None, chance: float = 0.0) -> int:
        """One of the likely values, or with a small chance of the others."""
        rare = unlikely is not None and self.random.random() < chance * self.wild
        return self.random.choice(unlikely if rare and unlikely else likely)

    def limits(self) -> dict[str, Any]:
        """A file of limits, mostly wide, here and there narrow."""
        values = changed(
            overall={"duplicate_ms": self.one([0, 10, 100])},
            locates={"ALFA": self.one([100, 2000, 2000])},
            restricted=self.random.choice([[], [], ["DELTA"], ["DELTA", "BRAVO"]]),
        )
        rules = [values["global"], *(dict(row) for row in values["accounts"].values())]
        for _ in range(self.one([1, 1, 2], [5, 10], 1.0)):
            row = self.random.choice(rules)
            self._narrow(row, self.random.choice(list(row)))
        overall, accounts = rules[0], dict(zip(values["accounts"], rules[1:], strict=True))
        for row in accounts.values():
            if self.random.random() < 0.5:
                row["group"] = "house"
            if self.random.random() < 0.3 * self.wild:
                row["order_shares"] = min(150, overall["order_shares"])
            if self.random.random() < 0.3 * self.wild:
                row["collar_bps"] = min(50, overall["collar_bps"])
        values["accounts"] = accounts
        shares = min(150, overall["position_shares"])
        values["symbols"] = [{"symbol": "BRAVO", "position_shares": shares}]
        values["venues"]["NORTH"] = {"orders_per_second": self.one([2, 500])}
        if self.random.random() < 0.1:
            del values["venues"]["POOL"]
        return values

    def _narrow(self, row: dict[str, Any], name: str) -> None:
        small = {
            "order_notional": [0, 999, 1000, 1001, 3000], "collar_bps": [0, 10, 100],
            "last_bps": [0, 10, 100], "order_shares": [0, 100, 150],
            "position_shares": [0, 100, 400],
            "orders_per_second": [0, 1, 3], "open_orders": [0, 1, 2], "cancel_percent": [0, 50],
            "cancel_from": [0, 1, 2], "duplicate_ms": [10],
        }.get(name, MONEY)  # fmt: skip
        row[name] = self.one(small)
        if name == "cancel_from":
            row["cancel_percent"] = self.one([0, 50])

    def disturb(self, rig: Rig) -> None:
        """Changes a few figures of the tables."""
        for _ in range(self.random.randrange(4)):
            self.random.choice([self._account, self._position, self._market, self._place])(rig)

    def _account(self, rig: Rig) -> None:
        row = rig.tables.accounts[self.one([1, 1, 2, 3])]
        name = self.random.choice(["gross", "net", "open_buy", "open_sell", "spent", "open_orders"])
        likely = MONEY if name == "open_orders" else [money * DOLLAR for money in MONEY]
        if name in ("net", "spent"):
            likely = [sign * money for money in likely for sign in (1, -1)]
        row[name] = self.one(likely, ODD_MONEY, 0.03)

    def _position(self, rig: Rig) -> None:
        row = rig.tables.positions[self.one([1, 2]), self.one([1, 2])]
        name = self.random.choice(["shares", "shares", "open_buy", "open_sell"])
        row[name] = self.one(HELD if name == "shares" else [0, 0, 100, 300], ODD_MONEY, 0.03)

    def _market(self, rig: Rig) -> None:
        number = self.one([1, 2])
        bid = self.one(PRICES, [0, 0, 0, 0, 2**62], 0.2)
        offer = self.one([bid + CENT, bid + CENT, bid], [bid - CENT, 0], 0.4)
        rig.national(number, bid, offer)
        rig.tables.instruments[number]["last"] = self.one(PRICES, ODD_PRICES, 0.3)
        bands = rig.market.instruments[number]
        bands["lower_band"] = self.one([0, 9 * DOLLAR], [10 * DOLLAR], 0.5)
        bands["upper_band"] = self.one([0, 11 * DOLLAR], [10 * DOLLAR], 0.5)
        rig.market.records[number]["flags"] = self.one([0, 1, 4], [16], 0.1)
        quote = rig.market.quotes[number, self.one([0, 1])]
        quote["status"], quote["trust"] = self.one([2], [0, 3, 6], 0.1), self.one([0], [1, 2], 0.1)

    def _place(self, rig: Rig) -> None:
        tables = rig.tables
        row = tables.instruments[self.one([1, 2])]
        row["price_test"], row["killed"] = self.one([0, 1]), self.one([0], [1], 0.05)
        venue = tables.venues[self.one([0, 1, 2])]
        venue["down"] = self.one([0], [1, 4, 6], 0.1)
        venue["lot"], venue["least"] = self.one([1], [0, 100], 0.2), self.one([1], [150], 0.1)
        venue["tick"] = self.one([CENT], [0, 2 * CENT], 0.1)
        tables.accounts[1]["killed"] = self.one([0], [1], 0.05)
        tables.head["killed"] = self.one([0], [1], 0.03)
        tables.head["open_count"] = self.one([0, 1, 2])

    def intent(self) -> dict[str, int]:
        """An order, a replace or a cancel."""
        kind = self.one([t.ENTER] * 6 + [t.REPLACE] * 3 + [t.CANCEL], [0, 4, -1], 0.02)
        flags = self.one([0] * 6 + [t.CLOSES, t.MIDPOINT, t.SHORT_EXEMPT])
        if self.random.random() < 0.5:
            flags |= t.SHORT | self.one([t.LOCATED], [0], 0.5)
        made = {
            "kind": kind, "child": 0, "quantity": self.one(SHARES, ODD_SHARES, 0.4),
            "price": self.one(PRICES, ODD_PRICES, 0.15), "flags": flags,
        }  # fmt: skip
        if kind in (t.REPLACE, t.CANCEL):
            return {**made, "child": self.one([1, 2, 3, 4, 5, 6], [0, 7, -1, 2**40], 0.3)}
        return {
            **made,
            "account": self.one([1, 1, 1, 2], [0, 3, 4, -1, 2**40], 0.06),
            "instrument": self.one([1, 1, 1, 2], [0, 3, 4, -7], 0.06),
            "venue": self.one([0, 0, 1, 2], [3, -1], 0.03),
            "side": self.one([BUY, SELL], [0, 3], 0.02),
        }

    def children(self, rig: Rig) -> None:
        """Six children, some of them over or under way to be replaced, some nonsense."""
        for number in range(1, 7):
            sells = self.random.random() < 0.5
            whole = self.one([100, 200, 300], [-1, 2**31], 0.04)
            cum = min(self.one([0, 0, 50, 100]), max(whole, 0))
            over = self.random.random() < 0.2 * self.wild
            rig.child(
                number, account=self.one([1, 1, 2]), instrument=self.one([1, 2]),
                venue=self.one([0, 1, 2]), side=SELL if sells else BUY, quantity=whole, cum=cum,
                leaves=0 if over else whole - cum,
                price=self.one([SELLS_AT if sells else BUYS_AT], [0, 10 * DOLLAR, 2**62], 0.5),
                flags=self.one([0, 0, t.SHORT, t.SHORT | t.LOCATED, t.CLOSES]),
                new_token=self.one([0], [9], 0.5), new_price=self.one(PRICES, [0], 0.1),
            )  # fmt: skip


def run(seed: int, steps: int, folder: Path) -> set[str]:
    """One stream through gate and model; the verdicts that there were."""
    chance, said = Chance(seed), set()
    values = chance.limits()
    rig = Rig(folder, values, SEEN)
    names = {"accounts": ACCOUNTS, "venues": VENUES, "symbols": SYMBOLS}
    slow = SlowGate(values, names, SEEN)
    chance.children(rig)
    intent = chance.intent()
    try:
        for _ in range(steps):
            chance.disturb(rig)
            rig.now += chance.one([0, 1, 10_000_000, 62_500_000, 300_000_000, 5_000_000_000])
            if chance.random.random() < 0.7:
                intent = chance.intent()
            world, whole = world_of(rig), dict.fromkeys(t.INTENT_DTYPE.names or (), 0) | intent
            expected = slow.judge(world, whole, rig.now)
            used = rig.tables.instruments["locates_used"].sum()
            counted = slow.count(world, whole, rig.now) if expected == "passed" else 0
            assert rig.send(**intent) == expected
            assert rig.tables.instruments["locates_used"].sum() - used == counted
            said.add(expected)
    finally:
        rig.close()
    return said


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 50))
def test_gate_and_slow_model_agree_on_every_order_and_every_reason(seed, steps):
    with tempfile.TemporaryDirectory() as folder:
        run(seed, steps, Path(folder))


def test_streams_come_to_every_check(tmp_path):
    said: set[str] = set()
    for seed in range(200):
        said |= run(seed, 40, tmp_path)
    elsewhere = {"no limits, no trading", "no market data"}
    assert set(REASONS) - said <= elsewhere


def test_plain_limits_let_a_plain_order_pass_in_both(tmp_path):
    rig = Rig(tmp_path, PLAIN)
    names = {"accounts": ACCOUNTS, "venues": VENUES, "symbols": SYMBOLS}
    slow = SlowGate(PLAIN, names, SEEN)
    order = {"kind": t.ENTER, "child": 0, "account": 1, "instrument": 1, "venue": 0}
    order |= {"side": BUY, "quantity": 100, "price": 10 * DOLLAR, "flags": 0}
    assert slow.judge(world_of(rig), order, rig.now) == rig.says(**order) == "passed"
    rig.close()
    with pytest.raises(ValueError, match="closed"):
        rig.tables.block["gate"]
