"""A tape beside the direct feeds, the slow way: each stretch of one with each of the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

NEVER_ENDS = 1 << 62


class Stretch(NamedTuple):
    """A price that stands from a time until another."""

    start_ns: int
    end_ns: int
    price: int


def stretches(said: Iterable[tuple[int, int]], end_ns: int = NEVER_ENDS) -> list[Stretch]:
    """The prices that stood, neighbours with the same price put together."""
    made: list[Stretch] = []
    for time_ns, price in said:
        if made and made[-1].price == price:
            continue
        if made:
            made[-1] = made[-1]._replace(end_ns=time_ns)
        made.append(Stretch(time_ns, end_ns, price))
    return [one for one in made if one.start_ns != one.end_ns]


def kind_of(ours: list[Stretch], said: Stretch, horizon_ns: int) -> tuple[str, int | None]:
    """What a price of the tape is, and its lead."""
    time_ns = said.start_ns
    same = [one for one in ours if one.price == said.price]
    for one in same:
        if one.start_ns <= time_ns < one.end_ns:
            age_ns = time_ns - one.start_ns
            return ("led", age_ns) if age_ns <= horizon_ns else ("settled", None)
    gone = [one for one in same if time_ns - horizon_ns <= one.end_ns <= time_ns]
    if gone:
        return "late", time_ns - max(one.start_ns for one in gone)
    coming = [one for one in same if time_ns < one.start_ns <= time_ns + horizon_ns]
    if coming:
        return "before", time_ns - min(one.start_ns for one in coming)
    return "never", None


def overlaps(ours: list[Stretch], theirs: list[Stretch]) -> list[tuple[int, int, bool]]:
    """(from, until, equal) of all times at which both say something, in order."""
    made = []
    for one in ours:
        for other in theirs:
            start, end = max(one.start_ns, other.start_ns), min(one.end_ns, other.end_ns)
            if start < end:
                made.append((start, end, one.price == other.price))
    return sorted(made)


def slow_compare(
    direct: list[tuple[int, int]], tape: list[tuple[int, int]], end_ns: int, horizon_ns: int
) -> dict[str, Any]:
    """The numbers of one side of one instrument."""
    ours, theirs = stretches(direct), stretches(tape)
    made: dict[str, Any] = dict.fromkeys(("led", "late", "settled", "before", "never"), 0)
    leads = []
    for said in theirs:
        kind, lead = kind_of(ours, said, horizon_ns)
        made[kind] += 1
        leads += [] if lead is None else [lead]
    both = overlaps(stretches(direct, end_ns), stretches(tape, end_ns))
    made["tape_changes"], made["direct_changes"] = len(theirs), len(ours)
    made["compared_ns"] = sum(end - start for start, end, _ in both)
    made["equal_ns"] = sum(end - start for start, end, equal in both if equal)
    apart = longest = 0
    for start, end, equal in both:
        apart = 0 if equal else apart + end - start
        longest = max(longest, apart)
    made["longest_apart_ns"] = longest
    leads.sort()
    for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1.0)):
        place = min(len(leads) - 1, int(share * len(leads)))
        made[f"lead_{name}_ns"] = leads[place] if leads else None
    return made
