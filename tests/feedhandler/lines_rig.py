"""Packets of several lines through arbitration, with every action and the state it was made in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from feedhandler import state as layout
from feedhandler.actions import ACTION_BYTES, ACTION_DTYPE
from feedhandler.channelmap import ChannelAddress
from feedhandler.context import CONTEXT_DTYPE, FEED, MESSAGES, SYMBOL_DTYPE, UNIT, get
from feedhandler.feed import Feed
from feedhandler.handler import context_of
from feedhandler.lines import peeks
from feedhandler.lines.arbiter import arrive
from feedhandler.lines.layout import EXPECTED, STATE, STREAM_BYTES, UNIT_MASK
from feedhandler.lines.setup import LineOptions, Lines, prepare, sections
from feedhandler.loop import channel_row
from feedhandler.registry import versions
from feedhandler.state import CHANNEL_STREAMS
from feedhandler.stateblock import create_state
from feedhandler.wire.walk import BATCH
from nic import regions
from nic.block import Block, field_offset
from nic.kernelref import KernelRef
from nic.raw import load_i64le, load_u64le, store_u64le

FEEDS = (
    "nasdaq_itch50",
    "cboe_pitch",
    "nyse_integrated",
    "memx_memoir",
    "iex_deepplus",
    "iex_deep",
    "siac_cts",
)
LOG = 1 << 17
TELLS = 1 << 12
SYMBOLS = 1024
LOG_DTYPE = np.dtype(
    [("action", ACTION_DTYPE), ("state", "i8"), ("expected", "i8"), ("told", "i8")]
)
LOG_BYTES = LOG_DTYPE.itemsize
RIG_DTYPE = np.dtype(
    [
        ("count", "i8"),
        ("tells", "i8"),
        ("last_tell", "i8"),
        ("tell", "i8", (TELLS,)),
        ("out", ACTION_DTYPE, (BATCH,)),
        ("log", LOG_DTYPE, (LOG,)),
    ]
)
TELL_COUNT, LAST_TELL = 8, 16
TELL_AT = field_offset(RIG_DTYPE, "tell")
OUT = field_offset(RIG_DTYPE, "out")
LOG_AT = field_offset(RIG_DTYPE, "log")
PACKET_DTYPE = np.dtype([("address", "i8"), ("length", "i8"), ("channel", "i8"), ("time_ns", "i8")])


@dataclass(frozen=True)
class Arrival:
    """A packet on a line."""

    time_ns: int
    line: int
    payload: bytes


@njit(nogil=True)
def note_actions(rig: Any, stream: Any, made: Any) -> None:
    """Appends the batch's actions to the log, with the stream's state."""
    for number in range(made):
        count = load_i64le(rig)
        target = rig + LOG_AT + LOG_BYTES * count
        for word in range(0, ACTION_BYTES, 8):
            store_u64le(target + word, load_u64le(rig + OUT + ACTION_BYTES * number + word))
        store_u64le(target + 64, load_i64le(stream + STATE))
        store_u64le(target + 72, load_i64le(stream + EXPECTED))
        store_u64le(target + 80, load_i64le(rig + LAST_TELL))
        store_u64le(rig, count + 1)


@cache
def decoder() -> Any:
    """The walk of whichever feed a context names: all in one, so that they compile together."""
    walks, messages = zip(*(versions(name)[0].kernels() for name in FEEDS), strict=True)
    walk_0, walk_1, walk_2, walk_3, walk_4, walk_5, walk_6 = walks
    refs = map(KernelRef, messages)
    message_0, message_1, message_2, message_3, message_4, message_5, message_6 = refs

    @njit(nogil=True)
    def decode(payload: Any, length: Any, context: Any, out: Any) -> Any:
        feed = get(context, FEED)
        if feed == 0:
            return walk_0(payload, length, context, out, message_0)
        if feed == 1:
            return walk_1(payload, length, context, out, message_1)
        if feed == 2:
            return walk_2(payload, length, context, out, message_2)
        if feed == 3:
            return walk_3(payload, length, context, out, message_3)
        if feed == 4:
            return walk_4(payload, length, context, out, message_4)
        if feed == 5:
            return walk_5(payload, length, context, out, message_5)
        return walk_6(payload, length, context, out, message_6)

    return decode


@cache
def peeking() -> Any:
    """The same for the look at a packet's header."""
    names = [versions(name)[0].transport.name for name in FEEDS]
    peek_0, peek_1, peek_2, peek_3, peek_4, _, peek_6 = (getattr(peeks, f"peek_{n}") for n in names)

    @njit(nogil=True)
    def peek(state: Any, channel: Any, payload: Any, length: Any) -> Any:
        feed = get(context_of(np.uint64(state), channel), FEED)
        if feed == 0:
            return peek_0(payload, length)
        if feed == 1:
            return peek_1(payload, length)
        if feed == 2:
            return peek_2(payload, length)
        if feed == 3:
            return peek_3(payload, length)
        if feed == 6:
            return peek_6(payload, length)
        return peek_4(payload, length)

    return peek


@cache
def entry() -> Any:
    """`run(state, packets, count)` over PACKET_DTYPE rows, compiled once for all tests."""
    decode, peek = decoder(), peeking()

    @njit(nogil=True)
    def deliver(state: Any, channel: Any, payload: Any, length: Any, now: Any) -> Any:
        context = context_of(np.uint64(state), channel)
        rig = state + load_i64le(state + layout.HANDLER_OFFSET)
        before = get(context, MESSAGES)
        made = decode(payload, length, context, rig + OUT)
        row = np.int64(channel_row(np.uint64(state), channel))
        first = state + load_i64le(row + CHANNEL_STREAMS)
        unit = get(context, UNIT) & get(first, UNIT_MASK)
        note_actions(rig, first + STREAM_BYTES * unit, made)
        return get(context, MESSAGES) - before

    @njit(nogil=True)
    def tell(state: Any, channel: Any, stream: Any, what: Any, now: Any) -> Any:
        rig = state + load_i64le(state + layout.HANDLER_OFFSET)
        count = load_i64le(rig + TELL_COUNT)
        store_u64le(rig + TELL_AT + 8 * count, what)
        store_u64le(rig + TELL_COUNT, count + 1)
        store_u64le(rig + LAST_TELL, what)
        return 0

    peek_ref, deliver_ref, tell_ref = KernelRef(peek), KernelRef(deliver), KernelRef(tell)

    @njit(nogil=True)
    def run(state: Any, packets: Any, count: Any) -> Any:
        messages = 0
        for number in range(count):
            row = packets + 32 * number
            address, length = load_i64le(row), load_i64le(row + 8)
            channel, now = load_i64le(row + 16), load_i64le(row + 24)
            messages += arrive(
                state, channel, address, length, now, peek_ref, deliver_ref, tell_ref
            )
        return messages

    return run


class LinesRig:
    """One stream with up to four lines.

    Attributes:
        block: the state block; `block["streams"]` has the counters.
        drained: events that `drain` has given.
    """

    def __init__(self, feed: Feed, options: LineOptions | None = None, lines: int = 3) -> None:
        self.feed = feed
        given = Lines({n: (0, n) for n in range(lines)}, options or LineOptions())
        feeds = [feed] * lines
        addresses = [ChannelAddress(f"233.0.0.{n + 1}", 3000) for n in range(lines)]
        extra = [("rig", RIG_DTYPE, 1), ("contexts", CONTEXT_DTYPE, 1)]
        extra += [("symbols", SYMBOL_DTYPE, SYMBOLS), *sections(given, feeds)]
        self.block: Block = create_state([], addresses, handler_sections=extra)
        self.block["channels"]["handler_state"] = self.block.offset("contexts")
        self.block["contexts"]["feed"] = FEEDS.index(feed.name)
        self.block["contexts"]["symbols_address"] = self.block["symbols"].ctypes.data
        self.block["contexts"]["symbols_count"] = SYMBOLS
        prepare(self.block, given, feeds)
        self.drained = 0

    def stream(self, unit: int = 0) -> np.void:
        """The row of a stream."""
        row: np.void = self.block["streams"][unit]
        return row

    def feed_in(self, arrivals: Sequence[Arrival]) -> NDArray[np.void]:
        """Takes packets in; gives all log rows so far."""
        rows = np.zeros(len(arrivals), PACKET_DTYPE)
        memory = np.frombuffer(b"".join(a.payload for a in arrivals) or b"\0", np.uint8)
        rows["length"] = [len(a.payload) for a in arrivals]
        rows["address"] = memory.ctypes.data + np.cumsum(rows["length"]) - rows["length"]
        rows["channel"] = [a.line for a in arrivals]
        rows["time_ns"] = [a.time_ns for a in arrivals]
        before = regions.violations().count
        with regions.allowed(self.block, memory, rows):
            entry()(np.int64(self.block.address), np.int64(rows.ctypes.data), len(rows))
        assert regions.violations().count == before, regions.violations()
        assert self.block["rig"]["count"][0] < LOG - BATCH, "the log is too small for so much"
        return self.log

    def drain(self) -> list[np.void]:
        """The events since it was last asked."""
        ring = self.block["events"][0]
        first, self.drained = self.drained, int(ring["producer"]["tail"])
        return [ring["records"][n].copy() for n in range(first, self.drained)]

    @property
    def log(self) -> NDArray[np.void]:
        """Every action so far, with the stream's state when it was made."""
        rig = self.block["rig"][0]
        return rig["log"][: int(rig["count"])].copy()

    @property
    def actions(self) -> NDArray[np.void]:
        """Every action so far."""
        return self.log["action"].copy()

    @property
    def tells(self) -> list[int]:
        """What the books were told."""
        rig = self.block["rig"][0]
        return rig["tell"][: int(rig["tells"])].tolist()
