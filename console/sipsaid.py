"""National bests as direct feeds and tapes said them: plain values, a line of time a side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

SIDES: Final = ("bid", "offer")
HORIZON_NS: Final = 1_000_000_000


class Said(NamedTuple):
    """One side of a national best from a moment on.

    Attributes:
        time_ns: when the packet was captured.
        price: 1e-8 units; 0: there is none.
        size: direct feeds: shares of all venues at the price; tapes: as they count.
        venues: how many show it together; a tape names one.
    """

    time_ns: int
    price: int
    size: int
    venues: int = 1


Timelines = dict[tuple[int, str], list[Said]]  # by (instrument, side)


def prices_of(line: Iterable[Said]) -> list[tuple[int, int]]:
    """(time, price), as `console.sipcompare` takes them."""
    return [(said.time_ns, said.price) for said in line]


def instruments_of(tapes: Mapping[str, Timelines]) -> set[int]:
    """Numbers of all instruments that some tape speaks of."""
    return {number for lines in tapes.values() for number, _ in lines}


@dataclass(frozen=True)
class TapesSeen:
    """What a run heard of national bests, from direct feeds and from tapes.

    Attributes:
        direct: of the consolidated book.
        tapes: by the tape's name.
        lots: shares in a round lot by instrument.
        end_ns: time of the last packet.
        horizon_ns: how far apart the same change can be said by both.
        lost: changes of the direct feeds that found no room.
    """

    direct: Timelines
    tapes: Mapping[str, Timelines]
    lots: Mapping[int, int]
    end_ns: int
    horizon_ns: int = HORIZON_NS
    lost: int = 0
