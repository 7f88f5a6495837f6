"""A small market whose books a test moves, and replayed venues that trade against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes as BookSizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.consolidated.entries import apply_actions
from feedhandler.consolidated.market import Market
from nic.regions import allowed, reset, violations
from router.tables import DAY
from simulator.matching.model import Latency, VenueModel
from simulator.replay import layout
from simulator.replay.models import ReplayVenue
from simulator.replay.venues import ReplayVenues, Sizes

B, S = a.BUY, a.SELL
CENT = 1_000_000
DOLLAR = 100 * CENT
KINDS = {
    a.ACCEPTED: "accepted",
    a.EXECUTED: "executed",
    a.CANCELED: "canceled",
    a.REJECTED: "rejected",
    a.REPLACED: "replaced",
    a.CANCEL_REJECTED: "cancel rejected",
}
INBOUND_NS, OUTBOUND_NS = 100, 50
SMALL = Sizes(orders=1024, events=256, answers=256)


def model(**more: Any) -> VenueModel:
    """A venue that takes 100 ns in and 50 ns out."""
    given = {"name": "v", "inbound": Latency(INBOUND_NS), "outbound": Latency(OUTBOUND_NS), **more}
    return VenueModel(**given)


def lit(number: int, **more: Any) -> ReplayVenue:
    """A venue whose quotes are those of a number in the market."""
    own = more.pop("model", None) or model()
    return ReplayVenue(name=f"lit{number}", model=own, quotes=number, **more)


def dark(**more: Any) -> ReplayVenue:
    """A pool that trades at the midpoint."""
    return ReplayVenue(name="pool", model=model(kind="midpoint"), **more)


def action(kind: int, **fields: Any) -> NDArray[np.void]:
    """One action record."""
    row = np.zeros(1, a.ACTION_DTYPE)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row


class Floor:
    """Two venues with feeds by default; what is said of answers is one line each.

    Attributes:
        heard: (time at the router, port, answer's words by name), in the order of arrival.
    """

    def __init__(
        self,
        venues: Sequence[ReplayVenue] | None = None,
        *,
        feeds: int = 2,
        instruments: int = 2,
        **more: Any,
    ) -> None:
        reset()
        self.market = Market(instruments, 8, feeds)
        sizes = BookSizes(orders=1024, levels=512, instruments=instruments + 1)
        self.books = [VenueBook(sizes) for _ in range(feeds)]
        for number, book in enumerate(self.books):
            self.market.add_venue(f"v{number}", book)
            for instrument in range(1, instruments + 1):
                self.market.map(number, instrument, instrument)
        given = [lit(0), lit(1)] if venues is None else venues
        symbols = {number: f"S{number}" for number in range(1, instruments + 1)}
        options = {"symbols": symbols, "sizes": SMALL, **more}
        self.sim = ReplayVenues(given, self.market.address, **options)
        self.heard: list[tuple[int, int, dict[str, int]]] = []
        self.raw: list[tuple[int, int, bytes]] = []
        self.now_ns, self.token, self.order_id = 1000, 0, 0
        for number in range(feeds):
            for instrument in range(1, instruments + 1):
                self.status(number, a.STATUS_TRADING, instrument)

    def __enter__(self) -> Floor:
        return self

    def __exit__(self, *_exception: object) -> None:
        assert violations().count == 0, violations()
        self.sim.close()
        self.market.close()
        for book in self.books:
            book.close()

    @property
    def memory(self) -> list[Any]:
        """The market's and its books'."""
        return [*self.market.blocks, *self.market.book_blocks()]

    # What happens in the capture.

    def packet(self, venue: int, *rows: NDArray[np.void]) -> None:
        """A packet of a feed, at its time: what is due before it comes first."""
        self.now_ns += 1
        self.run(self.now_ns)
        batch = np.concatenate(rows)
        if int(self.sim.head["watched"]) >> venue & 1:
            self.sim.note(venue, batch, self.now_ns, self.memory)
        with allowed(*self.memory, batch):
            apply_actions(
                self.market.address,
                venue,
                self.books[venue].address,
                batch.ctypes.data,
                len(batch),
                self.now_ns,
            )

    def status(self, venue: int, status: int, instrument: int = 1) -> None:
        """A trading status."""
        self.packet(venue, action(a.STATUS, key=instrument, aux=status))

    def add(self, venue: int, side: int, price: int, quantity: int, instrument: int = 1) -> int:
        """A displayed order; its id. Prices in cents."""
        self.order_id += 1
        row = action(
            a.ADD, side=side, key=instrument, price=price * CENT, quantity=quantity,
            order_id=self.order_id,
        )  # fmt: skip
        self.packet(venue, row)
        return self.order_id

    def execute(self, venue: int, order_id: int, quantity: int) -> None:
        """A displayed order is executed."""
        self.packet(venue, action(a.EXECUTE, order_id=order_id, quantity=quantity))

    def delete(self, venue: int, order_id: int) -> None:
        """A displayed order is gone."""
        self.packet(venue, action(a.DELETE, order_id=order_id))

    def trade(self, venue: int, price: int, quantity: int, instrument: int = 1) -> None:
        """A trade that is not from a displayed order."""
        row = action(a.TRADE, key=instrument, price=price * CENT, quantity=quantity)
        self.packet(venue, row)

    def wait(self, duration_ns: int) -> None:
        """Time passes."""
        self.now_ns += duration_ns
        self.run(self.now_ns)

    # What the router does.

    def request(self, port: int, **words: int) -> int:
        """Sends a row of words; 0 or -errno."""
        row = np.zeros(1, layout.REQUEST_DTYPE)
        for name, value in words.items():
            row[name] = value
        return self.sim.send(port, row.tobytes(), self.now_ns)

    def enter(
        self, side: int, quantity: int, price: int, /, tif: int = DAY, port: int = 0, **more: int
    ) -> int:
        """An order, price in cents; its token."""
        self.token += 1
        words = {"kind": layout.ENTER, "token": self.token, "instrument": 1, "side": side}
        words |= {"quantity": quantity, "price": price * CENT, "tif": tif, **more}
        assert self.request(port, **words) == 0
        return self.token

    def cancel(self, token: int, port: int = 0, quantity: int = 0) -> None:
        """A cancel."""
        given = {"kind": layout.CANCEL, "token": token, "quantity": quantity}
        assert self.request(port, **given) == 0

    def replace(self, old: int, quantity: int, price: int, port: int = 0) -> int:
        """A replace, price in cents; the new token."""
        self.token += 1
        words = {"kind": layout.REPLACE, "token": self.token, "old_token": old}
        words |= {"quantity": quantity, "price": price * CENT}
        assert self.request(port, **words) == 0
        return self.token

    # What the venues do.

    def run(self, until_ns: int) -> None:
        """All that is due up to a time."""
        while self.sim.due_ns <= until_ns:
            ready = self.sim.step(until_ns, self.memory)
            if not ready:
                break
            for port in range(len(self.sim.ports)):
                if ready >> port & 1:
                    self._read(port)

    def _read(self, port: int) -> None:
        words = self.sim.venues[0].protocol == "words"
        for answer in self.sim.answers(port):
            self.raw.append((answer.time_ns, port, answer.data))
            if words:
                row = np.frombuffer(answer.data, layout.ANSWER_DTYPE)[0]
                names = [name for name in layout.ANSWER_DTYPE.names or () if name != "unused"]
                self.heard.append((answer.time_ns, port, {name: int(row[name]) for name in names}))

    def said(self, token: int | None = None) -> list[str]:
        """All answers so far after some time, one line each; of one token alone if asked."""
        self.wait(1_000)
        return [
            line(words) for _, _, words in self.heard if token is None or words["token"] == token
        ]


def line(words: dict[str, int]) -> str:
    """An answer as one line: what happened, shares and cents, why."""
    kind = KINDS[words["kind"]]
    if kind == "executed":
        cents = words["price"] / CENT
        return f"executed {words['quantity']} at {cents:g}, {words['leaves']} left"
    if kind in ("accepted", "replaced"):
        return f"{kind} {words['quantity']} at {words['price'] / CENT:g}"
    reason = layout.REASONS[words["reason"]]
    if kind == "canceled":
        return f"canceled {words['quantity']}: {reason}"
    return f"{kind}: {reason}"
