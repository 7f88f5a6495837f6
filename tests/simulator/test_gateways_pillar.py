"""Pillar orders through the gateway: what is said of each, what is refused and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gateway_rig import CENT, PLAIN, START
from msgspec.structs import replace
from pillar_rig import BULK, NEW, entered, instructions, pillar, terms

from feedhandler.actions import BUY, SELL
from simulator.gateways import pillarterms as p
from simulator.matching import records as r

ACK, CHANGED, PRIORITY, FILL, REJECT = 0x0260, 0x0271, 0x0262, 0x0290, 0x0263


def last(came: list[tuple[int, dict[str, Any]]], code: int) -> dict[str, Any]:
    """The values of the only message, of a type."""
    assert [one for one, _ in came] == [code], came
    return came[0][1]


def test_an_acknowledgment_repeats_the_order() -> None:
    with pillar() as venue:
        client = entered(venue)
        said = last(client.order(1, 300, 10_00, user_data="mine"), ACK)
        wanted = {"cl_ord_id": 1, "order_id": 1, "ack_type": 1, "leaves_qty": 300, "order_qty": 300}
        wanted |= {"price": 1_000 * CENT, "working_price": 1_000 * CENT, "symbol_id": 1, "seq": 1}
        assert {name: said[name] for name in wanted} == wanted
        assert (said["mpid"], said["user_data"]) == ("MPID", "mine")
        assert said["bitfield_order_instructions"] == instructions()
        assert START < said["transact_time"] == venue.now_ns
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 300)]


def test_executions_say_liquidity_and_what_was_executed_so_far() -> None:
    with pillar() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        fill = client.order(1, 300, 10_01)[1][1]
        wanted = {"last_qty": 100, "last_px": 1_000 * CENT, "leaves_qty": 200, "cum_qty": 100}
        assert {name: fill[name] for name in wanted} == wanted
        assert fill["liquidity_indicator"] == "R"
        venue.rests(SELL, 200, 10_01)
        fill = last(client.came(), FILL)
        assert (fill["cum_qty"], fill["leaves_qty"], fill["liquidity_indicator"]) == (300, 0, "A")
        client.order(1, 100, 10_00, parts={"exec_inst": p.HIDDEN})
        venue.rests(SELL, 100, 10_00)
        assert last(client.came(), FILL)["liquidity_indicator"] == "H"
        client.order(1, 100, 10_50, parts={"time_in_force": 3})
        venue.rests(SELL, 100, 10_00, time_in_force=r.OPENING)
        venue.other(r.AUCTION, flags=r.OPENING)
        assert last(client.came(), FILL)["liquidity_indicator"] == "X"
        venue.rests(BUY, 100, 9_90)
        venue.rests(SELL, 100, 10_10)
        venue.other(r.REFERENCE, price=9_90 * CENT, cap=10_10 * CENT)
        client.order(1, 100, 10_05, parts={"exec_inst": p.MIDPOINT})
        venue.rests(SELL, 100, 0, type=r.MIDPOINT_PEG)
        assert client.came()[-1][1]["liquidity_indicator"] == "M"


def test_an_ioc_order_says_what_was_not_filled_and_why() -> None:
    with pillar() as venue:
        client = entered(venue)
        venue.rests(SELL, 100, 10_00)
        came = client.order(1, 300, 10_00, parts={"time_in_force": 2})
        assert [code for code, _ in came] == [ACK, FILL, CHANGED]
        said = came[2][1]
        assert (said["ack_type"], said["leaves_qty"], said["ref_cl_ord_id"]) == (11, 0, 0)
        assert (said["orig_cl_ord_id"], said["reason_code"]) == (1, p.REASONS[r.IOC_REMAINDER])


def test_a_cancel_is_acknowledged_by_its_own_id() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(1, 300, 10_00)
        said = last(client.cancel(1), CHANGED)
        wanted = {"ref_cl_ord_id": 2, "orig_cl_ord_id": 1, "ack_type": 11, "reason_code": 0}
        assert {name: said[name] for name in wanted} == wanted
        said = last(client.cancel(1), REJECT)
        assert (said["reject_type"], said["cl_ord_id"]) == (3, 3)
        assert said["reason_code"] == p.REASONS[r.UNKNOWN_ORDER]


def test_a_replace_counts_what_was_executed() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(1, 500, 10_00)
        venue.rests(SELL, 100, 10_00)
        client.came()
        said = last(client.replace(1, 400, 10_01), ACK)
        wanted = {"cl_ord_id": 2, "orig_cl_ord_id": 1, "ack_type": 8, "leaves_qty": 300}
        assert {name: said[name] for name in wanted} == wanted
        assert venue.shown() == [(1, BUY, 1_001 * CENT, 300)]
        said = last(client.replace(2, 100, 10_01), CHANGED)
        assert (said["ack_type"], said["ref_cl_ord_id"], said["orig_cl_ord_id"]) == (11, 3, 2)


def test_a_replace_is_refused_and_the_order_stays() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(1, 500, 10_00)
        refused = [
            (client.replace(77, 100, 10_00), p.REASONS[r.UNKNOWN_ORDER]),
            (client.replace(1, 500, 0), p.REASONS[r.BAD_PRICE]),
            (client.replace(1, 500, 10_00, side=2), p.NOT_ALLOWED),
            (client.replace(1, 500, 10_00, symbol_id=2), p.NOT_ALLOWED),
            (client.replace(1, 500, 10_00, parts={"exec_inst": p.HIDDEN}), p.NOT_ALLOWED),
        ]
        for came, reason in refused:
            said = last(came, REJECT)
            assert (said["reject_type"], said["reason_code"]) == (1, reason)
        assert venue.shown() == [(1, BUY, 1_000 * CENT, 500)]


def test_a_modify_takes_shares_off_or_changes_the_side_of_a_sale() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(2, 500, 10_00)
        said = last(client.modify(1, 200), CHANGED)
        wanted = {"ref_cl_ord_id": 2, "orig_cl_ord_id": 1, "ack_type": 9, "leaves_qty": 200}
        assert {name: said[name] for name in wanted} == wanted
        said = last(client.modify(1, 200, 3), CHANGED)
        assert (said["side"], said["ack_type"], said["order_qty"]) == (3, 9, 200)
        for shares, side in ((300, 0), (0, 0), (100, 1)):
            said = last(client.modify(1, shares, side), REJECT)
            assert (said["reject_type"], said["reason_code"]) == (2, p.NOT_ALLOWED)
        assert last(client.modify(9, 1), REJECT)["reason_code"] == p.REASONS[r.UNKNOWN_ORDER]
        assert venue.shown() == [(1, SELL, 1_000 * CENT, 200)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"symbol_id": 0}, p.REASONS[r.UNKNOWN_INSTRUMENT]),
        ({"symbol_id": 3}, p.REASONS[r.UNKNOWN_INSTRUMENT]),
        ({"cl_ord_id": 0}, p.BAD_ID),
        ({"cl_ord_id": 1}, p.REASONS[r.DUPLICATE_TOKEN]),
        ({"parts": {"side": 5}}, p.BAD_SIDE),
        ({"parts": {"ord_type": 3}}, p.BAD_KIND),
        ({"parts": {"exec_inst": 6}}, p.BAD_KIND),
        ({"parts": {"time_in_force": 0}}, p.BAD_TIME),
        ({"parts": {"trading_session_id": 1}}, p.BAD_TIME),
        ({"parts": {"routing_inst": 3}}, p.BAD_ROUTE),
        ({"parts": {"extended_exec_inst": 9}}, p.BAD_INSTRUCTION),
        ({"parts": {"self_trade_type": 7}}, p.BAD_INSTRUCTION),
        ({"parts": {"interest_type": 5}}, p.BAD_INSTRUCTION),
        ({"optional_order_add_on": {"stop_px": 5}}, p.BAD_INSTRUCTION),
        ({"price": 1 << 62}, p.REASONS[r.BAD_PRICE]),
        ({"price": -CENT}, p.REASONS[r.BAD_PRICE]),
        ({"order_qty": 0}, p.REASONS[r.BAD_QUANTITY]),
        ({"min_qty": 100}, p.REASONS[r.BAD_TYPE]),
    ],
)
def test_an_order_is_refused_for_what_is_wrong_with_it(change: dict[str, Any], reason: int) -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(1, 100, 9_00)
        given = dict(change)
        parts = {"side": 1, **given.pop("parts", {})}
        values = terms(2, parts.pop("side"), 500, 10_00, parts=parts)
        said = last(client.send(NEW, **{**values, **given}), REJECT)
        assert (said["reason_code"], said["reject_type"]) == (reason, 1)
        assert len(venue.gateway.sessions["ALFA"].orders) == 1


def test_the_largest_ids_come_back_as_they_were() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.number = (1 << 64) - 2
        assert last(client.order(1, 100, 10_00), ACK)["cl_ord_id"] == (1 << 64) - 1
        client.number = 0
        assert last(client.cancel((1 << 64) - 1), CHANGED)["ack_type"] == 11


def test_halts_and_a_crowded_account_refuse() -> None:
    with pillar(model=replace(PLAIN, halts="cancel_only"), most_orders=1) as venue:
        client = entered(venue)
        venue.other(r.HALT)
        assert last(client.order(1, 100, 10_00), REJECT)["reason_code"] == p.REASONS[r.HALTED]
        venue.other(r.RESUME)
        client.order(1, 100, 10_00)
        for came in (client.order(1, 100, 10_00), client.replace(2, 100, 10_01)):
            assert last(came, REJECT)["reason_code"] == p.TOO_MANY
        assert last(client.modify(2, 50), CHANGED)["leaves_qty"] == 50
        assert last(client.cancel(2), CHANGED)["ack_type"] == 11


def test_a_bulk_cancel_takes_all_orders_or_those_of_a_symbol() -> None:
    with pillar() as venue:
        client, beta = entered(venue), entered(venue, "BETA", "hush")
        beta.order(1, 100, 8_00)
        for symbol in (1, 2, 1, 2):
            client.order(1, 100, 9_00, symbol_id=symbol)
        came = client.send(BULK, bulk_cancel_type=2, symbol_id=2, cl_ord_id=50)
        said = [(v["ack_type"], v["ref_cl_ord_id"], v["reason_code"]) for _, v in came]
        by_mass = p.REASONS[r.BY_MASS_CANCEL]
        assert said == [(11, 0, by_mass), (11, 0, by_mass), (4, 50, 0)]
        came = client.send(BULK, bulk_cancel_type=2, cl_ord_id=51)
        assert [v["ack_type"] for _, v in came] == [11, 11, 4]
        for change in ({"bulk_cancel_type": 6}, {"side": 1}, {"symbol_id": 9}):
            values = {"bulk_cancel_type": 2, "cl_ord_id": 52, **change}
            assert last(client.send(BULK, **values), REJECT)["reject_type"] == 4
        assert venue.shown() == [(1, BUY, 800 * CENT, 100)]


def test_a_cancel_and_a_replace_that_come_too_late_are_refused() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(1, 100, 10_00)
        venue.held = True
        venue.rests(SELL, 100, 10_00)
        client.cancel(1)
        client.replace(1, 200, 10_01)
        client.modify(1, 50)
        venue.deliver()
        came = client.came()
        assert [code for code, _ in came] == [FILL, REJECT, REJECT, REJECT]
        assert [v["reject_type"] for _, v in came[1:]] == [3, 1, 2]
        assert len(venue.gateway.sessions["ALFA"].orders) == 0


def test_a_modify_is_told_from_what_the_venue_took_off_meanwhile() -> None:
    with pillar() as venue:
        client = entered(venue)
        client.order(2, 500, 10_00)
        venue.held = True
        client.order(1, 100, 10_00, parts={"self_trade_type": 5})
        client.modify(1, 200)
        venue.deliver()
        names = ("ack_type", "ref_cl_ord_id", "orig_cl_ord_id", "leaves_qty")
        said = [
            tuple(v.get(name) for name in names) for code, v in client.came() if code == CHANGED
        ]
        assert said == [(9, 0, 1, 400), (11, 0, 2, 0), (9, 3, 1, 200)]


def test_terms_reach_the_matching_as_such() -> None:
    with pillar() as venue:
        client = entered(venue)
        venue.held = True
        client.order(1, 500, 10_00, optional_order_add_on={"max_floor": 100})
        client.order(3, 500, 10_00, parts={"extended_exec_inst": 1, "self_trade_type": 1})
        client.order(3, 500, 10_00, parts={"extended_exec_inst": 1, "cancel_instead_of_reprice": 3})
        offset = {"optional_order_add_on": {"offset_price": -CENT}}
        client.order(2, 500, 10_00, parts={"ord_type": 4, "exec_inst": 5}, **offset)
        client.order(4, 500, 0, parts={"ord_type": 1, "exec_inst": 4, "self_trade_type": 3})
        client.order(4, 500, 10_00, parts={"extended_exec_inst": 5})
        rows = np.concatenate(venue.commands)
        assert rows["display"].tolist() == [100, 0, 0, 0, 0, 0]
        modes = (rows["flags"] & r.STP_FLAGS) >> r.STP_SHIFT
        new, old = r.STP_CANCEL_NEW, r.STP_CANCEL_OLD
        assert modes.tolist() == [new, r.STP_NONE, new, new, old, new]
        own = rows["flags"] & (0xFF ^ r.CANCEL_ON_DISCONNECT)
        alo = r.POST_ONLY
        assert own.tolist() == [0, alo | r.SLIDE, alo, 0, r.SWEEP, r.RETAIL]
        assert rows["type"].tolist() == [1, 1, 1, r.PRIMARY_PEG, r.MARKET, 1]
        assert (rows["price"][3], rows["cap"][3]) == (-CENT, 1_000 * CENT)


def test_what_the_venue_changes_is_said() -> None:
    with pillar() as venue:
        client = entered(venue)
        said = last(client.order(1, 300, 10_00, optional_order_add_on={"max_floor": 100}), ACK)
        assert said["optional_order_add_on"]["max_floor"] == 100
        venue.rests(SELL, 100, 10_00)
        came = client.came()
        assert [code for code, _ in came] == [FILL, PRIORITY]
        assert (came[1][1]["ack_type"], came[1][1]["order_qty"]) == (3, 200)
        came = client.order(2, 50, 10_00, parts={"self_trade_type": 5})
        assert [code for code, _ in came] == [ACK, CHANGED, CHANGED]
        said = [(v["ack_type"], v["leaves_qty"], v["reason_code"]) for _, v in came[1:]]
        assert said == [(9, 150, p.REASONS[r.SELF_TRADE]), (11, 0, p.REASONS[r.SELF_TRADE])]


def test_every_reason_has_one_code_of_its_own() -> None:
    assert set(p.REASONS) == set(range(r.REPRICED + 1))
    codes = [*p.REASONS.values(), *p.OWN]
    assert len(set(codes)) == len(codes)
