"""A small run whose every number can be worked out by hand, written as the loop would write it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numba import njit

from console.runreport.collect import Collector
from console.runreport.names import CandidateNames, Names
from console.runreport.results import Results, RunFacts
from feedhandler.actions import BUY, SELL
from nic.histogram import HISTOGRAM_DTYPE
from nic.raw import load_u64le, store_u64le
from nic.regions import allowed
from router import log
from router.log import claim, publish
from router.tables import (
    ADDED,
    AT_MIDPOINT,
    CANCEL,
    DARK,
    DARK_FIRST,
    ENTER,
    IOC,
    ISO,
    REMOVED,
    REPLACE,
    SWEEP,
    TAKE,
    TAKES,
    TWAP,
)
from router.tablespace import RouterTables, Sizes

ONE = 10**8
START_NS = 1_709_303_400_000_000_000
STATES = ("none", "new", "live", "filled", "canceled", "rejected")
NEW, LIVE, FILLED, CANCELED, REJECTED = range(1, 6)
REASONS = ("passed", "order too large", "account killed", "price collar")
ARCA, BX, DARK1 = range(3)
VENUES = (b"arca", b"<bx>&", b"dark1")


@njit(nogil=True, cache=True)
def log_record(address, kind, lines, time_ns, rest):
    """A record whose words behind the time stand at `rest`; False where there is no room."""
    line = claim(address, kind, lines, time_ns)
    if line == 0:
        return False
    for word in range(8 * lines - 2):
        store_u64le(line + 16 + 8 * word, load_u64le(rest + 8 * word))
    publish(address, lines)
    return True


def units(value: float) -> int:
    """Currency units as the tables have them."""
    return round(value * ONE)


def set_row(row: Any, **fields: Any) -> None:
    """Sets fields of a row."""
    for name, value in fields.items():
        row[name] = value


class Run:
    """Tables and a log to write a run into."""

    def __init__(self, log_lines: int = 1024) -> None:
        sizes = Sizes(
            accounts=2, venues=4, instruments=4, parents=8, children=64, tokens=64, intents=8,
            timers=8, executions=64, log_lines=log_lines,
        )  # fmt: skip
        self.tables = RouterTables(sizes)
        self.time_ns = START_NS

    def record(self, kind: int, *words: int, more: bytes = b"") -> bool:
        """Logs a record, a microsecond behind the one before."""
        self.time_ns += 1000
        more += bytes(-len(more) % 64)
        raw = np.array(words, np.int64).tobytes() + more
        rest = np.frombuffer(raw, np.uint8).copy()
        lines = 1 + len(more) // 64
        address = self.tables.block.section_address("log")
        with allowed(self.tables.block, rest):
            return bool(log_record(address, kind, lines, self.time_ns, rest.ctypes.data))

    def sent(self, child: int, venue: int, message: bytes, kind: int = ENTER) -> None:
        """Logs a message to a venue; its session is the venue's number, its token 100 + child."""
        words = venue, child, kind, len(message), 100 + child, venue
        self.record(log.SENT, *words, more=message)

    def decision(self, number: int, parent: int, style: int, quantity: int, seen: Any) -> None:
        """Logs a decision with a limit of 10.05 and its candidates."""
        more = b"".join(np.array(one, np.int64).tobytes() for one in seen)
        words = number, parent, style, quantity, units(10.05), len(seen)
        self.record(log.DECISION, *words, more=more)


def fill_tables(tables: RouterTables) -> None:
    """The rows of the small run."""
    for number, name in enumerate(VENUES):
        tables.venues[number]["name"] = name
    tables.venues[DARK1]["dark"], tables.venues[ARCA]["rejects"] = 1, 1
    set_row(tables.accounts[1], name=b"desk", orders=5, fills=5, fees=units(1.3))
    set_row(tables.instruments[1], volume=9000, notional=units(90_400), last=units(10.09))
    set_row(tables.instruments[2], volume=1000, notional=units(19_970), last=units(19.95))
    _fill_parents(tables)
    _fill_children(tables)
    bought = {"shares": 600, "cost": units(6007), "fees": units(0.9), "bought": 600}
    set_row(tables.positions[1, 1], **bought)
    short = {"shares": -200, "cost": units(-3996), "fees": units(0.4), "sold": 200}
    set_row(tables.positions[1, 2], **short)
    set_row(
        tables.head, order_count=5, message_count=7, fill_count=5, reject_count=2, refused_count=1,
        parent_count=3, child_count=5,
    )  # fmt: skip


def _fill_parents(tables: RouterTables) -> None:
    whose = {"account": 1, "instrument": 1}
    set_row(
        tables.parents[1], name=b"first", state=FILLED, side=BUY, quantity=1000, limit=units(10.05),
        strategy=SWEEP, arrived_ns=START_NS, ended_ns=START_NS + 2_000_000, arrival=units(10),
        arrival_volume=5000, arrival_notional=units(50_000), closing=units(10.10),
        closing_volume=7000, closing_notional=units(70_060), cum=600, notional=units(6007),
        fees=units(0.9), children=4, rejects=1, **whose,
    )  # fmt: skip
    set_row(
        tables.parents[2], name=b"second", state=LIVE, account=1, instrument=2, side=SELL,
        quantity=500, strategy=TWAP, arrived_ns=START_NS, arrival=units(20), cum=200,
        notional=units(3996), fees=units(0.4), children=1, rejects=1,
    )  # fmt: skip
    set_row(tables.parents[3], side=BUY, quantity=100, state=LIVE, arrived_ns=START_NS, **whose)


def _fill_children(tables: RouterTables) -> None:
    rows = tables.children
    first = {"parent": 1, "account": 1, "instrument": 1, "side": BUY, "sent_ns": START_NS + 10}
    sweep = {"tif": IOC, "flags": ISO | TAKES, "decision": 1, "made_ns": START_NS + 5, **first}
    set_row(
        rows[1], venue=ARCA, quantity=300, price=units(10.01), cum=300, notional=units(3003),
        fees=units(0.9), state=FILLED, heard_ns=START_NS + 50_010, **sweep,
    )  # fmt: skip
    set_row(
        rows[2], venue=BX, quantity=300, price=units(10.02), cum=200, notional=units(2004),
        fees=units(-0.1), state=CANCELED, heard_ns=START_NS + 90_010, **sweep,
    )  # fmt: skip
    set_row(
        rows[3], venue=DARK1, quantity=100, tif=IOC, flags=DARK, decision=2, cum=100,
        notional=units(1000), fees=units(0.1), state=FILLED, **first,
    )  # fmt: skip
    set_row(rows[4], venue=ARCA, quantity=100, price=units(10.01), state=REJECTED, **first)
    rows[4]["heard_ns"] = START_NS + 70_010
    set_row(
        rows[5], parent=2, account=1, instrument=2, venue=ARCA, side=SELL, quantity=300,
        price=units(19.98), cum=200, leaves=100, notional=units(3996), fees=units(0.4), state=LIVE,
        sent_ns=START_NS + 20, decision=99,
    )  # fmt: skip


SEEN = (
    # venue, price, shares, effective, chosen, flags, first, second
    (ARCA, units(10.01), 300, units(10.013), 300, 1, 0, 0),
    (BX, units(10.02), 300, units(10.0195), 300, 1, 0, 0),
    (ARCA, units(10.03), 500, units(10.033), 0, 0, 0, 0),
    (BX, units(10.06), 100, units(10.0595), 0, 0, 0, 0),
    (DARK1, units(9.99), 100, 0, 0, 3, 0, 0),
)
MESSAGES = (  # child, venue, bytes, kind
    (1, ARCA, b"a" * 49, ENTER),
    (2, BX, b"b" * 64, ENTER),
    (3, DARK1, b"c" * 130, ENTER),
    (4, ARCA, b"d", ENTER),
    (5, ARCA, b"e" * 49, ENTER),
    (5, ARCA, b"f" * 30, REPLACE),
    (5, ARCA, b"g" * 20, CANCEL),
)


def write_log(run: Run) -> str:
    """The records of the small run; the digest of its order stream, made the plain way."""
    run.decision(1, 1, TAKE, 600, SEEN)
    run.decision(2, 1, DARK_FIRST, 100, [(DARK1, units(10), 0, units(10.001), 100, 0, 700, 4)])
    run.decision(3, 3, TAKE, 50, [])
    digest = hashlib.sha256()
    for child, venue, message, kind in MESSAGES:
        run.sent(child, venue, message, kind)
        for value in (run.time_ns, venue, kind, len(message)):
            digest.update(int(value).to_bytes(8, "little"))
        digest.update(message)
    fills = (
        (1, 100, 10.01, 0.3, REMOVED),
        (1, 200, 10.01, 0.6, REMOVED),
        (2, 200, 10.02, -0.1, REMOVED),
        (3, 100, 10.00, 0.1, AT_MIDPOINT),
        (5, 200, 19.98, 0.4, ADDED),
    )
    for execution, (child, shares, price, fee, how) in enumerate(fills, 1000):
        run.record(log.FILL, child, shares, units(price), units(fee), execution, how)
    run.record(log.CHILD, 4, 7, NEW << 8 | REJECTED, 100, units(10.01), ord("X"))
    run.record(log.CHILD, 1, 2, NEW << 8 | LIVE, 300, units(10.01), 0)
    for reason, parent in ((1, 1), (3, 2), (0, 1)):
        more = np.array([5000, 2000], np.int64).tobytes()
        words = parent, 0, reason, 100, units(10.01), BX | ENTER << 8
        run.record(log.GATE, *words, more=more)
    run.record(log.PARENT, 1, 3, LIVE << 8 | FILLED, 600, 0, 0)
    run.record(log.COMMAND, 1, 1, 2, 3, 4, 5)
    run.record(log.COMMAND, 2, 0, 2, 3, 4, 5)
    return digest.hexdigest()


def some_names(**more: Any) -> Names:
    """Names of the small run."""
    takes = CandidateNames(flags=("protected", "down"), reasons=2)
    pools = CandidateNames(first="shares expected", second="times tried")
    given: dict[str, Any] = {
        "instruments": {1: "ABC", 2: "<script>&\x1b[1m"},
        "states": STATES,
        "gate_reasons": REASONS,
        "candidates": {TAKE: takes, DARK_FIRST: pools},
    }
    return Names(**given | more)


def histogram(counts: dict[int, int]) -> Any:
    """A row with counts of values below 32, which have a bucket each."""
    row = np.zeros(1, HISTOGRAM_DTYPE)
    for value, number in counts.items():
        row["buckets"][0, value] = number
    row["count"] = sum(counts.values())
    row["total"] = sum(value * number for value, number in counts.items())
    row["maximum"] = max(counts, default=0)
    return row


def some_facts(**more: Any) -> RunFacts:
    """Facts of the small run; a cycle is a nanosecond."""
    given: dict[str, Any] = {
        "name": "<small> & odd",
        "packets": 40,
        "messages": 90,
        "elapsed_s": 0.5,
        "stages": {
            "parse": histogram({2: 5, 3: 5}),
            "risk": histogram({}),
            "total": histogram(dict.fromkeys(range(1, 11), 1)),
        },
        "tick_hz": 1e9,
        "books": {"arca": {"adds": 10, "live_orders": 4}, "<bx>&": {"adds": 3}},
        "marks": {1: units(10.10), 2: units(19.90)},
    }
    return RunFacts(**given | more)


@contextmanager
def small_run() -> Iterator[tuple[Run, Collector]]:
    """Tables that are filled, and a collector that has read nothing yet."""
    run = Run()
    with run.tables:
        fill_tables(run.tables)
        yield run, Collector(run.tables, some_names())


def small_results() -> tuple[Results, str]:
    """Results of the small run, its tables closed; the digest that it must have."""
    with small_run() as (run, collector):
        digest = write_log(run)
        return collector.finish(some_facts()), digest


def empty_results(**facts: Any) -> Results:
    """Results of a run in which nothing was ordered."""
    with Run().tables as tables:
        return Collector(tables, some_names()).finish(RunFacts(**facts))
