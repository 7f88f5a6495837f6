"""Venues of a running market: what their matchings know is what the loop has, after every loss."""

from __future__ import annotations

import random

import numpy as np
import pytest
from made_markets import FIVE, busy
from recovery_rig import PROTOCOLS, Rig
from splice_rig import A, B

from feedhandler import actions as a
from simulator.market.market import Market
from simulator.market.outlets import publisher_of
from simulator.market.plan import MarketPlan
from simulator.market.symbols import made_symbols

SLICE_NS = 5_000_000
LEAD_NS = 1_000_000_000


def runs_of(chance: random.Random) -> set[int]:
    """Packets by number that no line brings: some short stretches, one long one."""
    made = set(range(170, 250))
    for _ in range(6):
        first = chance.randrange(10, 160)
        made |= set(range(first, first + chance.randint(1, 3)))
    return made


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_books_behind_losses_are_those_of_the_matching(venue: str) -> None:
    chance = random.Random(f"{venue} market")
    plan = MarketPlan(
        seed=11,
        seconds=4.0,
        before_s=1.0,
        stop_s=3.6,
        settings=busy(800.0, *FIVE),
        symbols=made_symbols(4),
    )
    with (
        Market(plan) as market,
        Rig(publisher_of(plan, venue, retain=None), most_missing=30) as rig,
    ):
        exchange = market.exchanges[market.names.index(venue)]
        lost, seen = runs_of(chance), 0
        rig.arrive(rig.begin(plan.times.start_ns - LEAD_NS, a.STATUS_PREOPEN))
        for until_ns in range(plan.times.start_ns, plan.end_ns, SLICE_NS):
            for output in market.run(until_ns):
                events = output.public[market.names.index(venue)].copy()
                if len(events) == 0:
                    continue
                for packets in (rig.publish(part, chance) for part in np.array_split(events, 2)):
                    for number in range(len(packets)):
                        one = packets.take(np.array([number]))
                        rig.arrive(one, [] if seen in lost else [A, B])
                        seen += 1
        rig.finish()
        assert seen > 255 and rig.total("recovered") + rig.total("images") >= 2
        assert rig.total("images") >= 1 and rig.loop.books.faults() == {}
        orders_seen = 0
        for number in rig.numbers:
            found = rig.loop.books.instrument(rig.publisher.key(number))
            assert found is not None and rig.loop.trusted(rig.publisher.key(number))
            unit = rig.publisher.unit_of(number)
            wires = {int(row["reference"]): int(row["wire"]) for row in unit.shown_orders}
            wanted = [(wires[ref], *rest) for ref, *rest in exchange.orders(number).tolist()]
            assert list(rig.loop.book(rig.publisher.key(number))[0]) == wanted
            for side in (a.BUY, a.SELL):
                levels = rig.loop.books.ladder(found, side).tolist()
                assert levels == exchange.levels(number, side).tolist()
            orders_seen += len(wanted)
        assert orders_seen > 50
