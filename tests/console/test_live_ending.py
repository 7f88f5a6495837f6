"""What is left to do when the loop is gone: its memory is kept, what is open is canceled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from live_loop_rig import LoopRig, kernels
from test_live_loop import VENUE, accepted, canceled, messages

from console.live.ending import dump_tables, end_cleanly, kill_by_hand
from nic.port import Frame, PortError
from nic.regions import allowed
from router.tables import TAKES


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LoopRig]:
    with LoopRig(tmp_path) as made:
        yield made


class HandPort:
    """A port as Python polls it."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    def poll(self) -> list[Frame]:
        """What has come; broken once that is all."""
        if not self.answers:
            raise PortError("broken")
        return [Frame(0, self.answers.pop(0), 0, 0)]


def control(rig: LoopRig, *desks: Any) -> Any:
    """As much of the control side as is needed, with the sessions' ports."""
    found = SimpleNamespace(desks=desks)
    rig_tables = rig.tables

    class Seen(SimpleNamespace):
        @property
        def open_orders(self) -> int:
            return int(rig_tables.head["open_count"])

    return Seen(**vars(found))


def test_open_orders_are_canceled_with_the_loop_s_own_kernels(rig: LoopRig) -> None:
    port, child = rig.up(VENUE), rig.order(VENUE, rig.parent(), flags=TAKES)
    port.says((rig.now_ns, accepted(rig.token(child))))
    rig.step()
    assert int(rig.tables.head["open_count"]) == 1
    _, act, take_answers = kernels()
    hand = HandPort(canceled(rig.token(child)))
    desk = SimpleNamespace(number=rig.number(VENUE), port=hand)
    seen = control(rig, desk, SimpleNamespace(number=0, port=None))
    with allowed(port.memory):
        left = kill_by_hand(rig.run, seen, act, take_answers, lambda: rig.now_ns)
    assert left == 0 and rig.state(child) == "canceled"
    assert messages(port.sent()) == [("X", rig.token(child))]
    assert int(rig.tables.head["killed"]) == 1


def test_all_memory_is_written_and_can_be_read(rig: LoopRig, tmp_path: Path) -> None:
    child = rig.order(VENUE)
    blocks = {"loop": rig.block, "router": rig.tables.block}
    paths = dump_tables(tmp_path / "dump", blocks)
    assert [path.name for path in paths] == ["fault-loop.npz", "fault-router.npz"]
    with np.load(paths[1]) as kept:
        assert set(kept.files) == set(rig.tables.block.sections)
        assert int(kept["children"][child]["token"]) == rig.token(child)
    with np.load(paths[0]) as kept:
        assert set(kept.files) == set(rig.block.sections)


class Standing:
    """A control side whose orders stay open, or go after some turns."""

    def __init__(self, turns: int) -> None:
        self.turns, self.asked = turns, 0
        self.working_parents = 1
        self.said: list[str] = []
        self.commands: list[str] = []
        self.parents = SimpleNamespace(
            end_day=lambda: bool(self.commands.append("end day")) or True,
            kill=lambda: bool(self.commands.append("kill")) or True,
        )
        self.desks = [SimpleNamespace(ask_down=self._down, is_up=False)]

    def _down(self) -> None:
        self.asked += 1

    @property
    def open_orders(self) -> int:
        """Until the turns are over."""
        return int(self.turns > 0)

    def step(self, *, files: bool = True) -> None:
        """A turn."""
        assert not files, "nothing new begins now"
        self.turns -= 1


@pytest.mark.parametrize(("turns", "hurry", "clean"), [(3, False, True), (1 << 30, True, False)])
def test_an_end_waits_for_answers_unless_it_is_hurried(
    turns: int, hurry: bool, clean: bool
) -> None:
    standing = Standing(turns)
    made: Any = standing
    assert end_cleanly(made, 60.0, lambda: hurry, standing.said.append) is clean
    assert standing.commands == ["end day", "kill"] and standing.asked == 1
    assert any("look there" in line for line in standing.said) is not clean
