"""BOE orders through the gateway: what is said of each, what is refused and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from boe_rig import MODIFY, NEW, PURGE, Client, boe, entered
from gateway_rig import CENT, PLAIN, START
from msgspec.structs import replace

from feedhandler.actions import BUY, SELL
from feedhandler.protocols.cboe_boe import REASON
from simulator.gateways import boeterms
from simulator.gateways.orders import TOLD, Told
from simulator.matching import records as r


def last(came: list[tuple[int, dict[str, Any]]], code: int) -> dict[str, Any]:
    """The values of the only message, of a type."""
    assert [one for one, _ in came] == [code], came
    return came[0][1]


def test_an_acknowledgment_carries_what_the_client_asked_for_at_login() -> None:
    with boe() as venue:
        client = entered(venue)
        said = last(client.order("1", 300, 10_00), 0x25)
        assert (said["matching_unit"], said["sequence_number"]) == (1, 1)
        assert said["transact_time"] == START + 2_000
        wanted = {
            "cl_ord_id": "C1",
            "order_id": 1,
            "side": "1",
            "price": 100_000,
            "leaves_qty": 300,
        }
        assert {name: said[name] for name in wanted} == wanted
        assert (said["symbol"], said["order_qty"]) == ("AAPL", 300)
        said = last(client.order("2", 100, 20_00, symbol="MSFT"), 0x25)
        assert (said["matching_unit"], said["sequence_number"]) == (2, 1)
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 300), (2, SELL, 2_000 * CENT, 100)]


def test_nothing_optional_comes_to_a_client_that_asked_for_nothing() -> None:
    with boe() as venue:
        client = Client(venue)
        client.login(groups=[])
        said = last(client.order("1", 300, 10_00), 0x25)
        assert said["number_of_return_bitfields"] == 0 and "price" not in said


def test_executions_say_liquidity_and_fee_code() -> None:
    with boe() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        fill = client.order("1", 300, 10_01)[1][1]
        wanted = {"last_shares": 100, "last_px": 100_000, "leaves_qty": 200, "fee_code": "N"}
        assert {name: fill[name] for name in wanted} == wanted
        assert (fill["base_liquidity_indicator"], fill["sub_liquidity_indicator"]) == ("R", "")
        venue.step()
        venue.rests(SELL, 200, 10_01)
        fill = last(client.came(), 0x2C)
        assert (fill["base_liquidity_indicator"], fill["fee_code"]) == ("A", "V")
        client.order("1", 100, 10_00, display_indicator="I")
        venue.step()
        venue.rests(SELL, 100, 10_00)
        fill = last(client.came(), 0x2C)
        assert (fill["sub_liquidity_indicator"], fill["fee_code"]) == ("H", "HA")
        client.order("1", 100, 10_50, time_in_force="2")
        venue.rests(SELL, 100, 10_00, time_in_force=r.OPENING)
        venue.other(r.AUCTION, flags=r.OPENING)
        fill = last(client.came(), 0x2C)
        assert (fill["base_liquidity_indicator"], fill["fee_code"]) == ("C", "AO")


def test_midpoint_executions_say_who_took() -> None:
    with boe() as venue:
        client = entered(venue)
        venue.rests(BUY, 100, 9_90)
        venue.rests(SELL, 100, 10_10)
        venue.other(r.REFERENCE, price=9_90 * CENT, cap=10_10 * CENT)
        peg = {"ord_type": "P", "exec_inst": "M"}
        client.order("1", 100, 10_05, **peg)
        venue.step()
        venue.rests(SELL, 200, 0, type=r.MIDPOINT_PEG)
        assert last(client.came(), 0x2C)["base_liquidity_indicator"] == "A"
        fill = client.order("1", 100, 10_05, **peg)[-1][1]
        assert (fill["base_liquidity_indicator"], fill["sub_liquidity_indicator"]) == ("R", "m")


def test_ioc_and_fok_orders_say_what_was_not_filled() -> None:
    with boe() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        came = client.order("1", 300, 10_00, time_in_force="4")
        assert [code for code, _ in came] == [0x25, 0x2A]
        came = client.order("1", 300, 10_00, time_in_force="3")
        assert [code for code, _ in came] == [0x25, 0x2C, 0x2A]
        assert (came[2][1]["cancel_reason"], came[2][1]["leaves_qty"]) == ("N", 0)


def test_a_modify_counts_what_was_executed_and_keeps_what_it_does_not_name() -> None:
    with boe() as venue:
        client = entered(venue)
        client.order("1", 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        said = last(client.modify(1, 400, 10_01), 0x27)
        assert (said["cl_ord_id"], said["orig_cl_ord_id"]) == ("C2", "C1")
        assert (said["leaves_qty"], said["price"], said["order_qty"]) == (300, 100_100, 400)
        client.number = 3
        said = last(client.send(MODIFY, cl_ord_id="C3", orig_cl_ord_id="C2", order_qty=300), 0x27)
        assert (said["leaves_qty"], said["price"]) == (200, 100_100)
        assert venue.shown() == [(1, BUY, 1_001 * CENT, 200)]
        assert last(client.modify(3, 100, 10_01), 0x2A)["cancel_reason"] == "U"


def test_a_modify_is_refused_and_may_take_the_order_along() -> None:
    with boe() as venue:
        client = entered(venue)
        client.order("1", 500, 10_00)
        refused = {
            "O": lambda: client.modify(99, 100, 10_00),
            "D": lambda: client.send(MODIFY, cl_ord_id="C1", orig_cl_ord_id="C1"),
            "Z": lambda: client.modify(1, 500, 10_00, side="2"),
        }
        for reason, act in refused.items():
            assert last(act(), 0x29)["modify_reject_reason"] == reason
        assert last(client.modify(1, 500, 0), 0x29)["text"] == "invalid price"
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 500)]
        came = client.modify(1, 500, 0, cancel_orig_on_reject="Y")
        assert [code for code, _ in came] == [0x29, 0x2A]
        client.order("1", 500, 10_00)
        came = client.modify(client.number, 500, 10_00, stop_px=5, cancel_orig_on_reject="Y")
        assert [code for code, _ in came] == [0x29, 0x2A]
        assert venue.shown() == []


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        ({"symbol": "NONE"}, "Y", "unknown symbol"),
        ({"cl_ord_id": ""}, "Z", "cl_ord_id"),
        ({"cl_ord_id": "a,b"}, "Z", "cl_ord_id"),
        ({"cl_ord_id": "C1"}, "D", "duplicate"),
        ({"side": "9"}, "Z", "side"),
        ({"ord_type": "3"}, "Z", "ord_type"),
        ({"ord_type": "P", "exec_inst": "L"}, "Z", "exec_inst"),
        ({"exec_inst": "Q"}, "Z", "exec_inst"),
        ({"time_in_force": "6"}, "Z", "time_in_force"),
        ({"prevent_match": "SMA"}, "Z", "prevent_match"),
        ({"stop_px": 1}, "Z", "stop_px"),
        ({"symbol_sfx": "PR"}, "Z", "symbol_sfx"),
        ({"price": 1 << 62}, "Z", "price"),
        ({"price": -1}, "Z", "invalid price"),
        ({"price": 100_001}, "Z", "invalid price"),
        ({"order_qty": 0}, "M", "invalid quantity"),
        ({"order_qty": 2_000_000}, "M", "invalid quantity"),
        ({"min_qty": 600, "display_indicator": "I"}, "M", "invalid quantity"),
        ({"routing_inst": "P", "time_in_force": "3"}, "Z", "invalid order type"),
        ({"routing_inst": "P", "side": "2", "price": 90_000}, "W", "would remove liquidity"),
    ],
)
def test_an_order_is_refused_for_what_is_wrong_with_it(
    change: dict[str, Any], reason: str, text: str
) -> None:
    with boe() as venue:
        client = entered(venue)
        client.order("1", 100, 10_00)
        client.number = 2
        said = last(client.send(NEW, **{**client.terms("1", 500, 9_00), **change}), 0x26)
        assert (said["order_reject_reason"], said["sequence_number"]) == (reason, 0)
        assert text in said["text"]
        assert len(venue.gateway.sessions["ALFA"].orders) == 1


def test_halts_and_a_crowded_account_refuse() -> None:
    with boe(model=replace(PLAIN, halts="cancel_only"), most_orders=1) as venue:
        client = entered(venue)
        venue.other(r.HALT)
        assert last(client.order("1", 100, 10_00), 0x26)["order_reject_reason"] == "H"
        venue.other(r.RESUME)
        client.order("1", 100, 10_00)
        assert last(client.order("1", 100, 10_00), 0x26)["order_reject_reason"] == "o"
        assert last(client.cancel(2), 0x2A)["cancel_reason"] == "U"


def test_a_cancel_is_done_or_refused_by_what_is_known_of_the_order() -> None:
    with boe() as venue:
        client = entered(venue)
        assert last(client.cancel(1), 0x2B)["cancel_reject_reason"] == "O"
        client.order("1", 100, 10_00)
        venue.held = True
        venue.rests(SELL, 100, 10_00)
        client.cancel(1)
        client.modify(1, 200, 10_01)
        venue.deliver()
        came = client.came()
        assert [code for code, _ in came] == [0x2C, 0x2B, 0x29]
        assert (came[1][1]["cl_ord_id"], came[1][1]["cancel_reject_reason"]) == ("C1", "J")
        assert (came[2][1]["cl_ord_id"], came[2][1]["modify_reject_reason"]) == ("C2", "J")
        venue.held = False
        client.order("1", 100, 10_00)
        said = last(client.cancel(3), 0x2A)
        assert (said["cl_ord_id"], said["cancel_reason"]) == ("C3", "U")


def test_a_purge_cancels_all_orders_and_says_how_many() -> None:
    with boe() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        beta.order("1", 100, 8_00)
        for symbol in ("AAPL", "MSFT", "AAPL"):
            client.order("1", 100, 9_00, symbol=symbol)
        came = client.send(PURGE)
        assert [code for code, _ in came] == [0x2A, 0x2A, 0x2A, 0x36]
        assert (came[-1][1]["cancelled_order_count"], came[-1][1]["sequence_number"]) == (3, 0)
        assert last(client.send(PURGE, options="00"), 0x36)["cancelled_order_count"] == 0
        assert last(client.send(PURGE, options="0105"), 0x48)["purge_reject_reason"] == "Z"
        assert venue.shown() == [(1, BUY, 800 * CENT, 100)]


def test_terms_reach_the_matching_as_such() -> None:
    with boe() as venue:
        client = entered(venue)
        venue.held = True
        client.order("1", 500, 10_00, max_floor=100, prevent_match="O1A")
        client.order("5", 500, 10_00, routing_inst="P", display_indicator="S", exec_inst="f")
        client.order("2", 500, 10_00, ord_type="P", exec_inst="R", peg_difference=-100)
        client.order("6", 500, 0, ord_type="1", time_in_force="3", ext_exec_inst="R")
        rows = np.concatenate(venue.commands)
        assert rows["display"].tolist() == [100, 0, 0, 0]
        modes = (rows["flags"] & r.STP_FLAGS) >> r.STP_SHIFT
        assert modes.tolist() == [r.STP_CANCEL_OLD, *[r.STP_CANCEL_NEW] * 3]
        own = rows["flags"] & (0xFF ^ r.CANCEL_ON_DISCONNECT)
        assert own.tolist() == [0, r.POST_ONLY | r.SLIDE | r.SWEEP, 0, r.RETAIL]
        assert rows["type"].tolist() == [r.LIMIT, r.LIMIT, r.PRIMARY_PEG, r.MARKET]
        assert (rows["price"][2], rows["cap"][2]) == (-CENT, 1_000 * CENT)
        assert rows["side"].tolist() == [BUY, SELL, SELL, SELL]


def test_what_the_venue_changes_is_restated() -> None:
    with boe() as venue:
        client = entered(venue)
        client.order("1", 300, 10_00, max_floor=100)
        venue.rests(SELL, 100, 10_00)
        came = client.came()
        assert [code for code, _ in came] == [0x2C, 0x28]
        assert (came[1][1]["restatement_reason"], came[1][1]["leaves_qty"]) == ("L", 200)
        came = client.order("2", 50, 10_00, prevent_match="D")
        assert [code for code, _ in came] == [0x25, 0x28, 0x2A]
        assert (came[1][1]["restatement_reason"], came[1][1]["leaves_qty"]) == ("W", 150)
        assert (came[2][1]["cl_ord_id"], came[2][1]["cancel_reason"]) == ("C2", "V")


def test_every_reason_of_the_matching_has_its_code() -> None:
    codes = {code for code, _ in boeterms.REJECTS.values()} | set(boeterms.CANCELS.values())
    assert codes <= set(REASON)
    for reason in range(1, 25):
        with boe() as venue:
            client = entered(venue)
            venue.held = True
            session = venue.gateway.sessions["ALFA"]
            base = {**dict.fromkeys(TOLD, 0), "owner": 1000, "token": 1, "reason": reason}
            client.order("1", 100, 10_00)
            session.hear(Told(**{**base, "kind": r.ACCEPTED, "leaves": 100}))
            session.hear(Told(**{**base, "kind": r.CANCELED, "quantity": 100}))
            client.order("1", 100, 10_00)
            session.hear(Told(**{**base, "kind": r.REJECTED, "token": 2}))
            client.came()
            assert len(session.orders) == 0


def test_an_id_may_be_used_again_once_its_order_is_over() -> None:
    with boe() as venue:
        client = entered(venue)
        for _ in range(3):
            client.number = 0
            assert last(client.order("1", 100, 10_00), 0x25)["cl_ord_id"] == "C1"
            assert last(client.cancel(1), 0x2A)["cl_ord_id"] == "C1"
