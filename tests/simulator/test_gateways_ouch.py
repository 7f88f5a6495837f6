"""OUCH 5.0 orders through the gateway: what is said of each, what is refused and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gateway_rig import CENT, PLAIN, Venue
from msgspec.structs import replace
from ouch_rig import Client, entered, ouch

from feedhandler.actions import BUY, SELL, STATUS_CLOSED
from feedhandler.protocols.ouch50 import CANCEL_REASON, REJECTED_ORDER_REASON
from simulator.gateways import ouchterms
from simulator.gateways.orders import TOLD, Told
from simulator.matching import records as r


def last(came: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """The values of the only message."""
    assert len(came) == 1, came
    return came[0][1]


def reject(came: list[tuple[str, dict[str, Any]]]) -> str:
    """The reason in words of the only message, a reject."""
    assert [code for code, _ in came] == ["SJ"]
    return REJECTED_ORDER_REASON[came[0][1]["rejected_order_reason"]]


def told(**values: int) -> Told:
    """A report of the matching on the order 1 of account ALFA."""
    return Told(**{**dict.fromkeys(TOLD, 0), "owner": 1000, "token": 1, **values})


def test_an_accepted_order_is_said_with_its_terms_and_its_place_in_the_day() -> None:
    with ouch() as venue:
        client = entered(venue)
        said = last(client.order("B", 300, 10_00, clordid="mine"))
        wanted = {
            "user_ref_num": 1,
            "side": "B",
            "quantity": 300,
            "symbol": "AAPL",
            "price": 100_000,
            "clordid": "mine",
            "order_reference_number": 1,
            "order_state": "L",
        }
        assert {name: said[name] for name in wanted} == wanted
        assert 0 < said["timestamp"] < 86_400 * 10**9
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 300)]


def test_an_order_that_takes_is_accepted_then_executed_with_removed_liquidity() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        accepted, fill = client.order("B", 300, 10_01)
        assert (accepted[0], fill[0], fill[1]["liquidity_flag"]) == ("SA", "SE", "R")
        assert (fill[1]["quantity"], fill[1]["price"]) == (100, 100_000)
        venue.step()
        venue.rests(SELL, 200, 10_01)
        made = last(client.came())
        assert (made["quantity"], made["price"], made["liquidity_flag"]) == (200, 100_100, "A")
        assert made["match_number"] > fill[1]["match_number"]
        assert len(venue.gateway.sessions["ALFA"].orders) == 0


def test_hidden_midpoint_and_auction_executions_have_their_flags() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 100, 10_00, display="N")
        venue.step()
        venue.rests(SELL, 100, 10_00)
        assert client.came()[-1][1]["liquidity_flag"] == "J"
        venue.rests(BUY, 100, 9_90)
        venue.rests(SELL, 100, 10_10)
        venue.other(r.REFERENCE, price=9_90 * CENT, cap=10_10 * CENT)
        client.order("B", 100, 10_05, display="M")
        venue.step()
        venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
        assert client.came()[-1][1]["liquidity_flag"] == "k"
        venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
        assert client.order("B", 100, 10_05, display="M")[-1][1]["liquidity_flag"] == "m"
        for cross, flag in (("O", "M"), ("C", "L")):
            assert client.order("B", 100, 10_50, cross_type=cross)[-1][0] == "SA"
            auction = r.OPENING if cross == "O" else r.CLOSING
            venue.rests(SELL, 100, 10_00, time_in_force=auction)
            venue.other(r.AUCTION, flags=auction)
            assert client.came()[-1][1]["liquidity_flag"] == flag


def test_an_ioc_order_says_what_of_it_was_not_filled() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        codes = client.order("B", 300, 10_00, time_in_force="3")
        assert [code for code, _ in codes] == ["SA", "SE", "SC"]
        assert (codes[2][1]["quantity"], codes[2][1]["cancel_order_reason"]) == (200, "I")


def test_a_cancel_states_the_order_size_that_is_wanted_executions_included() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        assert last(client.cancel(1, 300))["quantity"] == 200
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 200)]
        assert last(client.cancel(1, 100)) | {"timestamp": 0} == {
            "message_type": "C",
            "timestamp": 0,
            "user_ref_num": 1,
            "quantity": 200,
            "cancel_order_reason": "U",
        }
        assert venue.shown() == []


def test_superfluous_cancels_are_passed_over() -> None:
    with ouch() as venue:
        client = entered(venue)
        assert client.cancel(9) == []
        client.order("B", 100, 10_00)
        assert client.cancel(1, 100) == client.cancel(1, 900) == []
        client.cancel(1)
        assert client.cancel(1) == []
        assert venue.gateway.sessions["ALFA"].ignored == 4  # type: ignore[attr-defined]


def test_a_replace_counts_what_was_executed_and_names_both_numbers() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 500, 10_00, clordid="first")
        venue.rests(SELL, 100, 10_00)
        client.came()
        said = last(client.replace(1, 400, 10_01, clordid="second"))
        assert (said["orig_user_ref_num"], said["user_ref_num"]) == (1, 2)
        assert (said["quantity"], said["price"], said["clordid"]) == (300, 100_100, "second")
        assert venue.shown() == [(1, BUY, 1_001 * CENT, 300)]
        said = last(client.replace(2, 100, 10_02))
        assert (said["message_type"], said["quantity"], said["user_ref_num"]) == ("C", 300, 2)


def test_a_replace_of_what_the_matching_cannot_change_leaves_the_order() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 500, 10_00)
        for change in ({"display": "N"}, {"time_in_force": "3"}):
            assert reject(client.replace(1, 400, 10_00, **change)) == "replace not allowed"
        assert reject(client.replace(1, 400, 0)) == "invalid price"
        assert reject(client.replace(77, 400, 10_00)) == "replace not allowed"
        assert last(client.replace(1, 400, 10_00))["quantity"] == 400


def test_a_modify_changes_the_side_of_a_sale_or_takes_shares_off() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("S", 500, 10_00)
        said = last(client.send("M", user_ref_num=1, side="T", quantity=500))
        assert (said["message_type"], said["side"], said["quantity"]) == ("M", "T", 500)
        said = last(client.send("M", user_ref_num=1, side="E", quantity=200))
        assert (said["message_type"], said["side"], said["quantity"]) == ("M", "E", 200)
        assert venue.shown() == [(1, SELL, 1_000 * CENT, 200)]
        for side, shares in (("B", 100), ("T", 900), ("T", 0)):
            said = last(client.send("M", user_ref_num=1, side=side, quantity=shares))
            assert (said["message_type"], said["user_ref_num"]) == ("I", 1)
        assert client.send("M", user_ref_num=5, side="T", quantity=1) == []


def test_reference_numbers_must_rise_and_the_next_one_can_be_asked_for() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.number = 9
        client.order("B", 100, 10_00)
        client.number = 9
        assert client.order("B", 100, 10_00) == []
        client.number = 3
        assert client.replace(10, 200, 10_00) == []
        assert last(client.send("Q"))["next_user_ref_num"] == 11
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 100)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol": "NONE"}, "invalid symbol"),
        ({"side": "Q"}, "invalid side"),
        ({"display": "I"}, "invalid display"),
        ({"display": "Q"}, "invalid display"),
        ({"cross_type": "R"}, "invalid cross order"),
        ({"time_in_force": "6"}, "other"),
        ({"quantity": 0}, "invalid quantity"),
        ({"quantity": 2_000_000}, "invalid quantity"),
        ({"price": 0}, "invalid price"),
        ({"price": 100_001}, "invalid price"),
        ({"price": 0xFFFFFFFFFFFFFFFF}, "invalid price"),
        ({"min_qty": 600}, "invalid min quantity"),
        ({"max_floor": 600}, "invalid max floor"),
        ({"price_type": "Z"}, "invalid peg type"),
        ({"route": "SCAN"}, "routing not allowed"),
        ({"discretion_price": 1}, "other"),
    ],
)
def test_an_order_is_refused_for_what_is_wrong_with_it(change: dict[str, Any], reason: str) -> None:
    with ouch() as venue:
        client = entered(venue)
        tags = {"min_qty": 3, "max_floor": 5, "price_type": 6, "route": 14, "discretion_price": 9}
        options = [
            {"enter_order_optional_field": tags[name], name: value}
            for name, value in change.items()
            if name in tags
        ]
        plain = {name: value for name, value in change.items() if name not in tags}
        values = {**client.terms("B", 500, 10_00, user_ref_num=1), **plain}
        came = client.send("O", enter_order_appendage=options, **values)
        assert reject(came) == reason
        assert len(venue.gateway.sessions["ALFA"].orders) == 0


def test_a_halted_symbol_a_closed_venue_and_a_crowded_book_refuse() -> None:
    with ouch(model=replace(PLAIN, halts="cancel_only"), most_orders=2) as venue:
        client = entered(venue)
        venue.other(r.HALT)
        assert reject(client.order("B", 100, 10_00)) == "halted"
        venue.other(r.RESUME)
        for cents in (9_00, 9_01):
            assert last(client.order("B", 100, cents))["message_type"] == "A"
        assert reject(client.order("B", 100, 10_00)) == "shares exceed threshold"
        assert reject(client.replace(2, 200, 10_00)) == "shares exceed threshold"
        venue.other(r.SESSION, flags=STATUS_CLOSED)
        assert [values["cancel_order_reason"] for _, values in client.came()] == ["E", "E"]
        assert reject(client.order("B", 100, 10_00)) == "destination closed"


def test_post_only_reserve_pegged_and_sweeping_orders_reach_the_matching_as_such() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.held = True
        options = [
            {"enter_order_optional_field": 5, "max_floor": 100},
            {"enter_order_optional_field": 99, "enter_order_optional_value": "00"},
        ]
        client.order("B", 500, 10_00, enter_order_appendage=options)
        client.order("B", 500, 10_00, display="P", inter_market_sweep_eligibility="Y")
        peg = [
            {"enter_order_optional_field": 6, "price_type": "R"},
            {"enter_order_optional_field": 7, "peg_offset": -100},
        ]
        client.order("S", 500, 10_00, enter_order_appendage=peg)
        client.order("S", 500, 0, price=ouchterms.MARKET_PRICE, time_in_force="3")
        rows = np.concatenate(venue.commands)
        assert rows["display"].tolist() == [100, 0, 0, 0]
        assert rows["flags"][1] & (r.POST_ONLY | r.SWEEP) == r.POST_ONLY | r.SWEEP
        assert rows["type"].tolist() == [r.LIMIT, r.LIMIT, r.PRIMARY_PEG, r.MARKET]
        assert (rows["price"][2], rows["cap"][2]) == (-CENT, 1_000 * CENT)
        assert set(rows["group"]) == {1}
        venue.deliver()
        said = client.came()[0][1]["order_accepted_appendage"]
        assert [(e["order_accepted_optional_field"], e.get("max_floor")) for e in said] == [
            (5, 100)
        ]


def test_a_reserve_order_says_when_it_is_shown_anew() -> None:
    with ouch() as venue:
        client = entered(venue)
        options = [{"enter_order_optional_field": 5, "max_floor": 100}]
        client.order("B", 300, 10_00, enter_order_appendage=options)
        venue.rests(SELL, 100, 10_00)
        came = client.came()
        assert [code for code, _ in came] == ["SE", "SR"]
        assert came[1][1]["order_restated_reason"] == "R"
        assert came[1][1]["order_restated_appendage"][0]["display_quantity"] == 100


def test_a_self_trade_is_said_as_prevented_to_the_new_order() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 100, 10_00)
        came = client.order("S", 100, 10_00)
        assert [code for code, _ in came] == ["SA", "SD"]
        prevented = came[1][1]
        assert (prevented["user_ref_num"], prevented["decrement_shares"]) == (2, 100)
        assert (prevented["order_cancel_reason"], prevented["liquidity_flag"]) == ("Q", "R")


def test_the_venues_own_troubles_refuse_orders_and_cancels() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.held = True
        client.order("B", 100, 10_00)
        venue.commands[0]["flags"] |= r.REFUSE
        venue.deliver()
        assert reject(client.came()) == "processing error"
        client.order("B", 100, 10_00)
        venue.deliver()
        client.came()
        client.cancel(2)
        venue.commands[0]["flags"] |= r.REFUSE
        venue.deliver()
        assert [code for code, _ in client.came()] == ["SI"]
        client.send("M", user_ref_num=2, side="B", quantity=60)
        venue.deliver()
        assert last(client.came())["message_type"] == "M"


def test_every_reason_of_the_matching_has_its_code_in_both_tables() -> None:
    assert set(ouchterms.REJECTS.values()) <= set(REJECTED_ORDER_REASON)
    assert set(ouchterms.CANCELS.values()) <= set(CANCEL_REASON)
    for reason in range(1, 25):
        with ouch() as venue:
            client = entered(venue)
            venue.held = True
            client.order("B", 100, 10_00)
            session = venue.gateway.sessions["ALFA"]
            session.hear(told(kind=r.ACCEPTED, leaves=100, order=1))
            session.hear(told(kind=r.CANCELED, reason=reason, quantity=100, price=CENT))
            assert client.codes().split()[1] in ("SC", "SD")
            client.order("B", 100, 10_00)
            session.hear(told(kind=r.REJECTED, reason=reason, token=2))
            assert client.codes() == "SJ"


def test_a_cancel_that_comes_too_late_changes_nothing() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 100, 10_00)
        venue.held = True
        venue.rests(SELL, 100, 10_00)
        client.cancel(1)
        client.replace(1, 200, 10_01)
        venue.deliver()
        came = client.came()
        assert [code for code, _ in came] == ["SE", "SJ"]
        assert came[1][1]["user_ref_num"] == 2
        assert len(venue.gateway.sessions["ALFA"].orders) == 0


def test_a_chain_of_replaces_and_a_cancel_may_be_sent_before_any_is_answered() -> None:
    with ouch() as venue:
        client = entered(venue)
        venue.held = True
        client.order("B", 300, 10_00)
        client.replace(1, 400, 10_01)
        client.replace(2, 500, 10_02)
        client.cancel(2)
        client.cancel(3, 100)
        assert last(client.send("M", user_ref_num=3, side="B", quantity=50))["message_type"] == "I"
        venue.deliver()
        came = client.came()
        assert [code for code, _ in came] == ["SA", "SU", "SU", "SC"]
        assert came[-1][1]["quantity"] == 400
        assert venue.shown() == [(1, BUY, 1_002 * CENT, 100)]


def test_a_chain_of_replaces_counts_what_its_first_order_executed() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        venue.held = True
        client.replace(1, 400, 10_01)
        client.replace(2, 300, 10_02)
        client.cancel(3, 250)
        venue.deliver()
        quantities = [(code, values["quantity"]) for code, values in client.came()]
        assert quantities == [("SU", 300), ("SU", 200), ("SC", 50)]


def test_a_replace_that_fails_takes_those_that_rest_on_it_along() -> None:
    with ouch() as venue:
        client = entered(venue)
        client.order("B", 300, 10_00)
        venue.held = True
        client.replace(1, 400, 0)
        client.replace(2, 500, 10_02)
        venue.deliver()
        assert client.codes() == "SJ SJ"
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 300)]
        assert last_open(venue, client) == [1]


def last_open(venue: Venue, client: Client) -> list[int]:
    """Numbers of the session's open orders."""
    session = venue.gateway.sessions["ALFA"]
    assert session.connection is client.peer
    return sorted(order.token for order in session.orders.open_orders())


def test_accounts_do_not_see_each_others_orders() -> None:
    with ouch() as venue:
        alfa, beta = entered(venue), entered(venue, "BETA", "hush")
        alfa.order("B", 100, 10_00)
        assert beta.cancel(1) == [] and beta.came() == []
        assert [code for code, _ in beta.order("S", 100, 10_00)] == ["SA", "SE"]
        assert alfa.codes() == "SE"
