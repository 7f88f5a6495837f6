"""Arbitration under losses, copies and reordering: nothing twice, nothing out of order."""

from __future__ import annotations

import random

import pytest
from lines_rig import Arrival, LinesRig
from lines_traffic import JITTER_NS, NUMBERED, STEP_NS, feed_of, on_lines, packet, sent_packets
from slow_lines import Seen, SlowStream

from feedhandler.lines.layout import LIVE, TELL_LIVE, TELL_STALE
from feedhandler.lines.setup import LineOptions

NAMES = list(NUMBERED)
WINDOW = LineOptions(window_ns=3 * JITTER_NS, window_packets=200)


def unit_of(name: str) -> int:
    """The stream row that the traffic is on."""
    return 1 if name == "cboe_pitch" else 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("shares", "bursts"),
    [
        ((0, 0), False),
        ((0.5, 0.5), False),
        ((0.5, 0.5), True),
        ((0.02, 0.3), True),
        ((1, 0), False),
    ],
)
def test_two_lines_whose_union_is_complete_say_what_one_whole_line_says(name, shares, bursts):
    for seed in range(4):
        chance = random.Random(f"{name}{shares}{bursts}{seed}")
        sent = sent_packets(name, chance, 300)
        whole = LinesRig(feed_of(name), WINDOW)
        expected = whole.feed_in([Arrival(s.time_ns, 0, s.payload) for s in sent])
        rig = LinesRig(feed_of(name), WINDOW)
        got = rig.feed_in(on_lines(sent, chance, shares, bursts=bursts))
        assert got["action"].tobytes() == expected["action"].tobytes()
        stream = rig.stream(unit_of(name))
        assert stream["state"] == LIVE and stream["held"] == 0
        assert (stream["gaps"], stream["lost"], rig.tells) == (0, 0, [])
        assert stream["lines"]["first"].sum() + stream["duplicates"] == stream["packets"]


def judged(name, options, arrivals, seen):
    """Runs both; they agree on every message, the state it came in, and the state behind all."""
    rig, slow = LinesRig(feed_of(name), options), SlowStream(options, name.startswith("iex"))
    for one in seen:
        slow.arrive(one)
    log = rig.feed_in(arrivals)
    got = list(zip(log["action"]["order_id"].tolist(), log["state"].tolist(), strict=True))
    assert got == [(sequence, state) for sequence, state, _ in slow.said]
    stream = rig.stream(unit_of(name))
    for mine, his in (("state", "state"), ("expected", "expected"), ("gaps", "gaps")):
        assert int(stream[mine]) == getattr(slow, his), mine
    assert (int(stream["lost"]), int(stream["held"])) == (slow.lost, len(slow.waiting))
    return rig


def never_live_while_messages_are_missing(log):
    """Checked at every message: what is said in the state live has all before it said."""
    said = set()
    for order, state in zip(log["action"]["order_id"].tolist(), log["state"].tolist(), strict=True):
        if state == LIVE:
            assert len(said) == order - 1
        said.add(order)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recovery_ns", [0, 200 * STEP_NS])
@pytest.mark.parametrize("small", [False, True])
def test_the_slow_judge_agrees_whatever_is_lost(name, recovery_ns, small):
    for seed in range(6):
        chance = random.Random(f"{name}{recovery_ns}{small}{seed}")
        sent = sent_packets(name, chance, 250)
        share = chance.choice((0.02, 0.1, 0.4))
        arrivals = on_lines(sent, chance, (share, share), bursts=seed % 2 == 0, complete=False)
        again = [s for s in sent if chance.random() < 0.3]
        late_ns = 120 * STEP_NS
        answers = [Arrival(s.time_ns + late_ns, 2, s.payload) for s in again]
        arrivals = sorted([*arrivals, *answers], key=lambda a: a.time_ns)
        about = {s.payload: s for s in sent}
        seen = [
            Seen(a.time_ns, a.line, about[a.payload].sequence, about[a.payload].count)
            for a in arrivals
        ]
        window, slots = (7, 12) if small else (64, 1024)
        options = LineOptions(
            window_ns=30 * STEP_NS, window_packets=window, recovery_ns=recovery_ns, slots=slots
        )
        rig = judged(name, options, arrivals, seen)
        never_live_while_messages_are_missing(rig.log)
        told = rig.tells
        assert told[::2] == [TELL_STALE] * len(told[::2])
        assert told[1::2] == [TELL_LIVE] * len(told[1::2])


@pytest.mark.parametrize("name", NAMES)
def test_packets_cut_anew_on_each_line_overlap_and_are_said_once(name):
    for seed in range(4):
        chance = random.Random(f"{name} overlap {seed}")
        arrivals, seen = [], []
        for line in (0, 1):
            sequence = 1
            while sequence < 300:
                count = chance.randint(1, 9)
                if chance.random() < 0.8:
                    at_ns = sequence * STEP_NS + chance.randint(0, JITTER_NS)
                    arrivals.append(Arrival(at_ns, line, packet(name, sequence, count)))
                    seen.append(Seen(at_ns, line, sequence, count))
                sequence += count
        order = sorted(range(len(seen)), key=lambda n: seen[n].time_ns)
        options = LineOptions(window_ns=60 * STEP_NS, window_packets=50)
        rig = judged(name, options, [arrivals[n] for n in order], [seen[n] for n in order])
        never_live_while_messages_are_missing(rig.log)
