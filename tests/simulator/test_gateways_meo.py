"""MEO orders through the gateway: what is said of each, what is refused and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gateway_rig import CENT, PLAIN, START
from meo_rig import Client, entered, instructions, meo, statuses, terms
from msgspec.structs import replace

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.miax_meo import CANCEL_STATUS, INSTRUCTIONS, ORDER_STATUS
from simulator.gateways import meoterms as m
from simulator.matching import records as r

DONE = ""  # a blank status, as a text that is padded with blanks


def last(came: list[tuple[str, dict[str, Any]]], code: str) -> dict[str, Any]:
    """The values of the only message, of a type."""
    assert [one for one, _ in came] == [code], came
    return came[0][1]


def test_a_response_names_the_order() -> None:
    with meo() as venue:
        client = entered(venue)
        said = last(client.order(0, 300, 10_00), "NR")
        wanted = {"client_order_id": "C1", "order_id": 1, "size": 300, "order_status": DONE}
        wanted |= {"price": 1_000 * CENT // m.UNIT, "symbol_id": 1, "seq": 3, "engine": 1}
        assert {name: said[name] for name in wanted} == wanted
        assert said["mpid"] == "MPID" and START < said["matching_engine_time"] == venue.now_ns
        assert last(client.order(0, 300, 10_00, symbol_id=2), "NR")["engine"] == 2
        assert venue.shown() == [(n, BUY, 1_000 * CENT, 300) for n in (1, 2)]


def test_executions_say_liquidity_and_side() -> None:
    with meo() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        fill = client.order(0, 300, 10_01)[1][1]
        wanted = {"last_size": 100, "last_price": 1_000 * CENT // m.UNIT, "trade_status": "E"}
        wanted |= {"client_order_id": "C1", "order_execution_instructions": 0}
        assert {name: fill[name] for name in wanted} == wanted
        assert fill["liquidity_indicator"] == "R" and fill["execution_id"] == fill["trade_id"] > 0
        venue.rests(SELL, 200, 10_01)
        assert last(client.came(), "E1")["liquidity_indicator"] == "A"
        client.order(1, 100, 10_00, parts={"displayed": 0})
        venue.rests(BUY, 100, 10_00)
        said = last(client.came(), "E1")
        assert (said["liquidity_indicator"], said["order_execution_instructions"]) == ("H", 1)
        venue.rests(BUY, 100, 9_90)
        venue.rests(SELL, 100, 10_10)
        venue.other(r.REFERENCE, price=9_90 * CENT, cap=10_10 * CENT)
        client.order(0, 100, 10_05, order_type="M")
        venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
        assert client.came()[-1][1]["liquidity_indicator"] == "M"


def test_an_ioc_order_says_what_was_not_filled_and_why() -> None:
    with meo() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        came = client.order(0, 300, 10_00, time_in_force="I")
        assert statuses(came) == [("NR", DONE), ("E1", ""), ("XN", "I")]
        assert came[2][1]["leaves_qty"] == 0


def test_a_cancel_is_answered_by_its_own_id() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 300, 10_00)
        said = last(client.cancel(1), "CR")
        wanted = {"client_order_id": "C2", "original_client_order_id": "C1", "leaves_qty": 0}
        assert {name: said[name] for name in wanted} == wanted and said["cancel_status"] == DONE
        said = last(client.cancel(1), "CR")
        assert (said["cancel_status"], said["client_order_id"]) == (m.NO_ORDER, "C3")
        assert venue.shown() == []


def test_a_cancel_by_the_exchange_s_number_is_answered_and_notified() -> None:
    with meo() as venue:
        client = entered(venue)
        number = last(client.order(0, 300, 10_00), "NR")["order_id"]
        given = {"mpid": "MPID", "client_order_id": "X", "symbol_id": 1}
        came = client.send("CX", order_id=number, **given)
        assert statuses(came) == [("CQ", DONE), ("XN", "U")]
        assert came[1][1]["client_order_id"] == "C1" and venue.shown() == []
        assert statuses(client.send("CX", order_id=number, **given)) == [("CQ", m.NO_ORDER)]


def test_a_modify_counts_what_was_executed() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        said = last(client.modify(1, 400, 10_01), "MR")
        wanted = {"client_order_id": "C2", "original_client_order_id": "C1", "leaves_qty": 300}
        assert {name: said[name] for name in wanted} == wanted and said["modify_status"] == DONE
        assert venue.shown() == [(1, BUY, 1_001 * CENT, 300)]
        came = client.modify(2, 100, 10_01)
        assert statuses(came) == [("XN", "U")] and came[0][1]["client_order_id"] == "C2"


def test_a_modify_changes_the_short_sale_of_a_sale() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(1, 500, 10_00)
        client.modify(1, 400, 10_00, modify_order_instructions=1 << 1)
        kept = venue.gateway.sessions["ALFA"].orders.find("C2")
        assert kept is not None
        parts = m.parts_of(kept.terms)
        assert (parts["side"], parts["short_sale_indicator"]) == (1, 1)
        client.order(0, 100, 9_00)
        refused = client.modify(3, 100, 9_00, modify_order_instructions=1 << 1)
        assert statuses(refused) == [("MR", m.BAD_TERMS)]


def test_a_modify_is_refused_and_the_order_stays() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 500, 10_00)
        for came, status in (
            (client.modify(77, 100, 10_00), m.NO_ORDER),
            (client.modify(1, 500, 0), m.BAD_PRICE),
            (client.modify(1, 500, 10_00, symbol_id=2), m.NO_ORDER),
            (client.modify(1, 500, 10_00, client_order_id="C1"), m.DUPLICATE),
        ):
            said = last(came, "MR")
            assert said["modify_status"] == status, came
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 500)]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"symbol_id": 0}, m.NO_SYMBOL),
        ({"symbol_id": 3}, m.NO_SYMBOL),
        ({"client_order_id": ""}, m.BAD_ID),
        ({"client_order_id": "A B"}, m.BAD_ID),
        ({"client_order_id": "C1"}, m.DUPLICATE),
        ({"order_type": "9"}, m.BAD_TERMS),
        ({"time_in_force": "Q"}, m.BAD_TERMS),
        ({"routing": 1}, m.BAD_TERMS),
        ({"price_sliding_and_reprice_frequency": "C"}, m.BAD_TERMS),
        ({"trading_collar_dollar_value": 1}, m.BAD_TERMS),
        ({"display_range_qty": 100}, m.BAD_TERMS),
        ({"parts": {"cancel_if_not_nbbo_setter": 1}}, m.BAD_TERMS),
        ({"parts": {"short_sale_indicator": 3}}, m.BAD_TERMS),
        ({"self_trade_protection": 5 << 3}, m.NO_PREVENTION),
        ({"price": 1 << 62}, m.BAD_PRICE),
        ({"price": 0}, m.BAD_PRICE),
        ({"size": 0}, m.BAD_SIZE),
        ({"min_qty": 100}, m.BAD_TERMS),
    ],
)
def test_an_order_is_refused_for_what_is_wrong_with_it(change: dict[str, Any], status: str) -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 100, 9_00)
        given = dict(change)
        values = terms(2, 0, 500, 10_00, parts=given.pop("parts", {}))
        assert last(client.send("N1", **{**values, **given}), "NR")["order_status"] == status
        assert len(venue.gateway.sessions["ALFA"].orders) == 1


def test_a_post_only_order_that_would_take_is_refused() -> None:
    with meo() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        said = last(client.order(0, 100, 10_00, parts={"post_only": 1}), "NR")
        assert said["order_status"] == m.TAKES


def test_halts_and_a_crowded_account_refuse() -> None:
    with meo(model=replace(PLAIN, halts="cancel_only"), most_orders=1) as venue:
        client = entered(venue)
        venue.other(r.HALT)
        assert last(client.order(0, 100, 10_00), "NR")["order_status"] == m.HALTED
        venue.other(r.RESUME)
        client.order(0, 100, 10_00)
        assert last(client.order(0, 100, 10_00), "NR")["order_status"] == m.TOO_MANY
        assert last(client.modify(2, 100, 10_01), "MR")["modify_status"] == m.TOO_MANY
        assert last(client.cancel(2), "CR")["cancel_status"] == DONE


def test_a_mass_cancel_takes_all_orders_of_the_account() -> None:
    with meo() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        beta.order(0, 100, 8_00)
        for symbol in (1, 2, 1):
            client.order(0, 100, 9_00, symbol_id=symbol)
        came = client.mass_cancel()
        assert statuses(came) == [("XN", "M")] * 3 + [("XR", "")]
        said = came[-1][1]
        assert (said["client_order_id"], said["number_of_matching_engines"]) == ("mass", 2)
        assert said["matching_engine_status"] == "" and "seq" not in said
        for change, status in (
            ({"action": "?"}, "AA"),
            ({"scope": "S"}, "RR"),
            ({"purge_group": "A"}, "66"),
        ):
            assert last(client.mass_cancel(**change), "XR")["matching_engine_status"] == status
        assert venue.shown() == [(1, BUY, 800 * CENT, 100)]


def test_a_block_refuses_orders_until_it_is_removed() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 100, 9_00)
        assert [code for code, _ in client.mass_cancel("B")] == ["XR"]
        assert last(client.order(0, 100, 9_00), "NR")["order_status"] == m.BLOCKED
        assert venue.shown() == [(1, BUY, 900 * CENT, 100)]
        assert [code for code, _ in client.mass_cancel("X")] == ["XN", "XR"]
        again = Client(venue)
        client.peer.on_close(venue.step())
        again.login(engines=())
        assert last(again.order(0, 100, 9_00), "NR")["order_status"] == m.BLOCKED
        assert [code for code, _ in again.mass_cancel("R")] == ["XR"]
        assert last(again.order(0, 100, 9_00), "NR")["order_status"] == DONE


def test_requests_that_come_too_late_are_refused() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 100, 10_00)
        venue.held = True
        venue.rests(SELL, 100, 10_00)
        client.cancel(1)
        client.modify(1, 200, 10_01)
        client.modify(1, 0, 10_01)
        client.send("CX", order_id=1, client_order_id="X", symbol_id=1)
        venue.deliver()
        came = client.came()
        assert statuses(came) == [
            ("E1", ""), ("CR", "D"), ("MR", "D"), ("MR", "D"), ("CQ", "D"),
        ]  # fmt: skip
        assert [v["client_order_id"] for _, v in came] == ["C1", "C2", "C3", "C4", "X"]
        assert len(venue.gateway.sessions["ALFA"].orders) == 0


def test_terms_reach_the_matching_as_such() -> None:
    with meo() as venue:
        client = entered(venue)
        venue.held = True
        client.order(0, 500, 10_00, max_floor_qty=100)
        client.order(1, 500, 10_00, parts={"post_only": 1, "short_sale_indicator": 1})
        client.order(0, 500, 10_00, order_type="R", peg_offset=-CENT // m.UNIT)
        client.order(1, 500, 0, order_type="2", parts={"iso": 1}, self_trade_protection=2 << 3)
        client.order(0, 500, 10_00, parts={"retail_order": 1, "displayed": 0}, time_in_force="I")
        rows = np.concatenate(venue.commands)
        assert rows["display"].tolist() == [100, 0, 0, 0, 0]
        modes = (rows["flags"] & r.STP_FLAGS) >> r.STP_SHIFT
        new, old = r.STP_CANCEL_NEW, r.STP_CANCEL_OLD
        assert modes.tolist() == [new, new, new, old, new]
        own = rows["flags"] & (0xFF ^ r.CANCEL_ON_DISCONNECT)
        assert own.tolist() == [0, r.POST_ONLY, 0, r.SWEEP, r.RETAIL | r.HIDDEN]
        assert rows["type"].tolist() == [1, 1, r.PRIMARY_PEG, r.MARKET, 1]
        assert rows["side"].tolist() == [BUY, SELL, BUY, SELL, BUY]
        assert rows["time_in_force"].tolist() == [r.DAY] * 4 + [r.IOC]
        assert (rows["price"][2], rows["cap"][2]) == (-CENT, 1_000 * CENT)


def test_what_the_venue_changes_is_said() -> None:
    with meo() as venue:
        client = entered(venue)
        client.order(0, 300, 10_00, max_floor_qty=100)
        venue.rests(SELL, 100, 10_00)
        came = client.came()
        assert [code for code, _ in came] == ["E1", "RA"] and came[1][1]["display_qty"] == 100
        came = client.order(1, 50, 10_00, self_trade_protection=4 << 3)
        assert statuses(came) == [("NR", DONE), ("XN", "S"), ("XN", "S")]
        assert [v["leaves_qty"] for _, v in came[1:]] == [150, 0]


def test_statuses_mean_one_thing_each() -> None:
    assert not set(m.OWN) & set(ORDER_STATUS)
    assert set(m.REJECTS.values()) <= set(m.OWN) | set(ORDER_STATUS)
    for letter in ("O", "S"):  # as the layout has them for cancels
        assert m.OWN[letter] == CANCEL_STATUS[letter]
    assert instructions(side=1) == 1 | 8 and INSTRUCTIONS.name == "new_order_instructions"
