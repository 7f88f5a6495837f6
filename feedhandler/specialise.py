"""A loop compiled for just the feeds that a configuration uses.

The entry is written as a small module into the kernel cache folder: a real file, so that numba can
keep its machine code, importing the kernels of those feeds and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE
from feedhandler.booksink import ROOM, SINK_DTYPE
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.faults import FAULTS
from feedhandler.feed import Feed
from feedhandler.lines.entry import lines_source
from nic import kernelcache
from nic.block import Block

SYMBOLS_PER_CHANNEL = 65536  # price scales and clocks by symbol index, for feeds that need them
REMEMBERED_PER_CHANNEL = 1 << 19  # of feeds that keep more: 16,384 instruments of 512 bytes

HEAD = '''"""The loop for: {names}. Written by feedhandler.specialise; never edited."""

from numba import njit
import numpy as np

from feedhandler.handler import batch_of, begin, context_of, count_actions, messages_so_far
from feedhandler.loop import FLUSH_NOTHING, NOTHING_BETWEEN, run_loop
from feedhandler.messages import GROW, TICK
from nic.kernelref import KernelRef
from nic.raw import load_i64le
'''

BODY = """

@njit(nogil=True)
def deliver(state, channel, payload, length, timestamp_ns):
    context, start = context_of(state, channel), np.int64(payload)
    out = {room}
    before = messages_so_far(context)
    feed = begin(context, timestamp_ns)
    made = 0
{choices}
    count_actions(context, out, made)
    {keep}
    return messages_so_far(context) - before

{handle}
{around}

@njit(nogil=True)
def command(state, record):
    kind = load_i64le(record)
    if kind == TICK:
        timestamp_ns = load_i64le(record + np.uint64(8))
        tick(np.int64(state), timestamp_ns)
        {ticked}
        return np.int64(1)
    if kind == GROW:
        return grow(np.int64(state), np.int64(record))
    return {other}


HANDLE = KernelRef({entry})
FLUSH = {flush}
COMMAND = KernelRef(command)
BETWEEN = {between}


@njit(nogil=True, cache=True)
def run(state):
    return run_loop(state, HANDLE, FLUSH, COMMAND, BETWEEN)
"""
PLAIN_HANDLE = """
@njit(nogil=True)
def handle(state, channel, payload, length, timestamp_ns, burst_index):
    return deliver(state, channel, payload, length, timestamp_ns)


@njit(nogil=True)
def tick(state, timestamp_ns):
    pass
"""
OWNED_IMPORT = """
from feedhandler.books.owned import keep_owned
"""
OWNED = """
    made = keep_owned(context, out, made)"""
NO_BOOKS = """

@njit(nogil=True)
def grow(state, record):
    return np.int64(0)
"""


@dataclass(frozen=True, slots=True)
class Sink:
    """What the loop does with the actions of a packet: texts that go into the entry module.

    Attributes:
        imports: of what the other texts use, and of `grow`.
        room: where the packet's actions are written to.
        keep: a statement behind the decoder; `state`, `context`, `out`, `made` are there.
        flush: a KernelRef for the end of a burst.
        around: functions behind `handle`.
        handle: the one that is given datagrams.
        other: the answer to a command that the feed handler does not know.
        ticked: a statement behind a tick of `timestamp_ns`.
        between: a KernelRef for once a round.
    """

    imports: str = NO_BOOKS
    room: str = "batch_of(state)"
    keep: str = ""
    flush: str = "FLUSH_NOTHING"
    around: str = ""
    handle: str = "handle"
    other: str = "np.int64(0)"
    ticked: str = ""
    between: str = "NOTHING_BETWEEN"


DECODING = Sink()
KEEPING_BOOKS = Sink(
    imports="""
from feedhandler.bookhandler import collect, flush_books, room_for
from feedhandler.books.growcommand import grow
""",
    room="room_for(state, context)",
    keep="collect(state, made)",
    flush="KernelRef(flush_books)",
)
CONSOLIDATING = Sink(
    imports="""
from feedhandler.books.growcommand import grow
from feedhandler.consolidated.sink import consolidate
from feedhandler.filling import flush_filling
""",
    keep="consolidate(context, out, made)",
    flush="KernelRef(flush_filling)",
)


def kernel_pairs(feeds: Sequence[Feed]) -> list[tuple[str, str]]:
    """The distinct (walk, message) kernels of feeds, in order; feeds may share them."""
    return list(dict.fromkeys((feed.walk, feed.message) for feed in feeds))


def sink_of(books: bool, market: bool) -> Sink:
    """The feed handler's own sinks."""
    if market:
        return CONSOLIDATING
    return KEEPING_BOOKS if books else DECODING


def decoders(feeds: Sequence[Feed], *, lines: bool = False) -> tuple[str, str]:
    """The text that names the feeds' kernels, and the one that chooses between them."""
    kernels, choices = [], []
    lined = {feed.message: feed.lined for feed in feeds if lines and feed.lined}
    for number, (walk, plain) in enumerate(kernel_pairs(feeds)):
        message = lined.get(plain, plain)
        for path, alias in ((walk, f"walk_{number}"), (message, f"message_{number}")):
            module, _, name = path.partition(":")
            kernels.append(f"from {module} import {name} as {alias}")
        kernels.append(f"MESSAGE_{number} = KernelRef(message_{number})")
        test = "if" if number == 0 else "elif"
        choices.append(f"    {test} feed == {number}:")
        call = f"walk_{number}(start, length, context, out, MESSAGE_{number})"
        choices.append(f"        made = {call}")
    return "\n".join(kernels), "\n".join(choices)


def source(
    feeds: Sequence[Feed], sink: Sink = DECODING, *, lines: bool = False, owned: bool = False
) -> str:
    """The entry module's text for these feeds.

    Their actions go to the sink. With `lines` packets of channels that are lines of a stream go
    through arbitration first. With `owned` actions on symbols of other shards do not go anywhere.

    Raises:
        ValueError: naming a feed that is read from a stream and has no place in the packet loop.
    """
    for feed in feeds:
        if feed.transport.stream:
            raise ValueError(f"feed {feed.full_name} comes by TCP, not in datagrams")
    kernels, choices = decoders(feeds, lines=lines)
    head = HEAD.format(names=", ".join(feed.full_name for feed in feeds)) + sink.imports
    handle = PLAIN_HANDLE
    if lines:
        transports = {(feed.walk, feed.message): feed.transport.name for feed in feeds}
        more, handle = lines_source(list(transports.values()))
        head += more
    if owned:
        head, choices = head + OWNED_IMPORT, choices + OWNED
    body = BODY.format(
        choices=choices,
        handle=handle,
        room=sink.room,
        keep=sink.keep,
        flush=sink.flush,
        around=sink.around,
        entry=sink.handle,
        other=sink.other,
        ticked=sink.ticked,
        between=sink.between,
    )
    return head + kernels + body


def build(
    feeds: Sequence[Feed],
    *,
    books: bool = False,
    market: bool = False,
    lines: bool = False,
    sink: Sink | None = None,
    owned: bool = False,
) -> Callable[[int], int]:
    """The loop `run(state_address)` for these feeds; compiled on its first call or by `warm`.

    With `books` it keeps the books of the channels that `prepare` was given some for; with `market`
    also the consolidated book, packet by packet; `sink` says what else is done with a packet's
    actions. With `lines` it arbitrates between the channels that `lines.setup.prepare` made lines
    of a stream. With `owned` books that were made for an owner keep its symbols alone.

    Raises:
        ValueError: when no feed is given, or one comes by TCP.
    """
    if not feeds:
        raise ValueError("no feed to build a loop for")
    text = source(feeds, sink or sink_of(books, market), lines=lines, owned=owned)
    run: Callable[[int], int] = kernelcache.generated_module("loop", text).run
    return run


def symbol_rows(feeds: Sequence[Feed]) -> int:
    """Rows of a channel's table of symbols: as many as the most demanding of the feeds wants."""
    if any(feed.remembers for feed in feeds):
        return REMEMBERED_PER_CHANNEL
    return SYMBOLS_PER_CHANNEL if any(feed.keeps_symbols for feed in feeds) else 0


def sections(channel_count: int, feeds: Sequence[Feed]) -> list[tuple[str, np.dtype[Any], int]]:
    """The block sections that the handlers need, for `stateblock.create_state`."""
    made = [
        ("actions", ACTION_DTYPE, ROOM),
        ("sink", SINK_DTYPE, 1),  # right behind the actions, where the handler looks for it
        ("contexts", CONTEXT_DTYPE, max(1, channel_count)),
    ]
    rows = symbol_rows(feeds)
    if rows:
        made.append(("symbols", SYMBOL_DTYPE, rows * max(1, channel_count)))
    return made


def prepare(
    block: Block,
    feeds: Sequence[Feed],
    feed_of_channel: Sequence[int],
    midnights_ns: Mapping[int, int] | None = None,
    books: Mapping[int, int] | None = None,
    venues: Mapping[int, int] | None = None,
) -> None:
    """Fills the contexts of a fresh block.

    Args:
        block: made with `sections(len(feed_of_channel), feeds)`.
        feeds: those the loop was built for.
        feed_of_channel: index into `feeds` for each channel.
        midnights_ns: by channel, the session's midnight as epoch ns; absent is unknown.
        books: by channel, the address of the books its actions go to; absent keeps none. The lines
            and units of a venue have the same.
        venues: by channel, the address of its venue's row in a consolidated book; absent: none.
    """
    pairs = kernel_pairs(feeds)
    contexts = block["contexts"]
    for channel, index in enumerate(feed_of_channel):
        feed, context = feeds[index], contexts[channel]
        context["feed"] = pairs.index((feed.walk, feed.message))
        context["midnight_ns"] = (midnights_ns or {}).get(channel, 0)
        context["book"] = (books or {}).get(channel, 0)
        context["venue"] = (venues or {}).get(channel, 0)
        context["filtered"] = context["book"]
        block["channels"][channel]["handler_state"] = (
            block.offset("contexts") + CONTEXT_DTYPE.itemsize * channel
        )
        if feed.keeps_symbols:
            rows = symbol_rows(feeds)
            address = block.section_address("symbols", rows * channel)
            context["symbols_address"], context["symbols_count"] = address, rows


def faults_of(context: NDArray[np.void]) -> dict[str, int]:
    """The fault counts of a context row that are not zero, by name."""
    return {name: int(n) for name, n in zip(FAULTS, context["faults"], strict=False) if n}
