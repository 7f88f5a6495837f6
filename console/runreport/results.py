"""What a run left behind, as arrays: the input of every table, page and file of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console.runreport.beside import Beside, beside
from console.runreport.names import Names
from console.sipsaid import TapesSeen
from feedhandler.contracts import Contract

Object = dict[str, Any]
Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the caller knows of a run beside the router's tables and log.

    Attributes:
        name: what was run, for headings.
        packets, messages: that the feed handler was given.
        elapsed_s: of wall time.
        stages: rows of HISTOGRAM_DTYPE by stage, in cycles; "total" is tick-to-order.
        tick_hz: cycles a second.
        feed: a snapshot of the feed handler's counters (console.snapshot), where there is one.
        books: by venue, counters of its books: what, how many.
        marks: by instrument, the midpoint at the end, in 1e-8.
        tapes: national bests as tapes and direct feeds said them, where tapes were read.
        contracts: of the futures that parents are in, by symbol.
        notes: lines to print above all else: say, what of the run is simulated.
        failed: why the captures ended early; empty: they did not.
        interrupted: whether somebody ended it.
    """

    name: str = "run"
    packets: int = 0
    messages: int = 0
    elapsed_s: float = 0.0
    stages: Mapping[str, Rows] = field(default_factory=dict)
    tick_hz: float = 0.0
    feed: Object | None = None
    books: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    marks: Mapping[int, int] = field(default_factory=dict)
    tapes: TapesSeen | None = None
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    failed: str = ""
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Counters: those of the log's reader, then those of the router's head."""

    records: int
    lost: int
    first_ns: int
    last_ns: int
    sha256: str
    orders: int
    messages: int
    fills: int
    stopped: int
    refused: int
    impossible: int
    over_fills: int
    repeated: int
    orphans: int
    full: int
    unanswered: int = 0
    trips: int = 0


@dataclass(frozen=True)
class Results:
    """A finished run. Arrays are structured; times in ns, prices and money in 1e-8.

    Attributes:
        sent, child_events, fills, gates, decisions, candidates, parent_events, commands: the log;
            the candidates of all decisions stand behind each other.
        parents, children: the tables' rows 1 and up.
        venues, accounts, instruments, positions: the tables.
    """

    facts: RunFacts
    names: Names
    counts: Counts
    sent: Rows
    child_events: Rows
    fills: Rows
    gates: Rows
    decisions: Rows
    candidates: Rows
    parent_events: Rows
    commands: Rows
    parents: Rows
    children: Rows
    venues: Rows
    accounts: Rows
    instruments: Rows
    positions: Rows

    @cached_property
    def fill_children(self) -> Rows:
        """The child of each fill, a row a fill."""
        return self.children_of(self.fills["child"])

    @cached_property
    def candidate_decisions(self) -> NDArray[np.int64]:
        """The place among the decisions of each candidate's."""
        return np.repeat(np.arange(len(self.decisions)), self.decisions["candidates"])

    @cached_property
    def beside_tapes(self) -> list[tuple[str, int, Beside]]:
        """(tape, instrument, measures): tapes beside direct feeds; empty where no tape was read."""
        return [] if self.facts.tapes is None else list(beside(self.children, self.facts.tapes))

    def children_of(self, numbers: NDArray[np.int64]) -> Rows:
        """The rows of children by number; of numbers that are none all zero, at venue -1."""
        padded = np.concatenate([np.zeros(1, self.children.dtype), self.children])
        padded["venue"][0] = -1
        there = (numbers > 0) & (numbers < len(padded))
        return padded[np.where(there, numbers, 0)]

    def mark(self, instrument: int) -> int:
        """The price to value an instrument at: the midpoint, else the last trade; 0: none."""
        return self.facts.marks.get(instrument, 0) or int(self.instruments[instrument]["last"])
