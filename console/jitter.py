"""`sweepwire jitter`: how often, and for how long, a core is kept from its loop."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from numba import types

from console.compiling import Kernel, compile_all
from console.screen import count, table_to_stdout
from console.signals import signals_kept
from nic.thread import check_cores
from nic.tuning.dma_latency import dma_latency
from nic.tuning.hiccups import spin
from nic.tuning.jitter import NS_PER_S, Jitter, Meter
from nic.tuning.memlock import lock_memory, unlock_memory

app = typer.Typer(add_completion=False)


@app.command()
def jitter(
    core: Annotated[int | None, typer.Option(min=0, help="The core to sit on.")] = None,
    seconds: Annotated[float, typer.Option(min=0.001, max=86_400, help="How long.")] = 10.0,
    threshold_ns: Annotated[
        int, typer.Option("--threshold", min=1, help="A gap of so many ns is a hiccup.")
    ] = 200,
    hold: Annotated[
        bool, typer.Option(help="Keep cores awake and memory locked, as the live loop does.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure how often a core is kept from its loop, and how long.

    Spins on the core looking at the clock, and tells of the gaps between looks.

    What interrupts the loop interrupts this: timer ticks, interrupts, other tasks, the hypervisor,
    the firmware. Needs no privilege; without one cores may sleep and the table says so.
    """
    if core is not None:
        check_cores((core,))
    compile_all([Kernel("the hiccup meter", spin, (types.uint64,))])
    meter = Meter(core, int(seconds * NS_PER_S), threshold_ns)
    with ExitStack() as held:
        missing = _hold(held) if hold else ["cores and memory: not held (--no-hold)"]
        held.enter_context(signals_kept(meter.stop))
        found = meter.run()
    if as_json:
        typer.echo(json.dumps({**asdict(found), "not_held": missing}, indent=1))
        return
    _show(found, missing)


def _hold(held: ExitStack) -> list[str]:
    """Holds what may be held; the reasons for what may not."""
    reasons = [held.enter_context(dma_latency()), lock_memory()]
    held.callback(unlock_memory)
    return [reason for reason in reasons if reason is not None]


def _show(found: Jitter, missing: list[str]) -> None:
    where = "any core" if found.core is None else f"core {found.core}"
    title = (
        f"{where}, {found.seconds:.1f} s: {count(found.reads)} looks, "
        f"{count(found.hiccups)} gaps of {found.threshold_ns} ns or more, "
        f"{found.lost_share:.4%} of the time lost"
    )
    rows = [(f"{band.least_ns:,}", count(band.count)) for band in found.bands if band.count]
    table_to_stdout((">at least ns", ">gaps"), rows, title=title)
    ranks = [(f"p{rank:g}", f"{value:,}") for rank, value in found.percentiles_ns.items()]
    table_to_stdout(("of gaps", ">ns"), [("shortest look", f"{found.shortest_ns:,}"), *ranks])
    longest = [(f"{gap:,}", _clock_time(end)) for gap, end in found.longest]
    table_to_stdout((">longest ns", "ended at (UTC)"), longest)
    for reason in missing:
        typer.echo(f"note: {reason}")
    if found.backwards:
        typer.echo(f"note: the clock was set back {found.backwards} times")


def _clock_time(time_ns: int) -> str:
    at = datetime.fromtimestamp(time_ns // NS_PER_S, UTC)
    return f"{at:%H:%M:%S}.{time_ns % NS_PER_S:09}"
