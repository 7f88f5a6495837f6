"""Makes a market and writes what its venues send: a capture a line, a manifest, the last books.

One thread runs the market, others publish and write what came out of it a moment before.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import KINDS, STATUS_PREOPEN
from simulator.market.manifest import Manifest, VenueMade, save_manifest
from simulator.market.market import Market, Output
from simulator.market.outlets import CaptureOutlet
from simulator.market.plan import SECOND_NS, MarketPlan
from simulator.market.tapes import TapePlan, TapeWriters
from simulator.market.truth import books_of, save_books
from simulator.publishing.faults import NO_FAULTS, FaultPlan
from simulator.publishing.lines import channel_map

CHANNELS: Final = "channels.toml"
PIECE_NS: Final = 5 * SECOND_NS
AHEAD: Final = 2  # pieces that the market may be ahead of the captures
LEAD_NS: Final = SECOND_NS  # from the directory to the first order
THREADS: Final = 2
Progress = Callable[[float], None]
Watch = Callable[[Market, Output], None]
Piece = tuple[CaptureOutlet, NDArray[np.void]]


def make_market(
    plan: MarketPlan,
    folder: Path,
    *,
    faults: FaultPlan = NO_FAULTS,
    tapes: TapePlan | None = None,
    progress: Progress = lambda _: None,
    watch: Watch = lambda *_: None,
) -> Manifest:
    """Writes a market into a folder that is there.

    Args:
        plan: what is made.
        folder: gets `VENUE-a.pcap` and `VENUE-b.pcap` (ns), channels.toml, books.json and
            manifest.json, the last one when everything else is there.
        faults: what goes wrong on the lines.
        tapes: how late the consolidated tapes are (`utp-a.pcap` …); None: there are none.
        progress: told the share that is done, now and then.
        watch: told every piece of the market before it is published.

    Raises:
        OSError: no room; captures that are not whole are not left behind.
    """
    with Market(plan) as market, Writers(plan, market, folder, faults) as writers:
        with ExitStack() as stack:
            told = TapeWriters(plan, market, tapes, folder, faults) if tapes is not None else None
            if told is not None:
                stack.enter_context(told)
                told.begin(plan.times.start_ns - LEAD_NS)
            counts = _run(market, writers, progress, _both(watch, told))
            venues = writers.finish()
            if told is not None:
                venues += told.finish(plan.end_ns if plan.stop_s is None else None)
        save_books(books_of(market), folder)
        feeds = [outlet.publisher.venue for outlet in writers.outlets.values()]
        feeds += [outlet.about for outlet in told.outlets.values()] if told is not None else []
        (folder / CHANNELS).write_text(channel_map(feeds, plan.day), "utf-8")
        manifest = _manifest(plan, market, venues, counts)
    save_manifest(manifest, folder)
    return manifest


def _both(watch: Watch, told: TapeWriters | None) -> Watch:
    """What watches a market, with the tapes that do."""
    if told is None:
        return watch

    def take(market: Market, output: Output) -> None:
        watch(market, output)
        told.take(output)

    return take


class Writers:
    """The threads that publish and write, each for some of the venues.

    Attributes:
        outlets: of the venues with a feed, by name.
    """

    def __init__(self, plan: MarketPlan, market: Market, folder: Path, faults: FaultPlan) -> None:
        self._stack, self.plan = ExitStack(), plan
        names = [n for n, e in zip(market.names, market.exchanges, strict=True) if not e.model.dark]
        self._threads = [self._stack.enter_context(ThreadPoolExecutor(1)) for _ in range(THREADS)]
        self.outlets = {
            name: self._stack.enter_context(CaptureOutlet(plan, name, folder, faults))
            for name in names
        }
        self._thread_of = {name: n % THREADS for n, name in enumerate(names)}
        self._behind: deque[list[Future[None]]] = deque()

    def begin(self) -> None:
        """The directory, and the state before the opening."""
        for outlet in self.outlets.values():
            outlet.put(outlet.publisher.begin(self.plan.times.start_ns - LEAD_NS, STATUS_PREOPEN))

    def take(self, names: list[str], output: Output) -> None:
        """Takes what came out of the market; waits when it is too far ahead."""
        pieces: list[list[Piece]] = [[] for _ in self._threads]
        for name, public in zip(names, output.public, strict=True):
            if name in self.outlets:
                pieces[self._thread_of[name]].append((self.outlets[name], public.copy()))
        self._behind.append(
            [
                thread.submit(_publish, mine, output.until_ns)
                for thread, mine in zip(self._threads, pieces, strict=True)
            ]
        )
        self._wait(AHEAD)

    def _wait(self, ahead: int) -> None:
        while len(self._behind) > ahead:
            for one in self._behind.popleft():
                one.result()

    def finish(self) -> list[VenueMade]:
        """Ends the captures; what is in them."""
        self._wait(0)
        ended = [
            self._threads[self._thread_of[name]].submit(_end, outlet, self.plan)
            for name, outlet in self.outlets.items()
        ]
        return [one.result() for one in ended]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, value, traceback)


def _publish(pieces: list[Piece], until_ns: int) -> None:
    for outlet, events in pieces:
        outlet.publish(events, until_ns)


def _end(outlet: CaptureOutlet, plan: MarketPlan) -> VenueMade:
    publisher = outlet.publisher
    outlet.put(publisher.end(plan.end_ns) if plan.stop_s is None else publisher.flush())
    return outlet.finish()


def _run(market: Market, writers: Writers, progress: Progress, watch: Watch) -> NDArray[np.int64]:
    """Runs the market to its end; public events by kind."""
    plan, counts = market.plan, np.zeros(len(KINDS), np.int64)
    start_ns, end_ns = plan.times.start_ns, plan.end_ns
    writers.begin()
    now_ns = start_ns
    while now_ns < end_ns:
        now_ns = min(end_ns, now_ns + PIECE_NS)
        for output in market.run(now_ns):
            watch(market, output)
            writers.take(market.names, output)
            for public in output.public:
                counts += np.bincount(public["kind"], minlength=len(counts))
        progress((now_ns - start_ns) / (end_ns - start_ns))
    return counts


def settings_hash(plan: MarketPlan) -> str:
    """SHA-256 of all that the flow and the venues are set to."""
    models = [plan.model_of(venue.name) for venue in plan.settings.venues]
    return hashlib.sha256(msgspec.json.encode([plan.settings, models])).hexdigest()


def _manifest(
    plan: MarketPlan, market: Market, venues: list[VenueMade], counts: NDArray[np.int64]
) -> Manifest:
    return Manifest(
        seed=plan.seed,
        day=plan.day.isoformat(),
        seconds=plan.seconds,
        before_s=plan.before_s,
        stop_s=plan.stop_s,
        symbols=list(plan.symbols),
        settings=settings_hash(plan),
        venues=venues,
        dark=[n for n, e in zip(market.names, market.exchanges, strict=True) if e.model.dark],
        events={name: n for name, n in zip(KINDS, counts.tolist(), strict=True) if n},
        flow=market.flow.counters(),
    )
