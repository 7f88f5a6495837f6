"""`sweepwire replay` with parent orders: from captures to a report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numba import types

from console.compiling import Kernel, compile_all
from console.linestats import lines_of
from console.main import complain
from console.marketrun import MarketRun
from console.plan import Plan, replay_uri
from console.routed.far import reject_words
from console.routed.run import RoutedRun
from console.routed.setup import Setup, check_symbols
from console.runreport.collect import Collector
from console.runreport.names import CHILD_FLAGS, CandidateNames, Names
from console.runreport.results import Results, RunFacts
from console.signals import signals_kept
from console.sipsaid import TapesSeen, Timelines, instruments_of
from console.siptimelines import DirectWatch, tape_feeds, tapes_said
from console.snapshot import snapshot
from feedhandler import specialise
from feedhandler.calendars import CMES
from feedhandler.commands import Commands
from feedhandler.contracts import Contract, contract_of
from feedhandler.messages import TICK
from feedhandler.state import LINK_ENDED, LINK_FAILED
from feedhandler.symbols import SymbolMaster
from nic.block import Block
from nic.clock import Clock
from nic.kernelref import address_of
from router.loop.acting import act
from router.loop.source import ROUTING, answers_kernel
from router.loop.stages import STAGES
from router.orders.states import EVENTS, PARENT_REASONS, STATES
from router.parentcommands import END_DAY
from router.risk.layout import REASONS
from router.routing.layout import BOUNDED, BY_ISO, FLAGS, PROTECTED
from router.tables import DARK_FIRST, DOWN_ASKED, PASSIVE, TAKE
from router.venuefile import RoutedVenue

WORDS: Final = (types.int64,) * 5
ROUNDS: Final = 64  # of the loop between two looks at its log
SETTLING_NS: Final = 5_000_000_000  # for answers that are under way when the captures end


@dataclass(frozen=True)
class How:
    """How a run is made.

    Attributes:
        name: for headings.
        files: the captures.
        plan: their channels.
        orders: room of each venue's order table at first.
        speed: "max", or capture seconds a second.
        burst: packets taken at a time.
        measure: whether each step is timed.
        unknown_trades, strict: as of MarketRun.
        joined_whole: whether a stream that begins in its middle is whole from there on.
    """

    name: str
    files: Sequence[Path]
    plan: Plan
    orders: int
    speed: str = "max"
    burst: int = 64
    measure: bool = True
    unknown_trades: bool = False
    strict: bool = False
    joined_whole: bool = False


def protocols_of(venues: Sequence[RoutedVenue]) -> list[str]:
    """The order protocols that venues speak, each once."""
    return sorted({venue.protocol for venue in venues})


def routed_kernels(
    plan: Plan, protocols: Sequence[str], *, lines: bool | None = None, owned: bool = False
) -> tuple[Kernel, Kernel, Kernel]:
    """The loop for the feeds of a plan with the router behind it, its work, and its answers.

    `lines`: whether it arbitrates between lines; None: where the plan has several of a channel.
    With `owned` the loop keeps the books of an owner's symbols.
    """
    names = ", ".join(feed.full_name for feed in plan.feeds)
    arbitrates = lines_of(plan) is not None if lines is None else lines
    run = specialise.build(plan.feeds, lines=arbitrates, sink=ROUTING, owned=owned)
    some = " in some symbols" if owned else ""
    return (
        Kernel(f"the loop for {names}, with orders{some}", run, (types.uint64,)),
        Kernel("routing, risk and order state", act, WORDS),
        Kernel(f"answers in {', '.join(protocols)}", answers_kernel(protocols), WORDS),
    )


def replay_with_orders(how: How, setup: Setup) -> Results:
    """Runs captures with orders: once for the symbols, then with all that the setup says.

    Raises ConfigError for a symbol that is not there, PortError where a capture cannot be read.
    """
    kernels = routed_kernels(how.plan, protocols_of(setup.venues))
    compile_all(kernels)
    loop, *functions = kernels
    with RoutedRun(how.plan, how.orders) as scout:
        scout.learn(loop, replay_uri(how.files))
        check_symbols(setup, scout.master)
        run = RoutedRun(
            how.plan,
            how.orders,
            setup,
            scout,
            unknown_trades=how.unknown_trades,
            strict=how.strict,
            measure=how.measure,
        )
    if how.joined_whole:
        run.join_as(scout)
    with run:
        run.connect(*(address_of(kernel.dispatcher, WORDS) for kernel in functions))
        return _run(run, loop, how)


def _run(run: RoutedRun, kernel: Kernel, how: How) -> Results:
    collector = Collector(run.tables, names_of(run, run.setup.venues))
    watch = DirectWatch(run.market) if tape_feeds(how.plan) else None
    uri = replay_uri(how.files, how.speed)
    with run.opened(kernel, uri, burst=how.burst) as step, signals_kept() as told:
        facts = drive(run, step, collector, how, told, watch)
    if run.stopped:
        complain(run.stopped)
    watches = [] if watch is None else [watch]
    seen = tapes_seen(run.master, watches, how, run.last_ns)
    return collector.finish(replace(facts, tapes=seen, notes=notes_of(run), failed=run.failed))


def tapes_seen(
    master: SymbolMaster, watches: Sequence[DirectWatch], how: How, last_ns: int
) -> TapesSeen | None:
    """The national best as one or several loops kept it, and what the tapes said; None without."""
    if not watches:
        return None
    lost = sum(watch.lost_count for watch in watches)
    if lost:
        complain(f"{lost} changes of the national best lost: the ring was full")
    said, _ = tapes_said(how.plan, how.files, master.find, last_ns)
    numbers, direct = instruments_of(said), Timelines()
    for watch in watches:
        direct |= watch.timelines(numbers)
    lots = {number: max(1, master.instrument(number).lot) for number in numbers}
    return TapesSeen(direct, said, lots, last_ns, lost=lost)


def drive(
    run: RoutedRun,
    step: Callable[[int], bool],
    collector: Collector,
    how: How,
    told: Sequence[int],
    watch: DirectWatch | None = None,
) -> RunFacts:
    """An opened run to its end, or until something is told; what happened.

    `watch` is drained with the collector. What the port says of its end is known when the run is
    closed.
    """
    started_s = time.perf_counter()
    seconds, goes_on = 0.0, True
    while goes_on and not told:
        began_s = time.perf_counter()
        goes_on = step(ROUNDS)
        seconds += time.perf_counter() - began_s
        collector.drain()
        if watch is not None:
            watch.drain()
    _end_day(run, step, collector.drain)
    seen = snapshot(run.block)
    return RunFacts(
        name=how.name,
        packets=seen["packets"],
        messages=seen["messages"],
        elapsed_s=seconds,
        stages=stages_of(run.tables.block) if how.measure else {},
        tick_hz=Clock().tick_hz,
        feed=seen | {"elapsed_s": time.perf_counter() - started_s},
        books={name: book_counts(book) for name, book in run.books.items()},
        marks=run.marks,
        contracts=contracts_of(run.setup),
        interrupted=bool(told),
    )


def _end_day(run: RoutedRun, step: Callable[[int], bool], drain: Callable[[], Any]) -> None:
    """The captures are over: parents are done for the day, and what is under way arrives."""
    commands, control = Commands(run.block), run.block["control"][0]
    links = run.block["links"]
    links["status"] = np.where(links["status"] == LINK_FAILED, LINK_FAILED, LINK_ENDED)
    control["open_links"] = 1
    last_ns = run.last_ns
    for kind, at_ns in ((END_DAY, last_ns), (TICK, last_ns + SETTLING_NS)):
        commands.send(kind, at_ns)
        step(1)
        drain()
    control["open_links"] = 0
    run.last_ns = last_ns


def contracts_of(setup: Setup) -> dict[str, Contract]:
    """The futures that parents are in, by symbol, where the market is one of futures."""
    hours, made = setup.hours, {}
    for symbol in sorted({order.symbol for order in setup.parents}):
        found = contract_of(symbol, hours.day) if hours.calendar == CMES.name else None
        if found is not None:
            made[symbol] = found
    return made


def stages_of(block: Block) -> dict[str, Any]:
    """The histograms of the loop's steps, by their names."""
    row = block["stages"][0]["histograms"]
    return {name: row[number] for number, name in enumerate(STAGES)}


def book_counts(book: Any) -> dict[str, int]:
    """What a venue's books hold at the end."""
    head = book.head
    counts = {name: int(head[name]) for name in ("live_orders", "live_levels", "changes")}
    faults: dict[str, int] = book.faults()
    return counts | faults


def notes_of(run: RoutedRun) -> tuple[str, ...]:
    """What a reader of the report has to know first."""
    lines = ["Venues are simulated: displayed liquidity of the captures is taken, and remembered."]
    if run.failed:
        lines.insert(0, f"The captures ended early: {run.failed}")
    lines += late_notes(run.joined_late, int(np.count_nonzero(run.joined)))
    down = run.tables.venues["down"]
    asked = down & DOWN_ASKED != 0
    off = [venue.name for number, venue in enumerate(run.setup.venues) if asked[number]]
    if off:
        lines.append(f"No feed in these captures, so no orders: {', '.join(off)}.")
    return tuple(lines)


def late_notes(taken: int, left: int) -> list[str]:
    """What to say of streams that begin in their middle: those taken as whole, and those left."""
    made = []
    for count, what in (
        (taken, "was taken as whole from there: what was in its books before is missing."),
        (left, "its books are stale, so nothing is taken from them; --assume-whole takes them."),
    ):
        if count:
            which = "A stream" if count == 1 else f"Each of {count} streams"
            made.append(f"{which} begins in its middle: {what}")
    return made


def names_of(run: MarketRun, venues: Sequence[RoutedVenue]) -> Names:
    """What numbers in tables and log are called."""
    all_flags = (1 << len(FLAGS)) - 1
    sweep = CandidateNames(
        flags=FLAGS,
        reasons=all_flags & ~(PROTECTED | BY_ISO | BOUNDED),
        first="protected size",
        second="asked for already",
    )
    return Names(
        instruments={n: run.master.name_of(n) for n in range(1, len(run.master) + 1)},
        states=STATES,
        child_events=EVENTS,
        gate_reasons=REASONS,
        parent_reasons=PARENT_REASONS,
        venue_codes=reject_words(venues),
        candidates={
            TAKE: sweep,
            DARK_FIRST: CandidateNames(
                flags=CHILD_FLAGS, first="chance of all (1e-9)", second="asked for"
            ),
            PASSIVE: CandidateNames(
                flags=CHILD_FLAGS, first="chance (1e-9)", second="cost if it executes (1e-8)"
            ),
        },
    )
