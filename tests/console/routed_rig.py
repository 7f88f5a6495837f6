"""Captures of a made market through the whole loop, with orders, stepped by a test's hand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from console.bookplan import book_plan, order_room
from console.compiling import Kernel, compile_all
from console.plan import Plan, first_time_ns, replay_uri
from console.routed.replaying import WORDS, How, names_of, replay_with_orders, routed_kernels
from console.routed.run import RoutedRun
from console.routed.setup import Setup, check_symbols, read_setup
from console.runreport.collect import Collector
from console.runreport.results import Results, RunFacts
from feedhandler.commands import Commands
from feedhandler.messages import TICK
from feedhandler.state import LINK_ENDED
from nic.kernelref import address_of
from nic.regions import reset, violations
from router import log
from router.logreader import Record
from router.orders.states import OVER, STATES
from router.parentcommands import ParentCommands
from router.parentfile import ParentOrder
from router.strategies.settings import Strategy
from router.tables import INTENT_KINDS
from router.venuefile import SHIPPED, load_venues

SAMPLES = Path(__file__).resolve().parents[2] / "captures" / "samples" / "market"
SECOND = 1_000_000_000
SETTLING_NS = 5 * SECOND
CENT = 1_000_000
VENUES = tuple(venue.name for venue in load_venues())
PROTOCOLS = tuple(sorted({venue.protocol for venue in load_venues()}))
GLOBAL: Mapping[str, Any] = {
    "order_shares": 20_000,
    "order_notional": 2_000_000,
    "collar_bps": 300,
    "last_bps": 500,
    "duplicate_ms": 0,
    "position_shares": 100_000,
    "gross": 50_000_000,
    "loss": 500_000,
    "open_orders": 2_000,
    "orders_per_second": 100_000,
}
ACCOUNT: Mapping[str, Any] = {
    "gross": 30_000_000,
    "net": 10_000_000,
    "capital": 20_000_000,
    "credit": 25_000_000,
    "loss": 250_000,
    "open_orders": 1_000,
    "orders_per_second": 100_000,
    "cancel_percent": 1000,
    "cancel_from": 10_000,
}
PARENTS = """
[[parents]]
name = "sweep"
symbol = "KOZ"
side = "buy"
quantity = 500
strategy = "sweep"
account = "desk"
start = 1.0

[[parents]]
name = "post"
symbol = "NEV"
side = "sell_short"
located = true
quantity = 300
strategy = "post"
account = "desk"
start = 1.0
end = 4.5

[[parents]]
name = "dark"
symbol = "SAT"
side = "buy"
quantity = 400
strategy = "dark_then_lit"
account = "house"
start = 1.5

[[parents]]
name = "twap"
symbol = "VUS"
side = "buy"
quantity = 600
strategy = "twap"
account = "desk"
start = 0.5
end = 4.5

[[parents]]
name = "iceberg"
symbol = "KOZ"
side = "buy"
quantity = 400
strategy = "iceberg"
shown = 100
account = "house"
start = 0.5
"""
LATE = """
[[parents]]
name = "late"
symbol = "KOZ"
side = "buy"
quantity = 100
strategy = "sweep"
account = "desk"
start = 3000
"""


def toml_of(rows: Mapping[str, Any]) -> str:
    """Keys and values, a line each."""
    return "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in rows.items())


def limits_text(
    venues: tuple[str, ...] = VENUES, accounts: tuple[str, ...] = ("desk", "house"), **more: int
) -> str:
    """A file of limits that holds nothing back, but for the global ones in `more`."""
    parts = [] if venues else ["venues = []\n"]
    parts += ["[locates]\nNEV = 10000\nVUS = 10000\n[global]\n", toml_of({**GLOBAL, **more})]
    for name in accounts:
        parts += ["[[accounts]]\n", toml_of({"name": name, "group": name, **ACCOUNT})]
    for name in venues:
        parts += ["[[venues]]\n", toml_of({"name": name, "orders_per_second": 100_000})]
    return "".join(parts)


@dataclass(frozen=True)
class Files:
    """What a run is told, in files."""

    venues: Path
    limits: Path
    parents: Path


def write_files(
    folder: Path, parents: str = PARENTS, limits: str | None = None, venues: str | None = None
) -> Files:
    """The files of a run in a folder."""
    made = Files(SHIPPED, folder / "limits.toml", folder / "parents.toml")
    made.limits.write_text(limits_text() if limits is None else limits)
    made.parents.write_text(parents)
    if venues is not None:
        made = Files(folder / "venues.toml", made.limits, made.parents)
        made.venues.write_text(venues)
    return made


@dataclass(frozen=True)
class Day:
    """The captures and the loop that is compiled for them, once for all tests.

    Attributes:
        scout: a run that has learnt the symbols.
    """

    captures: tuple[Path, ...]
    plan: Plan
    orders: int
    first_ns: int
    kernels: tuple[Kernel, ...]
    scout: RoutedRun

    def setup(self, files: Files, seed: int = 1) -> Setup:
        """The files read. Raises ConfigError."""
        return read_setup(files.venues, files.limits, files.parents, self.first_ns, seed)

    def replay(
        self, files: Files, *, seed: int = 1, burst: int = 64, speed: str = "max"
    ) -> Results:
        """A run as the command makes it."""
        how = How(
            name="test",
            files=self.captures,
            plan=self.plan,
            orders=self.orders,
            speed=speed,
            burst=burst,
        )
        return replay_with_orders(how, self.setup(files, seed))


@cache
def the_day() -> Day:
    """The captures of the made market; the loop is compiled or comes from the cache."""
    captures = tuple(sorted(SAMPLES.glob("*.pcap*")))
    plan = book_plan(captures, SAMPLES / "channels.toml", "")
    kernels = routed_kernels(plan, PROTOCOLS)
    compile_all(kernels)
    orders = order_room(captures)
    scout = RoutedRun(plan, orders)
    scout.learn(kernels[0], replay_uri(captures))
    first_ns = first_time_ns(captures)
    assert first_ns is not None
    return Day(captures, plan, orders, first_ns, kernels, scout)


class Desk:
    """A run with orders that goes on as far as a test says.

    Attributes:
        run: the run.
        tables: the router's.
        commands: of the loop, about parents; at the time of the last thing that happened.
        plain: all commands.
        now_ns: that time.
        records: the log so far.
    """

    def __init__(self, run: RoutedRun, step: Callable[[int], bool]) -> None:
        self.run, self.tables = run, run.tables
        self._step = step
        self.plain = Commands(run.block)
        self.commands = ParentCommands(self.plain, self.tables, lambda: self.now_ns)
        self.now_ns = self.open_ns = run.setup.hours.open_ns
        self.records: list[Record] = []
        self.collector = Collector(self.tables, names_of(run, run.setup.venues))

    def at(self, seconds: float) -> int:
        """A time, so many seconds behind the open."""
        return self.open_ns + round(seconds * SECOND)

    def until(self, seconds: float) -> None:
        """Packets go on until it is so late."""
        while self.now_ns < self.at(seconds):
            assert self._step(1), "the captures are over"
            self.now_ns = self.run.last_ns
        self.read()

    def round(self) -> None:
        """A round of the loop without packets: one command is taken."""
        links, control = self.run.block["links"], self.run.block["control"][0]
        before, still_open = links["status"].copy(), int(control["open_links"])
        last_ns = self.run.last_ns
        links["status"], control["open_links"] = LINK_ENDED, 1
        self._step(1)
        links["status"], control["open_links"] = before, still_open
        self.run.last_ns = last_ns
        self.read()

    def tick(self, later_ns: int = 0) -> None:
        """It is so much later, and no packet came."""
        self.now_ns += later_ns
        assert self.plain.send(TICK, self.now_ns)
        self.round()

    def do(self, sent: bool) -> bool:
        """Lets the loop take the command that was sent; whether it could be carried out."""
        assert sent
        before = len(self.records)
        self.round()
        (record,) = [r for r in self.records[before:] if r.kind == log.COMMAND]
        assert record.time_ns == self.now_ns
        return bool(record.words[1])

    def read(self) -> list[Record]:
        """What the log has got since the last time."""
        came = list(self.tables.log.read())
        self.records += came
        return came

    def of(self, kind: int, since: int = 0) -> list[tuple[int, ...]]:
        """Words of the records of a kind, from a place in the log on."""
        return [record.words for record in self.records[since:] if record.kind == kind]

    def sent(self, since: int = 0) -> list[tuple[str, int]]:
        """Kind and child of the messages sent."""
        return [(INTENT_KINDS[words[2]], words[1]) for words in self.of(log.SENT, since)]

    # Rows by name and number.

    def number(self, symbol: str) -> int:
        """Of an instrument."""
        return int(self.run.master.number_of(symbol))

    def parent(self, name: str) -> int:
        """The number of a parent."""
        return self.commands.number_of(name)

    def state(self, name: str) -> str:
        """A parent's state."""
        return STATES[int(self.tables.parents[self.parent(name)]["state"])]

    def child_state(self, child: int) -> str:
        """A child's state."""
        return STATES[int(self.tables.children[child]["state"])]

    def open_children(self, name: str) -> list[int]:
        """Numbers of a parent's children that are not over."""
        rows, number = self.tables.used_children, self.parent(name)
        pairs = enumerate(zip(rows["parent"], rows["state"], strict=True), 1)
        return [child for child, (of, state) in pairs if of == number and state not in OVER]

    def new_parent(self, name: str, strategy: Strategy, **fields: Any) -> int:
        """A parent by command, to buy 100 KOZ for the desk if nothing else is said."""
        usual = {"symbol": "KOZ", "side": "buy", "quantity": 100, "account": "desk"}
        order = ParentOrder(name=name, strategy=strategy, **{**usual, **fields})
        symbols = {order.symbol: self.number(order.symbol)}
        accounts = {account: n for n, account in enumerate(self.run.setup.accounts, 1)}
        number = self.commands.new_parent(order, symbols, accounts)
        assert self.do(number != 0)
        return number

    def quote(self, symbol: str) -> tuple[int, int]:
        """Best bid and offer over all venues."""
        record = self.run.market.records[self.number(symbol)]
        return int(record["bid"]), int(record["offer"])

    def count(self, name: str) -> int:
        """A word of the head."""
        return int(self.tables.head[name])

    def finish(self) -> None:
        """The captures go on to their end, the day ends, and all answers arrive."""
        while self._step(64):
            self.read()
        self.now_ns = self.run.last_ns
        self.do(self.commands.end_day())
        self.tick(SETTLING_NS)

    def results(self) -> Results:
        """What the collector makes of all that was read."""
        for record in self.records:
            self.collector._take.get(record.kind, lambda _record: None)(record)
        return self.collector.finish(RunFacts())


@contextmanager
def a_desk(files: Files, *, seed: int = 1, burst: int = 1) -> Iterator[Desk]:
    """A run that has not begun; in a checked build no kernel may leave its memory."""
    day = the_day()
    setup = day.setup(files, seed)
    check_symbols(setup, day.scout.master)
    with RoutedRun(day.plan, day.orders, setup, day.scout) as run:
        run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in day.kernels[1:]))
        reset()
        with run.opened(day.kernels[0], replay_uri(day.captures), burst=burst) as step:
            yield Desk(run, step)
        assert violations().count == 0, violations()


def venues_text(keep: Callable[[dict[str, Any]], bool]) -> str:
    """The shipped venues' file, those rows only."""
    rows = tomllib.loads(SHIPPED.read_text())["venues"]
    kept = {row["name"] for row in rows if keep(row)}
    head, *parts = SHIPPED.read_text().split("[[venues]]\n")
    texts = zip((row["name"] for row in rows), parts, strict=True)
    return head + "".join("[[venues]]\n" + text for name, text in texts if name in kept)
