"""Silence that is told: feeds, orders without an answer, ports that fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_loop_rig import SECOND, LoopRig

from console.live.quiet import QuietWatch
from feedhandler.state import LINK_FAILED
from router.tables import DOWN_FEED

VENUE = "bzx"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LoopRig]:
    with LoopRig(tmp_path) as made:
        yield made


class Watched:
    """A watch over a rig, and what it said."""

    def __init__(self, rig: LoopRig) -> None:
        self.rig, self.lines = rig, list[str]()
        said = self.lines.append
        self.watch = QuietWatch(rig.run, rig.block, rig.commands, 3 * SECOND, said)
        self.channels = [n for n, c in enumerate(rig.run.plan.channels) if c.name == VENUE]

    def later(self, seconds: float) -> None:
        """Time passes, and it looks."""
        self.rig.now_ns += round(seconds * SECOND)
        self.watch.step(self.rig.now_ns)
        self.rig.step()

    def speaks(self) -> None:
        """A packet of the venue's feed comes, on one line."""
        self.rig.block["channels"]["last_timestamp_ns"][self.channels[1]] = self.rig.now_ns

    @property
    def down(self) -> bool:
        """Whether orders go to the venue for its feed's silence."""
        row = self.rig.tables.venues[self.rig.number(VENUE)]
        return bool(int(row["down"]) & DOWN_FEED)


def test_a_silent_feed_loses_its_venue_until_it_speaks(rig: LoopRig) -> None:
    seen = Watched(rig)
    seen.later(10)
    assert seen.lines == [] and not seen.down, "it has not begun"
    seen.speaks()
    seen.later(3)
    assert not seen.down
    seen.later(0.2)
    assert seen.down and seen.lines == ["feed of bzx: silent for 3 s: no orders go there"]
    seen.later(5)
    seen.speaks()
    seen.later(0.2)
    assert not seen.down and seen.lines[1:] == ["feed of bzx: it speaks again"]


def test_an_order_without_an_answer_is_told_once(rig: LoopRig) -> None:
    seen, child = Watched(rig), rig.order(VENUE)
    rig.waiting(VENUE)  # has not left: nobody can answer
    seen.later(5)
    assert seen.lines == []
    for _ in range(3):
        seen.later(1)
    assert seen.lines == [f"order {child} at bzx: no answer for 5 s"]


def test_a_port_that_failed_is_told_once(rig: LoopRig) -> None:
    seen = Watched(rig)
    rig.block["links"]["status"][0] = LINK_FAILED
    seen.watch.step(rig.now_ns)
    seen.watch.step(rig.now_ns + SECOND)
    assert len(seen.lines) == 1 and "has failed" in seen.lines[0]
