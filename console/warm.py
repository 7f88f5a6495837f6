"""`sweepwire warm`: compiles the kernels before they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from numba import types

from console.compiling import Kernel, compile_all
from console.linestats import lines_of
from console.loops import loop_kernel
from console.options import feed_versions, given_channels, shipped_channels
from console.plan import mapped_plan
from console.screen import table_to_stdout
from feedhandler.channelfile import ChannelMap, load_channels
from feedhandler.framebatch import parse_frames
from nic import kernelcache

app = typer.Typer(add_completion=False)


@app.command()
def warm(
    feed: Annotated[
        list[str] | None, typer.Option(help="Feeds of one loop; may be given several times.")
    ] = None,
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): the loop for its feeds.")
    ] = None,
    orders: Annotated[
        bool, typer.Option("--orders", help="The loop with orders as well; with --channels.")
    ] = False,
) -> None:
    """Compile the kernels now, so that later starts are quick.

    Those of the tools, of the loop that counts, and of the loop for the feeds named; without any,
    of the loop for the sample captures and all that replay --sample needs.
    """
    if feed and channels is not None:
        raise typer.BadParameter("--feed and --channels exclude each other")
    if orders and channels is None:
        raise typer.BadParameter("--orders wants --channels")
    mapped, traded = given_channels(channels), given_channels(channels if orders else None)
    if not feed and mapped is None:
        mapped, traded = shipped_channels(), _sample_market()
    kernels = [
        Kernel("the frame parser", parse_frames, (types.int64,) * 6),
        loop_kernel([]),
        *_loops(list(feed or []), mapped),
        *_with_orders(traded),
    ]
    made = compile_all(kernels)
    rows = [
        (
            kernel.label,
            f"{kernel.seconds:.1f} s",
            f"{kernel.compiled_count} kernels compiled" if kernel.compiled_count else "from cache",
        )
        for kernel in made
    ]
    table_to_stdout(("what", ">time", "how"), rows)
    typer.echo(f"kept in {kernelcache.folder()}")


def _loops(feeds: list[str], mapped: ChannelMap | None) -> list[Kernel]:
    chosen, lines = [feed_versions(name)[0] for name in feeds], False
    for feed in chosen:
        if feed.transport.stream:
            raise typer.BadParameter(f"{feed.full_name} comes by TCP and needs no kernel")
    if mapped is not None:
        plan = mapped_plan(mapped, None)
        chosen, lines = plan.feeds, lines_of(plan) is not None
    return [loop_kernel(chosen, lines=lines)] if chosen else []


def _sample_market() -> ChannelMap:
    from console.routed.command import sample_folder
    from simulator.market.make import CHANNELS

    return load_channels(sample_folder() / CHANNELS)


def _with_orders(traded: ChannelMap | None) -> list[Kernel]:
    if traded is None:
        return []
    from console.routed.replaying import protocols_of, routed_kernels
    from router.venuefile import load_venues

    return list(routed_kernels(mapped_plan(traded, None), protocols_of(load_venues())))
