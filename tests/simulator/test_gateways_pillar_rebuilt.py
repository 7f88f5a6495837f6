"""A Pillar client's orders as its stream tells them are the exchange's own."""

from __future__ import annotations

import random
from typing import Any

import pytest
from gateway_rig import Venue
from pillar_rig import BULK, Client, entered, pillar

from feedhandler.actions import BUY, SELL
from simulator.gateways.pillar import FROM_TRADER
from simulator.gateways.pillarsession import TO_TRADER

WORDS = {"ALFA": "secret", "BETA": "hush"}
SIDE_SHIFT = 60


class Rebuilt:
    """Orders by their ids, from the stream alone."""

    def __init__(self) -> None:
        self.open: dict[int, dict[str, Any]] = {}
        self.ends: dict[int, int] = {}
        self.accepted: set[int] = set()

    def hear(self, code: int, values: dict[str, Any]) -> None:
        """Takes one message."""
        if code == 0x0260:
            if values["ack_type"] == 8:
                self.end(values["orig_cl_ord_id"])
            assert values["cl_ord_id"] not in self.accepted
            self.accepted.add(values["cl_ord_id"])
            self.open[values["cl_ord_id"]] = values
        elif code == 0x0290:
            order = self.open[values["cl_ord_id"]]
            assert order["leaves_qty"] - values["last_qty"] == values["leaves_qty"]
            self.stands(values["cl_ord_id"], values["leaves_qty"])
        elif code == 0x0271 and values["ack_type"] != 4:
            assert (values["ack_type"] == 11) == (values["leaves_qty"] == 0)
            self.stands(values["orig_cl_ord_id"], values["leaves_qty"])

    def stands(self, wire: int, leaves: int) -> None:
        """An order has so many open shares now."""
        self.open[wire]["leaves_qty"] = leaves
        if leaves == 0:
            self.end(wire)

    def end(self, wire: int) -> None:
        """An order is over."""
        del self.open[wire]
        self.ends[wire] = self.ends.get(wire, 0) + 1

    def shown(self) -> list[tuple[int, int, int, int]]:
        """As `Venue.shown`."""
        rows = []
        for order in self.open.values():
            side = BUY if order["bitfield_order_instructions"] >> SIDE_SHIFT == 1 else SELL
            rows.append((order["symbol_id"], side, order["working_price"], order["leaves_qty"]))
        return sorted(rows)


def act(client: Client, rng: random.Random) -> None:
    """One thing that a client does."""
    what, number = rng.random(), rng.randrange(max(client.number - 12, 1), client.number + 2)
    shares, cents, side = rng.randrange(1, 6) * 100, rng.randrange(996, 1005), rng.choice((1, 2, 3))
    parts = {"time_in_force": rng.choice((1, 1, 1, 2)), "self_trade_type": rng.randrange(6)}
    symbol = rng.choice((1, 2))
    if what < 0.5:
        client.order(side, shares, cents, symbol_id=symbol, parts=parts)
    elif what < 0.7:
        client.replace(number, shares, cents, side, symbol_id=symbol)
    elif what < 0.82:
        client.cancel(number)
    elif what < 0.94:
        client.modify(number, shares, rng.choice((0, 2, 3)))
    elif what < 0.98:
        client.order(1, 0, cents)
    else:
        client.send(BULK, bulk_cancel_type=2, symbol_id=rng.choice((0, 1)), cl_ord_id=1)


def back(venue: Venue, name: str, client: Client) -> Client:
    """The same client in a new connection."""
    client.peer.on_close(venue.step())
    made = Client(venue)
    made.number = client.number
    made.login(name, WORDS[name])
    made.open(FROM_TRADER)
    return made


def compare(venue: Venue) -> dict[str, Rebuilt]:
    """The whole streams of all clients tell what the exchange shows."""
    made = {}
    for name in WORDS:
        client, rebuilt = Client(venue), Rebuilt()
        session: Any = venue.gateway.sessions[name]
        client.wire.sent += b"".join(session.packets)
        came = client.came()
        assert [values["seq"] for _, values in came] == [*range(1, len(came) + 1)]
        for code, values in came:
            rebuilt.hear(code, values)
        assert len(venue.gateway.sessions[name].orders) == len(rebuilt.open)
        made[name] = rebuilt
    assert sorted(row for one in made.values() for row in one.shown()) == venue.shown()
    assert venue.exchange.live_orders() == sum(len(one.open) for one in made.values())
    return made


@pytest.mark.parametrize("seed", range(6))
def test_orders_rebuilt_from_the_messages_are_those_of_the_exchange(seed: int) -> None:
    rng = random.Random(seed)
    with pillar() as venue:
        clients = {name: entered(venue, name, word) for name, word in WORDS.items()}
        for _ in range(250):
            name = rng.choice(list(WORDS))
            venue.held = rng.random() < 0.5
            act(clients[name], rng)
            if rng.random() < 0.02:
                clients[name] = back(venue, name, clients[name])
            if rng.random() < 0.4:
                venue.deliver()
        venue.held = False
        venue.deliver()
        compare(venue)
        assert clients[name].open(TO_TRADER, 1)[0][1]["status"] == 0
        venue.end_of_day()
        for one in compare(venue).values():
            assert one.accepted and one.open == {}
            assert one.ends == dict.fromkeys(one.accepted, 1)
