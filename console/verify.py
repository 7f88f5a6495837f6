"""`sweepwire verify-books`: the books of captures rebuilt with the slow model, and compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from captures import merge_captures
from console.bookplan import TEXT_INSTRUMENTS, book_plan, order_room, venue_of
from console.main import complain
from console.packetplan import packet_actions
from console.plan import Plan
from console.screen import count, table_to_stdout
from feedhandler.actions import KINDS, LEVEL, TOP
from feedhandler.books.compare import differences, everything, order_difference
from feedhandler.books.sizes import sizes_for
from feedhandler.books.slow import SlowBooks
from feedhandler.books.venuebook import VenueBook
from feedhandler.datagrams import datagrams
from feedhandler.feed import Feed

app = typer.Typer(add_completion=False)
SHOWN = 20  # differences that are printed


class Venue:
    """A venue's books of both kinds."""

    def __init__(self, feed: Feed, orders: int) -> None:
        more = {"instruments": TEXT_INSTRUMENTS} if feed.named else {}
        sizes = sizes_for(feed, orders=orders, levels=orders, **more)
        self.book, self.model = VenueBook(sizes), SlowBooks(sizes)
        self.packets = self.actions = self.different = 0

    def take(self, made: NDArray[np.void], every: int) -> Iterator[str]:
        """Applies a packet's actions one by one; gives what differs behind each."""
        self.packets += 1
        for number in range(len(made)):
            one = made[number : number + 1]
            self.book.apply(one)
            self.model.apply(one)
            self.actions += 1
            yield from differences(self.book, self.model, self.model.touched, orders=False)
            kind, order_id = int(one["kind"][0]), int(one["order_id"][0])
            if kind not in (LEVEL, TOP):
                yield from order_difference(self.book, self.model, order_id)
            if self.actions % every == 0:
                yield from everything(self.book, self.model)

    def row(self, name: str) -> tuple[str, ...]:
        """The venue's line of the report."""
        levels = int(self.book.head["live_levels"])
        faults = ", ".join(f"{n} {kind}" for kind, n in self.book.faults().items()) or "none"
        numbers = (self.packets, self.actions, self.book.order_count(), levels)
        return name, *map(count, numbers), faults, count(self.different)


@app.command()
def verify_books(
    files: Annotated[
        list[Path], typer.Argument(help="Captures, merged by time.", exists=True, dir_okay=False)
    ],
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    feed: Annotated[str, typer.Option(help="Every datagram is of this feed.")] = "",
    every: Annotated[
        int, typer.Option(min=1, help="Actions between two comparisons of everything.")
    ] = 20_000,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first impossible action.")
    ] = False,
) -> int:
    """Rebuild the books with a slow plain model and compare them.

    Behind every action: the top and the levels of its instrument and its order. All books every so
    many actions, and at the end. Of lines A and B the first is read. Exit code 1: a difference.
    """
    plan = book_plan(files, channels, feed)
    with ExitStack() as stack:
        venues = {}
        for channel in plan.channels:
            if channel.feed is not None and venue_of(channel) not in venues:
                made = Venue(channel.feed, order_room(files))
                stack.callback(made.book.close)
                venues[venue_of(channel)] = made
        stopped = _follow(files, plan, venues, every, strict)
        columns = "venue >packets >actions >orders >levels faults >differences".split()
        table_to_stdout(columns, [venue.row(name) for name, venue in venues.items()])
    return 1 if stopped or any(venue.different for venue in venues.values()) else 0


def _follow(
    files: list[Path], plan: Plan, venues: dict[str, Venue], every: int, strict: bool
) -> bool:
    """Takes all packets; says whether it stopped at an impossible action."""
    with merge_captures(files) as merged:
        for datagram, name, made in packet_actions(datagrams(merged), plan):
            venue = venues[name]
            _tell(name, venue, datagram.number, list(venue.take(made, every)))
            if strict and venue.book.faults():
                kinds = ", ".join(sorted({KINDS[kind] for kind in made["kind"].tolist()}))
                found = ", ".join(venue.book.faults())
                complain(f"packet {datagram.number}: {name}: {found} (its actions: {kinds})")
                return True
        for name, venue in venues.items():
            _tell(name, venue, 0, everything(venue.book, venue.model))
        for error in merged.errors:
            complain(str(error))
    return False


def _tell(name: str, venue: Venue, packet: int, found: list[str]) -> None:
    for line in found[: max(0, SHOWN - venue.different)]:
        where = f"packet {packet}" if packet else "at the end"
        complain(f"{where}: {name}: {line}")
    venue.different += len(found)
