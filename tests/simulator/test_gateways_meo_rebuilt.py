"""A MEO client's orders as its engines' packets tell them are the exchange's own."""

from __future__ import annotations

import random
from typing import Any

import pytest
from gateway_rig import Venue
from meo_rig import REFERENCES, Client, entered, meo

from feedhandler.actions import BUY, SELL
from simulator.gateways.meoterms import UNIT

WORDS = {"ALFA": "secret", "BETA": "hush"}


class Rebuilt:
    """Orders by their ids, from the packets alone.

    A response does not say the side: the client knows what it sent.
    """

    def __init__(self, sides: dict[str, int]) -> None:
        self.sides = sides
        self.open: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, int] = {}
        self.accepted: set[str] = set()

    def hear(self, code: str, values: dict[str, Any]) -> None:
        """Takes one message."""
        wire = values.get("client_order_id", "")
        if code == "NR" and not values["order_status"]:
            self.accept(wire, values, values["size"], self.sides[wire])
        elif code == "MR" and not values["modify_status"]:
            old = values["original_client_order_id"]
            side = self.open[old]["side"]
            self.end(old)
            self.accept(wire, values, values["leaves_qty"], side)
        elif code == "E1":
            self.stands(wire, self.open[wire]["leaves"] - values["last_size"])
        elif code == "XN":
            self.stands(wire, values["leaves_qty"])
        elif code == "CR" and not values["cancel_status"]:
            self.end(values["original_client_order_id"])

    def accept(self, wire: str, values: dict[str, Any], leaves: int, side: int) -> None:
        """An order stands."""
        assert wire not in self.accepted
        self.accepted.add(wire)
        names = ("symbol_id", "price", "order_id")
        self.open[wire] = {**{n: values[n] for n in names}, "leaves": leaves, "side": side}

    def stands(self, wire: str, leaves: int) -> None:
        """An order has so many open shares now."""
        assert leaves >= 0
        self.open[wire]["leaves"] = leaves
        if leaves == 0:
            self.end(wire)

    def end(self, wire: str) -> None:
        """An order is over."""
        del self.open[wire]
        self.ends[wire] = self.ends.get(wire, 0) + 1

    def shown(self) -> list[tuple[int, int, int, int]]:
        """As `Venue.shown`."""
        return sorted(
            (o["symbol_id"], SELL if o["side"] else BUY, o["price"] * UNIT, o["leaves"])
            for o in self.open.values()
        )


def act(client: Client, rng: random.Random) -> None:
    """One thing that a client does; the side of an order is that of its number."""
    what, number = rng.random(), rng.randrange(max(client.number - 12, 1), client.number + 2)
    shares, cents, symbol = (
        rng.randrange(1, 6) * 100,
        rng.randrange(996, 1005),
        rng.choice((1, 1, 2)),
    )
    side = (client.number + 1) % 2
    if what < 0.5:
        more: dict[str, Any] = {"time_in_force": rng.choice("RRRI"), "symbol_id": symbol}
        client.order(side, shares, cents, self_trade_protection=rng.randrange(5) << 3, **more)
    elif what < 0.75:
        client.modify(number, shares, cents, symbol_id=symbol)
    elif what < 0.92:
        client.cancel(number, symbol_id=symbol)
    elif what < 0.95:
        given = {"client_order_id": "X", "symbol_id": symbol}
        client.send("CX", order_id=rng.randrange(1, 400), **given)
    elif what < 0.98:
        client.order(side, 0, cents)
    else:
        client.mass_cancel()


def back(venue: Venue, name: str, client: Client) -> Client:
    """The same client in a new connection."""
    client.peer.on_close(venue.step())
    made = Client(venue)
    made.number = client.number
    made.login(name, WORDS[name], engines=())
    return made


def compare(venue: Venue) -> dict[str, Rebuilt]:
    """The whole streams of all clients tell what the exchange shows."""
    made = {}
    for name in WORDS:
        sides = {f"C{number}": number % 2 for number in range(1, 1_000)}
        client, rebuilt = Client(venue), Rebuilt(sides)
        for engine in venue.gateway.sessions[name].streams:  # type: ignore[attr-defined]
            client.wire.sent += b"".join(engine)
            came = client.came()
            assert [values["seq"] for _, values in came] == [*range(1, len(came) + 1)]
            for code, values in came:
                if code not in REFERENCES:
                    rebuilt.hear(code, values)
        assert len(venue.gateway.sessions[name].orders) == len(rebuilt.open)
        made[name] = rebuilt
    assert sorted(row for one in made.values() for row in one.shown()) == venue.shown()
    assert venue.exchange.live_orders() == sum(len(one.open) for one in made.values())
    return made


@pytest.mark.parametrize("seed", range(6))
def test_orders_rebuilt_from_the_messages_are_those_of_the_exchange(seed: int) -> None:
    rng = random.Random(seed)
    with meo() as venue:
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
        venue.end_of_day()
        for one in compare(venue).values():
            assert one.accepted and one.open == {}
            assert one.ends == dict.fromkeys(one.accepted, 1)
