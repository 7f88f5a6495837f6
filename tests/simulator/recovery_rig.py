"""A venue with its services on loopback sockets, a loop that loses packets, a driver between them.

The feed's lines are in the process, packet by packet, and time is counted, not read; only the
services are asked over real sockets.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from event_rig import DAY, LISTINGS, Flow
from numpy.typing import NDArray
from publishing_rig import BEGIN_NS
from splice_rig import ASKED, SPLICE, A, B, SpliceRig

from console.recovery import SPLICES, RecoveryDriver, position_in
from console.recoveryclients import RecoverySettings
from feedhandler import actions as a
from feedhandler.books.slow import SlowBooks
from feedhandler.lines.layout import LIVE, STATES
from feedhandler.lines.secret import Secret
from feedhandler.lines.setup import LineOptions
from simulator.publishing.packets import Packets, join
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.services import Services
from simulator.services.settings import GAP, Account, Limits, ServiceSettings
from simulator.serving.reactor import Reactor

PACKET_NS = 200_000
PASSWORD = "hunter2xyz"
ACCOUNT = Account("FIRM", Secret(PASSWORD, 40), "0001")
OPTIONS = LineOptions(window_ns=600_000, recovery_ns=2_000_000_000, slots=4_096)
ROOM = {"orders": 4_096, "levels": 4_096, "instruments": 32}
PROTOCOLS = ("nasdaq", "bzx", "nyse", "memx", "iex")  # a venue of each

Queue = list[tuple[int, int, int]]  # side, price, quantity


class Truth:
    """The books of the events, as of every sequence at which an event was said whole."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher, self.model = publisher, SlowBooks()
        self.books: dict[tuple[int, int], Queue] = {}  # by instrument and next sequence
        self.latest: dict[int, Queue] = {}

    def apply(self, events: NDArray[np.void]) -> None:
        """One event, which has just been published."""
        self.model.apply(events)
        for number in range(1, len(self.publisher.listings) + 1):
            queue = [(o.side, o.price, o.quantity) for o in self.model.queue(number)]
            if queue != self.latest.get(number):
                self.latest[number] = queue
        for number, queue in self.latest.items():
            following = self.publisher.unit_of(number).retained.next
            self.books[number, following] = queue


class Rig:
    """See the module.

    Args:
        venue: a name of `publishing.venues`, or a publisher of one's own.
        retain: messages that the gap services still have; None: all.
        limits: of the services.
        settings: other settings of the client, over those that are right.
        recovering: of the Recoverer.
    """

    def __init__(
        self,
        venue: str | Publisher,
        *,
        retain: int | None = None,
        limits: Limits | None = None,
        settings: dict[str, Any] | None = None,
        stream: bool = False,
        **recovering: Any,
    ) -> None:
        self.publisher = (
            Publisher(venue, LISTINGS, DAY, retain=retain) if isinstance(venue, str) else venue
        )
        self.numbers = range(1, len(self.publisher.listings) + 1)
        self.truth, self.checked = Truth(self.publisher), 0
        self.loop = SpliceRig(self.publisher.feed.name, OPTIONS, **ROOM)
        self.loop.time_ns = BEGIN_NS
        self.reactor = Reactor(lambda: self.loop.time_ns)
        self.sent: list[tuple[str, bytes]] = []
        given = ServiceSettings(accounts=[ACCOUNT], limits=limits or Limits())
        self.services = Services(
            self.publisher, given, lambda group, payload: self.sent.append((group, payload))
        )
        self.services.open(self.reactor)
        about = self.client_settings(stream) | (settings or {})
        self.driver = RecoveryDriver(
            self.publisher.feed,
            RecoverySettings(**about),
            self.inject,
            position_in(self.loop.block, 0),
            **recovering,
        )

    def client_settings(self, stream: bool) -> dict[str, Any]:
        """Where the services are, for the driver."""
        return {
            "gap": self.services.gap,
            "gap_stream": self.services.gap_stream if stream else None,
            "snapshots": {**self.services.snapshots, 0: self.services.snapshots[1]},
            "username": ACCOUNT.username,
            "password": ACCOUNT.password,
            "session_sub_id": ACCOUNT.session_sub_id,
            "session": str(self.publisher.header.get("session", "")),
            "symbols": self.numbers,
        }

    def __enter__(self) -> Rig:
        self.loop.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self.driver.close()
        self.reactor.close()
        self.loop.__exit__(*exception)

    def inject(self, line: str, payload: bytes) -> None:
        """What the driver puts into the loop."""
        self.give(SPLICE if line == SPLICES else ASKED, payload, 100)

    def give(self, line: int, payload: bytes, later_ns: int = PACKET_NS) -> None:
        """A packet on a line; no book may be wrong behind it and say that it is right."""
        self.loop.send(line, payload, later_ns)
        self.check()

    def refresh(self, payload: bytes) -> None:
        """A datagram of the refresh multicast."""
        self.driver.on_refresh(payload, self.loop.time_ns)

    def pump(self, rounds: int = 2, later_ns: int = 0) -> None:
        """The services and the driver have their turn."""
        for _ in range(rounds):
            self.loop.time_ns += later_ns
            self.reactor.run_once(0)
            sent, self.sent = self.sent, []
            for group, payload in sent:
                if group == GAP:
                    self.give(ASKED, payload, 100)
                else:
                    self.refresh(payload)
            for event in self.loop.drain():
                self.driver.on_event(event)
            self.driver.step(self.loop.time_ns)

    def begin(self, time_ns: int = BEGIN_NS, status: int = a.STATUS_TRADING) -> Packets:
        """The packets that begin the day."""
        packets = join([self.publisher.begin(time_ns, status), self.publisher.flush()])
        self.truth.apply(np.zeros(0, a.ACTION_DTYPE))
        return packets

    def publish(self, events: NDArray[np.void], chance: random.Random) -> Packets:
        """The packets of one event; sometimes messages go on waiting for others."""
        made = [self.publisher.publish(events)]
        self.truth.apply(events)
        if chance.random() < 0.6:
            made.append(self.publisher.flush())
        return join(made)

    def arrive(self, packets: Packets, lines: Iterable[int] = (A, B)) -> None:
        """Packets on lines, and time for recovery."""
        for _, payload in packets:
            for line in lines:
                self.give(line, payload, PACKET_NS // 2)
            self.pump(1)

    def finish(self) -> None:
        """The line falls silent but for heartbeats, until all is well."""
        self.arrive(self.publisher.flush())
        for number in range(1, 500):
            if self.well:
                return
            beats = self.publisher.heartbeats(self.last_ns + number * 1_000_000_001)
            for _, payload in list(beats)[-len(self.publisher.units) :]:
                self.give(A, payload, PACKET_NS)
            self.pump(3, 5_000_000)
        raise AssertionError((self.states, self.driver.recoverer.units, self.driver.refused))

    @property
    def last_ns(self) -> int:
        """When the last message was made."""
        return max(unit.last_ns for unit in self.publisher.units)

    def row(self, unit: UnitStream) -> np.void:
        """The loop's row of a unit's stream."""
        rows = self.loop.block["streams"]
        row: np.void = rows[unit.number & int(rows[0]["unit_mask"])]
        return row

    @property
    def states(self) -> list[str]:
        """The state of each unit's stream."""
        return [STATES[int(self.row(unit)["state"])] for unit in self.publisher.units]

    def total(self, name: str) -> int:
        """A counter, of all units together."""
        return sum(int(self.row(unit)[name]) for unit in self.publisher.units)

    @property
    def well(self) -> bool:
        """Whether the loop has all that was said, and says that it is live."""
        return all(
            self.row(unit)["state"] == LIVE and self.row(unit)["expected"] == unit.retained.next
            for unit in self.publisher.units
        )

    def queue(self, number: int) -> Queue:
        """The loop's orders of an instrument, best first, in the order of their priority."""
        orders, _ = self.loop.book(self.publisher.key(number))
        return [(side, price, quantity) for _, side, price, quantity in orders]

    def check(self) -> None:
        """No book that says it is live is another than that of the events."""
        for number in self.numbers:
            if not self.loop.trusted(self.publisher.key(number)):
                continue
            following = int(self.row(self.publisher.unit_of(number))["expected"])
            wanted = self.truth.books.get((number, following))
            if wanted is not None:  # else in the middle of what several messages say
                assert self.queue(number) == wanted, (number, following, self.states)
                self.checked += 1

    def check_whole(self) -> None:
        """All books are live and those of the events: levels, orders, their ids and states."""
        assert self.well and self.checked > 50, self.checked
        wires = {
            int(row["reference"]): int(row["wire"])
            for unit in self.publisher.units
            for row in unit.shown_orders
        }
        states, orders_seen = self.publisher.states(), 0
        for number in self.numbers:
            key = self.publisher.key(number)
            assert self.loop.trusted(key)
            orders, levels = self.loop.book(key)
            queue = self.truth.model.queue(number)
            wanted = [(wires[o.number], o.side, o.price, o.quantity) for o in queue]
            assert list(orders) == wanted, number
            for side, found in zip((a.BUY, a.SELL), levels, strict=True):
                assert found == tuple(map(tuple, self.truth.model.ladder(number, side)))
            place = self.loop.books.instrument(key)
            assert self.loop.books.tops["status"][place] == states[number], number
            orders_seen += len(orders)
        assert orders_seen == len(wires) > 30
        assert self.loop.books.faults() == {}


def flow_of(seed: str, **more: int) -> Flow:
    """Seeded events, a tenth of a second in all for some hundreds."""
    return Flow(random.Random(seed), **more)


Loses = Callable[[int], bool]


def play(
    rig: Rig, seed: str, count: int, lose_a: Loses, lose_b: Loses | None = None, first: int = 0
) -> None:
    """A run of events with losses.

    Args:
        rig: the venue and the loop.
        seed: of the events.
        count: of the events.
        lose_a, lose_b: whether a line loses the packets of an event by its number; None: as A.
        first: packets of events before this one come on no line.
    """
    flow, chance = flow_of(seed), random.Random(f"{seed} cuts")
    lines = {A: lose_a, B: lose_b or lose_a}
    opening = rig.begin()
    if first == 0:
        rig.arrive(opening)
    for number in range(count):
        packets = rig.publish(flow.run(1), chance)
        if number >= first:
            rig.arrive(packets, [line for line, loses in lines.items() if not loses(number)])
    rig.finish()
    rig.check_whole()
