"""Damaged packets: compiled walk and plain decode say the same, and nothing reads too far.

`SWEEPWIRE_FUZZ` sets the number of mutations over all feeds (20,000), `SWEEPWIRE_FUZZ_SEED` their
seed. The packets lie between pages that may not be touched; with SWEEPWIRE_CHECKED=1 every access
is compared with what the walk may touch as well.
"""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from feed_packets import BY_NAME, DATAGRAM_FEEDS, STREAM_FEEDS, corpus
from fuzz_rig import Fuzzed
from packet_mutations import mutated
from test_feedhandler_frame import kernel, twin

from captures import Capture
from feedhandler.feed import Feed, decode
from feedhandler.reasons import Reason
from feedhandler.registry import decode_best, versions

MUTATIONS = int(os.environ.get("SWEEPWIRE_FUZZ", "20000"))
SEED = int(os.environ.get("SWEEPWIRE_FUZZ_SEED", "1"))
NAMES = [*DATAGRAM_FEEDS, *STREAM_FEEDS]
FRAMES_A_CAPTURE = 200


def show(data: bytes, wrong: str | None) -> str:
    """What a person needs to look at a failure."""
    return f"{wrong}: {data.hex()}"


@pytest.mark.parametrize("name", NAMES)
def test_valid_packets_have_no_fault_but_of_values(name: str) -> None:
    with Fuzzed(BY_NAME[name]).open() as fuzzed:
        for data in corpus(name):
            assert decode(fuzzed.feed, data).faults == []
            wrong = fuzzed.check(data)
            assert wrong is None, show(data, wrong)


@pytest.mark.parametrize("name", NAMES)
def test_packets_cut_at_every_byte(name: str) -> None:
    with Fuzzed(BY_NAME[name]).open() as fuzzed:
        for data in corpus(name)[:12]:
            for length in range(min(len(data), 400)):
                wrong = fuzzed.check(data[:length])
                assert wrong is None, show(data[:length], wrong)


@pytest.mark.parametrize("name", NAMES)
def test_mutations_of_packets(name: str) -> None:
    rng = Random(f"{SEED} {name}")
    with Fuzzed(BY_NAME[name]).open() as fuzzed:
        packets = corpus(name)
        for _ in range(MUTATIONS // (2 * len(NAMES))):
            data = mutated(rng, packets, fuzzed.feed)
            wrong = fuzzed.check(data)
            assert wrong is None, show(data, wrong)


@pytest.mark.parametrize("name", STREAM_FEEDS)
def test_a_stream_may_arrive_in_any_pieces(name: str) -> None:
    rng = Random(f"{SEED} {name} pieces")
    with Fuzzed(BY_NAME[name]).open() as fuzzed:
        for data in corpus(name):
            whole = fuzzed.in_pieces(data, [])
            assert whole[3] == b"", data.hex()
            for _ in range(5):
                cuts = sorted(rng.choices(range(len(data) + 1), k=rng.randint(1, 6)))
                assert fuzzed.in_pieces(data, cuts) == whole, (data.hex(), cuts)


def frames_of(capture: Path) -> list[tuple[bytes, int]]:
    """The first frames of a capture with their link types."""
    with Capture(capture) as opened:
        some = islice(opened.frames(), FRAMES_A_CAPTURE)
        return [(bytes(frame.data), frame.link_type) for frame in some]


def feed_of(name: str, payload: bytes) -> Feed:
    """The version of a feed that reads a payload best."""
    return decode_best(versions(name), payload)[0]


def test_mutations_of_real_frames(real_captures: Path) -> None:
    """Damage anywhere in a frame: first the frame parser against its twin, then the feed."""
    known = {feed.name for feed in BY_NAME.values()}
    captures = sorted(p for p in real_captures.glob("*/*.pcap") if p.parent.name in known)
    rigs = {name: Fuzzed(feed) for name, feed in BY_NAME.items()}
    rng = Random(f"{SEED} frames")
    reached = 0
    for capture in captures:
        frames = frames_of(capture)
        for _ in range(max(1, MUTATIONS // (2 * len(captures)))):
            data, link_type = rng.choice(frames)
            feed = feed_of(capture.parent.name, data)
            data = mutated(rng, [data], feed)
            reason, fields = kernel(data, link_type)
            assert (reason, fields) == twin(data, link_type), data.hex()
            if reason not in (Reason.OK, Reason.TCP):
                continue
            with rigs[feed_of(capture.parent.name, fields[0]).full_name].open() as fuzzed:
                wrong = fuzzed.check(fields[0])
            assert wrong is None, show(fields[0], wrong)
            reached += 1
    assert reached > 0
