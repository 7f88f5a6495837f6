"""The sample market replayed with random orders of ours in it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from made_markets import payloads
from numpy.typing import NDArray
from replayvenue_rig import B, Floor, S, dark, lit

from feedhandler import actions as a
from feedhandler.books.layout import LIVE
from feedhandler.packetactions import PacketActions
from feedhandler.registry import versions
from router import tables as t
from simulator.matching.model import shipped_models
from simulator.replay import layout as y

SAMPLES: Final = Path(__file__).resolve().parents[2] / "captures" / "samples" / "market"
FEEDS: Final = {"nasdaq": "nasdaq_itch50", "memx": "memx_memoir"}
MIDNIGHT_NS: Final = 1_773_633_600_000_000_000
SYMBOLS: Final = 4
Packet = tuple[int, int, NDArray[np.void]]


def packets() -> list[Packet]:
    """Time, venue and actions of all packets, by time."""
    made: list[Packet] = []
    for venue, (name, feed) in enumerate(FEEDS.items()):
        reader = PacketActions(versions(feed)[-1], MIDNIGHT_NS)
        for time_ns, raw in payloads(SAMPLES / f"{name}-a.pcap.gz"):
            made.append((time_ns, venue, reader.read(raw, time_ns).copy()))
    return sorted(made, key=lambda packet: packet[:2])


def order_at_market(floor: Floor, dice: Random, token: int, port: int) -> None:
    """An order for what the market shows now, or behind it."""
    record = floor.market.record(instrument := dice.randint(1, SYMBOLS))
    if not record["bid_quantity"] or not record["offer_quantity"]:
        return
    side, tif = dice.choice((B, S)), dice.choice((t.DAY, t.DAY, t.IOC, t.FOK))
    price = int(record[dice.choice(("bid", "offer"))])
    words = {"instrument": instrument, "side": side, "price": price, "tif": tif, "token": token}
    words |= {"quantity": dice.choice((50, 100, 300, 1000)), "kind": y.ENTER}
    assert floor.request(port, **words) == 0


def change_of(floor: Floor, dice: Random, token: int, old: int, port: int) -> None:
    """A cancel or replace of an order."""
    if dice.random() < 0.5:
        floor.cancel(old, port)
    else:
        words = {"kind": y.REPLACE, "token": token, "old_token": old, "quantity": 200}
        price = int(floor.market.record(1)["bid"])
        assert floor.request(port, **words, price=price) == 0


def replay(seed: int) -> Floor:
    """The sample's end, for orders drawn by a seed."""
    models, dice = shipped_models(), Random(seed)
    plans = [lit(0, model=models["nasdaq"]), lit(1, model=models["memx"]), dark()]
    floor = Floor(plans, instruments=SYMBOLS, seed=seed)
    ports = [0]  # by token
    for time_ns, venue, rows in packets():
        floor.now_ns = time_ns - 1
        if len(rows):
            floor.packet(venue, rows)
        token, chance = len(ports), dice.random()
        if chance < 0.3:
            ports.append(dice.randrange(len(floor.sim.ports)))
            order_at_market(floor, dice, token, ports[token])
        elif token > 1 and chance < 0.4:
            old = max(1, token - dice.randint(1, 6))
            ports.append(ports[old])
            change_of(floor, dice, token, old, ports[old])
    floor.wait(60_000_000_000)
    return floor


def test_orders_in_a_replayed_market_come_to_their_ends() -> None:
    with replay(5) as floor:
        kinds = Counter(words["kind"] for _, _, words in floor.heard)
        assert min(kinds[kind] for kind in (a.ACCEPTED, a.EXECUTED, a.CANCELED, a.REPLACED)) > 0
        liquidity = {words["liquidity"] for _, _, words in floor.heard}
        assert {t.ADDED, t.REMOVED, t.AT_MIDPOINT} <= liquidity
        executed = Counter[int]()
        for _, _, words in floor.heard:
            if words["kind"] == a.EXECUTED:
                executed[words["order"]] += words["quantity"]
                over = words["price"] - words["limit"]
                assert over <= 0 if words["side"] == B else over >= 0
        for order in floor.sim.orders[1 : floor.sim.counters["order_count"] + 1]:
            assert executed[int(order["number"])] == order["executed"]
        for port in range(3):
            times = [time_ns for time_ns, at, _ in floor.heard if at == port]
            assert all(before <= after for before, after in pairwise(times))
        assert np.all(floor.books[0].tops["trust"] == LIVE)
        assert floor.sim.counters["full"] == floor.sim.counters["untaken"] == 0


def test_the_same_replay_gives_the_same_bytes() -> None:
    with replay(6) as first, replay(6) as second, replay(7) as other:
        assert first.raw == second.raw != other.raw
