"""The whole loop over made ITCH packets: lines, books, commands; random orders to fill it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from make_samples import PORT, frame

from feedhandler import specialise
from feedhandler.actions import BUY, SELL
from feedhandler.books.venuebook import VenueBook
from feedhandler.books.views import BookViews
from feedhandler.channelmap import ChannelAddress
from feedhandler.commands import Commands
from feedhandler.consolidated.market import Market
from feedhandler.lines import setup as line_setup
from feedhandler.lines.setup import LineOptions, Lines
from feedhandler.registry import versions
from feedhandler.stateblock import LoopOptions, create_state
from feedhandler.transports.packets import write_packet
from nic import regions
from nic.block import Block
from nic.memoryport import MemoryPort, pack_frames

ITCH = versions("nasdaq_itch50")[0]
GROUPS = ["233.1.1.1", "233.1.1.2", "233.1.1.3", "233.1.1.4"]
LINE_A, LINE_B, ASKED, ALONE = 0, 1, 2, 3  # channels: three lines of a stream, one without lines

Arrived = tuple[int, int, bytes]  # time in ns, channel, payload


def packet(sequence: int, messages: Sequence[bytes]) -> bytes:
    """A packet of these messages."""
    header = {"session": "0000000001", "sequence_number": sequence}
    return write_packet(ITCH.transport, list(messages), header)


def said(code: str, locate: int = 1, **fields: Any) -> bytes:
    """One message."""
    return ITCH.protocol[code].encode({"stock_locate": locate, **fields})


def entered(
    number: int, price: int, *, locate: int = 1, side: str = "B", shares: int = 100
) -> bytes:
    """A new order."""
    about = {"buy_sell_indicator": side, "shares": shares, "price": price}
    return said("A", locate, order_reference_number=number, **about)


def replaced(old: int, new: int, price: int, shares: int = 100) -> bytes:
    """An order that takes another's place."""
    numbers = {"original_order_reference_number": old, "new_order_reference_number": new}
    return said("U", **numbers, shares=shares, price=price)


class Crowd:
    """Orders that come and go, more and more of them; those of instrument 1 are KEPT for ever.

    They are replaced again and again, at other prices: their number and shares never change.
    """

    KEPT = 10

    def __init__(self, seed: int, instruments: int = 20, growing: float = 0.6) -> None:
        self.chance = random.Random(seed)
        self.instruments, self.growing = instruments, growing
        self.alive: list[int] = []
        self.kept: list[int] = []
        self.next = 1

    def message(self) -> bytes:
        """What happens next."""
        chance, number = self.chance, self.next
        if len(self.kept) < self.KEPT:
            self.next += 1
            self.kept.append(number)
            return entered(number, 10_000 + 100 * number)
        what = chance.random()
        if what < 0.1:
            self.next += 1
            place = chance.randrange(self.KEPT)
            old, self.kept[place] = self.kept[place], number
            return replaced(old, number, chance.randrange(5_000, 9_000))
        if what < 0.1 + self.growing or not self.alive:
            self.next += 1
            self.alive.append(number)
            side, locate = chance.choice("BS"), chance.randint(2, self.instruments)
            base = 20_000 if side == "B" else 90_000
            return entered(number, base + chance.randrange(50_000), locate=locate, side=side)
        gone = self.alive.pop(chance.randrange(len(self.alive)))
        return said("D", order_reference_number=gone)

    def packets(self, count: int, first: int = 1, channel: int = LINE_A) -> list[Arrived]:
        """So many packets of one to six messages, a microsecond apart."""
        made, sequence = [], first
        for index in range(count):
            messages = [self.message() for _ in range(self.chance.randint(1, 6))]
            made.append((1_000 * (index + 1), channel, packet(sequence, messages)))
            sequence += len(messages)
        return made


class Running:
    """A loop that is ready to be called.

    Attributes:
        block, port, commands: the loop's.
    """

    def __init__(self, loop: Callable[[int], int], block: Block, port: MemoryPort) -> None:
        self.loop, self.block, self.port = loop, block, port
        self.commands = Commands(block)
        self.seen_events = 0

    def round(self, packets: int = 1) -> int:
        """One round with at most so many packets; how many came."""
        self.block["control"]["round_limit"] = 1
        self.block["control"]["burst_max"] = packets
        return int(self.loop(np.uint64(self.block.address)))

    def silent_round(self) -> None:
        """One round in which no port has anything."""
        self.port.row["idle_left"] = 1
        assert self.round() == 0
        self.port.row["idle_left"] = 0

    def run(self) -> int:
        """To the end of the packets."""
        self.block["control"]["round_limit"] = 0
        return int(self.loop(np.uint64(self.block.address)))

    def events(self) -> list[tuple[int, int, list[int]]]:
        """Kind, time and words of the events since it was last asked."""
        ring = self.block["events"][0]
        first, self.seen_events = self.seen_events, int(ring["producer"]["tail"])
        records = [ring["records"][n] for n in range(first, self.seen_events)]
        return [(int(r["kind"]), int(r["timestamp_ns"]), r["words"].tolist()) for r in records]

    @property
    def stream(self) -> np.void:
        """The row of the one stream."""
        row: np.void = self.block["streams"][0]
        return row


@contextmanager
def running(
    loop: Callable[[int], int],
    packets: Sequence[Arrived],
    book: VenueBook,
    *,
    lines: LineOptions | None = None,
    options: LoopOptions | None = None,
    market: Market | None = None,
    **port_options: Any,
) -> Iterator[Running]:
    """A loop over packets that keeps one venue's books; kernels may touch nothing else."""
    made = [(time_ns, frame(payload, GROUPS[n], 1)) for time_ns, n, payload in packets]
    descriptors, memory = pack_frames(made)
    port = MemoryPort(descriptors, **port_options)
    addresses = [ChannelAddress(group, PORT) for group in GROUPS]
    given = Lines({n: (0, n) for n in (LINE_A, LINE_B, ASKED)}, lines or LineOptions())
    feeds = [ITCH] * len(GROUPS)
    extra = [*specialise.sections(len(GROUPS), [ITCH]), *line_setup.sections(given, feeds)]
    block = create_state([port], addresses, options, handler_sections=extra)
    channels = range(len(GROUPS))
    heads = dict.fromkeys(channels, book.address)
    rows = None if market is None else dict.fromkeys(channels, market.venue_address(0))
    specialise.prepare(block, [ITCH], [0] * len(GROUPS), books=heads, venues=rows)
    line_setup.prepare(block, given, feeds)
    more = () if market is None else market.blocks
    before = regions.violations().count
    with regions.allowed(block, port.row, port.descriptors, memory, *book.blocks, *more):
        yield Running(loop, block, port)
    assert regions.violations().count == before, regions.violations()


def contents(book: BookViews) -> dict[int, Any]:
    """All that books say: by instrument the top, both ladders and every order."""
    found = {}
    for number in book.active():
        top = book.best(number).tolist()[1:]
        sides = [book.ladder(number, side).tolist() for side in (BUY, SELL)]
        found[number] = top, sides, book.orders(number).tolist()
    return found
