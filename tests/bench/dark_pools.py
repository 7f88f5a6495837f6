"""Simulated dark pools, and what ways to split an order over them get out of them.

As in section 5 of Ganchev, Kearns, Nevmyvaka, Vaughan, "Censored exploration and the dark pool
problem" (2009): in each episode every pool has a size of its own distribution, mostly nothing (a
zero bin), and an order is split over the pools before the sizes are known. Sizes are in round lots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from feedhandler.actions import BUY
from nic.regions import allowed
from router.routing.dark_first import split
from router.routing.dark_sizes import bucket_of
from router.routing.dark_tails import next_tail, observe, pool_row
from router.routing.decisions import choice_row, new_choice
from router.routing.learning import CHOICE, Learning, Settings, learning_sections
from router.rows import get, put
from router.tables import PART
from router.tablespace import RouterTables, Sizes

Chances = NDArray[np.float64]
MOST_LOTS: Final = 400


@njit(nogil=True, cache=True)
def run_episodes(learning, sizes, volume, given):
    """Splits `volume` lots over the pools in each episode, and learns from the answers.

    Args:
        sizes: [episodes, pools] lots that are there.
        given: [episodes, pools], written: lots that each was asked for.
    """
    for episode in range(sizes.shape[0]):
        for venue in range(sizes.shape[1]):
            row, pool = new_choice(learning, venue, venue), pool_row(learning, venue, 1, BUY)
            put(row, CHOICE.pool, pool)
            put(row, CHOICE.tail, PART)
            put(row, CHOICE.next_tail, next_tail(learning, pool, 0, PART))
        split(learning, np.int64(sizes.shape[1]), volume, np.int64(1))
        for venue in range(sizes.shape[1]):
            asked = get(choice_row(learning, venue), CHOICE.chosen)
            given[episode, venue] = asked
            if asked > 0:
                got = min(asked, sizes[episode, venue])
                pool = pool_row(learning, venue, 1, BUY)
                observe(learning, pool, bucket_of(asked), bucket_of(got), got < asked)


@dataclass(frozen=True)
class Pools:
    """Dark pools by the chances of their sizes.

    Attributes:
        chances: [pools, MOST_LOTS + 1] of each size in lots.
    """

    name: str
    chances: Chances

    @property
    def tails(self) -> Chances:
        """[pools, MOST_LOTS + 1]: chance of at least so many lots."""
        return np.cumsum(self.chances[:, ::-1], axis=1)[:, ::-1]

    def draw(self, generator: np.random.Generator, episodes: int) -> NDArray[np.int64]:
        """[episodes, pools] sizes."""
        points = generator.random((episodes, len(self.chances)))
        drawn = [np.searchsorted(np.cumsum(c), points[:, k]) for k, c in enumerate(self.chances)]
        return np.minimum(np.stack(drawn, axis=1), MOST_LOTS).astype(np.int64)

    def executed(self, given: NDArray[np.int64]) -> Chances:
        """Expected lots executed of splits [..., pools]."""
        upto = np.cumsum(self.tails, axis=1) - self.tails[:, :1]  # sum of T(1) ... T(v)
        picked = np.minimum(given, MOST_LOTS)
        return sum(upto[k][picked[..., k]] for k in range(len(upto)))  # type: ignore[return-value]

    def best_split(self, volume: int) -> NDArray[np.int64]:
        """The best split for one who knows the chances: lot by lot to the highest tail."""
        given = np.zeros(len(self.chances), np.int64)
        for _ in range(volume):
            following = [self.tails[k, min(v + 1, MOST_LOTS)] for k, v in enumerate(given)]
            given[int(np.argmax(following))] += 1
        return given

    def uniform_split(self, volume: int) -> NDArray[np.int64]:
        """The same to each."""
        count = len(self.chances)
        return np.array([volume // count + (k < volume % count) for k in range(count)], np.int64)

    def one_pool(self, volume: int) -> NDArray[np.int64]:
        """All to the pool that executes the most of it, known beforehand."""
        whole = np.eye(len(self.chances), dtype=np.int64) * volume
        best: NDArray[np.int64] = whole[int(np.argmax(self.executed(whole)))]
        return best


def zero_bin(name: str, zeros: list[float], bodies: list[Chances]) -> Pools:
    """Pools that have nothing with a chance each, and otherwise a size of 1 and up by a shape."""
    made = np.zeros((len(zeros), MOST_LOTS + 1))
    for row, nothing, body in zip(made, zeros, bodies, strict=True):
        row[0], row[1 : len(body) + 1] = nothing, (1 - nothing) * body / body.sum()
    return Pools(name, made)


def families() -> list[Pools]:
    """Four pools each: power laws, Poisson, even, and a shape that is none of these."""
    lots = np.arange(1, MOST_LOTS + 1, dtype=float)
    power = [lots**-slope for slope in (0.8, 1.3, 1.7, 2.2)]
    logs = np.concatenate([[0.0], np.cumsum(np.log(lots))])[1:]
    poisson = [np.exp(lots * np.log(mean) - logs - mean) for mean in (45.0, 20.0, 8.0, 3.0)]
    even = [(lots <= most).astype(float) for most in (120, 60, 20, 8)]
    rough = np.random.default_rng(5).random((4, MOST_LOTS)) ** 6 / lots**0.7
    return [
        zero_bin("power law", [0.85, 0.7, 0.5, 0.3], power),
        zero_bin("poisson", [0.85, 0.7, 0.5, 0.3], poisson),
        zero_bin("even", [0.85, 0.7, 0.5, 0.3], even),
        zero_bin("rough", [0.8, 0.75, 0.4, 0.6], list(rough)),
    ]


def learnt_splits(
    pools: Pools, sizes: NDArray[np.int64], volume: int, settings: Settings | None = None
) -> NDArray[np.int64]:
    """[episodes, pools] lots that the router asks for while it learns."""
    count = len(pools.chances)
    room = Sizes(
        accounts=1, venues=count, instruments=1, parents=1, children=1, tokens=1, intents=1,
        timers=1, executions=2, log_lines=2,
    )  # fmt: skip
    given = np.zeros_like(sizes)
    with RouterTables(room, learning_sections(1, count, 1)) as tables:
        tables.venues["dark"] = 1
        Learning(tables, settings)
        with allowed(tables.block, sizes, given):
            run_episodes(int(tables.head["learning"]), sizes, volume, given)
    return given
