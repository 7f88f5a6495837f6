"""Replayed venues beside their slow twin, over random orders and random changes of the books."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any, Final

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from replayvenue_rig import (
    CENT,
    INBOUND_NS,
    KINDS,
    OUTBOUND_NS,
    B,
    Floor,
    S,
    action,
    dark,
    lit,
    model,
)
from slow_replayvenue import SlowVenues

from feedhandler import actions as a
from router import tables as t
from simulator.replay import layout as y
from simulator.replay.models import Hidden

SEED, FORGET_NS, INSTRUMENTS = 7, 3_000, 2
UNSEEN: Final = Hidden(empty=0.3, mean_lots=2.0, renew_ns=900)
PLANS: Final = [
    lit(0, cancels_ahead=0.5),
    lit(1, model=model(size_down="loses"), post_only="slide", late_cancels="silent", hidden=UNSEEN),
    dark(hidden=UNSEEN),
]
TOLD: Final = (
    "kind", "token", "old_token", "quantity", "price", "leaves", "executed", "execution",
    "liquidity", "reason", "time_ns",
)  # fmt: skip
KINDS_OF_MOVES = (
    a.ADD, a.ADD, a.ADD, a.EXECUTE, a.EXECUTE, a.REDUCE, a.DELETE, a.REPLACE, a.TRADE,
)  # fmt: skip
FLAGS = (0, 0, 0, 0, 0, t.POST_ONLY, t.NOT_SHOWN, t.MIDPOINT, t.MIDPOINT | t.POST_ONLY)
STATUSES = (a.STATUS_TRADING, a.STATUS_TRADING, a.STATUS_HALTED, a.STATUS_CLOSED)
STEPS = ("enter",) * 4 + ("change",) * 2 + ("feed",) * 6 + ("wait",) * 2


def price_of(dice: Random) -> int:
    """Near a market of 10.00 to 10.01."""
    return dice.choice((998, 999, 1000, 1000, 1001, 1001, 1002, 1003)) * CENT


def instrument_of(dice: Random) -> int:
    """Mostly the first."""
    return 2 if dice.random() < 0.1 else 1


def move_of(dice: Random) -> dict[str, int]:
    """What happens in a feed; bids are mostly below the offers."""
    side = dice.choice((B, S))
    usual = (998, 999, 1000) if side == B else (1001, 1002, 1003)
    price = price_of(dice) if dice.random() < 0.1 else dice.choice(usual) * CENT
    return {
        "kind": dice.choice(KINDS_OF_MOVES),
        "which": dice.randrange(50),
        "instrument": instrument_of(dice),
        "side": side,
        "price": price,
        "quantity": 100 * dice.randint(1, 5),
    }


def order_of(dice: Random) -> dict[str, int]:
    """An order, one in ten with something wrong."""
    made = {
        "instrument": instrument_of(dice),
        "side": dice.choice((B, S)),
        "quantity": 100 * dice.randint(1, 6) - dice.choice((0, 0, 0, 37)),
        "price": price_of(dice),
        "tif": dice.choice((t.DAY, t.DAY, t.DAY, t.IOC, t.FOK)),
        "flags": dice.choice(FLAGS),
        "minimum": dice.choice((0, 0, 0, 200)),
        "shown": dice.choice((0, 0, 0, 100)),
    }
    if dice.random() < 0.1:
        name = dice.choice(("instrument", "side", "quantity", "price", "price"))
        made[name] = {"instrument": 3, "side": 3, "quantity": 0, "price": dice.choice((0, 1))}[name]
    return made


def step_of(dice: Random) -> dict[str, Any]:
    """One step of a day."""
    if dice.random() < 0.02:
        given = {"venue": dice.randrange(2), "instrument": instrument_of(dice)}
        return {"do": "status", "status": dice.choice(STATUSES), **given}
    what = dice.choice(STEPS)
    if what == "enter":
        return {"do": what, "port": dice.choice((0, 0, 1, 1, 2)), **order_of(dice)}
    if what == "change":
        do = dice.choice(("cancel", "reduce", "replace", "replace"))
        which, quantity = dice.randrange(1, 8), 100 * dice.randint(1, 6)
        return {"do": do, "which": which, "quantity": quantity, "price": price_of(dice)}
    if what == "feed":
        moves = [move_of(dice) for _ in range(dice.choice((1, 1, 1, 2, 4)))]
        return {"do": what, "venue": dice.randrange(2), "moves": moves}
    return {"do": what, "time_ns": dice.choice((1, 60, 200, 2_000))}


def day_of(seed: int, length: int) -> list[dict[str, Any]]:
    """The steps of a random day; a shorter one of the same seed begins alike."""
    dice = Random(seed)
    opening = [move_of(dice) | {"kind": a.ADD, "instrument": 1} for _ in range(16)]
    first = [{"do": "feed", "venue": n % 2, "moves": [move]} for n, move in enumerate(opening)]
    return first + [step_of(dice) for _ in range(length)]


class Day:
    """A random day on the floor, its slow twin beside it."""

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self.slow = SlowVenues(
            PLANS, (INBOUND_NS, OUTBOUND_NS), SEED, FORGET_NS, INSTRUMENTS, self.national
        )
        for venue in self.slow.venues:
            venue.status = dict.fromkeys(range(1, INSTRUMENTS + 1), a.STATUS_TRADING)
        self.orders: dict[int, list[list[int]]] = {0: [], 1: []}  # id, side, shares, instrument
        self.sent: list[tuple[int, int]] = []

    def national(self, instrument: int) -> tuple[int, int] | None:
        """What the consolidated book says."""
        record = self.floor.market.record(instrument)
        if not record["national_bid_quantity"] or not record["national_offer_quantity"]:
            return None
        best = int(record["national_bid"]), int(record["national_offer"])
        return None if best[0] > best[1] else best

    def do(self, step: dict[str, Any]) -> None:
        """One step of the day."""
        what = step["do"]
        if what == "wait":
            self.floor.now_ns += step["time_ns"]
            self.run()
        elif what == "enter":
            names = ("instrument", "side", "quantity", "price", "tif", "flags", "minimum", "shown")
            self.send(step["port"], kind=y.ENTER, **{name: step[name] for name in names})
        elif what == "feed":
            made = [self.move(step["venue"], move) for move in step["moves"]]
            self.packet(step["venue"], [item for item in made if item is not None])
        elif what == "status":
            given = {"instrument": step["instrument"], "status": step["status"]}
            self.packet(step["venue"], [{"kind": a.STATUS, **given}])
        elif self.sent:
            self.change(step)

    def change(self, step: dict[str, Any]) -> None:
        """A cancel or replace of some order."""
        port, token = self.sent[-min(step["which"], len(self.sent))]
        if step["do"] == "replace":
            given = {"quantity": step["quantity"], "price": step["price"]}
            self.send(port, kind=y.REPLACE, old_token=token, **given)
        else:
            quantity = step["quantity"] if step["do"] == "reduce" else 0
            self.send(port, kind=y.CANCEL, token=token, quantity=quantity)

    def send(self, port: int, **words: int) -> None:
        """A request, to both."""
        if "token" not in words:
            words["token"] = len(self.sent) + 1
            self.sent.append((port, words["token"]))
        self.run()
        assert self.floor.request(port, **words) == 0
        names = [name for name in y.REQUEST_DTYPE.names or () if name != "unused"]
        whole = {**dict.fromkeys(names, 0), **words}
        self.slow.request(port, whole, self.floor.now_ns)

    def run(self) -> None:
        """All that is due, on both: the slow one in front of the books' next change."""
        self.floor.run(self.floor.now_ns)
        self.slow.run(self.floor.now_ns)

    def move(self, venue: int, move: dict[str, int]) -> dict[str, int] | None:
        """An action that the book allows."""
        orders, kind = self.orders[venue], move["kind"]
        given = {name: move[name] for name in ("instrument", "side", "price", "quantity")}
        if kind in (a.ADD, a.TRADE):
            if kind == a.ADD:
                self.floor.order_id += 1
                orders.append([self.floor.order_id, move["quantity"]])
                given["id"] = self.floor.order_id
            return {"kind": kind, **given}
        if not orders:
            return None
        order = orders[move["which"] % len(orders)]
        made = {"kind": kind, "id": order[0], "quantity": min(move["quantity"], order[1])}
        order[1] -= made["quantity"]
        if kind == a.REPLACE:
            self.floor.order_id += 1
            made |= {"new_id": self.floor.order_id, "price": move["price"]}
            made["quantity"] = move["quantity"]
            orders.append([self.floor.order_id, move["quantity"]])
        if order[1] == 0 or kind in (a.DELETE, a.REPLACE):
            orders.remove(order)
        return made

    def packet(self, venue: int, actions: list[dict[str, int]]) -> None:
        """A packet, to both."""
        if not actions:
            return
        self.floor.now_ns += 1
        self.run()
        rows = [self.record(item) for item in actions]
        self.slow.packet(venue, actions, self.floor.now_ns)
        self.floor.now_ns -= 1  # the floor adds it again
        self.floor.packet(venue, *rows)

    def record(self, given: dict[str, int]) -> np.ndarray:
        """An action as a record."""
        names = {"id": "order_id", "new_id": "aux", "instrument": "key", "status": "aux"}
        fields = {names.get(name, name): value for name, value in given.items() if name != "kind"}
        return action(given["kind"], **fields)

    def told(self, port: int) -> tuple[list[Any], list[Any]]:
        """What both said to a port."""
        ours = [
            (time_ns, tuple(words[name] for name in TOLD))
            for time_ns, at, words in self.floor.heard
            if at == port
        ]
        theirs = [(time_ns, words) for time_ns, words in self.slow.told.get(port, [])]
        return ours, theirs


def same(ours: tuple[int, tuple[int, ...]], theirs: tuple[int, dict[str, int]]) -> bool:
    """Whether two answers are one; the slow one does not say all words."""
    words = dict(zip(TOLD, ours[1], strict=True))
    return ours[0] == theirs[0] and all(words[name] == v for name, v in theirs[1].items())


def live(seed: int, length: int) -> Day:
    """A random day to its end, on both."""
    with Floor(PLANS, seed=SEED, forget_ns=FORGET_NS) as floor:
        day = Day(floor)
        for step in day_of(seed, length):
            day.do(step)
        floor.now_ns += 20_000
        day.run()
        check(day)
        return day


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 120))
def test_fast_and_slow_venues_say_the_same(seed: int, length: int) -> None:
    day = live(seed, length)
    for port in range(len(PLANS)):
        ours, theirs = day.told(port)
        for one, other in zip(ours, theirs, strict=False):
            assert same(one, other), (port, one, other)
        assert len(ours) == len(theirs)


def test_random_days_have_all_that_can_happen() -> None:
    seen = set()
    for seed in range(12):
        for _, _, words in live(seed, 120).floor.heard:
            seen.add((KINDS[words["kind"]], words["liquidity"], y.REASONS[words["reason"]]))
    fills = {liquidity for kind, liquidity, _ in seen if kind == "executed"}
    assert fills == {t.ADDED, t.REMOVED, t.ADDED_HIDDEN, t.AT_MIDPOINT}
    assert {kind for kind, _, _ in seen} == set(KINDS.values())
    assert set(y.REASONS) - {reason for _, _, reason in seen} <= {
        "duplicate token", "full", "refused", "no reference",
    }  # fmt: skip


def check(day: Day) -> None:
    """What is true of every order."""
    orders = day.floor.sim.orders[1 : int(day.floor.sim.head["order_count"]) + 1]
    executed, canceled, ends = Counter[int](), Counter[int](), Counter[int]()
    number_of = {}
    for _, port, words in day.floor.heard:
        kind, key = words["kind"], (port, words["token"])
        if kind in (a.ACCEPTED, a.REPLACED):
            number_of[key] = words["order"]
        if kind == a.EXECUTED:
            executed[number_of[key]] += words["quantity"]
            limit, price = words["limit"], words["price"]
            assert not limit or (price <= limit if words["side"] == B else price >= limit)
        if kind == a.CANCELED:
            canceled[number_of[key]] += words["quantity"]
        if kind in (a.EXECUTED, a.CANCELED) and words["leaves"] == 0:
            ends[number_of[key]] += 1
    for order in orders:
        number, leaves = int(order["number"]), int(order["leaves"])
        assert executed[number] == order["executed"]
        assert ends[number] == (leaves == 0)
        assert leaves == 0 or order["state"] == y.RESTING
    for port in range(len(PLANS)):
        times = [time_ns for time_ns, at, _ in day.floor.heard if at == port]
        assert times == sorted(times)
