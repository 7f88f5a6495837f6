"""Passive orders, as sentences: where they stand, when they move, what they never do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dark_rig import CENT, DOLLAR, ONE, PENDING_CANCEL, PENDING_REPLACE
from posting_rig import PostRig

from feedhandler.actions import BUY, SELL
from router.routing.learning import Settings
from router.routing.parameters import (
    HORIZON_NS,
    OFFSET_TICKS,
    PATIENCE_NS,
    PEG,
    PEG_BEHIND,
    PEG_IMPROVE,
    REPOST_TICKS,
)
from router.tables import CANCEL, DARK, DAY, ENTER, PASSIVE, POST_ONLY, REPLACE, TAKES

BID, OFFER = 10 * DOLLAR, 10 * DOLLAR + 4 * CENT
SECOND = 1_000_000_000
PENDING_NEW = 1


@pytest.fixture
def rig() -> Iterator[PostRig]:
    """Two lit venues at 10.00 to 10.04: 300 shares bid at the first, 600 at the second."""
    with PostRig(2, 0, Settings(pause_ns=1)) as rig:
        rig.quote(0, (BID, 300), (OFFER, 300))
        rig.quote(1, (BID, 600), (OFFER, 300))
        yield rig


def entered(rig: PostRig) -> list[tuple[int, int, int]]:
    """Venue, shares and price of new orders; nothing else may be wanted."""
    intents = rig.intents()
    assert all(intent["kind"] == ENTER for intent in intents)
    return [(intent["venue"], intent["quantity"], intent["price"]) for intent in intents]


def changes(rig: PostRig) -> list[tuple[int, int, int, int]]:
    """Kind, child, whole quantity and price of what is wanted of orders that stand."""
    return [(i["kind"], i["child"], i["quantity"], i["price"]) for i in rig.intents()]


def test_a_passive_order_joins_the_best(rig: PostRig) -> None:
    assert rig.post(100) == 1
    (intent,) = rig.intents()
    assert (intent["venue"], intent["quantity"], intent["price"]) == (0, 100, BID)
    assert (intent["tif"], intent["flags"], intent["ahead"]) == (DAY, POST_ONLY, 300)
    rig.tables.venues["takes_post_only"] = 0
    rig.parent(SELL)
    rig.post(100)
    (intent,) = rig.intents()
    assert (intent["price"], intent["flags"], intent["side"]) == (OFFER, 0, SELL)


@pytest.mark.parametrize(
    ("peg", "offset", "cents"),
    [(PEG_IMPROVE, 0, 1), (PEG_IMPROVE, 2, 2), (PEG_IMPROVE, 9, 3), (PEG_BEHIND, 2, -2)],
)
def test_pegs_improve_as_far_as_the_spread_allows_or_stand_behind(
    rig: PostRig, peg: int, offset: int, cents: int
) -> None:
    for side, best, towards in ((BUY, BID, 1), (SELL, OFFER, -1)):
        rig.parent(side)
        rig.parameters({PEG: peg, OFFSET_TICKS: offset})
        rig.post(100)
        ((_, _, price),) = entered(rig)
        assert price == best + towards * cents * CENT


def test_nothing_is_improved_where_the_spread_is_a_tick(rig: PostRig) -> None:
    rig.quote(0, (BID, 300), (BID + CENT, 300))
    rig.parameters({PEG: PEG_IMPROVE})
    rig.post(100)
    assert entered(rig) == [(0, 100, BID)]


def test_an_odd_lot_of_the_far_side_is_not_crossed_either(rig: PostRig) -> None:
    rig.quote(1, (BID, 600), (BID + CENT, 40))
    rig.parameters({PEG: PEG_IMPROVE, OFFSET_TICKS: 3})
    rig.post(100)
    ((_, _, price),) = entered(rig)
    assert price == BID


def test_in_a_locked_market_orders_stand_a_tick_behind(rig: PostRig) -> None:
    rig.quote(1, (BID, 600), (BID, 300))
    rig.post(100)
    ((_, _, price),) = entered(rig)
    assert price == BID - CENT


def test_the_limit_holds_and_is_put_on_the_grid(rig: PostRig) -> None:
    rig.post(100, limit=BID - CENT - CENT // 3)
    ((_, _, price),) = entered(rig)
    assert price == BID - 2 * CENT
    rig.parent(SELL)
    rig.post(100, limit=OFFER + CENT // 3)
    ((_, _, price),) = entered(rig)
    assert price == OFFER + CENT


def test_below_a_dollar_ticks_are_small(rig: PostRig) -> None:
    for venue in (0, 1):
        rig.quote(venue, (DOLLAR // 2, 300), (DOLLAR // 2 + CENT, 300))
    rig.parameters({PEG: PEG_IMPROVE})
    rig.post(100)
    ((_, _, price),) = entered(rig)
    assert price == DOLLAR // 2 + CENT // 100


def test_venues_that_are_down_or_stale_are_left_out(rig: PostRig) -> None:
    rig.tables.venues[0]["down"] = 1
    rig.post(100)
    assert entered(rig) == [(1, 100, BID)]
    rig.market.quotes[ONE, 1]["usable"] = 0
    assert rig.post(100) == 0


def test_nothing_is_entered_without_a_national_best(rig: PostRig) -> None:
    for venue in (0, 1):
        rig.quote(venue, (BID, 300), None)
    assert rig.post(100) == 0
    rig.stand(1, 0, 100, BID)
    assert rig.post(100, limit=BID - CENT) == 1
    assert changes(rig) == [(CANCEL, 1, 0, 0)]


def test_a_large_order_is_spread_over_venues(rig: PostRig) -> None:
    rig.post(3200)
    made = entered(rig)
    assert {venue for venue, _, _ in made} == {0, 1}
    assert sum(shares for _, shares, _ in made) == 3200
    assert all(shares % 100 == 0 for _, shares, _ in made)


def test_what_stands_is_not_entered_again(rig: PostRig) -> None:
    rig.stand(1, 0, 300, BID, cum=100, leaves=200)
    assert rig.post(200) == 0
    assert rig.post(250) == 0  # less than a round lot is not worth an order beside it
    assert rig.post(500) == 1
    assert sum(shares for _, shares, _ in entered(rig)) == 300


def test_too_much_is_reduced_and_what_waits_for_an_answer_left_alone(rig: PostRig) -> None:
    rig.stand(1, 0, 300, BID, cum=100, leaves=200)
    rig.stand(2, 0, 500, BID, state=PENDING_REPLACE)
    rig.stand(3, 0, 500, BID, state=PENDING_NEW, heard_ns=0)
    rig.stand(4, 0, 400, BID, state=PENDING_CANCEL)
    assert rig.post(1150) == 1
    assert changes(rig) == [(REPLACE, 1, 250, BID)]
    assert rig.post(900) == 1
    assert changes(rig) == [(CANCEL, 1, 0, 0)]
    assert rig.post(1200) == 0


def test_shares_that_leave_are_not_replaced_before_they_have_left(rig: PostRig) -> None:
    rig.stand(1, 0, 500, BID, state=PENDING_CANCEL)
    assert rig.post(500) == 0
    rig.gone()
    assert rig.post(500) > 0


def test_no_more_stands_than_the_parent_has_left_to_do(rig: PostRig) -> None:
    rig.parent(quantity=1000, cum=300)
    rig.child(9, 0, 250, flags=TAKES)
    rig.child(8, 1, 150, flags=DARK)
    rig.tables.parents[ONE]["open"] = 400
    rig.post(5000)
    assert sum(shares for _, shares, _ in entered(rig)) == 300


def test_an_order_follows_its_peg(rig: PostRig) -> None:
    rig.stand(1, 0, 300, BID - CENT, cum=100, leaves=200)
    assert rig.post(200) == 1
    assert changes(rig) == [(REPLACE, 1, 300, BID)]


def test_it_follows_only_so_many_ticks(rig: PostRig) -> None:
    rig.parameters({REPOST_TICKS: 3})
    rig.stand(1, 0, 200, BID - 2 * CENT)
    assert rig.post(200) == 0
    rig.gone()
    rig.stand(1, 0, 200, BID - 3 * CENT)
    assert rig.post(200) == 1


def test_changes_of_place_are_a_pause_apart_but_the_limit_holds_at_once(rig: PostRig) -> None:
    rig.parameters({PATIENCE_NS: SECOND})
    rig.stand(1, 0, 200, BID - CENT)
    assert rig.post(200) == 1
    rig.intents()
    rig.now += SECOND - 1
    assert rig.post(200) == 0
    assert rig.post(200, limit=BID - 2 * CENT) == 1
    assert changes(rig) == [(REPLACE, 1, 200, BID - 2 * CENT)]
    rig.now += SECOND
    assert rig.post(200) == 1


def test_the_peg_does_not_follow_an_order_of_its_own(rig: PostRig) -> None:
    rig.parameters({PEG: PEG_IMPROVE})
    rig.stand(1, 0, 200, BID + CENT)
    rig.quote(0, (BID + CENT, 200), (OFFER, 300))
    assert rig.post(200) == 0
    rig.quote(0, (BID + CENT, 300), (OFFER, 300))  # somebody else stands there too
    assert rig.post(200) == 1
    assert changes(rig) == [(REPLACE, 1, 200, BID + 2 * CENT)]


def busy(rig: PostRig, venue: int, shares: int) -> None:
    """Executions of bids at a venue."""
    rig.trade(venue, BUY, BID, shares)


def test_an_order_leaves_for_a_venue_that_is_much_better(rig: PostRig) -> None:
    rig.parameters({HORIZON_NS: 60 * SECOND})
    rig.stand(1, 1, 200, BID, ahead=600)
    busy(rig, 0, 5000)
    assert rig.post(200) == 1
    assert changes(rig) == [(CANCEL, 1, 0, 0)]
    ((words, lines),) = rig.decisions()
    assert words[2] == PASSIVE
    assert lines["effective"][0] < lines["effective"][1]


def test_it_stays_where_the_other_is_little_better_or_its_place_is_good(rig: PostRig) -> None:
    rig.parameters({HORIZON_NS: 60 * SECOND})
    rig.stand(1, 1, 200, BID, ahead=0)
    for venue in (0, 1):
        busy(rig, venue, 5000)
    assert rig.post(200) == 0
    rig.gone()
    rig.stand(1, 1, 200, BID, ahead=600)
    rig.quote(1, (BID, 600 + 200), (OFFER, 300))
    rig.quote(0, (BID, 500), (OFFER, 300))
    assert rig.post(200) == 0
    rig.learning.flows[1, ONE, 0]["mass"] = 0
    assert rig.post(200) == 1


def test_an_iceberg_shows_a_slice_at_one_venue(rig: PostRig) -> None:
    assert rig.post(5000, shown=400) == 1
    assert entered(rig) == [(0, 400, BID)]


def test_the_next_slice_comes_when_all_of_the_last_is_gone(rig: PostRig) -> None:
    rig.stand(1, 0, 400, BID, cum=300, leaves=100)
    assert rig.post(5000, shown=400) == 0
    rig.gone()
    assert rig.post(5000, shown=400) == 1
    assert entered(rig)[0][1] == 400
    assert rig.post(150, shown=400) == 1
    assert entered(rig)[0][1] == 150


def test_a_smaller_slice_takes_shares_off_the_one_that_stands(rig: PostRig) -> None:
    rig.stand(1, 0, 400, BID)
    assert rig.post(5000, shown=100) == 1
    assert changes(rig) == [(REPLACE, 1, 100, BID)]


def test_venues_lots_are_kept(rig: PostRig) -> None:
    rig.tables.venues[0]["lot"], rig.tables.venues[1]["least"] = 100, 1000
    rig.post(350, shown=350)
    assert entered(rig) == [(0, 300, BID)]


def test_the_decision_is_in_the_log(rig: PostRig) -> None:
    rig.tables.venues[0]["tiers"][0]["added"]["per_share"] = -CENT // 5
    rig.post(100, limit=OFFER)
    assert rig.intents()[0]["decision"] == 1
    ((words, lines),) = rig.decisions()
    assert words == (1, ONE, PASSIVE, 100, OFFER, 2)
    assert list(lines["venue"]) == [0, 1]
    assert list(lines["shares"]) == [300, 600]
    assert list(lines["chosen"]) == [100, 0]
    assert list(lines["second"]) == [-2 * CENT - CENT // 5, -2 * CENT]
    assert lines["effective"][0] < lines["effective"][1] < 2 * CENT
    assert rig.post(0) == 0
    assert rig.decisions() == []
