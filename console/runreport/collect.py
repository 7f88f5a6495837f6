"""Takes the log while a run goes on, and what the tables say once it is over."""

from __future__ import annotations

import hashlib
import struct
from array import array
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from console.runreport.names import Names, table_names
from console.runreport.results import Counts, Results, RunFacts
from router import log
from router.log import CANDIDATE_DTYPE, LINE_BYTES
from router.logreader import Record
from router.tablespace import RouterTables

# Columns of what is kept of each kind of record; all are i8.
SENT: Final = "time_ns session child kind bytes token venue".split()
CHILD: Final = "time_ns child event before after quantity price code".split()
FILL: Final = "time_ns child shares price fee execution liquidity".split()
GATE: Final = "time_ns parent child reason quantity price venue kind seen allowed".split()
DECISION: Final = "time_ns number parent style quantity limit candidates".split()
PARENT: Final = "time_ns parent event before after executed open reason".split()
COMMAND: Final = "time_ns kind taken about first second third".split()
CANDIDATE: Final = tuple(CANDIDATE_DTYPE.names or ())
SENT_LEAD: Final = struct.Struct("<4q")
STATE_BITS: Final = 8
STATE_MASK: Final = (1 << STATE_BITS) - 1


class Columns:
    """Rows of integers, 8 bytes a value, that can grow."""

    def __init__(self, names: list[str] | tuple[str, ...]) -> None:
        self._dtype = np.dtype([(name, "i8") for name in names])
        self._values: array[int] = array("q")

    def add(self, *row: int) -> None:
        """Adds a row, a value a column."""
        self._values.extend(row)

    def add_bytes(self, rows: bytes) -> None:
        """Adds rows that are laid out already, little-endian."""
        self._values.frombytes(rows)

    def table(self) -> NDArray[np.void]:
        """A copy of all rows, as a structured array."""
        return np.array(self._values, np.int64).view(self._dtype)


class Collector:
    """The consumer of a router's log.

    Args:
        tables: of the router; read when the run is over.
        names: of what is in them.

    The digest of the order stream is the SHA-256 over all messages sent, in order: of each the time
    in ns, the session, the kind of intent and the length as little-endian 64-bit integers, and then
    the bytes.
    """

    def __init__(self, tables: RouterTables, names: Names) -> None:
        self._tables, self._names = tables, names
        self._digest = hashlib.sha256()
        self._records = 0
        self._first_ns = self._last_ns = 0
        self._sent, self._children, self._fills = Columns(SENT), Columns(CHILD), Columns(FILL)
        self._gates, self._decisions = Columns(GATE), Columns(DECISION)
        self._candidates, self._parents = Columns(CANDIDATE), Columns(PARENT)
        self._commands = Columns(COMMAND)
        self._take = {
            log.SENT: self._take_sent,
            log.CHILD: self._take_child,
            log.FILL: self._take_fill,
            log.GATE: self._take_gate,
            log.DECISION: self._take_decision,
            log.PARENT: self._take_parent,
            log.COMMAND: self._take_command,
        }

    def drain(self) -> int:
        """Takes what has been logged since; the number of records.

        To be called between steps of the loop, or beside it by one thread, often enough that the
        log does not fill up.
        """
        before = self._records
        for record in self._tables.log.read():
            self._records += 1
            self._last_ns = record.time_ns
            self._first_ns = self._first_ns or record.time_ns
            take = self._take.get(record.kind)
            if take is not None:
                take(record)
        return self._records - before

    def _take_sent(self, record: Record) -> None:
        session, child, kind, length, token, venue = record.words
        self._digest.update(SENT_LEAD.pack(record.time_ns, session, kind, length))
        self._digest.update(record.more[:length])
        self._sent.add(record.time_ns, session, child, kind, length, token, venue)

    def _take_child(self, record: Record) -> None:
        child, event, states, quantity, price, code = record.words
        before, after = states >> STATE_BITS, states & STATE_MASK
        self._children.add(record.time_ns, child, event, before, after, quantity, price, code)

    def _take_fill(self, record: Record) -> None:
        self._fills.add(record.time_ns, *record.words)

    def _take_gate(self, record: Record) -> None:
        parent, child, reason, quantity, price, where = record.words
        seen, allowed = struct.unpack_from("<2q", record.more)
        venue, kind = where & STATE_MASK, where >> STATE_BITS
        row = parent, child, reason, quantity, price, venue, kind, seen, allowed
        self._gates.add(record.time_ns, *row)

    def _take_decision(self, record: Record) -> None:
        *words, said = record.words
        there = min(said, len(record.more) // LINE_BYTES)
        self._decisions.add(record.time_ns, *words, there)
        self._candidates.add_bytes(record.more[: LINE_BYTES * there])

    def _take_parent(self, record: Record) -> None:
        parent, event, states, executed, still_open, reason = record.words
        before, after = states >> STATE_BITS, states & STATE_MASK
        row = parent, event, before, after, executed, still_open, reason
        self._parents.add(record.time_ns, *row)

    def _take_command(self, record: Record) -> None:
        self._commands.add(record.time_ns, *record.words)

    def finish(self, facts: RunFacts) -> Results:
        """Takes the rest of the log and a copy of the tables, which may be closed then."""
        self.drain()
        tables, names = self._tables, self._names
        names = replace(
            names,
            venues=names.venues or table_names(tables.venues),
            accounts=names.accounts or table_names(tables.accounts),
        )
        return Results(
            facts=facts,
            names=names,
            counts=self._counts(),
            sent=self._sent.table(),
            child_events=self._children.table(),
            fills=self._fills.table(),
            gates=self._gates.table(),
            decisions=self._decisions.table(),
            candidates=self._candidates.table(),
            parent_events=self._parents.table(),
            commands=self._commands.table(),
            parents=tables.used_parents.copy(),
            children=tables.used_children.copy(),
            venues=tables.venues.copy(),
            accounts=tables.accounts.copy(),
            instruments=tables.instruments.copy(),
            positions=tables.positions.copy(),
        )

    def _counts(self) -> Counts:
        head: Any = self._tables.head
        return Counts(
            records=self._records,
            lost=self._tables.log.lost,
            first_ns=self._first_ns,
            last_ns=self._last_ns,
            sha256=self._digest.hexdigest(),
            orders=int(head["order_count"]),
            messages=int(head["message_count"]),
            fills=int(head["fill_count"]),
            stopped=int(head["reject_count"]),
            refused=int(head["refused_count"]),
            impossible=int(head["impossible_count"]),
            over_fills=int(head["over_fill_count"]),
            repeated=int(head["repeated_count"]),
            orphans=int(head["orphan_count"]),
            full=int(head["full_count"]),
            unanswered=int(head["unanswered_count"]),
            trips=int(head["trip_count"]),
        )
