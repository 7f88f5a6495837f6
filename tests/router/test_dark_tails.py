"""What is learnt of dark pools: the grid of sizes, the estimates, the split."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from dark_rig import ONE, Rig, enter_next_tails
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_dark import Answer, best_value, kaplan_meier, optimistic

from feedhandler.actions import BUY
from nic.regions import allowed
from router.routing.dark_sizes import BUCKETS, bucket_of, lots_of
from router.routing.learning import WEIGHT, Settings
from router.tables import PART

KNOWN, LEAST = 3, 0.01
answers = st.lists(
    st.integers(1, 12).flatmap(lambda asked: st.tuples(st.just(asked), st.integers(0, asked))),
    max_size=40,
)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Three dark pools."""
    made = Settings(known_observations=KNOWN, least_tail=LEAST, memory_observations=1 << 20)
    with Rig(1, 3, made) as rig:
        yield rig


def tell(rig: Rig, venue: int, given: list[Answer]) -> None:
    """A pool that has shown this and nothing else."""
    rig.learning.pool(venue, ONE, BUY)["risk"][:] = 0
    rig.learning.pool(venue, ONE, BUY)["short"][:] = 0
    for asked, got in given:
        rig.observe(venue, asked, got)


def believed(rig: Rig, venue: int, most: int) -> np.ndarray:
    """The chances that the split goes by."""
    out = np.zeros(most + 1, np.int64)
    with allowed(*rig.blocks, out):
        enter_next_tails(rig.learning_address, venue, ONE, BUY, out)
    return out / PART


def test_buckets_are_lots_and_then_eight_steps_an_octave() -> None:
    lots = [lots_of(bucket) for bucket in range(BUCKETS)]
    assert lots[:65] == list(range(65))
    assert lots[64:74] == [64, 72, 80, 88, 96, 104, 112, 120, 128, 144]
    assert lots[-1] == 15_360
    assert lots == sorted(set(lots))


@given(st.integers(0, 1 << 40))
def test_every_size_is_in_the_last_bucket_that_it_reaches(lots: int) -> None:
    bucket = bucket_of(lots)
    assert lots_of(bucket) <= lots
    assert bucket == BUCKETS - 1 or lots < lots_of(bucket + 1)


@settings(deadline=None, max_examples=80)
@given(answers)
def test_estimates_are_those_of_kaplan_and_meier(rig: Rig, given: list[Answer]) -> None:
    tell(rig, 1, given)
    slow = [float(chance) for chance in kaplan_meier(given, 14)]
    assert rig.learning.tail(1, ONE, BUY)[:15] == pytest.approx(slow, abs=1e-9)


@settings(deadline=None, max_examples=80)
@given(answers)
def test_the_split_goes_by_the_optimistic_estimate(rig: Rig, given: list[Answer]) -> None:
    tell(rig, 1, given)
    slow = [float(chance) for chance in optimistic(given, 14, KNOWN, LEAST)]
    assert believed(rig, 1, 14) == pytest.approx(slow, abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.lists(answers, min_size=3, max_size=3), st.integers(1, 9))
def test_no_split_executes_more_on_average(
    rig: Rig, given: list[list[Answer]], quantity: int
) -> None:
    for venue, shown in enumerate(given, 1):
        tell(rig, venue, shown)
    tails = [list(believed(rig, venue, 10)) for venue in (1, 2, 3)]
    split = rig.split(quantity)
    assert sum(split) == quantity
    value = sum(sum(tail[1 : lots + 1]) for tail, lots in zip(tails, split, strict=True))
    falls = all(a >= b for tail in tails for a, b in pairwise(tail))
    assert falls
    assert value == pytest.approx(best_value(tails, quantity), abs=1e-7)


def test_a_pool_of_which_nothing_is_known_is_believed_to_have_everything(rig: Rig) -> None:
    tell(rig, 1, [])
    assert list(believed(rig, 1, 5)) == [1] * 6


def test_one_empty_answer_does_not_close_a_pool(rig: Rig) -> None:
    tell(rig, 1, [(5, 0)])
    assert list(believed(rig, 1, 2)) == [1, 1, LEAST]
    tell(rig, 1, [(5, 0)] * KNOWN)
    assert list(believed(rig, 1, 2)) == [1, LEAST, LEAST]


def test_a_cancelled_answer_says_only_what_executed(rig: Rig) -> None:
    tell(rig, 1, [])
    rig.observe(1, 8, 3, exact=False)
    pool = rig.learning.pool(1, ONE, BUY)
    assert list(pool["risk"][:5]) == [WEIGHT] * 3 + [0, 0]
    assert not pool["short"].any()


def test_old_answers_count_half_behind_the_memory() -> None:
    with Rig(1, 1, Settings(memory_observations=10)) as rig:
        for _ in range(10):
            rig.observe(1, 2, 0)
        assert rig.learning.pool(1, ONE, BUY)["risk"][0] == 10 * WEIGHT
        rig.observe(1, 2, 2)
        pool = rig.learning.pool(1, ONE, BUY)
        assert (pool["risk"][0], pool["short"][0]) == (6 * WEIGHT, 5 * WEIGHT)


def test_sides_and_instruments_are_learnt_apart(rig: Rig) -> None:
    tell(rig, 1, [(4, 0)])
    assert rig.learning.pool(1, ONE, BUY)["risk"][0] == WEIGHT
    assert not any(rig.learning.pool(1, ONE, 3 - BUY).tobytes())
    assert not any(rig.learning.pool(1, 2, BUY).tobytes())
    with pytest.raises(ValueError, match="not dark"):
        rig.learning.pool(0, ONE, BUY)
