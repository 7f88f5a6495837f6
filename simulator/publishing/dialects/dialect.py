"""A protocol as a venue speaks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedhandler.wire.acts import Rows
from simulator.publishing.forms import Said


@dataclass(frozen=True)
class Listing:
    """An instrument at a venue; its number is its place in the list, from 1.

    Attributes:
        symbol: as the venue writes it.
        round_lot: shares.
        decimals: of its prices, where the scale comes with the symbol.
    """

    symbol: str
    round_lot: int = 100
    decimals: int = 4


@dataclass(frozen=True)
class Moment:
    """When the day begins or ends.

    Attributes:
        time_ns: epoch.
        midnight_ns: the venue's midnight, epoch.
        listings: by number from 1 on, those of one unit.
    """

    time_ns: int
    midnight_ns: int
    listings: Sequence[tuple[int, Listing]]


@dataclass(frozen=True)
class Dialect:
    """What a protocol's venues say.

    Attributes:
        rows: the decoder's.
        messages: sent on an event, preferred ones first.
        opening: messages that begin the day: system events, the directory.
        closing: messages that end it.
        most_messages: that the count in the packet header can hold.
        closes_each: whether the day ends with a state of every instrument.
    """

    rows: Rows
    messages: tuple[Said, ...]
    opening: Callable[[Moment], list[bytes]]
    closing: Callable[[Moment], list[bytes]]
    most_messages: int = 65_534
    closes_each: bool = False


def nothing(_: Moment) -> list[bytes]:
    """For protocols whose day has no end of its own."""
    return []
