"""The recoverer beside the loop: what it asks for, when it tries again, when it gives up."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from splice_rig import ASKED, SPLICE, A, B, Server, SpliceRig

from feedhandler.lines import splicewire as wire
from feedhandler.lines.image import Image
from feedhandler.lines.layout import (
    BEGUN,
    FAILED,
    GAP,
    LIVE,
    LOST,
    NOT_WANTED,
    OVERFLOWED,
    RECOVERED,
    REFUSED,
    SPLICED,
    TOO_OLD,
)
from feedhandler.lines.recoverer import ASKING, GIVEN_UP, IDLE, IMAGING, SPLICING, WANTED, Recoverer
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.setup import LineOptions
from feedhandler.state import EVENT_DTYPE

S = 1_000_000_000
NAMES = ["nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir", "iex_deepplus"]
IMAGE = Image(1, 99, (b"inner",))


def event(kind, begin=0, end=0, unit=1, time_ns=0):
    """A record of the loop's event ring."""
    row = np.zeros(1, EVENT_DTYPE)[0]
    row["kind"], row["timestamp_ns"] = kind, time_ns
    row["words"] = (0, unit, 0, begin, end, 0)
    return row


def kinds(packets):
    """(kind, serial) of splice packets."""
    rows = [np.frombuffer(one[: wire.SPLICE_BYTES], wire.SPLICE_DTYPE)[0] for one in packets]
    return [(int(row["kind"]), int(row["serial"])) for row in rows]


class Desk:
    """A recoverer, and what it asked the venue for."""

    def __init__(self, **more):
        self.asked = []
        self.it = Recoverer(lambda unit, now: self.asked.append((unit, now)), **more)

    def hear(self, *given, **more):
        """An event; gives the unit's state."""
        self.it.on_event(event(*given, **more))
        return self.it.units[1].state


def test_a_loss_is_held_and_an_image_asked_for_and_handed_over():
    desk = Desk()
    assert desk.hear(LOST, 5, 9, time_ns=S) == WANTED
    assert kinds(desk.it.step(S)) == [(wire.HOLD, 1)] and desk.asked == [(1, S)]
    assert desk.it.step(2 * S) == [] and desk.it.units[1].state == IMAGING
    assert desk.it.image(IMAGE, 3 * S)
    assert kinds(desk.it.step(3 * S)) == [(wire.BEGIN, 1), (wire.PART, 1), (wire.END, 1)]
    assert desk.hear(SPLICED, 100, 1) == SPLICING
    assert desk.hear(RECOVERED, 100) == IDLE
    assert not desk.it.image(IMAGE, 4 * S) and desk.it.step(4 * S) == []


def test_a_short_gap_is_asked_for_first_and_a_long_one_is_not():
    gaps = GapClient(lambda unit, begin, count: b"", most=10, tries=1, retry_ns=10)
    desk = Desk(gaps=gaps, most_missing=100)
    assert desk.hear(GAP, 5, 9) == ASKING and len(gaps.requests(0)) == 1
    assert desk.it.step(0) == [] and desk.asked == []
    assert desk.hear(RECOVERED, 9) == IDLE and not gaps.gaps
    assert desk.hear(GAP, 20, 25) == ASKING
    gaps.requests(100)
    gaps.requests(200)
    assert kinds(desk.it.step(200)) == [(wire.HOLD, 1)] and desk.asked == [(1, 200)]
    desk = Desk(gaps=gaps, most_missing=100)
    assert desk.hear(GAP, 1, 5000, time_ns=7) == WANTED
    assert kinds(desk.it.step(7)) == [(wire.HOLD, 1)]


@pytest.mark.parametrize(
    ("failure", "word"),
    [((REFUSED, TOO_OLD), "refused"), ((FAILED, 7), "failed"), ((OVERFLOWED, 50), "overflowed")],
)
def test_what_fails_is_tried_again_later_each_time_and_then_given_up(failure, word):
    desk = Desk(retry_ns=S, most_retry_ns=3 * S, tries=4)
    desk.hear(LOST, 5, 9)
    now, waits = 0, []
    for serial in range(1, 5):
        while not (made := kinds(desk.it.step(now))):
            now += S // 2
        waits.append(now)
        assert made == [(wire.HOLD, serial)]
        desk.it.image(IMAGE, now)
        desk.it.step(now)
        desk.hear(failure[0], failure[1], serial + 50, time_ns=now)
        assert desk.it.units[1].state == SPLICING  # of another attempt
        desk.hear(failure[0], failure[1], serial, time_ns=now)
    assert [b - a for a, b in pairwise(waits)] == [S, 2 * S, 3 * S]
    assert desk.it.units[1].state == GIVEN_UP and desk.it.step(100 * S) == []
    assert desk.it.units[1].failures == [word] * 4
    assert desk.hear(LOST, 80, 90, time_ns=200 * S) == WANTED


def test_a_venue_that_does_not_answer_or_refuses_is_asked_again():
    desk = Desk(image_ns=10 * S, retry_ns=S)
    desk.hear(LOST, 5, 9)
    desk.it.step(0)
    assert kinds(desk.it.step(10 * S)) == [(wire.ABORT, 1)]
    assert kinds(desk.it.step(11 * S)) == [(wire.HOLD, 2)]
    desk.it.failed(1, 12 * S)
    assert kinds(desk.it.step(12 * S)) == [(wire.ABORT, 2)]
    assert kinds(desk.it.step(14 * S)) == [(wire.HOLD, 3)]
    assert desk.it.units[1].failures == ["late", "no image"]


def test_a_stream_that_needs_nothing_any_more_is_left_alone():
    for last in ((REFUSED, NOT_WANTED, 1), (RECOVERED, 9, 0), (BEGUN, 1, 0)):
        desk = Desk()
        desk.hear(LOST, 5, 9)
        desk.it.step(0)
        assert desk.hear(*last) == IDLE
        assert not desk.it.image(IMAGE, S) and desk.it.step(S) == []


def test_what_is_lost_behind_an_image_is_a_new_loss():
    desk = Desk()
    desk.hear(LOST, 5, 9)
    desk.it.step(0)
    desk.it.image(IMAGE, 0)
    desk.it.step(0)
    desk.hear(SPLICED, 100, 1)
    assert desk.hear(GAP, 100, 105, time_ns=S) == WANTED
    assert desk.hear(LOST, 100, 105, time_ns=S) == WANTED
    assert kinds(desk.it.step(S)) == [(wire.HOLD, 2)]
    assert desk.hear(LOST, 110, 115, time_ns=S) == IMAGING


def test_images_by_instrument_are_released_together():
    desk = Desk(by_key=True, retry_ns=S)
    desk.hear(LOST, 5, 9)
    (first,) = desk.it.step(0)
    flags = int(np.frombuffer(first, wire.SPLICE_DTYPE)["flags"][0])
    assert flags == wire.EMPTY
    made = [Image(1, 50 + key, (), key=key) for key in (3, 4)]
    assert desk.it.images(made, 0, complete=False)
    packets = [(wire.BEGIN, 1), (wire.END, 1), (wire.BEGIN, 1), (wire.END, 1), (wire.RELEASE, 1)]
    assert kinds(desk.it.step(0)) == packets
    assert kinds(desk.it.step(S)) == [(wire.HOLD, 2)]
    assert not desk.it.images([], S)


def venue_answers(server, by_key, sequence):
    """The images of a venue, a little later for each instrument where it answers by those."""
    if not by_key:
        return [server.image(sequence)]
    end = server.truth.end - 1
    return [
        server.image(min(end, sequence + n), key=key) for n, key in enumerate(server.truth.keys)
    ]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by_key", [False, True])
def test_with_a_recoverer_beside_it_the_loop_is_live_again_after_every_loss(name, by_key):
    for seed in range(3):
        chance = random.Random(f"{name}{by_key}{seed}")
        server = Server(name, seed, count=120)
        joined = chance.choice((0, 40))
        start = chance.randrange(joined + 10, 70)
        lost = {*range(joined), *range(start, start + 6), 85}
        options = LineOptions(window_ns=30_000, recovery_ns=200_000, slots=chance.choice((12, 200)))
        wanted: list[int] = []
        gaps = GapClient(lambda unit, begin, count: b"", most=50, tries=2, retry_ns=50_000)
        it = Recoverer(
            lambda unit, now, wanted=wanted: wanted.append(now),
            gaps,
            by_key=by_key,
            most_missing=8,
            retry_ns=20_000,
            image_ns=400_000,
        )
        with SpliceRig(name, options) as rig:

            def control(reached, rig=rig, it=it, gaps=gaps, wanted=wanted, server=server):
                for one in rig.drain():
                    it.on_event(one)
                gaps.requests(rig.time_ns)
                if wanted and rig.time_ns > wanted[0] + 30_000:
                    wanted.clear()
                    it.images(venue_answers(server, by_key, reached - 1), rig.time_ns)
                for payload in it.step(rig.time_ns):
                    rig.send(SPLICE, payload, 100)
                    server.truth.check(rig)

            for number, (first, count, payload) in enumerate(server.truth.packets):
                if number == 100 and 85 in lost:
                    rig.send(ASKED, server.truth.packets[85][2])  # far too late
                if number not in lost:
                    rig.send(A, payload)
                    server.truth.check(rig)
                control(first + count)
            for _ in range(40):
                rig.send(B, payload, 100_000)
                server.truth.check(rig)
                control(server.truth.end)
            assert rig.state == LIVE and [unit.state for unit in it.units.values()] == [IDLE]
            assert rig.stream["images"] >= 1
            for key in server.truth.keys:
                assert rig.trusted(key)
                assert rig.book(key) == server.truth.at(key, server.truth.end)
