"""OUCH 5.0: what the exchange's messages do to an order."""

from __future__ import annotations

from datetime import date

import pytest
from action_rig import faults, run_packet

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    BUY,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CORRECTION,
    EXECUTED,
    NO_PRICE,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SESSION,
)
from feedhandler.dates import midnight_ns
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.ouch50 import INBOUND, LIQUIDITY_FLAG, OUTBOUND
from feedhandler.protocols.ouch50_actions import message
from feedhandler.protocols.ouch50_acts import LIQUIDITY
from feedhandler.registry import versions
from feedhandler.streampieces import decode_piece
from feedhandler.transports.soupbintcp import wrap
from feedhandler.transports.soupbintcp_walk import walk
from feedhandler.wire.access import key_of

MIDNIGHT_NS = midnight_ns(date(2024, 4, 29), "America/New_York")
TIME_NS = 44_647_483_486_087
ENTERED = {
    "timestamp": TIME_NS,
    "user_ref_num": 12,
    "side": "B",
    "quantity": 300,
    "symbol": "ADBE",
    "price": 4_777_800,
    "order_reference_number": 257_340_661,
    "order_state": "L",
}


def actions(code, **values):
    """The records of one outbound message; asserts that it has no fault."""
    packet = wrap("S", OUTBOUND[code].encode(values))
    records, context = run_packet(walk, message, packet, midnight_ns=MIDNIGHT_NS)
    assert faults(context) == {}
    return records


def fault_of(inner: bytes) -> dict[str, int]:
    records, context = run_packet(walk, message, wrap("S", inner))
    assert len(records) == 0
    return faults(context)


def test_an_accepted_order_names_ours_and_theirs() -> None:
    (one,) = actions("A", **ENTERED)
    assert (one["kind"], one["side"], one["order_id"]) == (ACCEPTED, BUY, 12)
    assert (one["aux"], one["quantity"], one["price"]) == (257_340_661, 300, 47_778_000_000)
    assert one["key"] == key_of("ADBE")
    assert one["time_ns"] == MIDNIGHT_NS + TIME_NS


def test_an_order_dead_on_arrival_is_accepted_and_canceled_in_full() -> None:
    for code in "AU":
        first, second = actions(code, **{**ENTERED, "order_state": "D"})
        assert first["kind"] == {"A": ACCEPTED, "U": REPLACED}[code]
        assert (second["kind"], second["order_id"], second["quantity"]) == (CANCELED, 12, 300)
        assert second["time_ns"] == first["time_ns"]
        assert second["key"] == key_of("ADBE")


def test_a_replaced_order_has_its_new_number_and_the_old_one() -> None:
    (one,) = actions("U", **{**ENTERED, "orig_user_ref_num": 11, "side": "T"})
    assert (one["kind"], one["side"]) == (REPLACED, SELL)
    assert (one["order_id"], one["aux"]) == (12, 11)


@pytest.mark.parametrize("code", "CD")
def test_a_cancel_says_what_was_taken_off(code: str) -> None:
    name = {"C": "quantity", "D": "decrement_shares"}[code]
    reason = {"C": "cancel_order_reason", "D": "order_cancel_reason"}[code]
    (one,) = actions(code, user_ref_num=12, **{name: 100, reason: "U"})
    assert (one["kind"], one["order_id"], one["quantity"]) == (CANCELED, 12, 100)
    assert one["aux"] == ord("U")


def test_fills_corrections_and_broken_trades_name_the_match() -> None:
    fill = {"user_ref_num": 12, "quantity": 5, "price": 10_000, "match_number": 77}
    (executed,), (corrected,) = actions("E", **fill), actions("F", **fill)
    (broken,) = actions("B", user_ref_num=12, match_number=77)
    assert (executed["kind"], corrected["kind"], broken["kind"]) == (EXECUTED, BREAK, BREAK)
    assert (executed["price"], executed["quantity"]) == (100_000_000, 5)
    assert (executed["flags"], corrected["flags"], broken["flags"]) == (0, CORRECTION, 0)
    assert executed["aux"] == corrected["aux"] == broken["aux"] == 77


@pytest.mark.parametrize(
    ("letter", "code"),
    [("A", ADDED), ("R", REMOVED), ("J", ADDED_HIDDEN), ("k", MIDPOINT), ("L", AUCTION), ("0", 0)],
)
def test_a_fill_says_how_it_came_about(letter: str, code: int) -> None:
    (executed,) = actions("E", liquidity_flag=letter)
    assert (executed["unit"], len(executed.tobytes())) == (code, 64)


def test_every_flag_of_the_layout_but_one_is_known() -> None:
    assert {*LIQUIDITY_FLAG} - {*LIQUIDITY} == {"0"}


def test_refusals_leave_the_order_or_end_it() -> None:
    kinds = {"J": REJECTED, "I": CANCEL_REJECTED, "P": CANCEL_PENDING}
    for code, kind in kinds.items():
        (one,) = actions(code, user_ref_num=12)
        assert (one["kind"], one["order_id"]) == (kind, 12)
    (one,) = actions("J", user_ref_num=12, rejected_order_reason=0x1234)
    assert one["aux"] == 0x1234


def test_what_the_venue_changes_is_restated() -> None:
    (moved,) = actions("T", user_ref_num=12, price=20_000, order_reference_number=9)
    (modified,) = actions("M", user_ref_num=12, side="S", quantity=50)
    (shown,) = actions("R", user_ref_num=12, order_restated_reason="R")
    assert {moved["kind"], modified["kind"], shown["kind"]} == {RESTATED}
    assert (moved["price"], moved["aux"]) == (200_000_000, 9)
    assert (modified["side"], modified["quantity"]) == (SELL, 50)
    assert shown["aux"] == ord("R")


def test_session_events_and_the_next_number() -> None:
    (event,) = actions("S", event_code="E")
    (query,) = actions("Q", next_user_ref_num=4_000_000_000)
    assert (event["kind"], event["aux"]) == (SESSION, ord("E"))
    assert (query["kind"], query["aux"], query["order_id"]) == (SESSION, ord("Q"), 4_000_000_000)


def test_times_are_unknown_without_the_session_s_date() -> None:
    records, _ = run_packet(walk, message, wrap("S", OUTBOUND["A"].encode(ENTERED)))
    assert list(records["time_ns"]) == [0]


def test_a_price_beyond_the_scale_is_no_price() -> None:
    highest = ((1 << 63) - 1) // 10_000
    assert actions("A", **{**ENTERED, "price": highest})["price"][0] == highest * 10_000
    for price in (highest + 1, 1 << 63, (1 << 64) - 1):
        assert actions("A", **{**ENTERED, "price": price})["price"][0] == NO_PRICE


def test_a_side_outside_the_layout_is_a_fault() -> None:
    assert fault_of(OUTBOUND["A"].encode({**ENTERED, "side": "X"})) == {"unknown_value": 1}


def test_every_message_must_have_its_length() -> None:
    for record in OUTBOUND.records:
        whole = record.encode()
        for length in range(1, record.size):
            expected = {"short_message": 1}
            assert fault_of(whole[:length]) == expected, (record.name, length)
        if not record.tails:
            assert fault_of(whole + b"\0") == {"long_message": 1}, record.name


def test_an_appendage_may_not_reach_behind_its_message() -> None:
    for record in (r for r in OUTBOUND.records if r.tails):
        values = {"appendage_length": 3, **({"side": "B"} if "side" in record.by_name else {})}
        assert fault_of(record.encode(values) + b"\1\2") == {"bad_count": 1}, record.name
        packet = wrap("S", record.encode(values) + b"\2\4R")
        records, context = run_packet(walk, message, packet)
        assert (len(records), faults(context)) == (1, {}), record.name


def test_appendages_read_by_tag_and_unknown_ones_by_length() -> None:
    order = INBOUND["O"].encode(
        user_ref_num=1,
        side="B",
        enter_order_appendage=[
            {"enter_order_optional_field": 2, "firm": "LIME"},
            {"enter_order_optional_field": 99, "enter_order_optional_value": "0a0b0c"},
            {"enter_order_optional_field": 11, "discretion_peg_offset": -100},
        ],
    )
    feed = versions("nasdaq_ouch50")[0]
    (read,) = decode_piece(feed, wrap("U", order)).decoded.messages
    assert read.values["appendage_length"] == 6 + 5 + 6
    assert read.values["enter_order_appendage"] == [
        {"optional_field_length": 5, "enter_order_optional_field": 2, "firm": "LIME"},
        {
            "optional_field_length": 4,
            "enter_order_optional_field": 99,
            "enter_order_optional_value": "0a0b0c",
        },
        {
            "optional_field_length": 5,
            "enter_order_optional_field": 11,
            "discretion_peg_offset": -100,
        },
    ]


@pytest.mark.parametrize(
    ("appendage", "reason"),
    [
        (b"\0\x05\x05\x02LI", "bad_count"),
        (b"\0\x01\x05", "bad_count"),
        (b"\0\x02\0\0", "short_message"),
        (b"\0\x03\x02\x02L", "short_message"),
    ],
)
def test_a_broken_element_is_a_fault(appendage: bytes, reason: str) -> None:
    order = INBOUND["O"].encode(side="B")[:-2] + appendage
    decoded = decode_piece(versions("nasdaq_ouch50")[0], wrap("U", order)).decoded
    assert [fault.reason for fault in decoded.faults] == [reason]
