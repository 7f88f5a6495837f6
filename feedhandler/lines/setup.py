"""Which channels are lines of one stream, and the tables that arbitration needs for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from feedhandler.context import CONTEXT_DTYPE
from feedhandler.feed import Feed
from feedhandler.lines.layout import (
    ARBITER_DTYPE,
    LINES,
    NEVER,
    SLOT_DTYPE,
    SLOT_HEAD_BYTES,
    STREAM_BYTES,
    STREAM_DTYPE,
)
from feedhandler.lines.peek import WORD_BYTES
from feedhandler.lines.telling import tell_function
from nic.block import Block

UNITS = 256

Sections = list[tuple[str, np.dtype[Any], int]]


@dataclass(frozen=True, slots=True)
class LineOptions:
    """How long a hole may stay open, and the memory for what waits behind it.

    Attributes:
        window_ns: of the reorder window; a longer one finds more late copies on the other line, and
            delays what follows a true loss by as much.
        window_packets: that may wait in it, of one stream.
        recovery_ns: how long what was asked for may take; 0: nobody asks, a hole is given up at
            once.
        buffer_packets: that may wait meanwhile, of one stream.
        slots: packets that may wait, of all streams together.
        slot_bytes: of the largest packet that can wait.
    """

    window_ns: int = 1_000_000
    window_packets: int = 64
    recovery_ns: int = 0
    buffer_packets: int = 4096
    slots: int = 1024
    slot_bytes: int = 2048

    def __post_init__(self) -> None:
        if self.window_ns < 0 or self.window_packets < 0 or self.recovery_ns < 0:
            raise ValueError("window_ns, window_packets, recovery_ns: expected 0 or more")
        if self.slots < 1 or self.slot_bytes < 1 or self.buffer_packets < 1:
            raise ValueError("slots, slot_bytes, buffer_packets: expected 1 or more")


@dataclass(frozen=True, slots=True)
class Lines:
    """The channels with lines.

    Attributes:
        streams: by channel, (stream number, line 0 to LINES - 1); a channel that is not in it is
            read as it comes.
        options: see LineOptions.
    """

    streams: Mapping[int, tuple[int, int]]
    options: LineOptions = LineOptions()

    def __post_init__(self) -> None:
        for channel, (_, line) in self.streams.items():
            if not 0 <= line < LINES:
                raise ValueError(f"channel {channel}: line {line}: expected 0 to {LINES - 1}")
        if len(set(self.streams.values())) != len(self.streams):
            raise ValueError("two channels are the same line of a stream")


def rows_of(feed: Feed) -> int:
    """Stream rows of a channel: one a unit where units count on their own."""
    return UNITS if feed.transport.scope == "unit" else 1


def slot_dtype(options: LineOptions) -> np.dtype[Any]:
    """A slot with room for a packet."""
    room = -(-options.slot_bytes // 64) * 64
    return np.dtype([("about", SLOT_DTYPE), ("packet", "u1", (room,))])


def sections(lines: Lines, feed_of_channel: Sequence[Feed]) -> Sections:
    """The block sections of arbitration."""
    feeds = {stream: feed_of_channel[channel] for channel, (stream, _) in lines.streams.items()}
    rows = sum(rows_of(feed) for feed in feeds.values())
    made: Sections = [("arbiter", ARBITER_DTYPE, 1), ("streams", STREAM_DTYPE, max(1, rows))]
    return [*made, ("held_packets", slot_dtype(lines.options), lines.options.slots)]


def prepare(block: Block, lines: Lines, feed_of_channel: Sequence[Feed]) -> None:
    """Fills the tables of a fresh block made with `sections(lines, feed_of_channel)`.

    Call it when the channels have their books, see `feedhandler.specialise.prepare`.

    The lines of a stream share the context of its first channel.

    Raises:
        ValueError: the channels of a stream carry different feeds.
    """
    _fill_arbiter(block, lines.options)
    block["control"]["arbiter_offset"] = block.offset("arbiter")
    contexts = block["contexts"]
    if contexts["book"].any():
        market = bool(contexts["venue"].any())
        block["arbiter"]["tell"] = tell_function(market).address
    first: dict[int, int] = {}
    place: dict[int, int] = {}
    row = 0
    for channel, (stream, line) in sorted(lines.streams.items()):
        feed = feed_of_channel[channel]
        if stream not in first:
            first[stream], place[stream] = channel, block.offset("streams") + STREAM_BYTES * row
            _fill_streams(block, row, feed, stream, channel)
            row += rows_of(feed)
        elif feed_of_channel[first[stream]].full_name != feed.full_name:
            other = feed_of_channel[first[stream]].full_name
            raise ValueError(f"stream {stream}: lines of {other} and {feed.full_name}")
        about = block["channels"][channel]
        about["stream"], about["line"], about["streams"] = stream, line, place[stream]
        about["handler_state"] = block["channels"][first[stream]]["handler_state"]
        if not feed.transport.unit:  # the books tell channels apart by it
            _context_of(block, channel)["unit"] = stream + 1


def _context_of(block: Block, channel: int) -> np.void:
    """The context that a channel's packets are decoded with."""
    at = int(block["channels"][channel]["handler_state"]) - block.offset("contexts")
    row: np.void = block["contexts"][at // CONTEXT_DTYPE.itemsize]
    return row


def _fill_arbiter(block: Block, options: LineOptions) -> None:
    arbiter, slots = block["arbiter"][0], block["held_packets"]
    arbiter["window_ns"], arbiter["window_packets"] = options.window_ns, options.window_packets
    arbiter["recovery_ns"] = options.recovery_ns
    arbiter["buffer_packets"] = options.buffer_packets
    arbiter["slot_bytes"] = slots.dtype.itemsize - SLOT_HEAD_BYTES
    arbiter["earliest_ns"] = NEVER
    addresses = slots.ctypes.data + slots.dtype.itemsize * np.arange(slots.size + 1)
    slots["about"]["next"] = addresses[1:]
    slots["about"]["next"][-1] = 0
    slots["packet"] = 0  # touched here, so that the loop meets no page for the first time
    arbiter["free"] = addresses[0]


def _fill_streams(block: Block, row: int, feed: Feed, number: int, channel: int) -> None:
    transport = feed.transport
    count = rows_of(feed)
    streams = block["streams"][row : row + count]
    assert transport.header is not None
    streams["arbiter"] = block.offset("arbiter")
    streams["unit_mask"] = count - 1
    streams["wraps"] = transport.header.by_name[transport.sequence].width <= WORD_BYTES
    streams["restarts"] = transport.restarts
    streams["natural"], streams["by_image"] = feed.natural, feed.by_image
    streams["number"] = number
    streams["expected"] = streams["top"] = 1
    streams["channel"] = channel
    streams["unit"] = np.arange(count)
    streams["firsts"]["sequence"] = -1
