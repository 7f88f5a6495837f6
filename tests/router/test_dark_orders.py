"""Orders to dark pools, as sentences: who is asked, at what price, when no more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dark_rig import CENT, DOLLAR, FILLED, ONE, PENDING_CANCEL, Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from feedhandler.actions import BUY, SELL
from router.routing.learning import WEIGHT, Settings
from router.routing.parameters import MINIMUM_PART, PATIENCE_NS
from router.tables import CANCEL, DARK, DARK_FIRST, DAY, ENTER, IOC, MIDPOINT, PART, SHORT

BID, OFFER = 10 * DOLLAR, 10 * DOLLAR + 4 * CENT
MID = (BID + OFFER) // 2
SECOND = 1_000_000_000


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A lit venue and three dark ones, a national best of 10.00 to 10.04."""
    with Rig(1, 3) as rig:
        rig.quote(0, (BID, 300), (OFFER, 300))
        yield rig


def asked(rig: Rig) -> dict[int, int]:
    """Shares by venue."""
    return {intent["venue"]: intent["quantity"] for intent in rig.intents()}


def test_pools_that_nobody_knows_are_asked_for_the_same(rig: Rig) -> None:
    assert rig.ask(900) == 900
    assert asked(rig) == {1: 300, 2: 300, 3: 300}


def test_orders_are_pegged_to_the_midpoint_and_limited_to_the_far_side(rig: Rig) -> None:
    rig.ask(100)
    (intent,) = rig.intents()
    assert (intent["kind"], intent["tif"]) == (ENTER, IOC)
    assert intent["flags"] == MIDPOINT | DARK
    assert (intent["price"], intent["side"], intent["minimum"]) == (OFFER, BUY, 0)
    rig.parent(SELL, flags=SHORT)
    rig.ask(100)
    (intent,) = rig.intents()
    assert (intent["price"], intent["side"]) == (BID, SELL)
    assert intent["flags"] == MIDPOINT | DARK | SHORT


def test_the_limit_counts_where_it_is_tighter_and_is_put_on_the_grid(rig: Rig) -> None:
    rig.ask(100, limit=OFFER - CENT // 2)
    assert rig.intents()[0]["price"] == OFFER - CENT
    rig.parent(SELL)
    rig.ask(100, limit=BID + CENT // 2)
    assert rig.intents()[0]["price"] == BID + CENT


@pytest.mark.parametrize(("side", "limit"), [(BUY, MID - 1), (SELL, MID + 1)])
def test_nobody_is_asked_at_a_limit_short_of_the_midpoint(rig: Rig, side: int, limit: int) -> None:
    rig.parent(side)
    assert rig.ask(100, limit=limit) == 0
    assert rig.ask(100, limit=MID) == 100


def test_nobody_is_asked_without_a_national_best(rig: Rig) -> None:
    rig.quote(0, (BID, 300), None)
    assert rig.ask(100) == 0
    rig.quote(0, (OFFER, 300), (BID, 300))
    assert rig.ask(100) == 0
    rig.quote(0, (BID, 300), (OFFER, 300))
    assert rig.ask(0) == 0
    assert rig.intents() == []


def test_a_venue_that_is_down_or_has_our_order_is_left_out(rig: Rig) -> None:
    rig.tables.venues[1]["down"] = 1
    rig.child(5, 2, 100, flags=DARK, tif=IOC)
    assert rig.ask(900) == 900
    assert asked(rig) == {3: 900}


def test_a_pool_that_had_too_little_is_not_asked_again_at_once(rig: Rig) -> None:
    rig.over(1, 300, 100)
    rig.over(2, 300, 300, state=FILLED)
    assert rig.ask(200) == 200
    assert set(asked(rig)) == {2, 3}
    rig.over(2, 300, 0)
    rig.over(3, 300, 0)
    assert rig.ask(200) == 0
    rig.now += SECOND
    assert rig.ask(300) == 300


def test_another_parent_asks_where_one_was_refused(rig: Rig) -> None:
    rig.over(1, 300, 0)
    rig.parent(BUY, 2)
    assert rig.ask_for(2, 300) == 300
    assert 1 in asked(rig)


def test_a_pool_that_always_had_much_gets_the_most(rig: Rig) -> None:
    for _ in range(30):
        rig.observe(1, 5, 0)
        rig.observe(2, 5, 5)
        rig.observe(3, 5, 1)
    rig.ask(700)
    assert asked(rig) == {2: 600, 3: 100}


def test_hidden_executions_say_who_comes_first_of_pools_as_likely(rig: Rig) -> None:
    rig.hidden(2, SELL, 300)
    rig.ask(200)
    assert asked(rig) == {2: 200}
    rig.ask(600)
    assert asked(rig) == {1: 200, 2: 300, 3: 100}


def test_small_executions_are_not_taken_where_the_parent_says_so(rig: Rig) -> None:
    rig.parameters({MINIMUM_PART: PART // 4})
    rig.ask(900)
    assert [intent["minimum"] for intent in rig.intents()] == [75, 75, 75]
    rig.parameters({MINIMUM_PART: 2 * PART})
    rig.ask(100)
    assert [intent["minimum"] for intent in rig.intents()] == [100]


def test_lots_and_least_sizes_of_venues_are_kept(rig: Rig) -> None:
    rig.tables.venues[1]["lot"], rig.tables.venues[2]["least"] = 100, 250
    assert rig.ask(630) == 400
    assert asked(rig) == {1: 200, 3: 200}


def test_patient_orders_rest_and_are_cancelled_behind_it(rig: Rig) -> None:
    rig.parameters({PATIENCE_NS: 5 * SECOND})
    rig.ask(100)
    assert [intent["tif"] for intent in rig.intents()] == [DAY]
    rig.child(5, 1, 100, flags=DARK)
    rig.child(6, 2, 100, flags=DARK, state=PENDING_CANCEL)
    rig.child(7, 0, 100)
    rig.now += 5 * SECOND - 1
    assert rig.ask(0) == 0
    assert rig.intents() == []
    rig.now += 1
    assert rig.ask(0) == 0
    assert [(i["kind"], i["child"]) for i in rig.intents()] == [(CANCEL, 5)]


def test_answers_teach_the_pool(rig: Rig) -> None:
    rig.over(1, 500, 230)
    pool = rig.learning.pool(1, ONE, BUY)
    assert list(pool["risk"][:6]) == [WEIGHT] * 3 + [0] * 3
    assert list(pool["short"][:6]) == [0, 0, WEIGHT, 0, 0, 0]
    rig.over(2, 500, 500)
    assert list(rig.learning.pool(2, ONE, BUY)["risk"][:6]) == [WEIGHT] * 5 + [0]


def test_an_order_that_was_never_there_teaches_nothing(rig: Rig) -> None:
    rig.over(1, 500, 0, heard_ns=0)
    assert not any(rig.learning.pool(1, ONE, BUY).tobytes())
    rig.ask(200)
    assert 1 not in asked(rig)


def test_a_resting_order_cancelled_early_teaches_what_executed(rig: Rig) -> None:
    rig.parameters({PATIENCE_NS: 5 * SECOND})
    rig.over(1, 500, 200, tif=DAY, last_ns=rig.now + SECOND)
    assert not rig.learning.pool(1, ONE, BUY)["short"].any()
    rig.over(1, 500, 200, tif=DAY, last_ns=rig.now + 5 * SECOND)
    assert rig.learning.pool(1, ONE, BUY)["short"][2] == WEIGHT


def test_the_decision_is_in_the_log(rig: Rig) -> None:
    for _ in range(20):
        rig.observe(1, 3, 0)
    rig.tables.venues[2]["tiers"][0]["midpoint"]["per_share"] = CENT // 10
    rig.ask(400)
    assert {intent["decision"] for intent in rig.intents()} == {1}
    ((words, lines),) = rig.decisions()
    assert words == (1, ONE, DARK_FIRST, 400, 0, 3)
    assert list(lines["venue"]) == [1, 2, 3]
    assert list(lines["chosen"]) == [0, 200, 200]
    assert list(lines["second"]) == [0, 200, 200]
    assert list(lines["effective"]) == [MID, MID + CENT // 10, MID]
    assert list(lines["first"]) == [PART, PART, PART]
    assert rig.tables.parents[ONE]["last_decision"] == 1


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([BUY, SELL]),
    st.integers(0, 3_000_000),
    st.integers(BID - 5 * CENT, OFFER + 5 * CENT),
    st.lists(
        st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 9), st.integers(0, 9)), max_size=12
    ),
    st.integers(0, PART),
)
def test_never_more_than_asked_for_and_never_outside(
    side: int, quantity: int, limit: int, shown: list[tuple[int, int, int]], part: int
) -> None:
    with Rig(1, 3, Settings(known_observations=2)) as rig:
        rig.quote(0, (BID, 300), (OFFER, 300))
        rig.parent(side)
        rig.parameters({MINIMUM_PART: part})
        for venue, wanted, there in shown:
            rig.observe(venue, wanted, min(wanted, there), there < wanted, side)
        total = rig.ask(quantity, limit)
        intents = rig.intents()
        assert total == sum(intent["quantity"] for intent in intents) <= quantity
        assert len({intent["venue"] for intent in intents}) == len(intents)
        for intent in intents:
            assert BID <= intent["price"] <= OFFER
            assert intent["price"] <= limit if side == BUY else intent["price"] >= limit
            assert 0 <= intent["minimum"] <= intent["quantity"]
        can = limit >= MID if side == BUY else limit <= MID
        assert (total > 0) == (quantity > 0 and can)
        assert total == quantity or not can or quantity > 3 * 15_360 * 100
