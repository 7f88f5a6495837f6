"""Captures through the loop with books, up to a moment."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numba import types

from captures import merge_captures
from console.bookplan import order_room, sizes_of_venue, venue_of
from console.compiling import Kernel, compile_all
from console.loops import make_state
from console.main import complain
from console.plan import Plan, replay_uri
from feedhandler import specialise
from feedhandler.books.venuebook import VenueBook
from feedhandler.channels import NO_CHANNEL
from feedhandler.feed import Feed
from feedhandler.lines.layout import LINE_NAMES
from feedhandler.lines.setup import Lines
from feedhandler.stateblock import LoopOptions
from nic.port import open_port
from nic.regions import allowed


class BookRun:
    """The books of all venues of a plan.

    Attributes:
        books: by venue, in the order of the plan.
        feeds: by venue.
        last_ns: time of the last packet, epoch.
    """

    def __init__(self, plan: Plan, files: Sequence[Path]) -> None:
        self._plan, self._files = plan, files
        self.books: dict[str, VenueBook] = {}
        self.feeds: dict[str, Feed] = {}
        self.last_ns = 0
        orders = order_room(files)
        for channel in plan.channels:
            feed, name = channel.feed, venue_of(channel)
            if feed is None or name in self.books:
                continue
            self.feeds[name] = feed
            self.books[name] = VenueBook(sizes_of_venue(feed, orders))

    def __enter__(self) -> BookRun:
        return self

    def __exit__(self, *_exception: object) -> None:
        for book in self.books.values():
            book.close()

    def run(self, until_ns: int | None = None) -> None:
        """Replays the captures, to the last packet that was received by then."""
        packets = None if until_ns is None else self._packets_until(until_ns)
        if packets == 0:
            return
        kernel = specialise.build(self._plan.feeds, books=True, lines=True)
        names = ", ".join(self.feeds)
        compile_all([Kernel(f"the loop with books for {names}", kernel, (types.uint64,))])
        options = LoopOptions(
            burst_max=64 if packets is None else 1,
            round_limit=packets or 0,
            default_channel=0 if self._plan.catch_all else NO_CHANNEL,
        )
        heads = {
            number: self.books[venue_of(channel)].address
            for number, channel in enumerate(self._plan.channels)
        }
        with ExitStack() as stack:
            port = stack.enter_context(open_port(replay_uri(self._files)))
            block = make_state(self._plan, [port], options, None, 0.0, heads, None, self._lines())
            stack.callback(block.close)
            memory = [part for book in self.books.values() for part in book.blocks]
            stack.enter_context(allowed(block, *memory, *port.regions))
            kernel(np.uint64(block.address))  # type: ignore[arg-type]
            self.last_ns = int(block["control"]["last_timestamp_ns"][0])
            if port.stats().rx_errors:
                complain(port.last_error or f"{port.uri}: the port failed")

    def _lines(self) -> Lines:
        """Every channel in order and without repeats; those of one name and feed together."""
        streams: dict[int, tuple[int, int]] = {}
        numbers: dict[tuple[str, str], int] = {}
        for number, channel in enumerate(self._plan.channels):
            if channel.feed is not None:
                key = channel.name, channel.feed.full_name
                stream = numbers.setdefault(key, len(numbers))
                streams[number] = stream, LINE_NAMES.index(channel.line)
        return Lines(streams)

    def _packets_until(self, until_ns: int) -> int:
        """How many packets of the captures, merged by time, are not later."""
        count = 0
        with merge_captures(self._files) as merged:
            for chunk in merged.packets(4096):
                early = chunk["packet"]["timestamp_ns"] <= until_ns
                if not early.all():
                    return count + int(np.argmin(early))
                count += len(chunk)
        return count
