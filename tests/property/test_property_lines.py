"""Arbitration under losses, copies and reordering: nothing twice, nothing out of order."""

from __future__ import annotations

import random

import pytest
from lines_rig import Arrival, LinesRig
from lines_traffic import JITTER_NS, NUMBERED, STEP_NS, feed_of, on_lines, packet, sent_packets
from slow_lines import Seen, SlowStream

from feedhandler.lines.image import Image
from feedhandler.lines.layout import LIVE, SNAPSHOT_LINE, TELL_LIVE, TELL_STALE
from feedhandler.lines.setup import LineOptions
from feedhandler.lines.splice import abort, hold, splice_packets

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
    rig = LinesRig(feed_of(name), options, lines=4)
    slow = SlowStream(options, name.startswith("iex"))
    for one in seen:
        slow.arrive(one)
    log = rig.feed_in(arrivals)
    got = list(zip(log["action"]["order_id"].tolist(), log["state"].tolist(), strict=True))
    assert got == [(sequence, state) for sequence, state, _ in slow.said]
    stream = rig.stream(unit_of(name))
    for mine, his in (("state", "state"), ("expected", "expected"), ("gaps", "gaps")):
        assert int(stream[mine]) == getattr(slow, his), mine
    assert (int(stream["lost"]), int(stream["held"])) == (slow.lost, len(slow.waiting))
    for count in ("images", "refused", "failed", "overflows"):
        assert int(stream[count]) == getattr(slow, count), count
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


def image_packets(name, chance, serial, sequence):
    """(splice packet, what the slow judge sees) of an image of messages that no line ever has."""
    parts = [chance.randint(1, 4) for _ in range(chance.randint(0, 4))]
    first = 1_000_000 + 100 * serial
    inner = tuple(packet(name, first + 10 * n, count) for n, count in enumerate(parts))
    payloads = splice_packets(Image(unit_of(name), sequence, inner), serial)
    seen = [("begin", sequence, 0, 0)]
    seen += [("part", first + 10 * n, count, n) for n, count in enumerate(parts)]
    seen.append(("end", sequence, 0, len(parts)))
    made = list(zip(payloads, seen, strict=True))
    if chance.random() < 0.3:
        made.append((abort(unit_of(name), serial), ("abort", 0, 0, 0)))
        made[chance.randrange(len(made))] = made[-1]
    if chance.random() < 0.3:
        del made[chance.randrange(len(made))]
    if chance.random() < 0.7:
        made.insert(0, (hold(unit_of(name), serial), ("hold", 0, 0, 0)))
    return made


def splices(name, chance, sent, count):
    """(arrival, what the slow judge sees) of attempts at any time, most with a useful sequence."""
    made = []
    for serial in range(1, count + 1):
        index = chance.randrange(len(sent))
        time_ns = sent[index].time_ns + chance.randint(0, 40 * STEP_NS)
        near = sent[max(0, min(len(sent) - 1, index + chance.randint(-10, 30)))]
        sequence = near.sequence - 1 + chance.randint(0, 2)
        for payload, (kind, first, size, number) in image_packets(name, chance, serial, sequence):
            about = Seen(time_ns, SNAPSHOT_LINE, first, size, kind, serial=serial, number=number)
            made.append((Arrival(time_ns, SNAPSHOT_LINE, payload), about))
            time_ns += chance.randint(0, 5 * STEP_NS)
    return made


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recovery_ns", [0, 60 * STEP_NS])
def test_the_slow_judge_agrees_on_holds_and_images(name, recovery_ns):
    images = 0
    for seed in range(10):
        chance = random.Random(f"{name}{recovery_ns}{seed} splices")
        sent = sent_packets(name, chance, 200)
        joined = chance.choice((0, 0, 60))
        share = chance.choice((0.05, 0.2))
        kept = on_lines(sent, chance, (share, share), bursts=True, complete=False)
        about = {s.payload: s for s in sent}
        pairs = splices(name, chance, sent, 25)
        for one in kept:
            was = about[one.payload]
            if was.sequence >= joined:
                pairs.append((one, Seen(one.time_ns, one.line, was.sequence, was.count)))
        pairs.sort(key=lambda pair: pair[0].time_ns)
        options = LineOptions(
            window_ns=30 * STEP_NS,
            recovery_ns=recovery_ns,
            buffer_packets=chance.choice((8, 4096)),
            slots=chance.choice((12, 1024)),
        )
        rig = judged(name, options, [a for a, _ in pairs], [s for _, s in pairs])
        images += int(rig.stream(unit_of(name))["images"])
        told = [what for what in rig.tells if what in (TELL_STALE, TELL_LIVE)]
        assert told[::2] == [TELL_STALE] * len(told[::2])
        assert told[1::2] == [TELL_LIVE] * len(told[1::2])
    assert images > 3
