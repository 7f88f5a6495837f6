"""A venue's feed in a made market: its public events in, its captures out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from feedhandler.symbology import Convention, parse
from simulator.market.manifest import LineFile, VenueMade
from simulator.market.plan import MarketPlan
from simulator.publishing.dialects.dialect import Listing
from simulator.publishing.faults import NO_FAULTS, FaultPlan
from simulator.publishing.lines import Line, LineCapture, capture_path, lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.packets import Packets
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES, VenueFeed

SPELLED_CMS = ("nyse",)  # feeds whose symbols have a space in front of the class


def listings_of(venue: VenueFeed, symbols: list[str]) -> list[Listing]:
    """Instruments in this house's spelling, as a venue lists and spells them."""
    cms = venue.feed.partition("_")[0] in SPELLED_CMS
    made = []
    for symbol in symbols:
        found = parse(symbol, Convention.NASDAQ) if cms else None
        made.append(Listing(found.spell(Convention.CMS) if found else symbol))
    return made


def publisher_of(plan: MarketPlan, name: str, *, retain: int | None = 0) -> Publisher:
    """The publisher of a venue of a plan. retain: messages kept for requests; None: all."""
    venue = VENUES[name]
    listings = listings_of(venue, list(plan.symbols))
    return Publisher(venue, listings, plan.day, seed=plan.seed, retain=retain)


def files_of(lines: Sequence[tuple[Line, Path, LineStream, LineCapture]]) -> list[LineFile]:
    """What ended captures are, a line each."""
    return [
        LineFile(
            name=path.name,
            line=line.name,
            packets=capture.packet_count,
            bytes=path.stat().st_size,
            sha256=hash_of(path),
        )
        for line, path, _, capture in lines
    ]


class CaptureOutlet:
    """The captures of both lines of a venue.

    They are in their places, whole, once `finish` was called; a `with` block that an exception
    leaves before that leaves none behind.

    Attributes:
        publisher: of the venue's feed.
        messages, packets: sent so far, on each line.
    """

    def __init__(
        self, plan: MarketPlan, name: str, folder: Path, faults: FaultPlan = NO_FAULTS
    ) -> None:
        self.name, self.publisher = name, publisher_of(plan, name)
        self.messages = self.packets = 0
        self._stack = ExitStack()
        self._lines = []
        for line in lines_of(self.publisher.venue):
            path = capture_path(folder, line)
            stream = LineStream(line, faults, self.publisher.midnight_ns, plan.seed)
            capture = self._stack.enter_context(LineCapture(path, line))
            self._lines.append((line, path, stream, capture))

    def put(self, packets: Packets) -> None:
        """Sends packets over both lines into their captures."""
        if len(packets) == 0:
            return
        self.messages += packets.message_count
        self.packets += len(packets)
        for _, _, stream, capture in self._lines:
            capture.write(stream.carry(packets))

    def publish(self, events: NDArray[np.void], until_ns: int) -> None:
        """Publishes events, and what leaves before a time when nothing more happens."""
        if len(events):
            self.put(self.publisher.publish(events))
        self.put(self.publisher.heartbeats(until_ns))

    def finish(self) -> VenueMade:
        """Writes what is still on its way and ends the captures; what is in them."""
        for _, _, stream, capture in self._lines:
            capture.write(stream.flush())
        self._stack.close()
        files = files_of(self._lines)
        return VenueMade(
            name=self.name,
            feed=self.publisher.venue.feed,
            messages=self.messages,
            packets=self.packets,
            unsaid=self.publisher.unsaid(),
            files=files,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, value, traceback)


def hash_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
