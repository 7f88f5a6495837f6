"""CME MDP 3.0 by order: orders behind levels and alone, in the queue as their priorities say."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from book_rig import Pair
from cme_rig import CHANGE, DELETE, NEW, SECURITY, Decoder, entry, message

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.protocols.cme_fields import NULL_U64
from feedhandler.registry import versions

FEED = versions("cme_mdp3_orders")[0]
ROOM = Sizes(orders=256, levels=256, instruments=64, named=True)
SIDES = {"0": a.BUY, "1": a.SELL}


@dataclass
class Order:
    """An order of the exchange; the price is as on the wire."""

    number: int
    kind: str
    price: int
    size: int
    priority: int


class Exchange:
    """Orders by number, changed at random; a change of price or a larger size loses priority."""

    def __init__(self, seed: int) -> None:
        self.random, self.orders, self.next = Random(seed), dict[int, Order](), 1

    def change(self) -> tuple[int, Order]:
        """One change: what happened to which order."""
        chance = self.random.random()
        if not self.orders or (chance < 0.5 and len(self.orders) < 100):
            kind = self.random.choice("01")
            price = self.random.randrange(12) * 250 + (3000 if kind == "1" else -2000)
            order = Order(self.next, kind, price, self.random.randrange(1, 90), 2 * self.next)
            self.orders[order.number] = order
            self.next += 1
            return NEW, order
        order = self.random.choice(list(self.orders.values()))
        if chance > 0.8:
            return DELETE, self.orders.pop(order.number)
        size = self.random.randrange(1, 90)
        if size > order.size or self.random.random() < 0.2:
            order.price += self.random.choice((0, 250))
            order.priority, self.next = 2 * self.next, self.next + 1
        order.size = size
        return CHANGE, order

    def queue(self) -> list[int]:
        """Order numbers: bids, then offers; best price first; by priority."""

        def place(order: Order) -> Any:
            sign = -1 if order.kind == "0" else 1
            return order.kind, sign * order.price, order.priority

        return [order.number for order in sorted(self.orders.values(), key=place)]


def alone(code: int, action: int, order: Order) -> bytes:
    """A message of one order."""
    given = {
        "order_id": order.number,
        "md_order_priority": order.priority,
        "md_entry_px": order.price,
        "md_display_qty": order.size,
        "security_id": SECURITY,
        "md_update_action": action,
        "md_entry_type": order.kind,
    }
    return message(code, given)


def behind(code: int, action: int, order: Order) -> bytes:
    """A book message with a level and the order behind it; another level stands in front."""
    levels = [entry("1", CHANGE, 1, 99_000, 1), entry(order.kind, CHANGE, 1, order.price, 1)]
    given = {
        "order_id": order.number,
        "md_order_priority": order.priority,
        "md_display_qty": order.size,
        "reference_id": 2,
        "order_update_action": action,
    }
    return message(code, *levels, order_id_entries=[given])


@pytest.mark.parametrize("code", [32, 43, 46, 47, 64])
def test_queues_are_those_of_the_exchange(code: int) -> None:
    decoder, exchange = Decoder(FEED), Exchange(seed=code)
    form = alone if code in (43, 47) else behind
    scale = 10 if code < 46 else 0.1
    with Pair(ROOM) as pair:
        for _ in range(250):
            action, order = exchange.change()
            pair.apply(decoder.run(form(code, action, order)), whole=False)
            assert [number for number, _ in pair.queue()] == exchange.queue()
        assert pair.book.faults() == {}
        for order in exchange.orders.values():
            found = pair.book.order(order.number)
            assert found is not None
            assert found[1:4] == (SIDES[order.kind], order.price * scale, order.size)


def test_of_one_message_what_goes_is_said_first() -> None:
    orders = [Order(number, "0", 1000, 5, number) for number in (1, 2, 3)]
    decoder = Decoder(FEED)
    decoder.run(alone(47, NEW, orders[0]), alone(47, NEW, orders[1]))
    entries = [
        {
            "order_id": order.number,
            "md_order_priority": order.priority,
            "md_entry_px": 1000,
            "md_display_qty": 4,
            "security_id": SECURITY,
            "md_update_action": action,
            "md_entry_type": "0",
        }
        for order, action in zip(orders, (CHANGE, DELETE, NEW), strict=True)
    ]
    made = decoder.run(message(47, entries[2], entries[0], entries[1]))
    assert [a.KINDS[kind] for kind in made["kind"]] == ["delete", "modify", "add"]


def test_levels_alone_mean_nothing_but_a_reset() -> None:
    decoder = Decoder(FEED)
    assert len(decoder.run(message(46, entry("0", NEW, 1, 1000, 5)))) == 0
    (row,) = decoder.run(message(46, entry("J", NEW, 0)))
    assert (a.KINDS[row["kind"]], row["key"]) == ("clear", SECURITY)


@pytest.mark.parametrize("reference", [0, 2, 255])
def test_an_order_behind_no_level_is_a_fault(reference: int) -> None:
    given = {"order_id": 1, "reference_id": reference, "order_update_action": NEW}
    raw = message(46, entry("0", NEW, 1, 1000, 5), order_id_entries=[given])
    assert len(Decoder(FEED).run(raw, expect=("unknown_value",))) == 0


def test_orders_without_a_priority_stand_by_the_packet() -> None:
    order = Order(7, "0", 1000, 5, NULL_U64)
    made = Decoder(FEED).run(alone(47, NEW, order))
    assert made["sequence"].tolist() == [17_347_815]


@pytest.mark.parametrize(("code", "scale"), [(44, 10), (53, 0.1)])
def test_a_snapshot_of_orders_clears_with_its_first_chunk(code: int, scale: float) -> None:
    given = {"order_id": 7, "md_order_priority": 3, "md_entry_px": 1000, "md_display_qty": 5}
    first = message(code, {**given, "md_entry_type": "0"}, current_chunk=1, security_id=SECURITY)
    second = message(
        code, {**given, "order_id": 8, "md_entry_type": "1"}, current_chunk=2, security_id=SECURITY
    )
    made = Decoder(FEED).run(first, second)
    assert [a.KINDS[kind] for kind in made["kind"]] == ["clear", "add", "add"]
    assert made["price"].tolist() == [0, 1000 * scale, 1000 * scale]
    assert made["order_id"].tolist() == [0, 7, 8]
    assert all(flags & a.REFRESH for flags in made["flags"])


def test_books_by_price_do_not_hear_of_orders() -> None:
    order = Order(7, "0", 1000, 5, 1)
    made = Decoder().run(alone(43, NEW, order), alone(47, NEW, order))
    assert len(made) == 0
    made = Decoder().run(message(44, current_chunk=1), message(53, current_chunk=1))
    assert len(made) == 0
