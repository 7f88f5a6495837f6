"""A venue's matching with a gateway in front of it, and clients without sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY, SELL, STATUS_CLOSED
from simulator.gateways.accounts import Account
from simulator.gateways.gateway import Gateway
from simulator.gateways.orders import command
from simulator.matching import records as r
from simulator.matching.model import VenueModel
from simulator.matching.venue import Exchange

SYMBOLS = ("AAPL", "MSFT")
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
DOLLAR = 100_000_000
CENT = DOLLAR // 100
FLOW = 7  # an owner of the order flow
ACCOUNTS = {"ALFA": Account("secret", 1000, 1, True), "BETA": Account("hush", 1001)}
PLAIN = VenueModel(name="plain")
Records = NDArray[np.void]


class Wire:
    """An outlet that keeps what was sent."""

    peer = "127.0.0.1:9"

    def __init__(self) -> None:
        self.sent = bytearray()
        self.closed = False

    def send(self, data: bytes) -> None:
        """Keeps it."""
        if not self.closed:
            self.sent += data

    def close(self) -> None:
        """Nothing goes out any more."""
        self.closed = True

    def taken(self) -> bytes:
        """What was sent since the last time."""
        made = bytes(self.sent)
        self.sent.clear()
        return made


class Venue:
    """The exchange and its gateway; reports are heard at once, or by `deliver` when `held`."""

    def __init__(
        self,
        make: Callable[..., Gateway],
        accounts: dict[str, Account] = ACCOUNTS,
        model: VenueModel = PLAIN,
        **more: Any,
    ) -> None:
        self.exchange = Exchange(model, len(SYMBOLS), orders=512)
        self.gateway = make(accounts, SYMBOLS, self.submit, **more)
        self.held = False
        self.commands: list[Records] = []
        self.now_ns = START
        self.flow_token = 0

    def __enter__(self) -> Venue:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.exchange.close()

    def submit(self, commands: Records) -> None:
        """The gateway's way to the matching."""
        self.commands.append(commands.copy())
        if not self.held:
            self.deliver()

    def deliver(self) -> None:
        """The matching works on what has come."""
        while self.commands:
            _public, reports = self.exchange.submit(self.commands.pop(0))
            self.gateway.hear(reports.copy())

    def other(self, kind: int, **more: int) -> None:
        """A command of the order flow."""
        given = {"instrument": 1, "type": r.LIMIT, **more}
        self.submit(command(kind, self.now_ns, given.pop("owner", FLOW), **given))

    def rests(self, side: int, shares: int, cents: int, **more: int) -> int:
        """The flow enters an order; gives its token."""
        self.flow_token += 1
        terms = {"side": side, "quantity": shares, "price": cents * CENT, **more}
        self.other(r.NEW, token=self.flow_token, **terms)
        return self.flow_token

    def step(self, ns: int = 1_000) -> int:
        """Time passes; gives the time."""
        self.now_ns += ns
        return self.now_ns

    def end_of_day(self) -> None:
        """The matching closes, then the gateway."""
        self.other(r.SESSION, flags=STATUS_CLOSED)
        self.gateway.end_of_day(self.step())

    def shown(self) -> list[tuple[int, int, int, int]]:
        """(instrument, side, price, shares) of all displayed orders, sorted."""
        rows = []
        for number in range(1, len(SYMBOLS) + 1):
            for row in self.exchange.orders(number):
                rows.append((number, int(row["side"]), int(row["price"]), int(row["quantity"])))
        return sorted(rows)


def other_side(side: int) -> int:
    """The side that a side trades with."""
    return SELL if side == BUY else BUY


def outcome(
    venue_of: Callable[[], Venue], client_of: Callable[[Venue], Any], pieces: list[bytes]
) -> tuple[bytes, list[str]]:
    """What a client was sent and why its connection ended, by pieces at one moment."""
    with venue_of() as venue:
        client = client_of(venue)
        for piece in pieces:
            client.peer.on_bytes(piece, START)
        return client.wire.taken(), [why for _, why in venue.gateway.ended]


def check_cuts(
    venue_of: Callable[[], Venue],
    client_of: Callable[[Venue], Any],
    data: bytes,
    tail: bytes,
    *,
    more_than: int,
    step: int,
) -> None:
    """Where a client's bytes are cut changes nothing, with a broken tail behind them or without."""
    for end in (b"", tail):
        whole = outcome(venue_of, client_of, [data + end])
        assert len(whole[0]) > more_than
        assert outcome(venue_of, client_of, [bytes([byte]) for byte in data + end]) == whole
        for cut in range(1, len(data), step):
            assert outcome(venue_of, client_of, [data[:cut], data[cut:] + end]) == whole
