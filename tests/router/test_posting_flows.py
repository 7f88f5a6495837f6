"""What executions teach: rates, drift, hidden sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from dark_rig import CENT, DOLLAR, ONE
from hypothesis import given, settings
from hypothesis import strategies as st
from posting_rig import PostRig

from feedhandler.actions import BUY, SELL
from router.routing.learning import Settings

SECOND = 1_000_000_000
HALF_LIFE = 60 * SECOND
BID, OFFER = 10 * DOLLAR, 10 * DOLLAR + 4 * CENT


@pytest.fixture
def rig() -> Iterator[PostRig]:
    """A lit and a dark venue, 10.00 to 10.04."""
    with PostRig(1, 1, Settings(half_life_ns=HALF_LIFE, drift_ns=SECOND)) as rig:
        rig.quote(0, (BID, 400), (OFFER, 400))
        yield rig


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 200 * SECOND), st.integers(1, 100_000)), max_size=30))
def test_sums_decay_by_half_lives(trades: list[tuple[int, int]]) -> None:
    with PostRig(1, 0, Settings(half_life_ns=HALF_LIFE)) as rig:
        wanted = 0.0
        for elapsed, shares in trades:
            rig.now += elapsed
            wanted = wanted * 2 ** -(elapsed / HALF_LIFE) + shares
            rig.trade(0, BUY, BID, shares)
        mass = int(rig.learning.flows[0, ONE, 0]["mass"]) / 1024
        assert mass == pytest.approx(wanted, rel=1e-3, abs=0.1)


def test_a_steady_flow_has_its_rate(rig: PostRig) -> None:
    for _ in range(900):  # 100 shares a second
        rig.now += SECOND
        rig.trade(0, BUY, BID, 100)
    rate = int(rig.learning.flows[0, ONE, 0]["mass"]) / 1024 * math.log(2) / 60
    assert rate == pytest.approx(100, rel=0.02)
    assert rig.learning.flows[0, ONE, 1]["mass"] == 0


def move(rig: PostRig, cents: int) -> None:
    """Moves both sides."""
    rig.quote(0, (BID + cents * CENT, 400), (OFFER + cents * CENT, 400))


@pytest.mark.parametrize(("side", "adverse"), [(BUY, 2), (SELL, -2)])
def test_drift_is_the_move_against_who_was_executed(rig: PostRig, side: int, adverse: int) -> None:
    rig.trade(0, side, BID, 100)
    move(rig, -2)
    rig.now += SECOND - 1
    rig.trade(0, side, BID, 100)
    flow = rig.learning.flows[0, ONE, side - 1]
    assert flow["drift_count"] == 0
    rig.now += 1
    rig.trade(0, side, BID, 100)
    assert (flow["drift"], flow["drift_count"]) == (adverse * CENT, 1)


def test_drift_is_the_mean_of_the_first_ones(rig: PostRig) -> None:
    rig.trade(0, BUY, BID, 100)
    at, seen = 0, []
    for cents in (-2, -2, 4, 0):
        rig.now += SECOND
        at += cents
        move(rig, at)
        rig.trade(0, BUY, BID, 100)
        seen.append(int(rig.learning.flows[0, ONE, 0]["drift"]) / CENT)
    assert seen == [2, 2, 0, 0]


def test_hidden_executions_speak_for_as_much_again_of_what_is_shown(rig: PostRig) -> None:
    assert rig.hidden_size(0, BUY) == 0
    rig.trade(0, BUY, BID, 600)
    rig.hidden(0, BUY, 300)
    assert rig.hidden_size(0, BUY) == 200  # 400 are shown
    assert rig.hidden_size(0, SELL) == 0
    rig.now += 10 * HALF_LIFE
    rig.trade(0, BUY, BID, 600)
    assert rig.hidden_size(0, BUY) == 0


def test_never_more_than_ten_times_what_is_shown(rig: PostRig) -> None:
    rig.hidden(0, BUY, 10**6)
    assert rig.hidden_size(0, BUY) == 4000


def test_where_nothing_is_shown_it_is_the_usual_size(rig: PostRig) -> None:
    rig.hidden(1, SELL, 800)
    assert rig.hidden_size(1, SELL) == 800
    rig.hidden(1, SELL, 1600)
    assert rig.hidden_size(1, SELL) == 900


def test_an_execution_without_a_side_counts_half_for_both(rig: PostRig) -> None:
    rig.hidden(1, 0, 301)
    assert (rig.hidden_size(1, BUY), rig.hidden_size(1, SELL)) == (150, 151)


def test_hidden_orders_are_ahead_in_the_queue(rig: PostRig) -> None:
    rig.trade(0, BUY, BID, 600)
    rig.hidden(0, BUY, 300)
    rig.post(100)
    assert rig.intents()[0]["ahead"] == 600
