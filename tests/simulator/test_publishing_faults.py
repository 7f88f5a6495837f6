"""Faults on the lines do what they say, the same ones for the same seed, however a day is cut."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_rig import DAY, LISTINGS, MIDNIGHT_NS, START_NS, events_of
from publishing_rig import BILLION, PROTOCOLS, whole_day

from feedhandler.registry import decode
from feedhandler.transports.kinds import RESET
from nic.configfile import ConfigError
from simulator.publishing.faults import Fault, FaultPlan, load_faults
from simulator.publishing.lines import LineName, lines_of
from simulator.publishing.linestream import FRAME_BYTES, LineStream
from simulator.publishing.packets import Packets, join
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES

OPEN_S = (START_NS - MIDNIGHT_NS) / BILLION
KINDS: dict[str, dict[str, Any]] = {
    "loss": {"rate": 0.1},
    "gap": {"rate": 0.05},
    "down": {"from_s": OPEN_S + 0.1, "to_s": OPEN_S + 0.15},
    "duplicate": {"rate": 0.1, "count": 2, "delay_ns": 300_000},
    "reorder": {"rate": 0.1, "count": 3},
    "delay": {"from_s": OPEN_S + 0.1, "to_s": OPEN_S + 0.12, "delay_ns": 5_000_000},
    "burst": {"from_s": OPEN_S + 0.1, "to_s": OPEN_S + 0.2, "delay_ns": 2_000_000},
    "corrupt": {"rate": 0.1, "count": 3},
    "reset": {"from_s": OPEN_S + 0.15},
}


@cache
def day_of(venue: str) -> Packets:
    """The packets of a day of about a quarter of a second."""
    return whole_day(Publisher(venue, LISTINGS, DAY), events_of(41, 2_500))


def arrived(
    name: LineName, *faults: Fault, venue: str = "nasdaq", seed: int = 0, cuts: int = 1
) -> Packets:
    """What comes over a line with these faults, given in so many pieces."""
    line = lines_of(VENUES[venue])["AB".index(name)]
    stream = LineStream(line, FaultPlan(faults=list(faults), seed=seed), MIDNIGHT_NS)
    day = day_of(venue)
    parts = np.array_split(np.arange(len(day)), cuts)
    return join([*(stream.carry(day.take(part)) for part in parts), stream.flush()])


def said(packets: Packets) -> list[tuple[int, bytes]]:
    """(time, payload) of packets."""
    return list(packets)


def payloads(packets: Packets) -> list[bytes]:
    """The payloads in their order."""
    return [raw for _, raw in packets]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_the_same_however_the_day_is_cut(kind: str) -> None:
    fault = Fault(kind=kind, **KINDS[kind])  # type: ignore[arg-type]
    whole = arrived("A", fault)
    assert said(whole) != said(arrived("A"))
    assert (np.diff(whole.rows["time_ns"]) >= 0).all()
    for cuts in (2, 50, 1_500):
        assert said(arrived("A", fault, cuts=cuts)) == said(whole)


@pytest.mark.parametrize("kind", [kind for kind, given in KINDS.items() if "rate" in given])
def test_the_seed_decides_whom_it_hits(kind: str) -> None:
    fault = Fault(kind=kind, **KINDS[kind])  # type: ignore[arg-type]
    assert said(arrived("A", fault)) == said(arrived("A", fault))
    assert said(arrived("A", fault)) != said(arrived("A", fault, seed=1))


def test_loss_takes_its_share_of_a_line_alone() -> None:
    fault = Fault(kind="loss", line="B", rate=0.1)
    day, clean = day_of("nasdaq"), arrived("A", fault)
    assert payloads(clean) == payloads(day)
    lost = 1 - len(arrived("B", fault)) / len(day)
    assert 0.07 < lost < 0.13
    assert set(payloads(arrived("B", fault))) < set(payloads(day))
    both = Fault(kind="loss", rate=0.1)
    assert payloads(arrived("A", both)) != payloads(arrived("B", both))


def test_a_gap_is_in_the_same_packets_of_both_lines() -> None:
    fault = Fault(kind="gap", rate=0.05)
    one, two = arrived("A", fault), arrived("B", fault)
    assert payloads(one) == payloads(two)
    assert 0.02 < 1 - len(one) / len(day_of("nasdaq")) < 0.08


def test_a_line_that_is_down_brings_nothing_in_its_time() -> None:
    fault = Fault(kind="down", line="A", **KINDS["down"])
    day = day_of("nasdaq")
    begin, end = START_NS + 100_000_000, START_NS + 150_000_000
    sent = day.rows["time_ns"]
    kept = day.take(np.flatnonzero((sent < begin) | (sent >= end)))
    assert payloads(arrived("A", fault)) == payloads(kept)
    assert 100 < len(kept) < len(day) - 100
    assert payloads(arrived("B", fault)) == payloads(day)


def test_duplicates_come_again_so_much_later() -> None:
    fault = Fault(kind="duplicate", rate=0.1, count=2, delay_ns=300_000)
    clean, made = arrived("A"), arrived("A", fault)
    times: dict[bytes, list[int]] = {}
    for time_ns, raw in made:
        times.setdefault(raw, []).append(time_ns)
    assert list(times) == payloads(clean)
    first = {raw: time_ns for time_ns, raw in clean}
    again = [raw for raw, seen in times.items() if len(seen) > 1]
    assert 0.05 < len(again) / len(first) < 0.15
    for raw in again:
        assert times[raw] == [first[raw], first[raw] + 300_000, first[raw] + 600_000]


def test_a_reordered_packet_comes_behind_the_next_ones() -> None:
    clean = payloads(arrived("A"))
    made = payloads(arrived("A", Fault(kind="reorder", rate=0.02, count=3)))
    assert sorted(made) == sorted(clean) and made != clean
    place = {raw: number for number, raw in enumerate(made)}
    late = [n for n, raw in enumerate(clean[:-4]) if place[raw] > place[clean[n + 3]]]
    assert 0.005 < len(late) / len(clean) < 0.04
    # those that were not held back are in their order
    rest = [raw for n, raw in enumerate(clean) if n not in late]
    assert [raw for raw in made if raw in set(rest)] == rest


def test_delayed_packets_come_later_and_hold_up_the_others() -> None:
    fault = Fault(kind="delay", line="A", **KINDS["delay"])
    clean, made = arrived("A"), arrived("A", fault)
    assert payloads(made) == payloads(clean)
    later = made.rows["time_ns"] - clean.rows["time_ns"]
    sent = day_of("nasdaq").rows["time_ns"] - START_NS
    inside = (sent >= 100_000_000) & (sent < 120_000_000)
    assert (later[inside] == 5_000_000).all() and inside.sum() > 100
    assert (later[sent < 100_000_000] == 0).all()
    assert (later[sent > 126_000_000] == 0).all()
    queued = (sent >= 120_000_000) & (sent < 124_000_000)
    assert (later[queued] > 0).all()


def test_a_burst_comes_at_the_speed_of_the_wire() -> None:
    fault = Fault(kind="burst", **KINDS["burst"])
    clean, made = arrived("A"), arrived("A", fault)
    assert payloads(made) == payloads(clean)
    times, lengths = made.rows["time_ns"], made.rows["length"].astype(np.int64)
    gaps, wire_ns = np.diff(times), (lengths[:-1] + FRAME_BYTES) * 4 // 5
    assert (gaps >= np.minimum(wire_ns, np.diff(clean.rows["time_ns"]))).all()
    inside = (times > START_NS + 101_000_000) & (times < START_NS + 199_000_000)
    together = inside[1:] & inside[:-1] & (gaps == wire_ns)
    assert together.sum() > 0.8 * inside.sum()
    starts = times[1:][inside[1:] & (gaps > wire_ns)]
    assert (starts % 2_000_000 == 0).all() and len(starts) > 20


def test_corrupted_bytes_are_few_and_of_that_line_alone() -> None:
    fault = Fault(kind="corrupt", line="A", rate=0.1, count=3)
    clean, made = payloads(arrived("A")), payloads(arrived("A", fault))
    assert len(made) == len(clean)
    differing = [
        sum(x != y for x, y in zip(one, two, strict=True))
        for one, two in zip(clean, made, strict=True)
    ]
    hit = [count for count in differing if count]
    assert 0.06 < len(hit) / len(clean) < 0.14
    assert set(hit) <= {1, 2, 3} and 3 in hit
    assert payloads(arrived("B", fault)) == clean


@pytest.mark.parametrize("venue", PROTOCOLS)
def test_a_reset_starts_the_sequences_again(venue: str) -> None:
    fault = Fault(kind="reset", **KINDS["reset"])
    feed = Publisher(venue, LISTINGS, DAY).feed
    transport = feed.transport
    made = arrived("A", fault, venue=venue)
    assert payloads(made) == payloads(arrived("B", fault, venue=venue))
    has_flag = transport.signals is not None and RESET in transport.signals[1].values()
    assert len(made) == len(day_of(venue)) + (1 if has_flag else 0)
    expected: dict[int, int] = {}
    sessions, restarts = set(), 0
    for row, raw in zip(made.rows, payloads(made), strict=True):
        decoded = decode(feed, raw)
        header, unit = decoded.packet.header, int(row["unit"])
        sequence = header[transport.sequence]
        assert not decoded.faults and sequence == row["sequence"]
        restarts += sequence == 1 and expected.get(unit, 1) > 1
        assert sequence in (expected.get(unit, 1), 1)
        expected[unit] = int(sequence) + len(decoded.messages)  # type: ignore[arg-type]
        sessions.add(header.get(transport.session))
    assert restarts == len(expected)
    assert len(sessions) == (2 if transport.session and not transport.restarts else 1)


def test_faults_are_done_in_the_order_of_the_list() -> None:
    plan = [Fault(kind="duplicate", line="A"), Fault(kind="down", line="A", to_s=OPEN_S + 0.1)]
    made, clean = arrived("A", *plan), arrived("A")
    kept = clean.take(np.flatnonzero(day_of("nasdaq").rows["time_ns"] >= START_NS + 100_000_000))
    assert len(made) == 2 * len(kept)


def test_a_plan_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('seed = 7\n[[faults]]\nkind = "loss"\nline = "A"\nrate = 0.25\n')
    assert load_faults(path) == FaultPlan(seed=7, faults=[Fault(kind="loss", line="A", rate=0.25)])
    wrong = {
        'kind = "lost"': r"faults\[0\].kind: ",
        'kind = "loss"\nrate = 2': r"faults\[0\].rate: ",
        'kind = "gap"\nline = "A"': "a gap is on both lines",
        'kind = "reset"': "from_s: missing",
        'kind = "loss"\nshare = 1': "unknown key",
    }
    for text, message in wrong.items():
        path.write_text(f"[[faults]]\n{text}\n")
        with pytest.raises(ConfigError, match=message):
            load_faults(path)
