"""Messages/s from public events to the bytes of captures, both lines, for each protocol."""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "simulator"))

from event_rig import DAY, LISTINGS, Flow

from feedhandler import actions as a
from simulator.publishing.lines import LineCapture, capture_path, lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES

PROTOCOLS = ("nasdaq", "bzx", "nyse", "memx", "iex")
PIECE = 100_000
BATCH = 100_000
ROUNDS = 3
STAGES = ("publish", "captures", "all", "core")


def piece_of_events() -> NDArray[np.void]:
    """Events at whose end no order rests, so that they can be said again behind themselves."""
    flow = Flow(random.Random(1), most_gap_ns=8_000, live=2_000)
    events = [flow.run(PIECE)]
    for reference, (key, *_) in list(flow.orders.items()):
        flow.emit(a.DELETE, key, order_id=reference)
    left = len(flow.orders)
    return np.concatenate([*events, np.array(flow.made[-left:], a.ACTION_DTYPE)])


def repeated(piece: NDArray[np.void], times: int) -> NDArray[np.void]:
    """The piece several times over, every time with references, trade ids and times of its own."""
    parts = []
    span_ns = int(piece["time_ns"][-1] - piece["time_ns"][0]) + 1_000
    for number in range(times):
        part = piece.copy()
        part["time_ns"] += number * span_ns
        part["order_id"][piece["order_id"] > 0] += number * PIECE * 2
        part["aux"][np.isin(piece["kind"], (a.REPLACE, a.TRADE))] += number * PIECE * 2
        parts.append(part)
    return np.concatenate(parts)


def make(venue: str, events: NDArray[np.void], folder: Path) -> tuple[dict[str, float], int, int]:
    """One day into two captures: seconds of each stage, messages of a line, bytes written."""
    publisher, spent = Publisher(venue, LISTINGS, DAY, retain=1_000_000), dict.fromkeys(STAGES, 0.0)
    lines = lines_of(publisher.venue)
    streams, messages = [LineStream(line) for line in lines], 0
    captures = [LineCapture(capture_path(folder, line), line) for line in lines]
    begin_ns = int(events["time_ns"][0]) - 1_000_000
    started, core = time.perf_counter(), time.process_time()
    publisher.begin(begin_ns)
    for start in range(0, len(events), BATCH):
        at = time.perf_counter()
        packets = publisher.publish(events[start : start + BATCH])
        messages += packets.message_count
        published = time.perf_counter()
        spent["publish"] += published - at
        for stream, capture in zip(streams, captures, strict=True):
            capture.write(stream.carry(packets))
        spent["captures"] += time.perf_counter() - published
    for capture in captures:
        capture.__exit__(None, None, None)
    spent["all"], spent["core"] = time.perf_counter() - started, time.process_time() - core
    written = sum(capture_path(folder, line).stat().st_size for line in lines)
    return spent, messages, written


def run(quick: bool) -> list[dict[str, Any]]:
    """All rows of this bench."""
    events = repeated(piece_of_events(), 3 if quick else 20)
    rows = []
    for venue in PROTOCOLS:
        with tempfile.TemporaryDirectory() as name:
            make(venue, events[: BATCH // 10], Path(name))
            best = min((make(venue, events, Path(name)) for _ in range(ROUNDS)), key=seconds_of)
        spent, messages, written = best
        rows.append(
            {
                "name": VENUES[venue].feed,
                "messages": messages,
                "messages_per_second": messages / spent["all"],
                "messages_per_core_second": messages / spent["core"],
                "publish_ns_per_message": spent["publish"] * 1e9 / messages,
                "two_captures_ns_per_message": spent["captures"] * 1e9 / messages,
                "written_mb": written / 1e6,
            }
        )
    return rows


def seconds_of(made: tuple[dict[str, float], int, int]) -> float:
    """Seconds of a whole run."""
    return made[0]["all"]
