"""The compiled loop for a plan, and the state block it works on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

from numba import types

from console import statefile
from console.compiling import Kernel
from console.plan import Plan
from feedhandler import specialise
from feedhandler.feed import Feed
from feedhandler.loop import run
from feedhandler.stateblock import LoopOptions, create_state
from nic.block import Block
from nic.port import Port

COUNTING = "the loop that counts"
NAMED_FILES = 2


def loop_kernel(feeds: Sequence[Feed]) -> Kernel:
    """The loop for these feeds; without any, the one that only counts."""
    if not feeds:
        return Kernel(COUNTING, run, (types.uint64,))
    names = ", ".join(feed.full_name for feed in feeds)
    return Kernel(f"the loop for {names}", specialise.build(feeds), (types.uint64,))


def make_state(
    plan: Plan, ports: Sequence[Port], options: LoopOptions, path: Path | None, tick_hz: float
) -> Block:
    """A block ready to run, with names in it for whoever looks."""
    feeds, channels = plan.feeds, plan.channels
    extra = statefile.sections(len(ports), len(channels))
    if feeds:
        extra = [*specialise.sections(len(channels), feeds), *extra]
    addresses = [channel.address for channel in channels if channel.address is not None]
    block = create_state(ports, addresses, options, path=path, handler_sections=extra)
    if feeds:
        numbers = {feed.full_name: index for index, feed in enumerate(feeds)}
        of_channel = [numbers[c.feed.full_name] for c in channels if c.feed is not None]
        midnights = {i: channel.midnight_ns for i, channel in enumerate(channels)}
        specialise.prepare(block, feeds, of_channel, midnights)
    statefile.describe(block, plan, [link_name(port.uri) for port in ports], tick_hz)
    return block


def link_name(uri: str) -> str:
    """A port's address for a narrow column: files without their folders and options."""
    scheme, _, rest = uri.partition(":")
    paths = rest.partition("?")[0].split(",")
    if len(paths) > NAMED_FILES:
        return f"{scheme}:{len(paths)} files"
    return f"{scheme}:{', '.join(unquote(path.rpartition('/')[2]) for path in paths)}"
