"""Captures through the loop that keeps the books of all venues of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from console.bookplan import sizes_of_venue, venue_of
from console.compiling import Kernel
from console.linestats import lines_of
from console.loops import make_state
from console.main import complain
from console.plan import Plan
from feedhandler.books.filterlayout import Owner
from feedhandler.books.grower import Grower
from feedhandler.books.sizes import Sizes
from feedhandler.books.venuebook import VenueBook
from feedhandler.channels import NO_CHANNEL
from feedhandler.commands import Commands
from feedhandler.feed import Feed
from feedhandler.filling import FULL
from feedhandler.lines.setup import Lines
from feedhandler.state import LINK_FAILED, STOP_FAULT
from feedhandler.stateblock import LoopOptions, Wait
from nic.block import Block
from nic.port import Port, open_port
from nic.regions import allowed

UNREAD = Sizes(orders=1, levels=1, instruments=1)  # of a venue that a shard has no channel of


@dataclass(frozen=True)
class Piece:
    """The piece of a plan that one of several loops runs.

    Attributes:
        whole: the plan of all loops together: venues are numbered by it.
        owner: whose symbols are kept.
    """

    whole: Plan
    owner: Owner


class VenueRun:
    """The books of all venues of a plan, in the order of the plan, and runs that fill them.

    Args:
        plan: its channels with feeds all come in datagrams.
        orders: room of each venue's order table at first; it grows.
        strict: a run stops at the first packet with an impossible input.
        piece: of what the plan is a piece; None: it is whole. The kernel has to be made for it.

    Attributes:
        books, feeds: by venue.
        read: the venues that the plan has channels of.
        block: the state of the last run that was opened.
        last_ns: time of the last packet, epoch.
        stopped: what a strict run stopped at, in a line; empty if nothing.
        failed: why the port of a run ended early, in a line; empty if it did not.
        joined: by stream row, the sequence at which the last run found a stream that did not begin
            with its first message; 0 of others.
    """

    def __init__(
        self, plan: Plan, orders: int, *, strict: bool = False, piece: Piece | None = None
    ) -> None:
        self.plan, self.strict, self.measure, self.piece = plan, strict, False, piece
        self.books: dict[str, VenueBook] = {}
        self.feeds: dict[str, Feed] = {}
        self.last_ns, self.stopped, self.failed = 0, "", ""
        self.joined = self._joins = np.zeros(0, np.int64)
        self._stack = ExitStack()
        self.read = {venue_of(channel) for channel in plan.channels if channel.feed is not None}
        for channel in (piece.whole if piece is not None else plan).channels:
            feed = channel.feed
            if feed is None or venue_of(channel) in self.books:
                continue
            venue = venue_of(channel)
            sizes = sizes_of_venue(feed, orders) if venue in self.read else UNREAD
            book = VenueBook(sizes, owner=piece.owner if piece is not None else None)
            self._stack.callback(book.close)
            self.feeds[venue], self.books[venue] = feed, book

    block: Block

    def join_as(self, other: VenueRun) -> None:
        """Streams that another run of the same plan found in their middle begin there in this one.

        They are whole then, as if nothing had been said before.
        """
        self._joins = other.joined

    @property
    def joined_late(self) -> int:
        """Streams that begin in their middle by `join_as`."""
        return int(np.count_nonzero(self._joins))

    def _join(self, block: Block) -> None:
        if "streams" in block.sections and len(self._joins):
            streams, late = block["streams"], self._joins > 0
            for field in ("expected", "top"):
                streams[field][late] = self._joins[late]

    def __enter__(self) -> VenueRun:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stack.close()

    @property
    def lines(self) -> Lines | None:
        """What is arbitrated between; the kernel has to be made for it."""
        return lines_of(self.plan)

    def venue_rows(self) -> Mapping[int, int] | None:
        """By channel, the venue's row in a consolidated book; None where there is none."""
        return None

    def memory(self) -> Iterator[Block]:
        """What the kernels may touch beside the state block."""
        for book in self.books.values():
            yield from book.blocks

    def prepare(self, block: Block) -> None:
        """What a fresh loop is told beside its plan."""

    @contextmanager
    def opened(
        self, kernel: Kernel, uri: str, *, burst: int, wait: Wait = Wait.SPIN
    ) -> Iterator[Callable[[int], bool]]:
        """A run that is ready: `step(rounds)` polls so often, and is false when that was all.

        Between two steps the tables grow where they are filling up. Raises PortError where the port
        cannot be opened.
        """
        options = LoopOptions(
            burst_max=1 if self.strict else burst,
            wait=wait,
            default_channel=0 if self.plan.catch_all else NO_CHANNEL,
            command_rounds=0,
            strict=self.strict,
            measure=self.measure,
        )
        channels = [(n, c) for n, c in enumerate(self.plan.channels) if c.feed is not None]
        heads = {number: self.books[venue_of(channel)].address for number, channel in channels}
        with ExitStack() as stack:
            port = stack.enter_context(open_port(uri))
            rows = self.venue_rows()
            block = make_state(self.plan, [port], options, None, 0.0, heads, rows, self.lines)
            stack.callback(block.close)
            self.block = block
            self._join(block)
            self.prepare(block)
            stack.enter_context(allowed(block, *self.memory(), *port.regions))
            grower = Grower(Commands(block), self.books, lambda: self.last_ns, full=FULL)
            stack.callback(grower.settle)

            def step(rounds: int) -> bool:
                block["control"]["round_limit"] = rounds
                kernel.dispatcher(np.uint64(block.address))
                self.last_ns = int(block["control"]["last_timestamp_ns"][0])
                grower.poll()
                return self._goes_on(block)

            yield step
            if "streams" in block.sections:
                self.joined = block["streams"]["joined_at"].copy()
            self._check(port, int(block["links"]["status"][0]))

    def _goes_on(self, block: Block) -> bool:
        control = block["control"][0]
        if int(control["stop"]) == STOP_FAULT:
            found = "; ".join(
                f"{name}: {', '.join(kinds)}" for name, kinds in self.faults().items()
            )
            self.stopped = f"packet {int(control['packets'])}: {found}"
            return False
        return bool(control["open_links"])

    def _check(self, port: Port, status: int) -> None:
        if status == LINK_FAILED or port.stats().rx_errors:
            self.failed = port.last_error or f"{port.uri}: the port failed"
            complain(self.failed)

    def faults(self) -> Mapping[str, dict[str, int]]:
        """Impossible actions by venue."""
        found = {name: book.faults() for name, book in self.books.items()}
        return {name: faults for name, faults in found.items() if faults}
