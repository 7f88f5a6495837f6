"""Random asks and reports, right and wrong ones, against the slow model."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from order_pair import Pair
from order_rig import DOLLAR

CHILDREN = 6
REPORTS = (
    "accepted canceled rejected replaced cancel_rejected cancel_pending restated bust bust"
    " correction correction"
).split()
KNOWN = (
    "expired", "done for day", "suspended", "resumed", "lost", "unanswered", "rejected",
    "unsolicited cancel",
)  # fmt: skip
ENDS = ("canceled", "expired", "done for day", "suspended", "resumed")
SIZES = (0, 10, 20, 30, 40, 50, 60, 100)
PRICES = (0, 50_000_000, 99_999_999, 10 * DOLLAR, 10 * DOLLAR + 7, 11 * DOLLAR)
NAMED = ("token", "token", "token", "new", "old", "none")

some = st.integers(1, 12).map(lambda n: n * 10)
sizes = st.sampled_from(SIZES)
prices = st.sampled_from(PRICES)
executions = st.integers(0, 9)
parents = st.integers(1, 3)
children = st.integers(1, CHILDREN)
named = st.sampled_from(NAMED)
report = st.sampled_from(REPORTS)
known = st.sampled_from(KNOWN)
ends = st.sampled_from(ENDS)
venues, terms = st.integers(1, 2), st.sampled_from([0, 0, 0, 1])
order = st.tuples(st.just("order"), st.integers(0, 3), some, prices, venues, terms)
fill = st.tuples(
    st.just("say"), children, st.just("token"), st.just("executed"), sizes, prices, executions,
    st.integers(0, 7),
)  # fmt: skip
ack = st.tuples(st.just("ack"), children)
ask = st.tuples(st.just("replace"), children, some, prices)
answer = st.tuples(st.just("answer"), children, st.booleans())
other = st.one_of(
    st.tuples(st.just("say"), children, named, report, sizes, prices, executions, st.just(0)),
    st.tuples(st.just("event"), children, known),
    st.tuples(st.just("end"), parents, ends),
    st.tuples(st.just("change"), parents, some),
    st.tuples(st.just("mark"), st.integers(1, 2), prices),
)
cancel = st.tuples(st.just("cancel"), children)
step = st.one_of(order, fill, fill, ack, ask, cancel, answer, other, other, other)
sequence = st.tuples(
    st.lists(order, min_size=2, max_size=4), st.lists(step, min_size=15, max_size=60)
).map(lambda both: both[0] + both[1])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequence)
def test_any_sequence_of_asks_and_reports_comes_out_as_in_the_slow_model(
    steps: list[tuple[Any, ...]],
) -> None:
    pair = Pair(CHILDREN, tokens=12, slots=16)
    with pair.rig:
        for words in steps:
            pair.take(*words)
            pair.compare()
        pair.finish()


def any_step(dice: random.Random, count: int) -> tuple[Any, ...]:
    """One step, for children that there are; the sensible ones more often."""
    child, price = dice.randint(max(count - 6, 1), max(count, 1)), dice.choice(PRICES)
    size, parent = dice.choice(SIZES), dice.randint(1, 3)
    what = dice.choices(range(9), (8, 12, 22, 14, 8, 16, 16, 5, 6))[0]
    execution, liquidity = dice.randint(0, 60), dice.randint(0, 7)
    steps: list[tuple[Any, ...]] = [
        ("order", dice.randint(0, 3), size + 60, price, dice.randint(1, 2), dice.choice((0, 0, 1))),
        ("ack", child),
        ("say", child, "token", "executed", size, price, execution, liquidity),
        ("replace", child, size + 30, price),
        ("cancel", child),
        ("answer", child, dice.random() < 0.6),
        ("say", child, dice.choice(NAMED), dice.choice(REPORTS), size, price, execution, 0),
        ("event", child, dice.choice(KNOWN)),
        ("end", parent, dice.choice(ENDS))
        if dice.random() < 0.2
        else ("change", parent, size + 90),
    ]
    return steps[what] if dice.random() < 0.95 else ("mark", dice.randint(1, 2), price)


@pytest.mark.parametrize("seed", range(24))
def test_long_walks_come_out_as_in_the_slow_model(seed: int) -> None:
    dice, pair = random.Random(seed), Pair(24, tokens=48, slots=64)
    with pair.rig:
        for _ in range(200):
            pair.take(*any_step(dice, len(pair.slow.children)))
            pair.compare()
        pair.finish()
