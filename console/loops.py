"""The compiled loop for a plan, and the state block it works on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from numba import types

from console import statefile
from console.compiling import Kernel
from console.plan import Plan
from feedhandler import specialise
from feedhandler.feed import Feed
from feedhandler.lines import setup as line_setup
from feedhandler.lines.setup import Lines
from feedhandler.loop import run
from feedhandler.stateblock import LinkPort, LoopOptions, create_state
from nic.block import Block

COUNTING = "the loop that counts"
NAMED_FILES = 2


class NamedPort(LinkPort, Protocol):
    """A port that says where it is."""

    @property
    def uri(self) -> str: ...


def loop_kernel(
    feeds: Sequence[Feed],
    *,
    books: bool = False,
    market: bool = False,
    lines: bool = False,
    owned: bool = False,
) -> Kernel:
    """The loop for these feeds; without any, the one that only counts.

    With `books` it keeps books, with `market` the consolidated book as well, with `lines` it
    arbitrates between the lines that `make_state` is given, with `owned` it keeps the symbols of
    one owner.
    """
    if not feeds:
        return Kernel(COUNTING, run, (types.uint64,))
    names = ", ".join(feed.full_name for feed in feeds)
    kernel = specialise.build(feeds, books=books, market=market, lines=lines, owned=owned)
    kept = ", with books" if books or market else ""
    kept += " of some symbols" if owned else ""
    return Kernel(f"the loop for {names}{kept}", kernel, (types.uint64,))


def make_state(
    plan: Plan,
    ports: Sequence[NamedPort],
    options: LoopOptions,
    path: Path | None,
    tick_hz: float,
    books: Mapping[int, int] | None = None,
    venues: Mapping[int, int] | None = None,
    lines: Lines | None = None,
) -> Block:
    """A block ready to run, with names in it for whoever looks.

    `books` and `venues` give, by channel, the head of its venue's books and the venue's row in a
    consolidated book. `lines` are those to arbitrate between, as `lines_of` finds them; the kernel
    has to be made for it.
    """
    feeds, channels = plan.feeds, plan.channels
    extra = statefile.sections(len(ports), len(channels))
    if feeds:
        by_channel = [channel.feed for channel in channels if channel.feed is not None]
        more = line_setup.sections(lines, by_channel) if lines is not None else []
        extra = [*specialise.sections(len(channels), feeds), *more, *extra]
    addresses = [channel.address for channel in channels if channel.address is not None]
    block = create_state(ports, addresses, options, path=path, handler_sections=extra)
    if feeds:
        numbers = {feed.full_name: index for index, feed in enumerate(feeds)}
        of_channel = [numbers[c.feed.full_name] for c in channels if c.feed is not None]
        midnights = {i: channel.midnight_ns for i, channel in enumerate(channels)}
        specialise.prepare(block, feeds, of_channel, midnights, books=books, venues=venues)
        if lines is not None:
            line_setup.prepare(block, lines, by_channel)
    statefile.describe(block, plan, [link_name(port.uri) for port in ports], tick_hz)
    return block


def link_name(uri: str) -> str:
    """A port's address for a narrow column: files without their folders and options."""
    scheme, _, rest = uri.partition(":")
    paths = rest.partition("?")[0].split(",")
    if len(paths) > NAMED_FILES:
        return f"{scheme}:{len(paths)} files"
    return f"{scheme}:{', '.join(unquote(path.rpartition('/')[2]) for path in paths)}"
