"""A publisher with a decoder of its packets behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
from event_rig import DAY, LISTINGS, START_NS
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from feedhandler.packetactions import PacketActions
from nic.regions import reset, violations
from simulator.publishing.packets import Packets, join
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VenueFeed

BILLION = 1_000_000_000
BEGIN_NS = START_NS - BILLION
PROTOCOLS = ("nasdaq", "bzx", "nyse", "memx", "iex")  # a venue of each


class Rig:
    """A venue's publisher, begun, and the books that the feed handler makes of its packets."""

    def __init__(self, venue: str | VenueFeed, **options: Any) -> None:
        reset()
        self.publisher = Publisher(venue, LISTINGS, DAY, **options)
        self.reader = PacketActions(self.publisher.feed, self.publisher.midnight_ns)
        self.book = VenueBook(sizes_for(self.publisher.feed, orders=8_192, levels=8_192))
        self.actions: list[NDArray[np.void]] = []
        self.keep = False
        self.read(self.publisher.begin(BEGIN_NS))
        self.read(self.publisher.flush())

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.book.close()
        assert violations().count == 0, violations()

    def read(self, packets: Packets) -> None:
        """Decodes packets and applies them."""
        for time_ns, payload in packets:
            actions = self.reader.read(payload, time_ns)
            if self.keep:
                self.actions.append(actions.copy())
            self.book.apply(actions)
        assert self.reader.faults() == {}

    def publish(self, events: NDArray[np.void]) -> None:
        """Publishes events and reads all packets, also those that would wait."""
        self.read(self.publisher.publish(events))
        self.read(self.publisher.flush())

    def ladder(self, instrument: int, side: int) -> list[tuple[int, int, int]]:
        """(price, quantity, orders) of the decoded book, best first."""
        found = self.book.instrument(self.publisher.key(instrument))
        if found is None:
            return []
        levels: list[tuple[int, int, int]] = self.book.ladder(found, side).tolist()
        return levels

    def queue(self, instrument: int) -> list[tuple[int, int, int]]:
        """(side, price, quantity) of the decoded book's orders in the order of their priority."""
        found = self.book.instrument(self.publisher.key(instrument))
        if found is None:
            return []
        orders: list[tuple[int, int, int]] = self.book.orders(found)[
            ["side", "price", "quantity"]
        ].tolist()
        return orders

    def differences(self, truth: SlowBooks) -> list[str]:
        """Where the decoded book is another than that of the events, level by level."""
        found = []
        for instrument in range(1, len(LISTINGS) + 1):
            for side in (a.BUY, a.SELL):
                ours = self.ladder(instrument, side)
                theirs = [tuple(level) for level in truth.ladder(instrument, side)]
                if ours != theirs:
                    found.append(f"{instrument} {side}: {ours} != {theirs}")
        return found


def whole_day(publisher: Publisher, events: NDArray[np.void], cuts: int = 1) -> Packets:
    """All packets from the beginning to the end, the events given in so many pieces."""
    made = [publisher.begin(BEGIN_NS)]
    made += [publisher.publish(part) for part in np.array_split(events, cuts)]
    made.append(publisher.end(int(events["time_ns"][-1]) + BILLION))
    return join(made)
