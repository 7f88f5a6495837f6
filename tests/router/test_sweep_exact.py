"""Sweeps cost what the best allocation costs: beside HiGHS, and beside trying everything."""

from __future__ import annotations

import random
from collections.abc import Iterator

import milp_sweep
import pytest
from slow_sweep import Problem, check_orders
from sweep_rig import DOLLAR, SweepRig, Venue

BOOKS = 2000
CENT = DOLLAR // 100
MIL = DOLLAR // 10_000
ROUTED = 6


@pytest.fixture(scope="module")
def rig() -> Iterator[SweepRig]:
    made = SweepRig(ROUTED)
    yield made
    made.close()


def random_ladder(
    dice: random.Random, side: str, top: int, sizes: list[int]
) -> list[tuple[int, int]]:
    """Levels a cent or some apart, from a price within three cents of the top."""
    step = CENT if side == "buy" else -CENT
    price, made = top + step * dice.randrange(4), []
    for _ in range(dice.randrange(4)):
        made.append((price, dice.choice(sizes) + dice.choice([0, 0, dice.randrange(60)])))
        price += step * dice.choice([1, 1, 2])
    return made


def random_venues(dice: random.Random, side: str, top: int) -> list[Venue]:
    """Two to six venues, with one more, at times, that there is no way to."""
    lots = dice.choice([[1], [1], [100], [1, 10, 100], [1, 100], [10, 100], [1, 10]])
    leasts = dice.choice([[1], [1], [1, 100, 150], [1, 1, 50]])
    made = [
        Venue(
            random_ladder(dice, side, top, [20, 100, 100, 200, 300, 500]),
            # rebates and fees, at times large enough to turn the order of displayed prices
            fee=MIL * dice.choice([0, 30, 30, 25, -20, 9, -3, dice.randrange(-150, 150)]),
            lot=dice.choice(lots),
            least=dice.choice(leasts),
            protected=dice.random() < 0.8,
            takes_iso=dice.random() < 0.93,
            down=1 if dice.random() < 0.05 else 0,
            live=dice.random() > 0.05,
        )
        for _ in range(dice.randrange(2, ROUTED + 1))
    ]
    if len(made) == ROUTED and dice.random() < 0.3:
        ladder = random_ladder(dice, side, top + (2 * CENT if side == "buy" else -2 * CENT), [100])
        made.append(Venue(ladder))
    return made


def test_the_cost_is_that_of_a_mixed_integer_program(rig: SweepRig) -> None:
    dice, searched, differ = random.Random(20_240), 0, 0
    for book in range(BOOKS):
        side = dice.choice(["buy", "sell"])
        venues = random_venues(dice, side, 10 * DOLLAR)
        quantity = dice.choice([dice.randrange(1, 1500), 100 * dice.randrange(1, 12)])
        limit = 10 * DOLLAR + dice.choice([-2, 2, 3, 5]) * CENT if dice.random() < 0.4 else 0
        rig.set_up(venues, side)
        sweep = rig.take(quantity, limit, side)
        problem = Problem(venues, side, limit, 100, ROUTED)
        got = check_orders(problem, sweep, quantity, limit)
        assert got == milp_sweep.solve(problem, quantity, MIL), (book, venues, quantity)
        assert not sweep.bounded
        searched += len({venue.lot for venue in venues}) > 1
        differ += len(sweep.orders) > 1
    assert searched > BOOKS // 5 and differ > BOOKS // 5
