"""An image of any moment with the messages behind it is the exchange's own book, to the order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from event_rig import DAY, LISTINGS, START_NS, Flow
from publishing_rig import BEGIN_NS
from recovery_rig import PROTOCOLS
from venue_rig import CENT, PLAIN, B, S, command

from feedhandler import actions as a
from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.lines.repack import datagrams_of
from feedhandler.packetactions import PacketActions
from simulator.matching import records as r
from simulator.matching.venue import Exchange
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.again import packets_again
from simulator.services.images import messages_of, still_of


def rebuilt(publisher: Publisher, unit: UnitStream, still, keys=None) -> SlowBooks:
    """The books of an image and of what the unit sent behind it."""
    reader = PacketActions(publisher.feed, publisher.midnight_ns)
    books = SlowBooks(sizes_for(publisher.feed))
    messages = messages_of(publisher, still, keys)
    header = {**publisher.header, **({"unit": unit.number} if len(publisher.units) > 1 else {})}
    image = list(datagrams_of(publisher.feed, messages, header, 1))
    for payload in image:
        books.apply(reader.read(payload).copy())
    if still.sequence + 1 < unit.next_sequence:
        count = unit.next_sequence - still.sequence - 1
        for payload in packets_again(publisher, unit, still.sequence + 1, count):
            rows = reader.read(payload).copy()
            books.apply(rows)
    assert reader.faults() == {}
    return books


def queue_of(books: SlowBooks, key: int) -> list[tuple[int, int, int, int]]:
    """Orders of an instrument by the key that the feed knows it by."""
    number = books.instrument(key)
    found = books.queue(number) if number is not None else []
    return [(o.number, o.side, o.price, o.quantity) for o in found]


class Walk:
    """Random orders at an exchange, and what it publishes of them, at moments of its own."""

    def __init__(self, venue: str, seed: str) -> None:
        self.chance = random.Random(f"{venue}{seed}")
        self.exchange = Exchange(PLAIN, 5, orders=4_096)
        self.publisher = Publisher(venue, LISTINGS, DAY)
        self.publisher.begin(BEGIN_NS)
        self.token, self.now_ns, self.tokens = 0, START_NS, list[int]()

    def step(self) -> None:
        """One command, published."""
        chance = self.chance
        self.now_ns += chance.randint(0, 400_000_000)
        what = chance.random()
        if what < 0.55 or not self.tokens:
            given = self.priced(chance.choice((B, S)))
            given["instrument"] = chance.randint(1, 5)
            made = command(r.NEW, **given, token=self.fresh())
            self.tokens.append(self.token)
        elif what < 0.75:
            target = chance.choice(self.tokens)
            made = command(r.CANCEL, target=target, quantity=chance.choice((0, 0, 20)))
        else:
            target = chance.choice(self.tokens)
            price = self.priced(B)
            price.pop("side")
            made = command(r.REPLACE, target=target, token=self.fresh(), **price)
            self.tokens.append(self.token)
        made["time_ns"] = self.now_ns
        public, _ = self.exchange.submit(made)
        public = public.copy()
        public["time_ns"] = self.now_ns
        self.publisher.publish(public)
        if chance.random() < 0.5:
            self.publisher.flush()

    def fresh(self) -> int:
        """A token."""
        self.token += 1
        return self.token

    def priced(self, side: int) -> dict[str, int]:
        """A side, a price near the others' and some shares."""
        away = self.chance.randint(-3, 12)
        price = 5_000 - away if side == B else 5_000 + away
        return {
            "side": side,
            "price": price * CENT,
            "quantity": self.chance.choice((100, 200, 37, 500)),
        }

    def orders(self, number: int) -> list[tuple[int, int, int, int]]:
        """What the exchange displays of an instrument, with the ids that are on the wire."""
        unit = self.publisher.unit_of(number)
        wires = {int(row["reference"]): int(row["wire"]) for row in unit.shown_orders}
        rows = self.exchange.orders(number).tolist()
        return [(wires[reference], side, price, shares) for reference, side, price, shares in rows]


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_an_image_of_any_moment_and_what_follows_is_the_exchange_s_book(venue: str) -> None:
    seen = 0
    for seed in range(3):
        walk = Walk(venue, str(seed))
        publisher, stills = walk.publisher, []
        for number in range(400):
            walk.step()
            if walk.chance.random() < 0.02 or number == 0:
                stills += [(unit, still_of(publisher, unit)) for unit in publisher.units]
        publisher.flush()
        stills += [(unit, still_of(publisher, unit)) for unit in publisher.units]
        for unit, still in stills:
            books = rebuilt(publisher, unit, still)
            for number in range(1, 6):
                if publisher.unit_of(number) is unit:
                    wanted = walk.orders(number)
                    assert queue_of(books, publisher.key(number)) == wanted
                    seen += len(wanted)
            assert not books.faults
        walk.exchange.close()
    assert seen > 1_000


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_an_image_of_one_instrument_has_nothing_of_the_others(venue: str) -> None:
    walk = Walk(venue, "single")
    for _ in range(300):
        walk.step()
    walk.publisher.flush()
    unit = walk.publisher.unit_of(3)
    books = rebuilt(walk.publisher, unit, still_of(walk.publisher, unit), [3])
    for number in range(1, 6):
        wanted = walk.orders(number) if number == 3 else []
        assert queue_of(books, walk.publisher.key(number)) == wanted
    walk.exchange.close()


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_an_image_says_the_states_that_hold(venue: str) -> None:
    publisher = Publisher(venue, LISTINGS, DAY)
    publisher.begin(BEGIN_NS)
    flow = Flow(random.Random(5))
    flow.emit(a.STATUS, 1, aux=a.STATUS_HALTED)
    flow.emit(a.RESTRICT, 2, aux=1)
    flow.emit(a.STATUS, 0, flags=a.ALL, aux=a.STATUS_TRADING)
    flow.emit(a.STATUS, 3, aux=a.STATUS_HALTED)
    publisher.publish(np.array(flow.made, a.ACTION_DTYPE))
    publisher.flush()
    for unit in publisher.units:
        books = rebuilt(publisher, unit, still_of(publisher, unit))
        for number in range(1, 6):
            if publisher.unit_of(number) is unit:
                top = books.top(books.instrument(publisher.key(number)))
                wanted = a.STATUS_HALTED if number == 3 else a.STATUS_TRADING
                assert top.status == wanted and top.restricted == (number == 2)


def test_orders_that_were_moved_to_the_back_are_there_in_an_image() -> None:
    for venue in PROTOCOLS:
        publisher = Publisher(venue, LISTINGS[:1], DAY)
        publisher.begin(BEGIN_NS)
        flow = Flow(random.Random(5))
        for reference in (1, 2, 3, 4):
            flow.emit(a.ADD, 1, side=a.BUY, order_id=reference, price=10**8, quantity=100)
        flow.emit(a.MODIFY, 1, order_id=1, price=a.NO_PRICE, quantity=100)
        same = {"flags": a.KEEPS_PRIORITY, "price": a.NO_PRICE}
        flow.emit(a.MODIFY, 1, order_id=2, quantity=60, **same)
        flow.emit(a.REPLACE, 1, order_id=3, aux=9, price=10**8, quantity=30)
        truth = SlowBooks()
        events = np.array(flow.made, a.ACTION_DTYPE)
        truth.apply(events)
        publisher.publish(events)
        (unit,) = publisher.units[:1]
        shown = still_of(publisher, unit).orders
        assert shown["reference"].tolist() == [2, 4, 1, 9]
        assert [o.number for o in truth.queue(1)] == [2, 4, 1, 9]
        books = rebuilt(publisher, unit, still_of(publisher, unit))
        shares = [row[3] for row in queue_of(books, publisher.key(1))]
        assert shares == [60, 100, 100, 30]
