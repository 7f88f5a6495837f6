"""Cancels, replaces, halts, bands, auctions and dark pools, as sentences."""

from __future__ import annotations

import pytest
from venue_rig import CENT, PLAIN, B, Floor, S

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.model import VenueModel

KEPT = VenueModel(name="kept", references="kept")
LOSES = VenueModel(name="loses", size_down="loses")
STRICT = VenueModel(name="strict", halts="cancel_only", bands="reject", auctions=False)
DARK = VenueModel(name="dark", kind="midpoint")
BLOCKS = VenueModel(name="blocks", kind="conditional", firm_up_ns=1000)


def test_a_cancel_takes_an_order_off_the_book() -> None:
    with Floor() as floor:
        token = floor.order(B, 100, 1000)
        floor.cancel(token)
        assert floor.said(token) == [(r.CANCELED, r.BY_OWNER)]
        assert floor.told() == [(a.DELETE, 0, 0)]


def test_a_cancel_of_a_gone_order_is_rejected() -> None:
    with Floor() as floor:
        token = floor.order(B, 100, 1000)
        floor.cancel(token)
        floor.cancel(token)
        assert floor.said(token) == [(r.CANCEL_REJECTED, r.UNKNOWN_ORDER)]
        floor.cancel(token, owner=2)
        assert floor.said(token) == [(r.CANCEL_REJECTED, r.UNKNOWN_ORDER)]


def test_a_cancel_down_to_some_shares_keeps_priority() -> None:
    with Floor() as floor:
        token = floor.order(B, 300, 1000)
        floor.order(B, 100, 1000)
        floor.cancel(token, 100)
        assert floor.told() == [(a.REDUCE, 0, 200)]
        floor.order(S, 100, 1000)
        assert floor.fills()[0] == (token, 1000.0, 100)


@pytest.mark.parametrize(
    ("model", "kind", "keeps"),
    [(PLAIN, a.REDUCE, True), (KEPT, a.MODIFY, True), (LOSES, a.REPLACE, False)],
)
def test_a_replace_to_fewer_shares_keeps_priority_by_the_venues_rule(
    model: VenueModel, kind: int, keeps: bool
) -> None:
    with Floor(model) as floor:
        token, other = floor.order(B, 300, 1000), floor.order(B, 100, 1000)
        new = floor.replace(token, 100, 1000)
        assert floor.told()[0][0] == kind
        assert floor.reports[0]["aux"] == token
        floor.order(S, 100, 1000)
        assert floor.fills()[0][0] == (new if keeps else other)


@pytest.mark.parametrize(("price", "shares"), [(1000, 200), (1001, 100)])
@pytest.mark.parametrize(("model", "kind"), [(PLAIN, a.REPLACE), (KEPT, a.MODIFY)])
def test_a_new_price_or_more_shares_lose_priority(
    model: VenueModel, kind: int, price: int, shares: int
) -> None:
    with Floor(model) as floor:
        token = floor.order(B, 100, 1000)
        other = floor.order(B, 100, price)
        floor.replace(token, shares, price)
        assert floor.told() == [(kind, price, shares)]
        floor.order(S, 100, price)
        assert floor.fills()[0][0] == other


def test_a_replace_that_crosses_trades() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1001)
        token = floor.order(B, 200, 1000)
        new = floor.replace(token, 200, 1001)
        assert floor.fills()[1] == (new, 1001.0, 100)
        assert [kind for kind, _, _ in floor.told()] == [a.DELETE, a.EXECUTE, a.ADD]


def test_a_replace_that_is_refused_leaves_the_order() -> None:
    with Floor() as floor:
        floor.order(S, 100, 1001)
        token = floor.order(B, 200, 1000, flags=r.POST_ONLY)
        floor.replace(token, 200, 1001)
        assert floor.said(token) == [(r.CANCEL_REJECTED, r.WOULD_TAKE)]
        assert floor.side(B) == [(1000, 200)]


def test_a_mass_cancel_takes_all_of_one_owner() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000)
        floor.order(S, 100, 1001, flags=r.HIDDEN)
        floor.order(B, 100, 999, instrument=2)
        theirs = floor.order(B, 100, 1000, owner=2)
        floor.send(r.MASS_CANCEL, instrument=0)
        assert floor.reports["reason"].tolist() == [r.BY_MASS_CANCEL] * 3
        assert floor.exchange.live_orders() == 1 and floor.said(theirs) == []


def test_a_lost_session_takes_the_orders_that_asked_for_it() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000)
        token = floor.order(B, 100, 1000, flags=r.CANCEL_ON_DISCONNECT)
        floor.send(r.DISCONNECT, instrument=0)
        assert floor.reports[["token", "reason"]].tolist() == [(token, r.BY_DISCONNECT)]


def test_a_token_is_used_once_at_a_time() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000)
        floor.token = 0
        token = floor.order(B, 100, 1000)
        assert floor.said(token) == [(r.REJECTED, r.DUPLICATE_TOKEN)]


def test_in_a_halt_orders_wait_unseen_and_can_be_canceled() -> None:
    with Floor() as floor:
        floor.order(B, 100, 1000)
        floor.send(r.HALT)
        waiting, gone = floor.order(B, 100, 1000), floor.order(S, 100, 990)
        assert len(floor.public) == 0 and floor.side(B) == [(1000, 100)]
        floor.cancel(gone)
        assert floor.said(gone) == [(r.CANCELED, r.BY_OWNER)]
        floor.send(r.RESUME)
        assert floor.side(B) == [(1000, 200)]
        assert floor.told()[-1] == (a.ADD, 1000, 100) and floor.said(waiting) == []


def test_a_venue_that_does_not_queue_refuses_orders_in_a_halt() -> None:
    with Floor(STRICT) as floor:
        floor.send(r.HALT, flags=a.STATUS_PAUSED)
        assert floor.said(floor.order(B, 100, 1000)) == [(r.REJECTED, r.HALTED)]


def test_nothing_trades_beyond_the_bands() -> None:
    for model, left in ((PLAIN, [(1005, 100)]), (STRICT, [])):
        with Floor(model) as floor:
            floor.send(r.BANDS, price=995 * CENT, cap=1005 * CENT)
            floor.order(S, 100, 1006)
            token = floor.order(B, 100, 1007)
            assert floor.fills() == [] and floor.side(B) == left
            if not left:
                assert floor.said(token) == [(r.REJECTED, r.OUTSIDE_BANDS)]
            floor.order(B, 100, type=r.MARKET)
            assert floor.fills() == []


def test_orders_beyond_new_bands_are_priced_at_them_or_canceled() -> None:
    for model, left in ((PLAIN, [(1000, 200)]), (STRICT, [(1000, 100)])):
        with Floor(model) as floor:
            floor.order(B, 100, 1000)
            floor.order(B, 100, 1005)
            floor.send(r.BANDS, price=900 * CENT, cap=1000 * CENT)
            assert floor.side(B) == left


def test_an_auction_trades_the_most_shares_at_one_price_then_shows_the_rest() -> None:
    with Floor(status=a.STATUS_AUCTION) as floor:
        floor.order(B, 300, 1002)
        floor.order(B, 200, 1000)
        floor.order(S, 200, 999)
        market = floor.order(S, 200, type=r.MARKET, time_in_force=r.OPENING)
        assert len(floor.public) == 0
        floor.send(r.AUCTION, flags=r.OPENING, price=1000 * CENT)
        cross = floor.public[floor.public["kind"] == a.TRADE]
        assert cross[["price", "quantity", "flags"]].tolist() == [(1000 * CENT, 400, a.CROSS)]
        assert {price for _, price, _ in floor.fills()} == {1000.0}
        assert floor.fills()[1][0] == market
        assert floor.side(B) == [(1000, 100)] and floor.side(S) == []
        assert floor.exchange.status(1) == a.STATUS_TRADING


def test_an_auction_chooses_the_least_imbalance_then_the_reference() -> None:
    with Floor(status=a.STATUS_AUCTION) as floor:
        floor.order(B, 100, 1010)
        floor.order(S, 100, 1000)
        floor.send(r.AUCTION, flags=r.OPENING, price=1007 * CENT)
        assert floor.fills()[0][1] == 1007.0


def test_a_closing_auction_crosses_closing_orders_with_the_book() -> None:
    with Floor() as floor:
        shown = floor.order(B, 100, 1000)
        on_close = floor.order(S, 300, 990, time_in_force=r.CLOSING)
        assert floor.side(S) == []
        floor.send(r.AUCTION, flags=r.CLOSING, price=1000 * CENT)
        assert floor.fills() == [(shown, 1000.0, 100), (on_close, 1000.0, 100)]
        assert floor.said(on_close)[-1] == (r.CANCELED, r.NO_LIQUIDITY)
        flags = int(floor.public[floor.public["kind"] == a.EXECUTE_PRICE]["flags"][0])
        assert flags == a.CROSS | a.NOT_PRINTABLE


def test_orders_for_an_auction_are_refused_where_there_is_none() -> None:
    with Floor(STRICT) as floor:
        token = floor.order(B, 100, 1000, time_in_force=r.CLOSING)
        assert floor.said(token) == [(r.REJECTED, r.BAD_TYPE)]


def test_the_end_of_the_day_takes_all_orders() -> None:
    with Floor() as floor:
        token = floor.order(B, 100, 1000)
        floor.send(r.SESSION, flags=a.STATUS_CLOSED)
        assert floor.said(token) == [(r.CANCELED, r.END_OF_DAY)]
        assert floor.said(floor.order(B, 100, 1000)) == [(r.REJECTED, r.CLOSED)]


def test_a_dark_pool_trades_at_the_midpoint_and_publishes_trades_alone() -> None:
    with Floor(DARK) as floor:
        floor.national(1000, 1003)
        floor.order(B, 100, 1010)
        low = floor.order(B, 100, 1001)
        sell = floor.order(S, 300, 900)
        assert floor.fills()[1] == (sell, 1001.5, 100) and len(floor.fills()) == 2
        assert floor.told() == [(a.TRADE, 1001, 100)]
        floor.national(1000, 1001)
        assert floor.fills()[0] == (low, 1000.5, 100)
        assert floor.exchange.top(1) == (0, 0, 0, 0)


def test_conditional_orders_invite_and_trade_when_both_firm_up() -> None:
    with Floor(BLOCKS) as floor:
        floor.national(1000, 1002)
        given = {"type": r.MIDPOINT_PEG, "flags": r.CONDITIONAL}
        buy, sell = floor.order(B, 5000, minimum=2000, **given), floor.order(S, 3000, **given)
        invited = floor.reports[floor.reports["kind"] == r.INVITED]
        assert invited[["token", "quantity"]].tolist() == [(buy, 3000), (sell, 3000)]
        floor.replace(buy, 5000, flags=r.FIRM_UP, type=r.MIDPOINT_PEG)
        assert floor.fills() == []
        floor.replace(sell, 3000, flags=r.FIRM_UP, type=r.MIDPOINT_PEG)
        assert floor.fills()[0][1:] == (1001.0, 3000)


def test_an_invitation_is_not_made_twice_while_it_holds() -> None:
    with Floor(BLOCKS) as floor:
        floor.national(1000, 1002)
        given = {"type": r.MIDPOINT_PEG, "flags": r.CONDITIONAL}
        floor.order(B, 500, time_ns=10, **given)
        floor.order(S, 500, time_ns=20, **given)
        floor.order(S, 500, time_ns=500, **given)
        assert r.INVITED not in floor.reports["kind"]
        floor.order(S, 500, time_ns=1100, **given)
        assert r.INVITED in floor.reports["kind"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"instrument": 3}, r.UNKNOWN_INSTRUMENT),
        ({"owner": 0}, r.RISK),
        ({"quantity": 0}, r.BAD_QUANTITY),
        ({"quantity": 1_000_001}, r.BAD_QUANTITY),
        ({"price": 1000 * CENT + 1}, r.BAD_PRICE),
        ({"price": -CENT}, r.BAD_PRICE),
        ({"side": 3}, r.BAD_TYPE),
        ({"display": 100, "flags": r.HIDDEN}, r.BAD_TYPE),
        ({"display": 99}, r.BAD_QUANTITY),
        ({"flags": 5 << r.STP_SHIFT}, r.BAD_TYPE),
        ({"flags": r.REFUSE}, r.THROTTLED),
        ({"flags": r.CONDITIONAL}, r.BAD_TYPE),
    ],
)
def test_what_is_wrong_with_an_order_is_said(given: dict[str, int], reason: int) -> None:
    with Floor() as floor:
        fine = {"side": B, "quantity": 500, "price": 1000 * CENT, "token": 1}
        floor.send(r.NEW, **{**fine, **given})
        assert floor.said(1) == [(r.REJECTED, reason)]


def test_a_full_book_refuses_and_takes_again_when_there_is_room() -> None:
    with Floor(orders=2, slices=2) as floor:
        floor.order(B, 100, 1000)
        assert floor.said(floor.order(B, 400, 1000, display=100)) == [(r.REJECTED, r.BOOK_FULL)]
        second = floor.order(B, 300, 1000, display=100)
        assert floor.said(floor.order(B, 100, 1000)) == [(r.REJECTED, r.BOOK_FULL)]
        floor.cancel(second)
        assert floor.said(floor.order(B, 100, 1000))[0][0] == r.ACCEPTED
