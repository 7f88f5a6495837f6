"""What the tape of trades becomes: trades in both forms, what takes them back, states and bands."""

from __future__ import annotations

import pytest
from action_rig import faults, run_packet
from feed_packets import packet_of

from feedhandler import actions as a
from feedhandler.protocols.cts211 import SALE_CONDITION
from feedhandler.registry import guess, versions
from feedhandler.transports.packets import write_packet
from feedhandler.wire.access import key_of

(CTS,), (CQS,) = versions("siac_cts"), versions("siac_cqs")
NOW_NS = 1_773_667_800_000_000_007
WHEN = {"seconds": NOW_NS // 10**9, "nanoseconds": NOW_NS % 10**9}
TRADE = {
    **WHEN,
    "participant_id": "N",
    "participant_reference_number": 77,
    "security_symbol": "IBM",
    "trade_price": 25_123_400,
    "trade_reporting_facility_id": "T",
}
NOT_FOR_VOLUME = "MQ9"


def rows_of(code, **values):
    """The actions of one message."""
    walk, message = CTS.kernels()
    raw = CTS.protocol[code].encode({**WHEN, **values})
    made, row = run_packet(walk, message, packet_of(CTS, [raw]))
    assert faults(row) == {}
    assert set(made["time_ns"].tolist()) <= {NOW_NS}
    return made


def only(made):
    """Of one action: kind, key, price, quantity, trade id and flags."""
    (row,) = made
    names = ("key", "price", "quantity", "aux", "flags")
    return a.KINDS[row["kind"]], *(int(row[name]) for name in names)


def test_a_long_trade():
    made = rows_of("TL", **TRADE, trade_volume=300)
    assert only(made) == ("trade", key_of("IBM"), 2_512_340_000, 300, 77, 0)
    assert int(made[0]["order_id"]) == ord("N") | ord("T") << 8


@pytest.mark.parametrize(
    ("millionths", "whole"), [(91_000_000, 91), (1, 0), (1_500_000, 1), (0, 0)]
)
def test_a_fractional_trade_has_whole_shares_and_what_is_beside_them(millionths, whole):
    made = rows_of("TR", **TRADE, fractional_trade_volume=millionths)
    assert only(made)[3] == whole
    assert int(made[0]["order_id"]) >> 32 == millionths - whole * 1_000_000
    short = {**WHEN, "security_symbol_5": "IBM", "trade_price_2": 25_12, "participant_id": "V"}
    made = rows_of("TH", **short, fractional_trade_volume_4=millionths)
    assert only(made)[1:4] == (key_of("IBM"), 2_512_000_000, whole)
    assert int(made[0]["order_id"]) == ord("V") | millionths % 1_000_000 << 32


def test_more_millionths_than_an_integer_has_are_a_fault():
    walk, message = CTS.kernels()
    raw = CTS.protocol["TR"].encode({**TRADE, "fractional_trade_volume": 1 << 63})
    made, row = run_packet(walk, message, packet_of(CTS, [raw]))
    assert (len(made), faults(row)) == (0, {"unknown_value": 1})


def test_a_short_trade():
    values = {"security_symbol_5": "GME", "trade_price_2": 2710, "trade_volume_2": 40}
    made = rows_of("TT", **values, sale_condition_1="I", participant_reference_number=9)
    assert only(made) == ("trade", key_of("GME"), 2_710_000_000, 40, 9, a.ODD_LOT)


def test_what_each_sale_condition_says_wherever_it_stands():
    wanted = {"F": a.SWEEP, "I": a.ODD_LOT, "T": a.EXTENDED_HOURS, "U": a.EXTENDED_HOURS}
    wanted |= {**dict.fromkeys("O56", a.CROSS), **dict.fromkeys(NOT_FOR_VOLUME, a.NOT_PRINTABLE)}
    places = ("settlement_type", "trade_through_exempt_reason", "sro_trade_detail")
    for letter in SALE_CONDITION:
        for place in (*places, "extended_hours_or_sequence_type"):
            assert only(rows_of("TL", **TRADE, **{place: letter}))[5] == wanted.get(letter, 0)
        assert only(rows_of("TT", sale_condition_1=letter))[5] == wanted.get(letter, 0)
    both = rows_of("TL", **TRADE, trade_through_exempt_reason="F", sro_trade_detail="I")
    assert only(both)[5] == a.SWEEP | a.ODD_LOT


@pytest.mark.parametrize("code", ["TX", "TE"])
def test_a_cancel_names_the_trade_that_is_no_more(code):
    made = rows_of(code, **TRADE, original_participant_reference_number=55)
    assert only(made) == ("break", key_of("IBM"), 0, 0, 55, 0)


def test_a_correction_says_what_the_trade_is_now():
    made = rows_of(
        "TC",
        security_symbol="IBM",
        original_participant_reference_number=55,
        original_trade_price=10_000_000,
        corrected_trade_price=11_000_000,
        corrected_trade_volume=120,
    )
    assert only(made) == ("break", key_of("IBM"), 1_100_000_000, 120, 55, a.CORRECTION)


def test_a_symbol_of_more_than_eight_letters_is_named_before_its_trade():
    name, trade = rows_of("TL", **{**TRADE, "security_symbol": "ABCD.WS.A"}, trade_volume=1)
    assert [a.KINDS[row["kind"]] for row in (name, trade)] == ["symbol", "trade"]
    assert int(name["key"]) == int(trade["key"]) < 0


@pytest.mark.parametrize("mark", ["A", "B"])
def test_price_bands(mark):
    made = rows_of(
        "TS",
        security_symbol="HYBX",
        security_status="F",
        limit_up_limit_down_luld_indicator=mark,
        high_indication_price_upper_limit_price_band=33_830_000,
        low_indication_price_lower_limit_price_band=27_680_000,
    )
    assert only(made)[:3] == ("bands", key_of("HYBX"), 2_768_000_000)
    assert only(made)[4] == 3_383_000_000


def test_halts_of_the_market_and_not_those_of_one_market():
    wanted = {**dict.fromkeys(" ACDEFNOPV", a.STATUS_HALTED), "M": a.STATUS_PAUSED}
    for reason in " ACDEFIMNOPVXY":
        made = rows_of("TS", security_symbol="IBM", security_status="2", halt_reason=reason)
        assert made["aux"].tolist() == ([wanted[reason]] if reason in wanted else [])
    made = rows_of("TS", security_symbol="IBM", security_status="3")
    assert (a.KINDS[made[0]["kind"]], int(made[0]["aux"])) == ("status", a.STATUS_TRADING)
    for status in " 56789ACD":
        assert len(rows_of("TS", security_symbol="IBM", security_status=status)) == 0


def test_the_short_sale_price_test_and_circuit_breakers():
    for code, test in {"A": 1, "C": 1, "D": 0, "E": 1}.items():
        made = rows_of("TS", security_symbol="IBM", short_sale_restriction_indicator=code)
        assert (a.KINDS[made[0]["kind"]], int(made[0]["aux"])) == ("restrict", test)
    made = rows_of("ML", market_wide_circuit_breaker_level_indicator="2")
    assert (int(made[0]["flags"]), int(made[0]["aux"])) == (a.ALL, a.STATUS_HALTED)


def test_blocks_of_quotes_and_of_trades_are_told_apart_by_their_header():
    integrity = CTS.protocol["CT"].encode({})
    for feed in (CTS, CQS):
        block = write_packet(feed.transport, [integrity], feed.header)
        found = guess(block, stream=False)
        assert found is not None and found[0] is feed


def test_a_block_of_an_odd_number_of_bytes_has_a_pad_byte():
    odd = CTS.protocol["PR"].encode({})
    for messages in ([odd], [odd, odd]):
        block = write_packet(CTS.transport, messages, {**CTS.header, "block_sequence_number": 3})
        assert len(block) == 20 + 71 * len(messages) + len(messages) % 2
        _, row = run_packet(*CTS.kernels(), block)
        assert (faults(row), int(row["next_sequence"])) == ({}, 3 + len(messages))
