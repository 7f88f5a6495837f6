"""A loop compiled for just the feeds that a configuration uses.

The entry is written as a small module into the kernel cache folder: a real file, so that numba can
keep its machine code, importing the kernels of those feeds and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.faults import FAULTS
from feedhandler.feed import Feed
from feedhandler.wire.walk import BATCH
from nic import kernelcache
from nic.block import Block

SYMBOLS_PER_CHANNEL = 65536  # price scales and clocks by symbol index, for feeds that need them

HEAD = '''"""The loop for: {names}. Written by feedhandler.specialise; never edited."""

from numba import njit
import numpy as np

from feedhandler.handler import batch_of, begin, context_of, count_actions, messages_so_far
from feedhandler.loop import FLUSH_NOTHING, run_loop
from nic.kernelref import KernelRef
'''

BODY = """

@njit(nogil=True)
def handle(state, channel, payload, length, timestamp_ns, burst_index):
    context, out, start = context_of(state, channel), batch_of(state), np.int64(payload)
    before = messages_so_far(context)
    feed = begin(context, timestamp_ns)
    made = 0
{choices}
    count_actions(context, out, made)
    return messages_so_far(context) - before


HANDLE = KernelRef(handle)


@njit(nogil=True, cache=True)
def run(state):
    return run_loop(state, HANDLE, FLUSH_NOTHING)
"""


def kernel_pairs(feeds: Sequence[Feed]) -> list[tuple[str, str]]:
    """The distinct (walk, message) kernels of feeds, in order; feeds may share them."""
    return list(dict.fromkeys((feed.walk, feed.message) for feed in feeds))


def source(feeds: Sequence[Feed]) -> str:
    """The entry module's text for these feeds.

    Raises:
        ValueError: naming a feed that is read from a stream and has no place in the packet loop.
    """
    lines, choices = [], []
    for number, (walk, message) in enumerate(kernel_pairs(feeds)):
        for path, alias in ((walk, f"walk_{number}"), (message, f"message_{number}")):
            module, _, name = path.partition(":")
            lines.append(f"from {module} import {name} as {alias}")
        lines.append(f"MESSAGE_{number} = KernelRef(message_{number})")
        test = "if" if number == 0 else "elif"
        choices.append(f"    {test} feed == {number}:")
        call = f"walk_{number}(start, length, context, out, MESSAGE_{number})"
        choices.append(f"        made = {call}")
    for feed in feeds:
        if feed.transport.stream:
            raise ValueError(f"feed {feed.full_name} comes by TCP, not in datagrams")
    head = HEAD.format(names=", ".join(feed.full_name for feed in feeds))
    return head + "\n".join(lines) + BODY.format(choices="\n".join(choices))


def build(feeds: Sequence[Feed]) -> Callable[[int], int]:
    """The loop `run(state_address)` for these feeds; compiled on its first call or by `warm`.

    Raises:
        ValueError: when no feed is given, or one comes by TCP.
    """
    if not feeds:
        raise ValueError("no feed to build a loop for")
    text = source(feeds)
    run: Callable[[int], int] = kernelcache.generated_module("loop", text).run
    return run


def sections(channel_count: int, feeds: Sequence[Feed]) -> list[tuple[str, np.dtype[Any], int]]:
    """The block sections that the handlers need, for `stateblock.create_state`."""
    made = [("actions", ACTION_DTYPE, BATCH), ("contexts", CONTEXT_DTYPE, max(1, channel_count))]
    if any(feed.time_base == "symbol second" for feed in feeds):
        made.append(("symbols", SYMBOL_DTYPE, SYMBOLS_PER_CHANNEL * max(1, channel_count)))
    return made


def prepare(
    block: Block,
    feeds: Sequence[Feed],
    feed_of_channel: Sequence[int],
    midnights_ns: Mapping[int, int] | None = None,
) -> None:
    """Fills the contexts of a fresh block.

    Args:
        block: made with `sections(len(feed_of_channel), feeds)`.
        feeds: those the loop was built for.
        feed_of_channel: index into `feeds` for each channel.
        midnights_ns: by channel, the session's midnight as epoch ns; absent is unknown.
    """
    pairs = kernel_pairs(feeds)
    contexts = block["contexts"]
    for channel, index in enumerate(feed_of_channel):
        feed, context = feeds[index], contexts[channel]
        context["feed"] = pairs.index((feed.walk, feed.message))
        context["midnight_ns"] = (midnights_ns or {}).get(channel, 0)
        block["channels"][channel]["handler_state"] = (
            block.offset("contexts") + CONTEXT_DTYPE.itemsize * channel
        )
        if feed.time_base == "symbol second":
            address = block.section_address("symbols", SYMBOLS_PER_CHANNEL * channel)
            context["symbols_address"], context["symbols_count"] = address, SYMBOLS_PER_CHANNEL


def faults_of(context: NDArray[np.void]) -> dict[str, int]:
    """The fault counts of a context row that are not zero, by name."""
    return {name: int(n) for name, n in zip(FAULTS, context["faults"], strict=False) if n}
