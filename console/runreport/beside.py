"""The national best of tapes beside that of direct feeds, and what our orders would have seen.

Of each symbol on a tape the time from when both had said something is divided among these, the
first that fits:

| it | when |
|---|---|
| crossed | one of both is locked or crossed and the other is not |
| missing | one has a side that the other has not |
| price | a price differs |
| size | prices are the same, and the tape's size is that of no venue at the price |
| equal | none of these |

Direct feeds add up all venues at a price and a tape names the largest, in shares or in round lots:
a size fits when it can be that of the largest, in one of the two countings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from console.sipcompare import Compared, compare
from console.sipsaid import SIDES, Said, TapesSeen, Timelines, prices_of
from feedhandler.actions import BUY

EQUAL, SIZE, PRICE, MISSING, CROSSED = "equal", "size", "price", "missing", "crossed"
APART: Final = (PRICE, SIZE, MISSING, CROSSED)
SAME, WORSE, BETTER, UNSEEN = "same", "worse", "better", "unseen"
SEEN: Final = (SAME, WORSE, BETTER, UNSEEN)
BPS: Final = 10_000.0
NOTHING: Final = Said(0, 0, 0)
Quote = tuple[Said, Said]


class Looked(NamedTuple):
    """What stood where one of our orders was decided.

    Attributes:
        child: its number.
        time_ns: of the decision.
        tape: its name.
        instrument, side, quantity: of the order.
        direct, national: bid and offer of the direct feeds and of the tape.
    """

    child: int
    time_ns: int
    tape: str
    instrument: int
    side: int
    quantity: int
    direct: Quote
    national: Quote

    @property
    def far(self) -> tuple[int, int]:
        """Prices of the side that it could take: the direct feeds', the tape's."""
        place = 1 if self.side == BUY else 0
        return self.direct[place].price, self.national[place].price

    @property
    def word(self) -> str:
        """Of SEEN: how the tape's far side was for the order beside the direct feeds'."""
        ours, theirs = self.far
        if not ours or not theirs:
            return SAME if ours == theirs else UNSEEN
        if ours == theirs:
            return SAME
        return WORSE if (theirs > ours) == (self.side == BUY) else BETTER

    @property
    def worse_bps(self) -> float | None:
        """By how much the tape's far side was worse, in bps of the direct feeds'; None: unseen."""
        ours, theirs = self.far
        if not ours or not theirs:
            return None
        return (theirs - ours) / ours * BPS * (1 if self.side == BUY else -1)


@dataclass
class Beside:
    """One symbol of one tape, or several.

    Attributes:
        compared: prices of both sides.
        spans_ns: time by kind: EQUAL and APART.
        times: how often each kind of disagreement began.
        looked: at our orders' decisions.
    """

    compared: Compared = field(default_factory=Compared)
    spans_ns: dict[str, int] = field(default_factory=lambda: dict.fromkeys((EQUAL, *APART), 0))
    times: dict[str, int] = field(default_factory=lambda: dict.fromkeys(APART, 0))
    looked: list[Looked] = field(default_factory=list)

    def add(self, other: Beside) -> None:
        """Takes another symbol in."""
        self.compared.add(other.compared)
        for mine, theirs in ((self.spans_ns, other.spans_ns), (self.times, other.times)):
            for kind, value in theirs.items():
                mine[kind] += value
        self.looked += other.looked


def fits(direct: Said, national: Said, lot: int) -> bool:
    """Whether a tape's size can be that of the largest venue at the price."""
    for unit in (1, lot):
        size = national.size * unit
        if size <= direct.size and (size + lot) * max(1, direct.venues) > direct.size:
            return True
    return False


def crossed(quote: Quote) -> bool:
    """Whether both sides are there and locked or crossed."""
    return bool(quote[0].price and quote[1].price and quote[0].price >= quote[1].price)


def kind_of(direct: Quote, national: Quote, lot: int) -> str:
    """Which of the kinds two quotes are."""
    pairs = list(zip(direct, national, strict=True))
    if crossed(direct) != crossed(national):
        return CROSSED
    if any((ours.price == 0) != (theirs.price == 0) for ours, theirs in pairs):
        return MISSING
    if any(ours.price != theirs.price for ours, theirs in pairs):
        return PRICE
    return EQUAL if all(fits(a, b, lot) for a, b in pairs if a.price) else SIZE


class Walk:
    """The quotes of one instrument by time; times may only go forward."""

    def __init__(self, lines: Timelines, instrument: int) -> None:
        self._lines = [lines.get((instrument, side), []) for side in SIDES]
        self._times = [[said.time_ns for said in line] for line in self._lines]

    @property
    def moments(self) -> set[int]:
        """When something is said."""
        return {time_ns for times in self._times for time_ns in times}

    def at(self, time_ns: int) -> Quote:
        """What stands at a time; of what was said then, the last."""
        found = []
        for line, times in zip(self._lines, self._times, strict=True):
            place = bisect_right(times, time_ns) - 1
            found.append(line[place] if place >= 0 else NOTHING)
        return found[0], found[1]


def measured(made: Beside, direct: Walk, tape: Walk, lot: int, end_ns: int) -> None:
    """Divides the time in which both have said something."""
    ours, theirs = direct.moments, tape.moments
    if not ours or not theirs:
        return
    start_ns = max(min(ours), min(theirs))
    cuts = sorted({start_ns, end_ns, *(m for m in ours | theirs if start_ns < m < end_ns)})
    before = ""
    for now_ns, next_ns in pairwise(cuts):
        kind = kind_of(direct.at(now_ns), tape.at(now_ns), lot)
        made.spans_ns[kind] += next_ns - now_ns
        if kind != before and kind != EQUAL:
            made.times[kind] += 1
        before = kind


def sent_by_instrument(children: NDArray[np.void]) -> Mapping[int, list[tuple[int, Any]]]:
    """Number and row of all orders that were sent."""
    made: dict[int, list[tuple[int, Any]]] = {}
    for number, row in enumerate(children, 1):
        if row["sent_ns"]:
            made.setdefault(int(row["instrument"]), []).append((number, row))
    return made


def beside(children: NDArray[np.void], seen: TapesSeen) -> Iterator[tuple[str, int, Beside]]:
    """(tape, instrument, measures) of all symbols on tapes; `children`: rows of all orders."""
    orders = sent_by_instrument(children)
    for tape, lines in seen.tapes.items():
        for instrument in sorted({number for number, _ in lines}):
            made, lot = Beside(), seen.lots.get(instrument, 1)
            for side in SIDES:
                place = instrument, side
                if place in lines:
                    pair = (prices_of(seen.direct.get(place, [])), prices_of(lines[place]))
                    made.compared.add(compare(*pair, seen.end_ns, seen.horizon_ns))
            direct, national = Walk(seen.direct, instrument), Walk(lines, instrument)
            measured(made, direct, national, lot, seen.end_ns)
            for number, row in orders.get(instrument, []):
                time_ns = int(row["made_ns"])
                of = tape, instrument, int(row["side"]), int(row["quantity"])
                quotes = direct.at(time_ns), national.at(time_ns)
                made.looked.append(Looked(number, time_ns, *of, *quotes))
            yield tape, instrument, made
