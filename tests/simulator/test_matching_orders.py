"""What each order type does, as sentences: a few orders, what trades, what the public sees."""

from __future__ import annotations

import pytest
from venue_rig import CENT, PLAIN, B, Floor, S

from feedhandler import actions as a
from router.venuefile import Rate
from simulator.matching import records as r
from simulator.matching.model import Fees, VenueModel

AT_ONCE = VenueModel(name="at once", reserve_refresh="at_once")


def test_a_better_price_trades_first_then_the_earlier_order() -> None:
    with Floor() as floor:
        late = floor.order(B, 100, 1000)
        early_best, late_best = floor.order(B, 100, 1001), floor.order(B, 100, 1001)
        floor.order(S, 250, 1000)
        tokens = [token for token, _, _ in floor.fills() if token != floor.token]
        assert tokens == [early_best, late_best, late]
        assert floor.side(B) == [(1000, 50)]


def test_an_order_trades_at_the_price_of_the_one_that_was_there() -> None:
    with Floor() as floor:
        resting = floor.order(S, 100, 1000)
        taking = floor.order(B, 100, 1005)
        assert floor.fills() == [(resting, 1000.0, 100), (taking, 1000.0, 100)]
        assert floor.reports["liquidity"].tolist() == [0, r.ADDED, r.REMOVED]


def test_what_a_limit_order_does_not_take_is_displayed() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        floor.order(B, 300, 1000)
        assert floor.side(B) == [(1000, 200)] and floor.side(S) == []
        assert [kind for kind, _, _ in floor.told()] == [a.EXECUTE, a.ADD]


def test_a_market_order_takes_at_any_price_and_never_rests() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        floor.order(S, 100, 1200)
        token = floor.order(B, 300, type=r.MARKET)
        assert [price for t, price, _ in floor.fills() if t == token] == [1000.0, 1200.0]
        assert floor.said(token)[-1] == (r.CANCELED, r.NO_LIQUIDITY)
        assert floor.side(B) == []


def test_an_ioc_order_takes_what_it_can_and_the_rest_is_canceled() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        token = floor.order(B, 300, 1000, time_in_force=r.IOC)
        assert floor.said(token)[-1] == (r.CANCELED, r.IOC_REMAINDER)
        assert floor.reports[-1]["quantity"] == 200


@pytest.mark.parametrize(("wanted", "filled"), [(300, True), (301, False)])
def test_a_fok_order_gets_all_or_nothing(wanted: int, filled: bool) -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        floor.order(S, 200, 1001, flags=r.HIDDEN)
        token = floor.order(B, wanted, 1001, time_in_force=r.FOK)
        assert bool(floor.fills()) == filled
        last = (r.EXECUTED, 0) if filled else (r.CANCELED, r.FOK_NOT_FILLED)
        assert floor.said(token)[-1] == last


def test_a_post_only_order_that_would_take_is_rejected() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        token = floor.order(B, 100, 1000, flags=r.POST_ONLY)
        assert floor.said(token) == [(r.REJECTED, r.WOULD_TAKE)]
        assert len(floor.public) == 0


def test_a_post_only_order_that_slides_is_priced_one_tick_away() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        floor.order(B, 100, 1003, flags=r.POST_ONLY | r.SLIDE)
        assert floor.side(B) == [(999, 100)]
        assert floor.reports[0]["price"] == 999 * CENT


def test_a_hidden_order_is_not_seen_and_trades_behind_displayed_ones_at_its_price() -> None:
    with Floor() as floor:
        hidden = floor.order(B, 100, 1000, flags=r.HIDDEN)
        assert len(floor.public) == 0
        shown = floor.order(B, 100, 1000)
        floor.order(S, 200, 1000)
        assert [token for token, _, _ in floor.fills()][::2] == [shown, hidden]
        kinds = floor.public[["kind", "flags"]].tolist()
        assert kinds == [(a.EXECUTE, 0), (a.TRADE, a.HIDDEN)]


def test_a_better_hidden_price_trades_before_a_displayed_one() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000)
        hidden = floor.order(B, 100, 1001, flags=r.HIDDEN)
        floor.order(S, 100, 1000)
        assert floor.fills()[0] == (hidden, 1001.0, 100)


def test_a_reserve_order_shows_a_slice_and_loses_priority_when_it_is_shown_anew() -> None:
    with Floor() as floor:
        reserve = floor.order(B, 300, 1000, display=100)
        first_reference = int(floor.public[0]["order_id"])
        other = floor.order(B, 100, 1000)
        assert floor.side(B) == [(1000, 200)]
        floor.order(S, 100, 1000)
        new_reference = int(floor.public[-1]["order_id"])
        assert floor.told()[-1] == (a.ADD, 1000, 100) and new_reference > first_reference
        floor.order(S, 150, 1000)
        assert [fill[:1] + fill[2:] for fill in floor.fills()[::2]] == [(other, 100), (reserve, 50)]


def test_a_reserve_trades_behind_hidden_orders_or_before_them_by_the_venues_rule() -> None:
    for model, hidden_first in ((PLAIN, True), (AT_ONCE, False)):
        with Floor(model) as floor:
            reserve = floor.order(B, 200, 1000, display=100)
            hidden = floor.order(B, 100, 1000, flags=r.HIDDEN)
            floor.order(S, 200, 1000)
            second = hidden if hidden_first else reserve
            assert [token for token, _, _ in floor.fills()][::2] == [reserve, second]


def test_a_midpoint_peg_trades_between_the_national_best_prices() -> None:
    with Floor() as floor:
        floor.national(1000, 1003)
        peg = floor.order(B, 100, type=r.MIDPOINT_PEG)
        assert floor.side(B) == []
        floor.order(S, 100, 1000)
        assert floor.fills()[0] == (peg, 1001.5, 100)
        assert floor.reports[1]["liquidity"] == r.MIDPOINT


def test_a_midpoint_peg_follows_the_reference_and_its_limit() -> None:
    with Floor() as floor:
        floor.national(1000, 1002)
        peg = floor.order(B, 100, type=r.MIDPOINT_PEG, cap=1002 * CENT)
        floor.national(1000, 1006)
        assert floor.said(peg) == [(r.RESTATED, r.REPRICED)]
        assert floor.reports[0]["price"] == 1002 * CENT
        floor.send(r.REFERENCE)
        assert floor.reports[0]["price"] == 0
        floor.order(S, 100, 900)
        assert floor.fills() == []


def test_a_peg_that_comes_nearer_takes_what_it_meets() -> None:
    with Floor() as floor:
        floor.national(1000, 1002)
        peg = floor.order(B, 100, type=r.MIDPOINT_PEG)
        resting = floor.order(S, 100, 1002)
        floor.national(1002, 1004)
        assert floor.fills() == [(resting, 1002.0, 100), (peg, 1002.0, 100)]


def test_a_primary_peg_is_displayed_at_its_side_and_moves_to_the_back_with_it() -> None:
    with Floor() as floor:
        floor.national(1000, 1003)
        peg = floor.order(B, 100, type=r.PRIMARY_PEG)
        other = floor.order(B, 100, 1001)
        floor.national(1001, 1003)
        assert floor.told() == [(a.REPLACE, 1001, 100)]
        floor.order(S, 200, 1001)
        assert [token for token, _, _ in floor.fills()][::2] == [other, peg]


def test_a_primary_peg_keeps_its_offset() -> None:
    with Floor() as floor:
        floor.national(1000, 1005)
        floor.order(S, 100, 2, type=r.PRIMARY_PEG)
        assert floor.side(S) == [(1007, 100)]


def test_a_least_quantity_is_met_by_several_orders_on_entry_and_by_one_at_rest() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1000)
        floor.order(S, 100, 1000)
        token = floor.order(B, 300, 1000, flags=r.HIDDEN, minimum=200)
        assert sum(shares for t, _, shares in floor.fills() if t == token) == 200
        big = floor.order(B, 500, 1000, flags=r.HIDDEN, minimum=300)
        floor.order(S, 250, 1000)
        assert [t for t, _, _ in floor.fills()][::2] == [token]
        floor.order(S, 300, 999)
        assert (big, 1000.0, 300) in floor.fills()


def test_a_displayed_order_has_no_least_quantity() -> None:
    with Floor() as floor:
        token = floor.order(B, 100, 1000, minimum=100)
        assert floor.said(token) == [(r.REJECTED, r.BAD_TYPE)]


def test_a_sweep_looks_at_no_other_venue_and_other_orders_stop_at_a_better_price() -> None:
    with Floor(VenueModel(name="protects", protect=True)) as floor:
        floor.order(S, 100, 1002)
        floor.national(999, 1000)
        floor.order(B, 100, 1002)
        assert floor.fills() == [] and floor.side(B) == [(999, 100)]
        floor.order(B, 100, 1002, flags=r.SWEEP)
        assert floor.fills()[-1][1] == 1002.0


def test_odd_lots_are_displayed_but_protect_nothing() -> None:
    with Floor() as floor:
        floor.order(B, 60, 1001)
        floor.order(B, 50, 1000)
        assert floor.exchange.top(1)[:2] == (1001 * CENT, 60)
        assert floor.exchange.protected(1)[:2] == (1000 * CENT, 100)
        floor.order(S, 60, 1001)
        assert floor.public[0]["flags"] == a.ODD_LOT


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        (r.STP_CANCEL_NEW, (300, 0)),
        (r.STP_CANCEL_OLD, (0, 100)),
        (r.STP_CANCEL_BOTH, (0, 0)),
        (r.STP_DECREMENT, (200, 0)),
    ],
)
def test_orders_of_one_group_do_not_trade(mode: int, left: tuple[int, int]) -> None:
    with Floor() as floor:
        floor.order(B, 300, 1000, group=7)
        floor.order(S, 100, 1000, group=7, flags=mode << r.STP_SHIFT)
        assert floor.fills() == []
        shown = [sum(shares for _, shares in floor.side(side)) for side in (B, S)]
        assert tuple(shown) == left
        assert set(floor.reports["reason"].tolist()) - {0} == {r.SELF_TRADE}


def test_orders_of_one_group_trade_where_nothing_else_is_asked_for() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000, group=7)
        floor.order(S, 100, 1000, group=7)
        assert len(floor.fills()) == 2


def test_fees_go_by_tier_liquidity_and_retail() -> None:
    tiers = (
        Fees(removed=Rate(300_000, 300_000), added=Rate(-200_000), retail_removed=Rate(100_000)),
        Fees(from_shares=200, removed=Rate(250_000), added=Rate(-300_000)),
    )
    with Floor(VenueModel(name="fees", fees=tiers)) as floor:
        floor.order(B, 400, 1000)
        floor.order(B, 400, 50)
        floor.order(S, 100, 1000, owner=2, flags=r.RETAIL)
        assert floor.reports["fee"].tolist() == [0, -20_000_000, 10_000_000]
        floor.order(S, 100, 1000, owner=2)
        assert floor.reports["fee"].tolist() == [0, -20_000_000, 30_000_000]
        floor.order(S, 100, 1000, owner=2)
        assert floor.reports["fee"].tolist() == [0, -30_000_000, 25_000_000]
        floor.order(S, 200, 50, owner=3)
        assert floor.fills()[-1][1:] == (50.0, 100)
        assert floor.reports["fee"].tolist()[-1] == 15_000_000  # 0.3 % of 50 dollars
