"""Images spliced into streams that lost messages: live again, never while a book is wrong."""

from __future__ import annotations

import random

import pytest
from splice_rig import ASKED, SPLICE, A, B, Server, SpliceRig

from feedhandler.lines.layout import LIVE, RECOVERING, SNAPSHOT, STALE, UNKNOWN
from feedhandler.lines.setup import LineOptions
from feedhandler.lines.splice import abort, hold, splice_packets

NAMES = ["nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir", "iex_deepplus"]
WINDOW_NS = 60_000
TROUBLES = ["none", "none", "none", "lost part", "cut part", "aborted", "wrong count", "stray"]


class Control:
    """A control side without manners: asks at random, and what it sends is not always whole."""

    def __init__(self, rig, server, chance):
        self.rig, self.server, self.chance = rig, server, chance
        self.queue, self.serial = [], 0

    def act(self, reached, *, whole=False):
        """Perhaps begins an attempt; sends some of what it has to send."""
        wants = self.rig.state in (STALE, RECOVERING, SNAPSHOT, UNKNOWN)
        if wants and not self.queue and (whole or self.chance.random() < 0.3):
            self.begin(reached, whole)
        for _ in range(len(self.queue) if whole else self.chance.randint(0, 6)):
            if self.queue:
                self.rig.send(SPLICE, self.queue.pop(0))
                self.server.truth.check(self.rig)

    def begin(self, reached, whole):
        self.serial += 1
        unit, chance = self.rig.unit, self.chance
        ahead = chance.randint(0, 12) if whole else chance.randint(-20, 25)
        sequence = max(0, min(self.server.truth.end - 1, reached - 1 + ahead))
        made = splice_packets(self.server.image(sequence), self.serial)
        trouble = "none" if whole else chance.choice(TROUBLES)
        place = chance.randrange(1, len(made) - 1)
        if trouble == "lost part":
            del made[place]
        elif trouble == "cut part":
            made[place] = made[place][: -chance.randint(1, 20)]
        elif trouble == "aborted":
            made = [*made[:place], abort(unit, self.serial)]
        elif trouble == "wrong count":
            del made[-2]
        elif trouble == "stray":
            made.insert(place, splice_packets(self.server.image(sequence), 10**9 + 7)[-2])
        if whole or chance.random() < 0.7:
            made.insert(0, hold(unit, self.serial))
        self.queue = made


def lost_packets(chance, count):
    """Which packets no line has: perhaps all up to a late join, and one or two stretches."""
    lost = set(range(chance.choice((0, 0, count // 3))))
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(count)
        lost.update(range(start, min(count, start + chance.randint(1, 9))))
    return lost - {count - 1}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recovery_ns", [0, 400_000])
def test_books_are_live_again_behind_an_image_and_never_wrong(name, recovery_ns):
    spliced = 0
    for seed in range(5):
        chance = random.Random(f"{name}{recovery_ns}{seed}")
        server = Server(name, seed, count=80)
        options = LineOptions(
            window_ns=WINDOW_NS,
            recovery_ns=recovery_ns,
            buffer_packets=chance.choice((6, 4096)),
            slots=chance.choice((20, 500)),
        )
        lost = lost_packets(chance, server.count)
        with SpliceRig(name, options) as rig:
            control = Control(rig, server, chance)
            for number, (first, count, payload) in enumerate(server.truth.packets):
                copies = [A, B] if chance.random() < 0.9 else [chance.choice((A, B))]
                for line in copies if number not in lost else []:
                    rig.send(line, payload, chance.randint(0, 20_000))
                    server.truth.check(rig)
                if number in lost and recovery_ns and chance.random() < 0.2:
                    rig.send(ASKED, payload)
                    server.truth.check(rig)
                control.act(first + count)
            for _ in range(4):  # a venue that does as it is asked, and a quiet line
                rig.send(A, server.truth.packets[-1][2], 10 * WINDOW_NS + recovery_ns)
                control.act(server.truth.end, whole=True)
                control.act(server.truth.end, whole=True)
                server.truth.check(rig)
            assert rig.state == LIVE
            assert int(rig.stream["expected"]) == server.truth.end and rig.stream["held"] == 0
            for key in server.truth.keys:
                assert rig.trusted(key)
                assert rig.book(key) == server.truth.at(key, server.truth.end)
            spliced += int(rig.stream["images"])
    assert spliced > 5
