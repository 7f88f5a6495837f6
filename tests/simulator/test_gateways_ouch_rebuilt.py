"""A client's orders as its messages tell them are the exchange's own, whatever it does."""

from __future__ import annotations

import random
from typing import Any

import pytest
from gateway_rig import Venue
from ouch_rig import Client, entered, ouch

from feedhandler.actions import BUY, SELL

UNIT = 10_000
SYMBOLS = {"AAPL": 1, "MSFT": 2}


class Rebuilt:
    """Orders by their reference number, from sequenced messages alone."""

    def __init__(self) -> None:
        self.open: dict[int, dict[str, Any]] = {}
        self.ends: dict[int, int] = {}
        self.accepted: set[int] = set()

    def hear(self, code: str, values: dict[str, Any]) -> None:
        """Takes one message."""
        number = values.get("user_ref_num", 0)
        if code == "SA":
            assert number not in self.accepted
            self.accepted.add(number)
            self.open[number] = values
        elif code == "SU":
            self.end(values["orig_user_ref_num"])
            self.accepted.add(number)
            self.open[number] = values
        elif code in ("SE", "SC"):
            self.less(number, values["quantity"])
        elif code == "SD":
            self.less(number, values["decrement_shares"])
        elif code == "SM":
            assert self.open[number]["quantity"] >= values["quantity"]
            self.open[number] |= {"side": values["side"], "quantity": values["quantity"]}
        elif code == "SJ":
            assert number not in self.accepted

    def less(self, number: int, shares: int) -> None:
        """Shares of an order are gone."""
        order = self.open[number]
        order["quantity"] -= shares
        assert order["quantity"] >= 0
        if order["quantity"] == 0:
            self.end(number)

    def end(self, number: int) -> None:
        """An order is over."""
        del self.open[number]
        self.ends[number] = self.ends.get(number, 0) + 1

    def shown(self) -> list[tuple[int, int, int, int]]:
        """As `Venue.shown`."""
        rows = []
        for order in self.open.values():
            side = BUY if order["side"] == "B" else SELL
            price = order["price"] * UNIT
            rows.append((SYMBOLS[order["symbol"]], side, price, order["quantity"]))
        return sorted(rows)


def act(client: Client, rng: random.Random) -> None:
    """One thing that a client does."""
    what, number = rng.random(), rng.randrange(max(client.number - 12, 1), client.number + 2)
    shares, cents = rng.randrange(1, 6) * 100, rng.randrange(996, 1005)
    if what < 0.5:
        more = {"time_in_force": "3"} if rng.random() < 0.2 else {}
        if rng.random() < 0.1:
            more |= {"display": "P"}
        client.order(rng.choice("BSTE"), shares, cents, symbol=rng.choice(list(SYMBOLS)), **more)
    elif what < 0.7:
        client.replace(number, shares, cents)
    elif what < 0.85:
        client.cancel(number, rng.choice((0, shares)))
    elif what < 0.95:
        client.send("M", user_ref_num=number, side=rng.choice("STE"), quantity=shares)
    elif what < 0.97:
        client.order("B", 0, cents)
    else:
        client.send("Q")


def back(venue: Venue, name: str, password: str, client: Client) -> Client:
    """The same client in a new connection."""
    client.peer.on_close(venue.step())
    made = Client(venue)
    made.number = client.number
    made.login(name, password, 0)
    return made


@pytest.mark.parametrize("seed", range(6))
def test_orders_rebuilt_from_the_messages_are_those_of_the_exchange(seed: int) -> None:
    rng = random.Random(seed)
    names = {"ALFA": "secret", "BETA": "hush"}
    with ouch() as venue:
        clients = {name: entered(venue, name, word) for name, word in names.items()}
        for _ in range(250):
            name = rng.choice(list(names))
            venue.held = rng.random() < 0.5
            act(clients[name], rng)
            if rng.random() < 0.02:
                clients[name] = back(venue, name, names[name], clients[name])
            if rng.random() < 0.4:
                venue.deliver()
        venue.deliver()
        compare(venue)
        venue.held = False
        venue.end_of_day()
        for one in compare(venue).values():
            assert one.accepted and one.open == {}
            assert one.ends == dict.fromkeys(one.accepted, 1)


def compare(venue: Venue) -> dict[str, Rebuilt]:
    """The whole streams of all clients tell what the exchange shows."""
    made = {}
    for name in venue.gateway.sessions:
        client = Client(venue)
        packets = venue.gateway.sessions[name].packets  # type: ignore[attr-defined]
        client.wire.sent += b"".join(packets)
        made[name] = Rebuilt()
        for code, values in client.came():
            made[name].hear(code, values)
        assert len(venue.gateway.sessions[name].orders) == len(made[name].open)
    assert sorted(row for one in made.values() for row in one.shown()) == venue.shown()
    assert venue.exchange.live_orders() == sum(len(one.open) for one in made.values())
    return made
