"""A venue's feed: its public events in, its packets out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.dates import midnight_ns
from feedhandler.feed import Feed
from feedhandler.registry import versions
from feedhandler.transports.transport import Transport
from feedhandler.wire.access import key_of
from feedhandler.wire.record import Value
from simulator.publishing.dialects.dialect import Listing, Moment
from simulator.publishing.orderids import id_factors, permuted
from simulator.publishing.packets import Packets, join, merge
from simulator.publishing.retained import Retained
from simulator.publishing.unit import UnitStream
from simulator.publishing.venues import VenueFeed, venue_feed

FOREVER_NS = (1 << 62) - 1


class Publisher:
    """The feed of one venue on one day.

    Args:
        venue: a name of `venues.VENUES`, or a venue of one's own.
        symbols: the instruments; events name them by their place in the list, from 1 on.
        day: the session's date in the venue's zone.
        seed: of what is random: the order ids.
        retain: messages a unit keeps for requests; None: all.

    Attributes:
        feed: the feed it speaks.
        listings: the instruments.
        units: the streams, each with a sequence of its own.

    Everything that gives packets gives those that are certain by then, in the order of their times;
    how the events are cut into calls changes nothing.
    """

    def __init__(
        self,
        venue: str | VenueFeed,
        symbols: Sequence[str | Listing],
        day: date,
        *,
        seed: int = 0,
        retain: int | None = None,
    ) -> None:
        self.venue = venue_feed(venue) if isinstance(venue, str) else venue
        self.feed: Feed = versions(self.venue.feed)[0]
        self.day, self.midnight_ns = day, midnight_ns(day, self.feed.zone)
        self.listings = [Listing(s) if isinstance(s, str) else s for s in symbols]
        header = header_values(self.feed, day)
        self.units = [
            UnitStream(
                self.venue, self.feed, self.listings, number, header, self.midnight_ns, seed, retain
            )
            for number in range(1, self.venue.units + 1)
        ]
        self._factors = id_factors(f"{self.venue.name}.{seed}")
        self._whole = self.units[0].forms.statuses_of_all()
        self._own = np.zeros(len(self.listings) + 1, np.int64)  # said of an instrument alone, last
        self._of_all = 0  # the last state that one message said of all of them

    def unit_of(self, key: int) -> UnitStream:
        """The unit of an instrument."""
        return self.units[(key - 1) % len(self.units)]

    def key(self, number: int) -> int:
        """The key under which the feed's decoder knows an instrument."""
        return key_of(self.listings[number - 1].symbol) if self.feed.keys == "text" else number

    def order_id(self, reference: int) -> int:
        """The id of a new order on the wire.

        One that came by a replacement in place (PITCH, DEEP+) keeps the id of the order before it.
        """
        if self.venue.order_ids == "dense":
            return reference
        return permuted(reference, self._factors)

    @property
    def header(self) -> Mapping[str, Value]:
        """Values of the packet header that never change."""
        return header_values(self.feed, self.day)

    def states(self) -> dict[int, int]:
        """By instrument, the trading state that holds for it; key 0 is that said of all at once."""
        own = {key: int(state) for key, state in enumerate(self._own) if state}
        return own | ({0: self._of_all} if self._of_all else {})

    @property
    def retained(self) -> list[Retained]:
        """What the units have sent, by sequence."""
        return [unit.retained for unit in self.units]

    def unsaid(self) -> dict[str, int]:
        """Events that the protocol has no message for, by kind."""
        made: dict[str, int] = {}
        for unit in self.units:
            for name, count in unit.unsaid().items():
                made[name] = made.get(name, 0) + count
        return made

    def begin(self, time_ns: int, status: int = a.STATUS_TRADING) -> Packets:
        """System events, the directory, and the state of every instrument."""
        states = self._expanded(self._status(time_ns, status))
        if status in self._whole:
            each = [self._states(time_ns, status), self._status(time_ns, status)]
            states = np.concatenate(each)
            self._own[1:], self._of_all = status, status
        return self._each(lambda unit, moment: self._begin_unit(unit, moment, states), time_ns)

    def _begin_unit(
        self, unit: UnitStream, moment: Moment, states: NDArray[np.void]
    ) -> list[Packets]:
        unit.begin(moment.time_ns)
        made = unit.say(moment.time_ns, self.venue.dialect.opening(moment))
        return [*made, unit.publish(states)]

    def publish(self, events: NDArray[np.void]) -> Packets:
        """The packets that are certain when the last of these events has happened.

        Args:
            events: ACTION_DTYPE as `simulator.matching.records` describes, in time order.

        Raises:
            PublishError: an event that a book needs cannot be said in the venue's protocol.
        """
        events = self._expanded(events)
        return merge([unit.publish(events) for unit in self.units])

    def heartbeats(self, until_ns: int) -> Packets:
        """What leaves before a time when nothing more happens: waiting messages, heartbeats."""
        return merge([unit.until(until_ns) for unit in self.units])

    def flush(self) -> Packets:
        """The waiting messages, without waiting for their windows' ends to pass."""
        made = []
        for unit in self.units:
            waiting = int(unit.state["made"])
            beat, unit.state["heartbeat_ns"] = int(unit.state["heartbeat_ns"]), FOREVER_NS
            made.append(unit.until(FOREVER_NS) if waiting else join([]))
            unit.state["heartbeat_ns"] = beat
        return merge(made)

    def end(self, time_ns: int) -> Packets:
        """The closed state, system events, and the end of the session."""
        return self._each(self._end_unit, time_ns)

    def _end_unit(self, unit: UnitStream, moment: Moment) -> list[Packets]:
        time_ns = moment.time_ns
        made = [unit.until(time_ns)]
        if self.venue.dialect.closes_each:
            made.append(unit.publish(self._states(time_ns, a.STATUS_CLOSED)))
        made += unit.say(time_ns, self.venue.dialect.closing(moment))
        last = time_ns + self.venue.coalesce_ns + 1
        return [*made, unit.until(last), *unit.signal_end(last)]

    def _each(self, make: Callable[[UnitStream, Moment], list[Packets]], time_ns: int) -> Packets:
        made = []
        for unit in self.units:
            mine = [
                (number, listing)
                for number, listing in enumerate(self.listings, 1)
                if self.unit_of(number) is unit
            ]
            made.append(join(make(unit, Moment(time_ns, self.midnight_ns, mine))))
        return merge(made)

    def _status(self, time_ns: int, status: int) -> NDArray[np.void]:
        """A state of the whole venue."""
        event = np.zeros(1, a.ACTION_DTYPE)
        event["kind"], event["flags"], event["aux"] = a.STATUS, a.ALL, status
        event["time_ns"] = time_ns
        return event

    def _states(self, time_ns: int, status: int) -> NDArray[np.void]:
        """The same state of every instrument."""
        events = np.repeat(self._status(time_ns, status), len(self.listings))
        events["flags"], events["key"] = 0, np.arange(1, len(self.listings) + 1)
        return events

    def _expanded(self, events: NDArray[np.void]) -> NDArray[np.void]:
        """States of the whole venue also one by one, where one message cannot say or lift them.

        What was said of an instrument alone holds until it is said otherwise of it alone.
        """
        places = np.flatnonzero(events["kind"] == a.STATUS)
        if len(places) == 0:
            return events
        parts, start = [], 0
        for place in places.tolist():
            event = events[place]
            key, state, time_ns = int(event["key"]), int(event["aux"]), event["time_ns"]
            if not event["flags"] & a.ALL:
                if 0 < key < len(self._own):
                    self._own[key] = state
                continue
            parts.append(events[start:place])
            others = self._states(time_ns, state)
            if state in self._whole:
                said = self._own[1:]
                parts += [others[(said != 0) & (said != state)], events[place : place + 1]]
                self._of_all = state
            else:
                parts.append(others)
                self._own[1:] = state
            self._own[self._own != 0] = state
            start = place + 1
        return np.concatenate([*parts, events[start:]])


def header_values(feed: Feed, day: date) -> Mapping[str, Value]:
    """Values of the packet header that never change: the feed's own and the day's session."""
    transport: Transport = feed.transport
    given = {name: value for name, value in feed.header.items() if name != transport.unit}
    if transport.session == "session":
        given["session"] = f"{day:%y%m%d}0001"
    elif transport.session:
        given[transport.session] = int(f"{day:%Y%m%d}")
    return given
