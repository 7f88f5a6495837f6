"""`sweepwire bbo`: how the best bids and offers of all venues changed in captures."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from numpy.typing import NDArray

from console.bborows import JsonRows, ParquetRows
from console.bookplan import book_plan, order_room
from console.compiling import Kernel, compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.main import complain
from console.marketrun import RING_SLOTS, MarketRun
from console.plan import replay_uri
from console.streambridge import StreamBridge, zeromq
from feedhandler.consolidated.layout import NO_INSTRUMENT
from feedhandler.consolidated.streamformat import BANDS, BEST, NATIONAL, ODD_LOT
from feedhandler.consolidated.subscriptions import Subscription
from feedhandler.symbols import SymbolMaster

app = typer.Typer()
CHANGES: Final = ["best", "national", "odd_lot", "gap", "bands"]
SUFFIXES: Final = (".parquet", ".jsonl")


@app.command()
def bbo(
    files: Annotated[
        list[Path], typer.Argument(help="Captures, merged by time.", exists=True, dir_okay=False)
    ],
    symbol: Annotated[
        list[str] | None,
        typer.Option(help="Only this symbol, in any spelling; may be given several times."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .parquet or .jsonl file; else JSON Lines on stdout.")
    ] = None,
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    feed: Annotated[str, typer.Option(help="Every datagram is of this feed.")] = "",
    odd_lots: Annotated[
        bool, typer.Option("--odd-lots", help="Also the best of less than a round lot.")
    ] = False,
    assume_trading: Annotated[
        bool,
        typer.Option(help="A venue that never said its status is trading: captures from midday."),
    ] = False,
    publish: Annotated[
        str, typer.Option(help="Send the stream by ZeroMQ PUB instead: tcp://*:5600.")
    ] = "",
    speed: Annotated[
        str, typer.Option(help="Of --publish: max, or capture seconds a second.")
    ] = "max",
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first impossible input.")
    ] = False,
) -> int:
    """Write how best bids and offers changed: of all sizes (best), of protected quotes (national).

    The national best takes round lots of venues that trade and whose books can be trusted. Price
    bands and halts come from the consolidated tapes among the captures. Captures are read twice:
    first for the symbols. Exit code 1: changes were lost, or --strict stopped.
    """
    if out is not None and out.suffix not in SUFFIXES:
        raise typer.BadParameter(f"--out {out}: expected a name that ends in .parquet or .jsonl")
    if publish:
        zeromq()
    plan = book_plan(files, channels, feed)
    kernel = loop_kernel(plan.feeds, market=True, lines=lines_of(plan) is not None)
    compile_all([kernel])
    orders = order_room(files)
    with MarketRun(plan, orders, unknown_trades=assume_trading, strict=strict) as run:
        with MarketRun(plan, orders) as scout:
            scout.learn(kernel, replay_uri(files))
            run.adopt(scout)
        if publish:
            return _publish(run, kernel, replay_uri(files, speed), publish)
        kinds = [BEST, NATIONAL, BANDS, *([ODD_LOT] if odd_lots else [])]
        return _write(run, kernel, replay_uri(files), out, _chosen(run.master, symbol), kinds)


def _chosen(master: SymbolMaster, symbols: list[str] | None) -> NDArray[np.int64] | None:
    if not symbols:
        return None
    numbers = [master.find(symbol) for symbol in symbols]
    for symbol, number in zip(symbols, numbers, strict=True):
        if number == NO_INSTRUMENT:
            raise typer.BadParameter(f"--symbol {symbol}: no venue in these captures names it")
    return np.array(numbers)


def _write(
    run: MarketRun,
    kernel: Kernel,
    uri: str,
    out: Path | None,
    chosen: NDArray[np.int64] | None,
    kinds: list[int],
) -> int:
    subscription = Subscription(run.market, CHANGES, RING_SLOTS)
    with ExitStack() as stack:
        name_of, venues = run.master.name_of, run.venues
        rows: JsonRows | ParquetRows
        if out is not None and out.suffix == ".parquet":
            rows = ParquetRows(out, name_of, venues)
        else:
            file = sys.stdout.buffer if out is None else stack.enter_context(out.open("wb"))
            rows = JsonRows(file, name_of, venues)
        stack.enter_context(closing(rows))
        for _ in run.rounds(kernel, uri):
            while len(records := subscription.read()):
                wanted = np.isin(records["kind"], kinds)
                if chosen is not None:
                    wanted &= np.isin(records["instrument"], chosen)
                rows.write(records[wanted])
    return _verdict(run, subscription)


def _publish(run: MarketRun, kernel: Kernel, uri: str, endpoint: str) -> int:
    subscription = Subscription(run.market, slots=RING_SLOTS)
    with StreamBridge(run.market, subscription, endpoint) as bridge:
        complain(f"publishing at {bridge.endpoint}")
        for _ in run.rounds(kernel, uri):
            bridge.poll()
    return _verdict(run, subscription)


def _verdict(run: MarketRun, subscription: Subscription) -> int:
    """What was not right, in a line each; the exit code."""
    for name, faults in run.faults().items():
        complain(f"{name}: " + ", ".join(f"{count} {fault}" for fault, count in faults.items()))
    if run.stopped:
        complain(run.stopped)
    if subscription.lost_count:
        complain(f"{subscription.lost_count} changes lost: the ring was full")
        return 1
    return 1 if run.stopped else 0
