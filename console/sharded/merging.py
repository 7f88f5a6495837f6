"""The results of several loops as those of one run: rows behind each other, events by time.

Parents, children and decisions are numbered on through the shards; what is of an instrument is its
owner's. The digest is that of the shards' digests in their order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from console.runreport.results import Counts, Object, Results, Rows, RunFacts

PARENT, CHILD, DECISION = range(3)
NUMBERS: Final[Mapping[str, Mapping[str, int]]] = {  # what numbers the columns hold
    "sent": {"child": CHILD},
    "child_events": {"child": CHILD},
    "fills": {"child": CHILD},
    "gates": {"parent": PARENT, "child": CHILD},
    "decisions": {"number": DECISION, "parent": PARENT},
    "parent_events": {"parent": PARENT},
    "commands": {},
    "parents": {"first_open": CHILD, "next_active": PARENT, "last_decision": DECISION},
    "children": {
        "parent": PARENT,
        "decision": DECISION,
        "next_sibling": CHILD,
        "last_sibling": CHILD,
        "next_open": CHILD,
        "last_open": CHILD,
    },
}
EVENTS: Final = ("sent", "child_events", "fills", "gates", "parent_events", "commands")
SUMMED_OF_VENUES: Final = (
    "executed",
    "fees",
    "orders",
    "fills",
    "rejects",
    "sent_shares",
    "open_orders",
)
KEPT_OF_ACCOUNTS: Final = ("name", "killed", "unused")


def merged(
    parts: Sequence[Results], names: Sequence[str], owners: Sequence[int], run_name: str
) -> Results:
    """The results of all shards together.

    Args:
        parts: of each, in order.
        names: of the shards.
        owners: the shard of each instrument, by number from 0 on.
        run_name: for headings.
    """
    numbered = _numbered(parts)
    decisions, candidates = _decisions(parts, [each["decisions"] for each in numbered])
    events: dict[str, Any] = {name: _by_time([each[name] for each in numbered]) for name in EVENTS}
    return replace(
        parts[0],
        **events,
        facts=_facts([part.facts for part in parts], names, run_name),
        counts=_counts([part.counts for part in parts]),
        decisions=decisions,
        candidates=candidates,
        parents=np.concatenate([each["parents"] for each in numbered]),
        children=np.concatenate([each["children"] for each in numbered]),
        venues=_venues([part.venues for part in parts]),
        accounts=_accounts([part.accounts for part in parts]),
        instruments=_owned([part.instruments for part in parts], owners),
        positions=_owned([part.positions.T for part in parts], owners).T,
    )


def _numbered(parts: Sequence[Results]) -> list[dict[str, Rows]]:
    """The tables with numbers that go on from shard to shard; 0 stays none."""
    before, made = [0, 0, 0], []
    for part in parts:
        tables: dict[str, Rows] = {}
        for name, columns in NUMBERS.items():
            rows: Rows = getattr(part, name).copy()
            for column, what in columns.items():
                rows[column] += np.where(rows[column] > 0, before[what], 0)
            tables[name] = rows
        made.append(tables)
        made_by = part.decisions["number"], part.children["decision"]
        last = max(int(numbers.max(initial=0)) for numbers in made_by)
        for what, count in ((PARENT, len(part.parents)), (CHILD, len(part.children))):
            before[what] += count
        before[DECISION] += last
    return made


def _order(rows: Rows) -> Any:
    return np.argsort(rows["time_ns"], kind="stable")


def _by_time(tables: Sequence[Rows]) -> Rows:
    together: Rows = np.concatenate(tables)
    ordered: Rows = together[_order(together)]
    return ordered


def _decisions(parts: Sequence[Results], tables: Sequence[Rows]) -> tuple[Rows, Rows]:
    """Decisions by time, and their candidates in the same order."""
    decisions: Rows = np.concatenate(tables)
    candidates: Rows = np.concatenate([part.candidates for part in parts])
    counts = decisions["candidates"]
    starts = np.cumsum(counts) - counts
    order = _order(decisions)
    places = [np.arange(starts[n], starts[n] + counts[n]) for n in order]
    chosen = np.concatenate(places) if places else np.zeros(0, np.int64)
    return decisions[order], candidates[chosen.astype(np.int64)]


def _owned(tables: Sequence[Rows], owners: Sequence[int]) -> Rows:
    """Rows by instrument, each its owner's."""
    made = tables[0].copy()
    for number, owner in enumerate(owners[: len(made)]):
        made[number] = tables[owner][number]
    return made


def _venues(tables: Sequence[Rows]) -> Rows:
    made = tables[0].copy()
    for name in SUMMED_OF_VENUES:
        made[name] = sum(rows[name] for rows in tables)
    made["tier"] = np.max([rows["tier"] for rows in tables], axis=0)
    made["rtt_ns"] = np.max([rows["rtt_ns"] for rows in tables], axis=0)
    made["down"] = np.bitwise_and.reduce([rows["down"] for rows in tables])
    return made


def _accounts(tables: Sequence[Rows]) -> Rows:
    made = tables[0].copy()
    for name in made.dtype.names or ():
        if name not in KEPT_OF_ACCOUNTS:
            made[name] = sum(rows[name] for rows in tables)
    made["killed"] = np.max([rows["killed"] for rows in tables], axis=0)
    return made


def _counts(parts: Sequence[Counts]) -> Counts:
    digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    said = {"sha256", "first_ns", "last_ns"}
    sums = {
        field.name: sum(getattr(part, field.name) for part in parts)
        for field in fields(Counts)
        if field.name not in said
    }
    firsts = [part.first_ns for part in parts if part.first_ns]
    last_ns = max(part.last_ns for part in parts)
    return Counts(sha256=digest, first_ns=min(firsts, default=0), last_ns=last_ns, **sums)


def _facts(parts: Sequence[RunFacts], names: Sequence[str], run_name: str) -> RunFacts:
    notes = list(dict.fromkeys(note for part in parts for note in part.notes))
    notes.append(f"{len(parts)} loops, their counters together: {', '.join(names)}.")
    notes.append("The digest is that of the loops' digests, in this order.")
    marks: dict[int, int] = {}
    for part in parts:
        marks |= part.marks
    return replace(
        parts[0],
        name=run_name,
        packets=max(part.packets for part in parts),
        messages=sum(part.messages for part in parts),
        elapsed_s=max(part.elapsed_s for part in parts),
        stages=_stages([part.stages for part in parts]),
        feed=_feed([part.feed for part in parts if part.feed is not None], names),
        books=_books([part.books for part in parts]),
        marks=marks,
        notes=tuple(notes),
        failed="; ".join(dict.fromkeys(part.failed for part in parts if part.failed)),
        interrupted=any(part.interrupted for part in parts),
    )


def _stages(parts: Sequence[Mapping[str, Rows]]) -> dict[str, Rows]:
    """Histograms added up."""
    made: dict[str, Rows] = {}
    for stages in parts:
        for name, row in stages.items():
            if name not in made:
                made[name] = row.copy()
                continue
            for field in ("count", "total", "buckets"):
                made[name][field] += row[field]
            made[name]["maximum"] = max(made[name]["maximum"], row["maximum"])
    return made


def _books(parts: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, dict[str, int]]:
    made: dict[str, dict[str, int]] = {}
    for books in parts:
        for venue, counters in books.items():
            of = made.setdefault(venue, {})
            for name, number in counters.items():
                of[name] = of.get(name, 0) + number
    return made


def _feed(parts: Sequence[Object], names: Sequence[str]) -> Object | None:
    """Snapshots side by side: links, channels and lines are called by their shard, too."""
    if not parts:
        return None
    made: Object = dict(parts[0])
    for key in ("links", "channels", "lines"):
        made[key] = [
            {**row, "name": f"{name}: {row['name']}"}
            for name, part in zip(names, parts, strict=True)
            for row in part[key]
        ]
    for key in ("feeds", "actions"):
        made[key] = dict(sum((Counter(part[key]) for part in parts), Counter()))
    for key in ("packets", "messages", "bytes", "rounds", "idle_rounds"):
        made[key] = sum(part[key] for part in parts)
    made["elapsed_s"] = max(part["elapsed_s"] for part in parts)
    return made
