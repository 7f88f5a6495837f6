"""CME: lost books come back by snapshots and counts, and are never live while wrong."""

from __future__ import annotations

import random

import pytest
from cme_recovery_rig import ORDERS, PRICE, Rig, nothing

BOTH = (PRICE, ORDERS)


def some(seed: str, rate: float):
    """Loses a share of the packets."""
    chance = random.Random(seed)
    return lambda _number: chance.random() < rate


@pytest.mark.parametrize("name", BOTH)
def test_what_one_line_loses_the_other_brings(name: str) -> None:
    with Rig(name, f"one {name}") as rig:
        rig.play(200, some(name, 0.3), nothing)
        rig.finish()
        rig.check_whole()
        assert rig.stream["gaps"] == rig.stream["lost"] == rig.stream["images"] == 0


@pytest.mark.parametrize("name", BOTH)
def test_what_both_lines_lose_snapshots_replace(name: str) -> None:
    with Rig(name, f"both {name}") as rig:
        rig.play(400, lambda number: number % 100 in range(50, 56))
        rig.finish()
        rig.check_whole()
        assert rig.stream["lost"] >= 20 and rig.stream["images"] >= 4
        assert rig.driver.recoverer.failures == []
