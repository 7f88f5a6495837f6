"""Learning to split over simulated pools: regret shrinks, and fixed ways to split are beaten."""

from __future__ import annotations

import numpy as np
import pytest
from dark_pools import Pools, families, learnt_splits

EPISODES, VOLUME = 1500, 100


@pytest.mark.parametrize("pools", families(), ids=lambda pools: pools.name)
def test_regret_shrinks_and_both_baselines_are_beaten(pools: Pools) -> None:
    sizes = pools.draw(np.random.default_rng(11), EPISODES)
    given = learnt_splits(pools, sizes, VOLUME)
    assert (given.sum(axis=1) == VOLUME).all()
    best = float(pools.executed(pools.best_split(VOLUME)))
    regret = best - pools.executed(given)
    first, last = regret[:100].mean(), regret[-100:].mean()
    assert last < first / 4
    assert last < 0.02 * best
    for fixed in (pools.uniform_split(VOLUME), pools.one_pool(VOLUME)):
        assert regret.mean() < best - float(pools.executed(fixed))


def test_the_best_split_is_no_worse_than_any_that_differs_by_a_lot() -> None:
    for pools in families():
        best = pools.best_split(VOLUME)
        value = float(pools.executed(best))
        for source in range(4):
            for target in range(4):
                other = best.copy()
                other[source] -= 1
                other[target] += 1
                if other.min() >= 0:
                    assert float(pools.executed(other)) <= value + 1e-12
