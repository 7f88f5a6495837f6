"""Cboe PITCH: what each message does to a book, when times are known, what counts as a fault."""

from __future__ import annotations

from datetime import date

import pytest
from action_rig import faults, run_packet
from cboe_packets import UNIT, one, packet

from feedhandler.actions import (
    ADD,
    ALL,
    ATTRIBUTED,
    AUCTION,
    AUCTION_VOLATILITY,
    BREAK,
    BUY,
    CLEAR,
    CROSS,
    DELETE,
    END,
    EXECUTE,
    EXECUTE_PRICE,
    FAR,
    HIDDEN,
    KEEPS_PRIORITY,
    MODIFY,
    NO_PRICE,
    REDUCE,
    RESTRICT,
    SELL,
    STATUS,
    STATUS_HALTED,
    STATUS_PREOPEN,
    STATUS_QUOTING,
    STATUS_TRADING,
    STATUS_UNKNOWN,
    TRADE,
    TYPED,
)
from feedhandler.dates import midnight_ns
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_pitch_actions import message
from feedhandler.transports.suh_walk import walk
from feedhandler.wire.access import key_of

MIDNIGHT_NS = midnight_ns(date(2023, 8, 22), "America/New_York")
OPEN_S = 34_200
SECOND_NS = MIDNIGHT_NS + OPEN_S * 1_000_000_000
CENT, DOLLAR = 1_000_000, 100_000_000
ID = 2_265_901_215_303_825_392


def pitch(code, **values):
    """One PITCH message."""
    return one(CBOE_PITCH, code, **values)


def run(*messages, **more):
    """The records and the context of a packet; the session's date is known."""
    return run_packet(walk, message, packet(*messages), **{"midnight_ns": MIDNIGHT_NS, **more})


def actions(*messages):
    """The records of a packet behind the opening second; asserts that it has no fault."""
    records, context = run(pitch(0x20, time=OPEN_S), *messages)
    assert faults(context) == {}
    assert all(records["unit"] == UNIT)
    return records


ENTERED = {"time_offset": 646_000, "order_id": ID, "side_indicator": "B"}
SHORT = {**ENTERED, "quantity_short": 400, "symbol": "MAT", "price_short": 2066}
LONG = {**ENTERED, "quantity": 70_000, "symbol": "MAT", "price": 206_600, "add_order_flags": 1}
EXPANDED = {
    **ENTERED,
    "quantity": 70_000,
    "symbol_extended": "MAT",
    "price": 206_600,
    "add_order_flags": 1,
}


def test_the_three_add_messages_bring_the_same_order() -> None:
    messages = [
        pitch(0x22, **SHORT, add_order_flags=1),
        pitch(0x21, **{**LONG, "quantity": 400}),
        pitch(0x2F, **{**EXPANDED, "quantity": 400}, participant_id="    "),
    ]
    records = actions(*messages)
    assert len(records) == 3
    for record in records:
        assert (record["kind"], record["side"], record["flags"]) == (ADD, BUY, 0)
        assert (record["order_id"], record["quantity"]) == (ID, 400)
        assert record["price"] == 20 * DOLLAR + 66 * CENT
        assert record["key"] == key_of("MAT")
        assert record["time_ns"] == SECOND_NS + 646_000


def test_an_order_outside_the_sip_quote_is_hidden() -> None:
    shown, hidden = actions(
        pitch(0x22, **SHORT, add_order_flags=1), pitch(0x22, **SHORT, add_order_flags=0xFE)
    )
    assert (shown["flags"], hidden["flags"]) == (0, HIDDEN)


def test_a_named_participant_attributes_the_order() -> None:
    (record,) = actions(pitch(0x2F, **EXPANDED, participant_id="ABCD"))
    assert record["flags"] == ATTRIBUTED
    (record,) = actions(pitch(0x2F, **{**EXPANDED, "add_order_flags": 0}, participant_id="A"))
    assert record["flags"] == ATTRIBUTED | HIDDEN


def test_an_execution_takes_its_shares_off_at_the_order_s_price() -> None:
    (record,) = actions(pitch(0x23, order_id=ID, executed_quantity=100, execution_id=7))
    assert (record["kind"], record["order_id"], record["quantity"]) == (EXECUTE, ID, 100)
    assert (record["aux"], record["price"], record["key"]) == (7, 0, 0)


def test_an_execution_at_another_price_leaves_the_stated_remaining_quantity() -> None:
    values = {"order_id": ID, "executed_quantity": 100, "execution_id": 7, "price": 100_001}
    first, second = actions(pitch(0x24, **values, remaining_quantity=250))
    assert (first["kind"], first["flags"], first["price"]) == (MODIFY, KEEPS_PRIORITY, NO_PRICE)
    assert (second["kind"], second["price"], second["aux"]) == (EXECUTE_PRICE, 1_000_010_000, 7)
    assert first["quantity"] - second["quantity"] == 250
    assert first["order_id"] == second["order_id"] == ID
    assert first["sequence"] == second["sequence"]


def test_reductions_and_deletes_name_the_order() -> None:
    records = actions(
        pitch(0x25, order_id=ID, canceled_quantity=100_000),
        pitch(0x26, order_id=ID, canceled_quantity_short=65_535),
        pitch(0x29, order_id=ID),
    )
    assert records["kind"].tolist() == [REDUCE, REDUCE, DELETE]
    assert records["quantity"].tolist() == [100_000, 65_535, 0]
    assert records["order_id"].tolist() == [ID] * 3


@pytest.mark.parametrize(
    ("bits", "flags"),
    [(0, HIDDEN), (1, 0), (2, HIDDEN | KEEPS_PRIORITY), (3, KEEPS_PRIORITY), (0xFD, 0)],
)
def test_a_modify_keeps_its_priority_only_when_told(bits: int, flags: int) -> None:
    records = actions(
        pitch(0x27, order_id=ID, quantity=900, price=12_345, modify_order_flags=bits),
        pitch(0x28, order_id=ID, quantity_short=900, price_short=123, modify_order_flags=bits),
    )
    assert records["kind"].tolist() == [MODIFY] * 2
    assert records["flags"].tolist() == [flags] * 2
    assert records["quantity"].tolist() == [900] * 2
    assert records["price"].tolist() == [123_450_000, 123_000_000]


def test_trades_are_of_hidden_orders_and_have_no_side() -> None:
    given = {"order_id": ID, "side_indicator": "B", "execution_id": 9}
    records = actions(
        pitch(0x2A, **given, quantity=5, symbol="ZVZZT", price=100_000),
        pitch(0x2B, **given, quantity_short=5, symbol="ZVZZT", price_short=1_000),
        pitch(0x30, **given, quantity=5, symbol_extended="ZVZZT", price=100_000),
    )
    assert records["kind"].tolist() == [TRADE] * 3
    for record in records:
        assert (record["side"], record["flags"], record["aux"]) == (0, HIDDEN, 9)
        assert (record["price"], record["quantity"]) == (10 * DOLLAR, 5)
        assert record["key"] == key_of("ZVZZT")


def test_a_break_names_the_execution() -> None:
    (record,) = actions(pitch(0x2C, execution_id=9))
    assert (record["kind"], record["aux"]) == (BREAK, 9)


def test_unit_clear_and_end_of_session_concern_the_whole_unit() -> None:
    clear, end = actions(pitch(0x97, time_offset=5), pitch(0x2D, last_timestamp=6))
    assert (clear["kind"], clear["flags"], clear["key"]) == (CLEAR, ALL, 0)
    assert (end["kind"], end["flags"]) == (END, ALL)
    assert (clear["time_ns"], end["time_ns"]) == (SECOND_NS + 5, SECOND_NS + 6)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("A", STATUS_PREOPEN),
        ("H", STATUS_HALTED),
        ("Q", STATUS_QUOTING),
        ("S", STATUS_HALTED),
        ("T", STATUS_TRADING),
        ("?", STATUS_UNKNOWN),
    ],
)
def test_a_trading_status_says_state_and_short_sale_test(code: str, status: int) -> None:
    given = {"symbol_extended": "A", "trading_status": code}
    state, free = actions(pitch(0x31, **given, reg_sho_action="0"))
    assert (state["kind"], state["aux"], state["order_id"]) == (STATUS, status, ord(code))
    assert (free["kind"], free["aux"]) == (RESTRICT, 0)
    _, restricted = actions(pitch(0x31, **given, reg_sho_action="1"))
    assert restricted["aux"] == 1
    assert state["key"] == free["key"] == key_of("A")


@pytest.mark.parametrize(
    ("buy", "sell", "side", "paired", "imbalance"),
    [(300, 100, BUY, 100, 200), (100, 300, SELL, 100, 200), (5, 5, 0, 5, 0)],
)
def test_an_auction_update_says_what_is_paired_and_what_is_left(
    buy: int, sell: int, side: int, paired: int, imbalance: int
) -> None:
    prices = {"reference_price": 10_000, "indicative_price": 10_100, "auction_only_price": 10_200}
    near, far, which = actions(
        pitch(
            0x95, symbol_extended="A", auction_type="V", buy_shares=buy, sell_shares=sell, **prices
        )
    )
    assert (near["kind"], near["side"], near["flags"]) == (AUCTION, side, 0)
    assert (far["kind"], far["side"], far["flags"]) == (AUCTION, side, FAR)
    assert (which["flags"], which["aux"], which["order_id"]) == (
        TYPED,
        AUCTION_VOLATILITY,
        ord("V"),
    )
    assert (near["price"], near["aux"], far["aux"]) == (DOLLAR, 101 * CENT, 102 * CENT)
    assert (near["quantity"], near["order_id"]) == (paired, imbalance)


def test_an_auction_summary_is_a_trade_of_the_cross() -> None:
    (record,) = actions(pitch(0x96, symbol_extended="A", price=10_000, shares_contracts=77))
    assert (record["kind"], record["flags"], record["quantity"]) == (TRADE, CROSS, 77)
    assert record["price"] == DOLLAR


def test_a_retail_price_improvement_means_nothing_to_a_book() -> None:
    assert len(actions(pitch(0x98, symbol_extended="A", retail_price_improvement="B"))) == 0


def test_the_widest_prices_are_exact_or_none() -> None:
    largest = ((1 << 63) - 1) // 10_000
    records = actions(
        *(pitch(0x21, **{**LONG, "price": p}) for p in (0, largest, largest + 1, (1 << 64) - 1)),
        pitch(0x22, **{**SHORT, "price_short": 65_535}),
    )
    assert records["price"].tolist() == [0, largest * 10_000, NO_PRICE, NO_PRICE, 65_535_000_000]
    assert records["quantity"].tolist() == [70_000] * 4 + [400]


def test_the_widest_order_ids_keep_their_bits() -> None:
    (record,) = actions(pitch(0x29, order_id=(1 << 64) - 1))
    assert record["order_id"] == -1


def test_times_are_unknown_until_the_unit_announces_a_second() -> None:
    add = pitch(0x22, **SHORT)
    records, context = run(add)
    assert records["time_ns"].tolist() == [0]
    announced, context = run(pitch(0x20, time=OPEN_S), row=context)
    assert len(announced) == 0
    records, context = run(add, row=context)
    assert records["time_ns"].tolist() == [SECOND_NS + 646_000]


def test_offsets_belong_to_the_previous_second_until_the_new_one_is_announced() -> None:
    late = pitch(0x29, time_offset=999_997_000)
    first, second = actions(late, pitch(0x20, time=OPEN_S + 1), late)
    assert second["time_ns"] - first["time_ns"] == 1_000_000_000
    assert first["time_ns"] == SECOND_NS + 999_997_000


def test_every_unit_has_its_own_second() -> None:
    _, context = run(pitch(0x20, time=OPEN_S))
    other = packet(pitch(0x29, time_offset=1), unit=UNIT + 1)
    records, context = run_packet(walk, message, other, row=context)
    assert (records["time_ns"][0], records["unit"][0]) == (0, UNIT + 1)


def test_times_are_unknown_while_the_date_is() -> None:
    records, _ = run(pitch(0x20, time=OPEN_S), pitch(0x29, time_offset=1), midnight_ns=0)
    assert records["time_ns"].tolist() == [0]


def test_seconds_count_from_the_eastern_midnight_of_the_day_in_both_halves_of_the_year() -> None:
    for day, hours in ((date(2024, 3, 8), 5), (date(2024, 3, 11), 4), (date(2024, 11, 4), 5)):
        midnight = midnight_ns(day, "America/New_York")
        records, _ = run(pitch(0x20, time=0), pitch(0x29), midnight_ns=midnight)
        assert records["time_ns"].tolist() == [midnight]
        assert midnight // 1_000_000_000 % 86_400 == hours * 3_600


def test_a_side_outside_the_layout_is_a_fault_of_its_message_only() -> None:
    for code, values in ((0x22, SHORT), (0x21, LONG), (0x2F, EXPANDED)):
        bad = pitch(code, **{**values, "side_indicator": "X"})
        records, context = run(bad, pitch(0x29, order_id=1))
        assert records["kind"].tolist() == [DELETE]
        assert faults(context) == {"unknown_value": 1}
        assert context["messages"] == 2


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"\x06\x99abcd", "unknown_message"),
        (b"\x02\xff", "unknown_message"),
        (b"\x0d\x29" + bytes(11), "short_message"),
        (b"\x0f\x29" + bytes(13), "long_message"),
        (b"\x01", "short_message"),
    ],
)
def test_a_message_that_does_not_fit_is_counted_and_stepped_over(bad: bytes, fault: str) -> None:
    records, context = run(bad, pitch(0x29, order_id=1))
    assert (records["kind"].tolist(), records["sequence"].tolist()) == ([DELETE], [101])
    assert faults(context) == {fault: 1}
    assert context["next_sequence"] == 102
