"""IEX captures against an independent decoder, the large one by both of our decoders."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from action_rig import entry, faults
from numpy.typing import NDArray
from real_decodes import captured, differences, expected_packets

from feedhandler.actions import ACTION_DTYPE, BUY, EVENT_OPEN, KINDS, SELL, SWEEP
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.registry import versions
from feedhandler.wire.walk import BATCH

LARGE = "large/goiex_DEEP10.pcap.gz"
LARGE_PACKETS = 121_314
# counted in the independent decodes
LARGE_MESSAGES = {
    "S": 44,
    "H": 93_638,
    "O": 93_638,
    "P": 93_636,
    "E": 59,
    "8": 12_941,
    "5": 14_627,
    "T": 83_343,
    "B": 73,
}
LARGE_HEARTBEATS = 7_937
LARGE_INSIDE_EVENT = 1_142
LARGE_REMOVED_LEVELS = 2_876
LARGE_SWEEPS = 13_271 + 10_088 + 5_614 + 3_409 + 1_089 + 556 + 316 + 162
# frames at which the session starts again at sequence 1 without a new session id
LARGE_RESTARTS = [5245, 5728, 7885, 11865, 15261, 21520, 30058, 33595, 34181, 36103, 40393]


@pytest.mark.parametrize("feed", ["iex_deep", "iex_deepplus", "iex_tops"])
def test_every_capture_reads_as_the_independent_decoder_read_it(
    real_captures: Path, feed: str
) -> None:
    captures = sorted((real_captures / feed).glob("*.pcap"))
    assert captures
    for capture in captures:
        wanted, got = expected_packets(capture), list(captured(capture))
        assert len(got) == len(wanted)
        for datagram, packet in zip(got, wanted, strict=True):
            found = differences(feed, datagram, packet)
            assert not found, f"{capture.name} frame {packet['frame']}: {found[:5]}"


def expected_lines(capture: Path) -> Iterator[dict[str, Any]]:
    """The expected packets one by one: all at once they take gigabytes."""
    with gzip.open(capture.with_name(capture.name.removesuffix(".gz") + ".ndjson.gz")) as file:
        yield from map(json.loads, file)


def test_the_large_capture_reads_as_the_independent_decoder_read_it(real_captures: Path) -> None:
    capture = real_captures / LARGE
    counts: Counter[str] = Counter()
    packets = 0
    for datagram, packet in zip(captured(capture), expected_lines(capture), strict=True):
        found = differences("iex_deep", datagram, packet)
        assert not found, f"frame {packet['frame']}: {found[:5]}"
        counts.update(message["header"]["message_type"] for message in packet["messages"])
        packets += 1
    assert packets == LARGE_PACKETS
    assert counts == LARGE_MESSAGES


@cache
def large_actions(capture: Path) -> tuple[NDArray[np.void], np.void, list[int]]:
    """All actions of the large capture, the context behind it, and the frames of restarts."""
    run = entry(*versions("iex_deep")[0].kernels())
    context, out = np.zeros(1, CONTEXT_DTYPE), np.zeros(BATCH, ACTION_DTYPE)
    actions, restarts, behind = [], [], 0
    for datagram in captured(capture):
        payload = np.frombuffer(datagram.payload, np.uint8)
        made = run(payload.ctypes.data, len(payload), context.ctypes.data, out.ctypes.data)
        actions.append(out[:made].copy())
        next_sequence = int(context["next_sequence"][0])
        if next_sequence < behind:
            restarts.append(datagram.number)
        behind = next_sequence
    return np.concatenate(actions), context[0], restarts


def test_the_compiled_walk_makes_the_actions_that_the_large_capture_s_messages_say(
    real_captures: Path,
) -> None:
    actions, row, _ = large_actions(real_captures / LARGE)
    assert faults(row) == {}
    assert (row["packets"], row["heartbeats"]) == (LARGE_PACKETS, LARGE_HEARTBEATS)
    assert row["messages"] == sum(LARGE_MESSAGES.values())
    counts = Counter(KINDS[kind] for kind in actions["kind"].tolist())
    assert counts == {
        "level": LARGE_MESSAGES["8"] + LARGE_MESSAGES["5"],
        "trade": LARGE_MESSAGES["T"],
        "break": LARGE_MESSAGES["B"],
        "status": LARGE_MESSAGES["H"] + LARGE_MESSAGES["S"] - 1,  # its last event ends the session
        "end": 1,
        "operational_halt": LARGE_MESSAGES["O"],
        "restrict": LARGE_MESSAGES["P"],
    }


def test_levels_of_the_large_capture_keep_side_size_and_event(real_captures: Path) -> None:
    actions, _, _ = large_actions(real_captures / LARGE)
    levels = actions[actions["kind"] == KINDS.index("level")]
    assert np.count_nonzero(levels["side"] == BUY) == LARGE_MESSAGES["8"]
    assert np.count_nonzero(levels["side"] == SELL) == LARGE_MESSAGES["5"]
    assert np.count_nonzero(levels["flags"] & EVENT_OPEN) == LARGE_INSIDE_EVENT
    assert np.count_nonzero(levels["quantity"] == 0) == LARGE_REMOVED_LEVELS
    trades = actions[actions["kind"] == KINDS.index("trade")]
    assert np.count_nonzero(trades["flags"] & SWEEP) == LARGE_SWEEPS


def test_sequences_are_handed_on_where_the_venue_starts_again(real_captures: Path) -> None:
    actions, _, restarts = large_actions(real_captures / LARGE)
    assert restarts == LARGE_RESTARTS
    steps = np.diff(actions["sequence"])
    assert np.count_nonzero(steps < 0) == len(LARGE_RESTARTS)
