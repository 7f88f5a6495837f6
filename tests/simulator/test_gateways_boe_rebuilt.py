"""A BOE client's orders as its sequenced messages tell them are the exchange's own."""

from __future__ import annotations

import random
from typing import Any

import pytest
from boe_rig import PURGE, Client, boe, entered
from gateway_rig import Venue

from feedhandler.actions import BUY, SELL

UNIT = 10_000
SYMBOLS = {"AAPL": 1, "MSFT": 2}
WORDS = {"ALFA": "secret", "BETA": "hush"}


class Rebuilt:
    """Orders by their ids, from sequenced messages alone."""

    def __init__(self) -> None:
        self.open: dict[str, dict[str, Any]] = {}
        self.ends: dict[str, int] = {}
        self.accepted: set[str] = set()

    def hear(self, code: int, values: dict[str, Any]) -> None:
        """Takes one message."""
        wire = values["cl_ord_id"]
        if code == 0x27:
            self.end(values["orig_cl_ord_id"])
        if code in (0x25, 0x27):
            assert wire not in self.accepted
            self.accepted.add(wire)
            self.open[wire] = values
        elif code == 0x2C:
            assert self.open[wire]["leaves_qty"] - values["last_shares"] == values["leaves_qty"]
            self.open[wire]["leaves_qty"] = values["leaves_qty"]
            if not values["leaves_qty"]:
                self.end(wire)
        elif code == 0x28:
            self.open[wire]["leaves_qty"] = values["leaves_qty"]
        elif code == 0x2A:
            self.end(wire)

    def end(self, wire: str) -> None:
        """An order is over."""
        del self.open[wire]
        self.ends[wire] = self.ends.get(wire, 0) + 1

    def shown(self) -> list[tuple[int, int, int, int]]:
        """As `Venue.shown`."""
        rows = []
        for order in self.open.values():
            side = BUY if order["side"] == "1" else SELL
            instrument = SYMBOLS[order["symbol"]]
            rows.append((instrument, side, order["price"] * UNIT, order["leaves_qty"]))
        return sorted(rows)


def act(client: Client, rng: random.Random) -> None:
    """One thing that a client does."""
    what, number = rng.random(), rng.randrange(max(client.number - 12, 1), client.number + 2)
    shares, cents = rng.randrange(1, 6) * 100, rng.randrange(996, 1005)
    if what < 0.5:
        more: dict[str, Any] = {"symbol": rng.choice(list(SYMBOLS))}
        more["time_in_force"] = rng.choice("00034")
        more["prevent_match"] = rng.choice(("", "N", "O", "B", "D"))
        client.order(rng.choice("1256"), shares, cents, **more)
    elif what < 0.75:
        client.modify(number, shares, cents, cancel_orig_on_reject=rng.choice("NY"))
    elif what < 0.96:
        client.cancel(number)
    elif what < 0.98:
        client.order("1", 0, cents)
    else:
        client.send(PURGE)


def back(venue: Venue, name: str, client: Client) -> Client:
    """The same client in a new connection."""
    client.peer.on_close(venue.step())
    made = Client(venue)
    made.number = client.number
    made.login(name, WORDS[name])
    return made


def compare(venue: Venue) -> dict[str, Rebuilt]:
    """The whole streams of all clients tell what the exchange shows."""
    made = {}
    for name in WORDS:
        client, rebuilt = Client(venue), Rebuilt()
        for unit in venue.gateway.sessions[name].streams:  # type: ignore[attr-defined]
            client.wire.sent += b"".join(unit)
            came = client.came()
            assert [values["sequence_number"] for _, values in came] == [*range(1, len(came) + 1)]
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
    with boe() as venue:
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
