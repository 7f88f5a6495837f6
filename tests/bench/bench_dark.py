"""How much of an order four dark pools execute, while the router learns how to split it.

Simulated pools (see dark_pools); expected fractions of the order, around the episode named, means
of a few seeds. `best` is the split of one who knows the pools' chances, `one pool` all to the pool
that executes the most of it. `regret_lots` is what learning cost in all, against the best split.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from dark_pools import Chances, Pools, families, learnt_splits

EPISODES, QUICK_EPISODES, SEEDS = 5000, 1000, 8
MARKS = (10, 100, 1000, 5000)
VOLUMES = (30, 100)


def at_marks(executed: Chances, volume: int) -> dict[str, float]:
    """Mean fraction executed in the tenth of the episodes that ends at each mark."""
    marks = [mark for mark in MARKS if mark <= len(executed)]
    return {f"at_{m}": float(executed[m - max(m // 10, 5) : m].mean()) / volume for m in marks}


def measure(pools: Pools, volume: int, episodes: int, seeds: int) -> list[dict[str, Any]]:
    """Rows of one family of pools and one size of order."""
    best = float(pools.executed(pools.best_split(volume)))
    title = f"{pools.name}, {volume} lots"
    total, took = np.zeros(episodes), 0.0
    for seed in range(seeds):
        sizes = pools.draw(np.random.default_rng(seed), episodes)
        began = time.perf_counter()
        given = learnt_splits(pools, sizes, volume)
        took += time.perf_counter() - began
        total += pools.executed(given)
    mean = total / seeds
    ours = {"name": f"{title}: learnt", **at_marks(mean, volume)}
    ours["regret_lots"] = float(best * episodes - mean.sum())
    ours["us_per_episode"] = took * 1e6 / seeds / episodes
    rows = [ours]
    known = {
        "best": pools.best_split(volume),
        "uniform": pools.uniform_split(volume),
        "one pool": pools.one_pool(volume),
    }
    for name, given in known.items():
        executed = float(pools.executed(given))
        row: dict[str, Any] = {"name": f"{title}: {name}"}
        row |= at_marks(np.full(episodes, executed), volume)
        rows.append(row | {"regret_lots": (best - executed) * episodes})
    return rows


def run(quick: bool) -> list[dict[str, Any]]:
    """Rows for the table."""
    episodes, seeds = (QUICK_EPISODES, 2) if quick else (EPISODES, SEEDS)
    first = families()[0]
    learnt_splits(first, first.draw(np.random.default_rng(0), 2), 10)  # compiles
    return [
        row
        for pools in families()
        for volume in VOLUMES
        for row in measure(pools, volume, episodes, seeds)
    ]
