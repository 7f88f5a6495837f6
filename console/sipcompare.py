"""A tape's national best beside that of the direct feeds: equal for how long, who said it first.

Both are timelines of one side of one instrument: (time, price), price 0 where there is none. Times
are those at which the packets were captured, so both have to be captured at one place by one clock.

Each price that the tape newly says is one of:

| it | when the direct feeds |
|---|---|
| led | say it, since a time within the horizon: the lead is the tape's time less theirs |
| late | said it within the horizon, and by then say something else; it has a lead too |
| settled | say it, for longer than the horizon |
| before | say it within the horizon after the tape: the lead is below 0 |
| never | do none of these: the two disagree |
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise

Timeline = Sequence[tuple[int, int]]
KINDS = ("led", "late", "settled", "before", "never")


@dataclass
class Compared:
    """One side of one instrument, or the sum of several.

    Attributes:
        tape, direct: changes of price.
        led, late, settled, before, never: of the tape's changes, as in the head of this file.
        compared_ns: time during which both had said something.
        equal_ns: of it, during which they said the same.
        longest_ns: the longest stretch without a break in which they did not.
        leads_ns: of led, late and before.
    """

    tape: int = 0
    direct: int = 0
    led: int = 0
    late: int = 0
    settled: int = 0
    before: int = 0
    never: int = 0
    compared_ns: int = 0
    equal_ns: int = 0
    longest_ns: int = 0
    leads_ns: list[int] = field(default_factory=list)

    def add(self, other: Compared) -> None:
        """Takes another side in; the longest stretch is the longer one."""
        for name in (f.name for f in fields(self) if f.name not in ("longest_ns", "leads_ns")):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest_ns = max(self.longest_ns, other.longest_ns)
        self.leads_ns += other.leads_ns

    @property
    def equal_share(self) -> float | None:
        """Share of the compared time in which both said the same; None without such a time."""
        return self.equal_ns / self.compared_ns if self.compared_ns else None

    def lead_at(self, share: float) -> int | None:
        """The lead that this share of all is at or below, ns; None where there is none."""
        if not self.leads_ns:
            return None
        ranked = sorted(self.leads_ns)
        return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def changes_of(said: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """A timeline without what says the same again; of one moment the last counts."""
    made: list[tuple[int, int]] = []
    for time_ns, price in said:
        if made and made[-1][0] == time_ns:
            made.pop()
        if not made or made[-1][1] != price:
            made.append((time_ns, price))
    return made


def compare(
    direct: Iterable[tuple[int, int]], tape: Iterable[tuple[int, int]], end_ns: int, horizon_ns: int
) -> Compared:
    """Compares one side of one instrument.

    Args:
        direct, tape: (time, price) in order of time.
        end_ns: until when the last prices stand.
        horizon_ns: how far apart the same change can be said by both.
    """
    ours, theirs = changes_of(direct), changes_of(tape)
    made = Compared(tape=len(theirs), direct=len(ours))
    starts = [time_ns for time_ns, _ in ours]
    for time_ns, price in theirs:
        kind, lead_ns = _kind(ours, starts, time_ns, price, horizon_ns)
        setattr(made, kind, getattr(made, kind) + 1)
        if lead_ns is not None:
            made.leads_ns.append(lead_ns)
    if ours and theirs:
        _measure(made, ours, theirs, end_ns)
    return made


def _kind(
    ours: Timeline, starts: list[int], time_ns: int, price: int, horizon_ns: int
) -> tuple[str, int | None]:
    """What a price of the tape is, and its lead."""
    at = bisect_right(starts, time_ns) - 1
    if at >= 0 and ours[at][1] == price:
        age_ns = time_ns - starts[at]
        return ("led", age_ns) if age_ns <= horizon_ns else ("settled", None)
    for place in range(at - 1, -1, -1):
        if starts[place + 1] < time_ns - horizon_ns:
            break
        if ours[place][1] == price:
            return "late", time_ns - starts[place]
    for place in range(at + 1, len(ours)):
        if starts[place] > time_ns + horizon_ns:
            break
        if ours[place][1] == price:
            return "before", time_ns - starts[place]
    return "never", None


def _measure(made: Compared, ours: Timeline, theirs: Timeline, end_ns: int) -> None:
    """Adds up the time in which both have said something."""
    start_ns = max(ours[0][0], theirs[0][0])
    moments = {time_ns for line in (ours, theirs) for time_ns, _ in line}
    cuts = sorted({start_ns, end_ns, *(m for m in moments if start_ns < m < end_ns)})
    apart_ns = 0
    at = [bisect_right([t for t, _ in line], start_ns) - 1 for line in (ours, theirs)]
    for now_ns, next_ns in pairwise(cuts):
        for number, line in enumerate((ours, theirs)):
            while at[number] + 1 < len(line) and line[at[number] + 1][0] <= now_ns:
                at[number] += 1
        span_ns = next_ns - now_ns
        made.compared_ns += span_ns
        if ours[at[0]][1] == theirs[at[1]][1]:
            made.equal_ns += span_ns
            apart_ns = 0
        else:
            apart_ns += span_ns
            made.longest_ns = max(made.longest_ns, apart_ns)
