"""One matching unit's stream: its orders, its sequence, its packets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import KINDS
from feedhandler.feed import Feed
from feedhandler.prices import multiplier
from feedhandler.wire.access import key_of
from feedhandler.wire.record import Value
from nic.regions import CHECKED, allowed
from simulator.publishing import layout
from simulator.publishing.dialects.dialect import Dialect, Listing
from simulator.publishing.forms import Forms, add_headers
from simulator.publishing.orderids import id_factors
from simulator.publishing.pack import pack_messages, pack_signal
from simulator.publishing.packets import Packets, join
from simulator.publishing.retained import Retained
from simulator.publishing.saying import NO_SECOND
from simulator.publishing.translate import move_orders, publish_events
from simulator.publishing.venues import VenueFeed

SLICE: Final = 8_192  # events at a time: what they make stays in the cache
PENDING_BYTES: Final = 1 << 17  # more than one packet: what waits for the window's end
PACKETS: Final = 8_192  # that one call of the kernel makes
HEADER_BYTES: Final = 64  # more than any packet header
PREFIX_BYTES: Final = 2  # in front of a message, at most
SLACK: Final = 64  # messages and headers are written in whole words
ORDERS: Final = 1 << 16


class PublishError(ValueError):
    """An event that cannot be published; the message says which and why."""


class UnitStream:
    """The stream of one unit.

    Args:
        venue: how it is published.
        feed: its feed.
        listings: the instruments of the whole venue, by number from 1 on.
        number: of the unit.
        header: values of the packet header that never change.
        midnight_ns: of the session in the venue's zone.
        seed: of the permutation of order ids.
        retain: messages kept for requests; None: all.
        dialect: what is said; None: the venue's.

    Attributes:
        last_ns: when the last message was made; 0 before the first.
    """

    def __init__(
        self,
        venue: VenueFeed,
        feed: Feed,
        listings: Sequence[Listing],
        number: int,
        header: Mapping[str, Value],
        midnight_ns: int,
        seed: int = 0,
        retain: int | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        dialect = dialect or venue.dialect
        self.number, self.retained, self.last_ns = number, Retained(retain), 0
        self.forms = Forms(dialect.rows, dialect.messages)
        self.headers = add_headers(self.forms.tables, feed.transport, header)
        self._state = np.zeros(1, layout.STATE_DTYPE)
        self.state: np.void = self._state[0]
        self._memory: dict[str, NDArray[Any]] = {}
        for name, table in self.forms.tables.arrays().items():
            self._use(name, table)
        self._use("slots", self.forms.slots)
        self._use("values", np.zeros(len(layout.SOURCES), np.int64))
        self._memory["values"][layout.SYSTEM] = 1
        self._use("instruments", instrument_rows(listings))
        self._use("shown", np.zeros(4 * ORDERS, layout.SHOWN_DTYPE))
        room = SLICE * layout.ROOM
        self._use("out", np.zeros(room * layout.ROOM_BYTES + PENDING_BYTES + SLACK, np.uint8))
        self._use("messages", np.zeros(room + PENDING_BYTES, layout.MESSAGE_DTYPE))
        self._use("packets", np.zeros(PACKETS, layout.PACKET_DTYPE))
        most = len(self._memory["out"]) + len(self._memory["messages"]) * PREFIX_BYTES
        self._use("packet_out", np.zeros(most + PACKETS * HEADER_BYTES + SLACK, np.uint8))
        self._fill(venue, feed, dialect, midnight_ns, seed)

    def _use(self, name: str, table: NDArray[Any]) -> None:
        self._memory[name] = table
        self.state[name] = table.ctypes.data

    def _fill(
        self, venue: VenueFeed, feed: Feed, dialect: Dialect, midnight_ns: int, seed: int
    ) -> None:
        framing, state = feed.transport.framing, self.state
        factors = id_factors(f"{venue.name}.{seed}")
        given = {
            "instrument_count": len(self._memory["instruments"]),
            "shown_mask": len(self._memory["shown"]) - 1,
            "said": self.forms.said,
            "time_base": layout.TIME_BASES[feed.time_base],
            "midnight_ns": midnight_ns,
            "second": NO_SECOND,
            "scattered": int(venue.order_ids == "scattered"),
            "factor_1": factors[0],
            "factor_2": factors[1],
            "header": self.headers.data,
            "heartbeat": self.headers.heartbeat,
            "header_bytes": self.headers.bytes,
            "prefix_bytes": framing.body,
            "prefix_width": framing.width + layout.BIG * framing.big if framing.body else 0,
            "prefix_plus": framing.body - framing.plus,
            "limit_bytes": venue.packet_bytes,
            "limit_count": dialect.most_messages,
            "window_ns": venue.coalesce_ns,
            "heartbeat_ns": venue.heartbeat_ns,
            "sequence": 1,
            "unit": self.number,
            "units": venue.units,
            "packet_room": PACKETS,
        }
        for name, value in given.items():
            state[name] = value

    def _allowed(self, *more: NDArray[Any]) -> AbstractContextManager[None]:
        if not CHECKED:
            return nullcontext()
        return allowed(self._state, *self._memory.values(), *more)

    @property
    def next_sequence(self) -> int:
        """Sequence of the next message to be sent in a packet."""
        return int(self.state["sequence"])

    @property
    def shown_orders(self) -> NDArray[np.void]:
        """SHOWN_DTYPE rows of the orders that the feed shows now, by reference."""
        rows = self._memory["shown"]
        return np.sort(rows[rows["reference"] != 0], order="reference")

    @property
    def instruments(self) -> NDArray[np.void]:
        """INSTRUMENT_DTYPE rows by number, with what was said of each last."""
        return self._memory["instruments"].copy()

    def unsaid(self) -> dict[str, int]:
        """Events that the protocol has no message for, by kind."""
        counts = self.state["unsaid"].tolist()
        return {name: n for name, n in zip(KINDS, counts, strict=False) if n}

    def publish(self, events: NDArray[np.void]) -> Packets:
        """The packets that are certain once these events have happened.

        Args:
            events: ACTION_DTYPE, in time order; those of other units are passed over.

        Raises:
            PublishError: an event that a book needs cannot be said. What was before it is.
        """
        made = []
        for start in range(0, len(events), SLICE):
            part = np.ascontiguousarray(events[start : start + SLICE])
            self._say(part)
            made += self._pack(int(part["time_ns"][-1]))
        return join(made)

    def say(self, time_ns: int, messages: Sequence[bytes]) -> list[Packets]:
        """Packets of messages that are ready."""
        made = []
        for start in range(0, len(messages), SLICE):
            part, first = messages[start : start + SLICE], int(self.state["made"])
            rows, out = self._memory["messages"], self._memory["out"]
            for number, raw in enumerate(part, first):
                used = int(self.state["used"])
                rows[number] = time_ns, used, len(raw), 0
                out[used : used + len(raw)] = np.frombuffer(raw, np.uint8)
                self.state["used"] += len(raw)
            self.state["made"] += len(part)
            self._retain(first)
            made += self._pack(time_ns)
        return made

    def until(self, time_ns: int) -> Packets:
        """What leaves before a time when nothing more happens: waiting messages, heartbeats."""
        return join(self._pack(time_ns))

    def signal_end(self, time_ns: int) -> list[Packets]:
        """The packet that ends the session, where the transport has one."""
        if self.headers.end is None:
            return []
        self.state["packet_used"] = self.state["packet_made"] = 0
        with self._allowed():
            pack_signal(self._state.ctypes.data, self.headers.end, time_ns, layout.END)
        return [self._taken(1)]

    def know(self, states: Mapping[int, int], restricted: NDArray[np.int64]) -> None:
        """What holds for instruments, of which this stream has said nothing: for images."""
        rows = self._memory["instruments"]
        rows["restricted"] = restricted
        for number, state in states.items():
            rows["status"][number] = state

    def begin(self, time_ns: int) -> None:
        """Silence counts from here on."""
        self.state["sent_ns"] = time_ns

    def _say(self, events: NDArray[np.void]) -> None:
        first = int(self.state["made"])
        self._make_room(len(events))
        with self._allowed(events):
            done = publish_events(self._state.ctypes.data, events.ctypes.data, len(events))
        self._retain(first)
        if done < len(events):
            why = layout.REFUSALS[int(self.state["refused"])]
            names = ("kind", "key", "order_id", "price", "quantity", "aux", "time_ns", "sequence")
            event = {name: int(events[done][name]) for name in names}
            raise PublishError(f"{KINDS[event.pop('kind')]} {event}: {why}")

    def _retain(self, first: int) -> None:
        """Keeps the messages made since, as they will be numbered."""
        made = int(self.state["made"])
        rows = self._memory["messages"][first:made].copy()
        if len(rows):
            start = int(rows["offset"][0])
            data = self._memory["out"][start : int(self.state["used"])].copy()
            self.last_ns = int(rows["time_ns"][-1])
            rows["offset"] -= start
            self.retained.append(rows, data)

    def _make_room(self, count: int) -> None:
        """Half of the slots stay free, whatever the events are."""
        need = 2 * (int(self.state["shown_count"]) + count)
        old = self._memory["shown"]
        if need <= len(old):
            return
        self._use("shown", np.zeros(1 << need.bit_length(), layout.SHOWN_DTYPE))
        self.state["shown_mask"] = len(self._memory["shown"]) - 1
        self.state["shown_count"] = 0
        with self._allowed(old):
            move_orders(self._state.ctypes.data, old.ctypes.data, len(old))

    def _pack(self, until_ns: int) -> list[Packets]:
        """Packets that leave before a time; what waits moves to the front."""
        made, first, total = [], 0, int(self.state["made"])
        sent_ns = int(self.state["sent_ns"])
        if total == 0 and (sent_ns == 0 or sent_ns + int(self.state["heartbeat_ns"]) >= until_ns):
            return []
        while True:
            self.state["packet_used"] = self.state["packet_made"] = 0
            with self._allowed():
                first = int(pack_messages(self._state.ctypes.data, first, total, until_ns))
            count = int(self.state["packet_made"])
            if count:
                made.append(self._taken(count))
            if count < PACKETS:
                break
        if first:
            self._shift(first, total)
        return made

    def _taken(self, count: int) -> Packets:
        """The packets just made, out of the kernel's room."""
        used = int(self.state["packet_used"])
        rows, out = self._memory["packets"], self._memory["packet_out"]
        return Packets(rows[:count].copy(), out[:used].copy())

    def _shift(self, first: int, total: int) -> None:
        rows, out = self._memory["messages"], self._memory["out"]
        waiting = total - first
        used = int(self.state["used"])
        start = int(rows["offset"][first]) if waiting else used
        rows[:waiting] = rows[first:total].copy()
        rows["offset"][:waiting] -= start
        out[: used - start] = out[start:used].copy()
        self.state["made"], self.state["used"] = waiting, used - start


def instrument_rows(listings: Sequence[Listing]) -> NDArray[np.void]:
    """INSTRUMENT_DTYPE rows; row 0 is no instrument."""
    rows = np.zeros(len(listings) + 1, layout.INSTRUMENT_DTYPE)
    rows["scale"] = 1
    for number, listing in enumerate(listings, 1):
        rows[number]["symbol"] = key_of(listing.symbol)
        rows[number]["scale"] = multiplier(listing.decimals)
    return rows
