"""ns a message, decode only, for each feed on streams from its encoder; ITCH beside plain C."""

from __future__ import annotations

import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from decode_kernels import decode_entry
from streams_made import Stream, make_stream, weights

from feedhandler.actions import ACTION_DTYPE
from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.feed import Feed
from feedhandler.registry import FEEDS
from feedhandler.wire.walk import BATCH

HERE = Path(__file__).resolve().parent
PER_PACKET = 30
ROUNDS = 7
MIDNIGHT_NS = 1_692_676_800_000_000_000
SYMBOLS = 65536


def c_walker() -> Any:
    """The C decoder, compiled for this machine as a user would compile a hot library."""
    library = Path(tempfile.mkdtemp()) / "itch_walker.so"
    command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library)]
    subprocess.run([*command, str(HERE / "itch_walker.c")], check=True)
    walk = ctypes.CDLL(str(library)).itch_walk
    walk.restype = ctypes.c_uint64
    walk.argtypes = [ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_uint64] * 2 + [ctypes.c_void_p]
    return walk


def make_context() -> tuple[Any, Any]:
    """A context in which dates, clocks and symbols are known, and the symbols it points to."""
    context, symbols = np.zeros(1, CONTEXT_DTYPE), np.zeros(SYMBOLS, SYMBOL_DTYPE)
    symbols["price_multiplier"] = 10_000
    context["midnight_ns"] = context["clock_ns"] = MIDNIGHT_NS
    context["symbols_address"], context["symbols_count"] = symbols.ctypes.data, SYMBOLS
    return context, symbols


def compiled_run(feed: Feed, stream: Stream) -> Callable[[], tuple[int, int]]:
    """A call that decodes the whole stream with the feed's kernels."""
    entry = decode_entry(*feed.kernels())
    (context, symbols), out = make_context(), np.zeros(BATCH, ACTION_DTYPE)

    def call() -> tuple[int, int]:
        count = len(stream.places)
        places, data = stream.places.ctypes.data, stream.data.ctypes.data
        made, checksum = entry(data, places, count, context.ctypes.data, out.ctypes.data)
        assert symbols is not None and not context["faults"].any(), context["faults"]
        return int(made), int(checksum) & (1 << 64) - 1

    return call


def c_run(stream: Stream) -> Callable[[], tuple[int, int]]:
    """A call that decodes the whole ITCH stream with the C decoder."""
    walk = c_walker()

    def call() -> tuple[int, int]:
        seen = ctypes.c_uint64()
        places, data = stream.places.ctypes.data, stream.data.ctypes.data
        checksum = walk(data, places, len(stream.places), MIDNIGHT_NS, ctypes.byref(seen))
        return int(seen.value), int(checksum)

    return call


def interleaved(calls: dict[str, Callable[[], Any]], messages: int) -> dict[str, float]:
    """Median ns a message of each call, the calls taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = time.perf_counter_ns()
            call()
            taken[name].append((time.perf_counter_ns() - started) / messages)
    return {name: statistics.median(times) for name, times in taken.items()}


def itch_rows(feed: Feed, messages: int) -> list[dict[str, Any]]:
    """ITCH and the C decoder on the same packets; their checksums must agree."""
    stream = make_stream(feed, messages, PER_PACKET)
    calls = {"compiled rows": compiled_run(feed, stream), "plain C": c_run(stream)}
    results = {name: call() for name, call in calls.items()}
    if len(set(results.values())) != 1:
        raise AssertionError(f"the two decoders disagree: {results}")
    times = interleaved(calls, stream.messages)
    base = times["plain C"]
    return [
        {"name": f"{feed.name}, {name}", "ns_per_message": ns, "ratio_to_c": ns / base}
        for name, ns in times.items()
    ]


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows of this bench."""
    messages = 1_000_000 if quick else 10_000_000
    rows, done = [], set()
    for feed in FEEDS:
        if (feed.walk, feed.message) in done or not weights(feed):
            continue
        done.add((feed.walk, feed.message))
        if feed.name == "nasdaq_itch50":
            rows += itch_rows(feed, messages)
            continue
        stream = make_stream(feed, messages, PER_PACKET)
        times = interleaved({feed.full_name: compiled_run(feed, stream)}, stream.messages)
        rows += [{"name": name, "ns_per_message": ns} for name, ns in times.items()]
    return rows
