"""The whole loop with lines and books, a venue that speaks to it, the truth at every message."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from make_samples import PORT, Flow, frame
from sample_venues import MAKERS, Order, Venue

from feedhandler import specialise
from feedhandler.actions import BUY, SELL
from feedhandler.books.layout import LIVE as TRUSTED
from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from feedhandler.channelmap import ChannelAddress
from feedhandler.lines import setup as line_setup
from feedhandler.lines.image import Image
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.packetactions import PacketActions
from feedhandler.registry import versions
from feedhandler.stateblock import LoopOptions, create_state
from nic import regions
from nic.memoryport import MemoryPort, pack_frames

A, B, ASKED, SPLICE = range(4)
GROUPS = [f"233.1.1.{n + 1}" for n in range(4)]
MIDNIGHT_NS = 1_773_633_600_000_000_000
STEP_NS = 10_000
TOPS = versions("iex_tops")[0]
VENUES = {maker(MIDNIGHT_NS).feed.name: maker for maker in MAKERS}
FEEDS = [*(maker(MIDNIGHT_NS).feed for maker in VENUES.values()), TOPS]
ROOM = {"orders": 512, "levels": 512, "instruments": 16}

Book = tuple[Any, Any]  # orders in the order of their queues; levels of both sides


@cache
def the_loop() -> Any:
    """The loop that all tests with this rig run."""
    return specialise.build(FEEDS, books=True, lines=True)


class SpliceRig:
    """One stream with all four lines and its books; packets go in one by one."""

    def __init__(self, name: str, options: LineOptions, **room: int) -> None:
        self.feed = next(feed for feed in FEEDS if feed.name == name)
        self.books = VenueBook(sizes_for(self.feed, **{**ROOM, **room}))
        lines = Lines({n: (0, n) for n in range(4)}, options)
        extra = [*specialise.sections(4, FEEDS), *line_setup.sections(lines, [self.feed] * 4)]
        addresses = [ChannelAddress(group, PORT) for group in GROUPS]
        port = MemoryPort(pack_frames([])[0])
        step = LoopOptions(burst_max=1, round_limit=1)
        self.block = create_state([port], addresses, step, handler_sections=extra)
        number = FEEDS.index(self.feed)
        midnights = dict.fromkeys(range(4), MIDNIGHT_NS)
        of_books = dict.fromkeys(range(4), self.books.address)
        specialise.prepare(self.block, FEEDS, [number] * 4, midnights, of_books)
        line_setup.prepare(self.block, lines, [self.feed] * 4)
        self.unit = 1 if name == "cboe_pitch" else 0
        self.time_ns = 0
        self.drained = 0

    def __enter__(self) -> SpliceRig:
        regions.reset()
        return self

    def __exit__(self, *_exception: object) -> None:
        assert regions.violations().count == 0, regions.violations()
        self.books.close()
        self.block.close()

    @property
    def stream(self) -> np.void:
        """The row of the stream."""
        row: np.void = self.block["streams"][self.unit]
        return row

    @property
    def state(self) -> int:
        """The stream's state."""
        return int(self.stream["state"])

    def send(self, line: int, payload: bytes, later_ns: int = STEP_NS) -> None:
        """One packet on a line, so much later than the one before."""
        self.time_ns += later_ns
        descriptors, memory = pack_frames([(self.time_ns, frame(payload, GROUPS[line], 1))])
        port = MemoryPort(descriptors)
        link, control = self.block["links"][0], self.block["control"][0]
        link["port"], link["status"], control["open_links"] = port.handle, 0, 1
        with regions.allowed(self.block, port.row, port.descriptors, memory, *self.books.blocks):
            the_loop()(np.uint64(self.block.address))

    def events(self) -> list[tuple[int, int, int]]:
        """(kind, fourth and fifth word) of the events since it was last asked."""
        return [(int(e["kind"]), int(e["words"][3]), int(e["words"][4])) for e in self.drain()]

    def drain(self) -> list[np.void]:
        """The events since it was last asked."""
        ring = self.block["events"][0]
        first, self.drained = self.drained, int(ring["producer"]["tail"])
        return [
            ring["records"][n % len(ring["records"])].copy() for n in range(first, self.drained)
        ]

    def book(self, key: int) -> Book:
        """What the book of a key holds."""
        number = self.books.instrument(key)
        if number is None:
            return (), ()
        orders = self.books.orders(number)[["id", "side", "price", "quantity"]].tolist()
        levels = [self.books.ladder(number, side).tolist() for side in (BUY, SELL)]
        return tuple(orders), tuple(tuple(one) for one in levels)

    def trusted(self, key: int) -> bool:
        """Whether the book of a key is not stale."""
        number = self.books.instrument(key)
        return number is not None and int(self.books.tops["trust"][number]) == TRUSTED


@dataclass
class Truth:
    """The lossless books behind every message, by the slow model."""

    feed_name: str
    packets: list[tuple[int, int, bytes]]  # first sequence, messages, payload
    past: dict[int, list[tuple[int, Book]]] = field(default_factory=dict)
    end: int = 1

    def __post_init__(self) -> None:
        feed = next(feed for feed in FEEDS if feed.name == self.feed_name)
        reader = PacketActions(feed, MIDNIGHT_NS)
        self.model = SlowBooks(sizes_for(feed, **ROOM))
        for first, count, payload in self.packets:
            rows = reader.read(payload).copy()
            for sequence in range(first, first + count):
                self.model.apply(rows[rows["sequence"] == sequence])
                for number in self.model.touched:
                    self._note(sequence + 1, number)
            self.end = first + count
        assert not self.model.faults and not reader.faults()

    def _note(self, following: int, number: int) -> None:
        key = self.model.top(number).key
        orders = [(o.number, o.side, o.price, o.quantity) for o in self.model.queue(number)]
        levels = [tuple(map(tuple, self.model.ladder(number, side))) for side in (BUY, SELL)]
        self.past.setdefault(key, []).append((following, (tuple(orders), tuple(levels))))

    @property
    def keys(self) -> list[int]:
        """Of all instruments that have had an order."""
        return [key for key, books in self.past.items() if any(orders for _, (orders, _) in books)]

    def at(self, key: int, following: int) -> Book:
        """The book of a key when `following` is the next message."""
        books = self.past[key]
        place = bisect_right(books, following, key=lambda one: one[0])
        return books[place - 1][1] if place else ((), ((), ()))

    def check(self, rig: SpliceRig) -> None:
        """No book that says it is live differs from the truth."""
        following = int(rig.stream["expected"])
        for key in self.keys:
            if rig.trusted(key):
                assert rig.book(key) == self.at(key, following), (key, following, rig.state)


@dataclass
class Server:
    """A venue and its snapshot service: what it said, and images of it at any message."""

    name: str
    seed: int
    count: int = 100

    def __post_init__(self) -> None:
        self.venue: Venue = VENUES[self.name](MIDNIGHT_NS)
        self.truth = Truth(self.name, list(self._packets()))
        self.symbols = {index + 1: s for index, s in enumerate(("AAPL", "MSFT", "SPY", "BRK.A"))}

    def _packets(self) -> Iterator[tuple[int, int, bytes]]:
        flow = Flow(self.venue, random.Random(self.seed))
        now = MIDNIGHT_NS + 34_200_000_000_000
        waiting, sequence = self.venue.start(now, MIDNIGHT_NS), 1
        for _ in range(self.count):
            for _ in range(flow.chance.randint(1, 4)):
                waiting += flow.event(now)
            yield sequence, len(waiting), self.venue.packet(waiting, sequence, now)
            sequence, waiting = sequence + len(waiting), []
            now += flow.chance.randint(20_000, 40_000_000)

    def symbol(self, key: int) -> str:
        """The symbol of a key: a number, or its text."""
        if key in self.symbols:
            return self.symbols[key]
        return (key & (1 << 64) - 1).to_bytes(8, "little").decode().strip()

    def image(self, sequence: int, *, key: int | None = None, most: int = 3) -> Image:
        """All open orders behind the message with this sequence, or those of one key."""
        fresh = VENUES[self.name](MIDNIGHT_NS)  # has said nothing yet: no second, no symbol
        now = MIDNIGHT_NS + 34_200_000_000_000
        keys = self.truth.keys if key is None else [key]
        lines = fresh.start(now, MIDNIGHT_NS)
        if key is not None:
            symbol = self.symbol(key)
            lines = [one for one in lines if symbol in one[1].values() or key in one[1].values()]
        for one in keys:
            orders, _ = self.truth.at(one, sequence + 1)
            for number, side, price, shares in orders:
                order = Order(number, self.symbol(one), "BS"[side - 1], shares, price // 10_000)
                lines += fresh.words["add"](now, order, {})
        pieces = [lines[n : n + most] for n in range(0, len(lines), most)]
        datagrams = tuple(fresh.packet(piece, 1, now) for piece in pieces)
        unit = 1 if self.name in ("cboe_pitch", "iex_deepplus") else 0  # IEX: the channel's id
        return Image(unit, sequence, datagrams, key=key)
