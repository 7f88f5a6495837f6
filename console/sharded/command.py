"""`sweepwire replay --shards`: files read and checked, several loops, what each of them did."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.text import Text

from console.bookplan import book_plan, order_room
from console.compiling import compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.main import INTERRUPTED
from console.marketrun import MarketRun
from console.plan import replay_uri
from console.routed.options import Pace
from console.routed.replaying import How
from console.routed.setup import Setup
from console.runreport.results import Results
from console.screen import console, count, size, table
from console.sharded.books import Seen, ShardedBooks, market_kernels
from console.sharded.pieces import plans_of
from console.sharded.routed import replay_sharded
from console.signals import signals_kept
from feedhandler.shards.config import Shards, check_machine, load_shards

COLUMNS = ("shard", ">core", ">symbols", ">packets", ">messages", ">left out", ">orders", ">faults",
           ">seconds", ">messages/s")  # fmt: skip


def shards_in(path: Path) -> Shards:
    """A file's shards, for this machine. Raises ConfigError."""
    shards = load_shards(path)
    check_machine(shards, path)
    return shards


def routed_results(how: How, setup: Setup, path: Path) -> Results:
    """A replay with orders in the shards of a file. Raises ConfigError, PortError."""
    together, _ = replay_sharded(how, setup, shards_in(path), path)
    return together


def replay_books(
    captures: Sequence[Path],
    channels: Path | None,
    feed: str,
    path: Path,
    pace: Pace,
    *,
    assume_trading: bool,
    json_file: Path | None,
) -> int:
    """Captures through the loops of a file that keep books; the exit code."""
    shards = shards_in(path)
    if not captures:
        raise typer.BadParameter("--shards is of replays: name captures, no ports")
    plan, orders = book_plan(captures, channels, feed), order_room(captures)
    plans = plans_of(plan, shards, path)
    whole = loop_kernel(plan.feeds, market=True, lines=lines_of(plan) is not None)
    kernels = market_kernels(plans)
    compile_all([whole, *kernels])
    with MarketRun(plan, orders) as scout:
        scout.learn(whole, replay_uri(captures))
        made = ShardedBooks(plan, shards, path, orders, scout, unknown_trades=assume_trading)
    with made as loops, signals_kept(loops.stop) as told:
        seen = loops.go(kernels, replay_uri(captures, pace.speed), burst=pace.burst)
        changes = loops.market.counted("record_changes")
    _report(seen, changes, json_file)
    if told:
        return INTERRUPTED
    return 1 if any(one.failed for one in seen) else 0


def _row(one: Seen) -> list[str]:
    messages = one.feed["messages"]
    faults = sum(sum(kinds.values()) for kinds in one.faults.values())
    numbers = [one.symbols, one.feed["packets"], messages, one.left_out, one.orders, faults]
    rate = size(messages / max(one.seconds, 1e-9), "")
    cells = [one.name, str(one.core), *map(count, numbers)]
    return [*cells, f"{one.seconds:.3f}", rate]


def _report(seen: Sequence[Seen], changes: int, json_file: Path | None) -> None:
    if json_file is not None:
        said: dict[str, Any] = {"record_changes": changes, "shards": [asdict(one) for one in seen]}
        text = msgspec.json.format(msgspec.json.encode(said), indent=1) + b"\n"
        if str(json_file) == "-":
            sys.stdout.write(text.decode())
            return
        json_file.write_bytes(text)
    out = console()
    out.print(table(COLUMNS, [_row(one) for one in seen]))
    seconds = max(one.seconds for one in seen)
    messages = sum(one.feed["messages"] for one in seen)
    line = f"{seconds:.3f} s, {size(messages / max(seconds, 1e-9), 'messages/s')} in all loops"
    out.print(Text(f"\n{line}; {count(changes)} changes of the consolidated book"))
