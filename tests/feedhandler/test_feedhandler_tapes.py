"""What the consolidated tapes' messages become: bands, halts, price tests, names; never a quote."""

from __future__ import annotations

import numpy as np
import pytest
from action_rig import faults, run_packet
from feed_packets import packet_of
from numba import njit

from feedhandler import actions as a
from feedhandler.feed import decode
from feedhandler.lines.peeks import peek_siac
from feedhandler.registry import versions
from feedhandler.symbology import Convention
from feedhandler.symbols import SymbolMaster, convention_of, text_of
from feedhandler.transports.kinds import BAD, MESSAGES, RETRANSMISSION, UNSEQUENCED
from feedhandler.transports.packets import write_packet
from feedhandler.transports.siac import TRANSPORT
from feedhandler.wire.access import key_of
from feedhandler.wire.checksum import sum_bytes
from nic.regions import allowed

UTP, CTA = versions("nasdaq_uqdf")[0], versions("siac_cqs")[0]
NOW_NS = 1_773_667_800_000_000_007
UTP_WHEN = {"sip_timestamp": NOW_NS}
CTA_WHEN = {"seconds": NOW_NS // 10**9, "nanoseconds": NOW_NS % 10**9}
LONG_NAME = "ABCD.WS.A"  # of 9 letters: more than a key has


def said(feed, code, **values):
    """The actions of one message: (kind, key, price, aux), and all they have for looking closer."""
    when, name = (UTP_WHEN, "symbol") if feed is UTP else (CTA_WHEN, "security_symbol")
    record = feed.protocol[code]
    known = {n: v for n, v in {**when, **values}.items() if n != "stock"}
    if "stock" in values:
        known[name] = values["stock"]
    walk, message = feed.kernels()
    actions, row = run_packet(walk, message, packet_of(feed, [record.encode(known)]))
    assert faults(row) == {}
    assert set(actions["time_ns"].tolist()) <= {NOW_NS}
    short = [(a.KINDS[r["kind"]], int(r["key"]), int(r["price"]), int(r["aux"])) for r in actions]
    return short, actions


def band(feed, stock, lower, upper, mark):
    """A price band as each tape writes it; prices of 6 decimals."""
    if feed is UTP:
        given = {"limit_down_price": lower, "limit_up_price": upper}
        return said(UTP, "AP", stock=stock, luld_price_band_indicator=mark, **given)[0]
    given = {"bid_price_lower_limit_price_band": lower, "offer_price_upper_limit_price_band": upper}
    return said(CTA, "QL", stock=stock, security_status_indicator=mark, **given)[0]


@pytest.mark.parametrize(("feed", "mark"), [(UTP, "A"), (UTP, "B"), (CTA, "0"), (CTA, "9")])
def test_price_bands(feed, mark):
    assert band(feed, "IBM", 9_500_000, 10_500_000, mark) == [
        ("bands", key_of("IBM"), 950_000_000, 1_050_000_000)
    ]


@pytest.mark.parametrize("mark", ["D", "F"])
def test_bands_that_are_suspended_or_outside_their_hours_are_withdrawn(mark):
    assert band(UTP, "IBM", 9_500_000, 10_500_000, mark) == [("bands", key_of("IBM"), 0, 0)]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("H", a.STATUS_HALTED),
        ("P", a.STATUS_PAUSED),
        ("Q", a.STATUS_QUOTING),
        ("T", a.STATUS_TRADING),
    ],
)
def test_the_listing_exchange_halts_and_resumes_on_utp(code, status):
    found, rows = said(UTP, "AH", stock="IBM", trading_action_code=code)
    assert found == [("status", key_of("IBM"), 0, status)]
    assert (int(rows["order_id"][0]), int(rows["flags"][0])) == (ord(code), 0)


def test_an_unknown_trading_action_is_a_fault_and_no_action():
    walk, message = UTP.kernels()
    raw = UTP.protocol["AH"].encode({**UTP_WHEN, "symbol": "IBM", "trading_action_code": "?"})
    actions, row = run_packet(walk, message, packet_of(UTP, [raw]))
    assert (len(actions), faults(row)) == (0, {"unknown_value": 1})


@pytest.mark.parametrize("code", ["QL", "QS"])
def test_a_quote_of_cqs_says_the_status_of_its_security(code):
    wanted = {
        **dict.fromkeys("ACDEFNOPV123", a.STATUS_HALTED),
        "M": a.STATUS_PAUSED,
        "T": a.STATUS_TRADING,
    }
    for reason in " ACDEFGIMNOPTVXYZ123":
        found, _ = said(CTA, code, stock="IBM", security_status_indicator=reason)
        status = [("status", key_of("IBM"), 0, wanted[reason])] if reason in wanted else []
        assert found == status, reason


def test_one_markets_own_halt_and_quotes_mean_nothing():
    assert said(UTP, "AK", stock="IBM", trading_action_code="H")[0] == []
    for code in ("QE", "QF", "QM"):
        assert said(UTP, code)[0] == []
    for code in ("QL", "QQ", "QS"):
        assert said(CTA, code, stock="IBM")[0] == []


def test_the_short_sale_price_test():
    tests = {code: said(UTP, "AV", stock="IBM", reg_sho_action=code)[0] for code in "012"}
    assert [rows[0][3] for rows in tests.values()] == [0, 1, 1]
    for code, wanted in {" ": [], "A": [1], "C": [1], "D": [0], "E": [1]}.items():
        for kind in ("QL", "QS", "AS"):
            rows = said(CTA, kind, stock="IBM", short_sale_restriction_indicator=code)[0]
            assert [row[3] for row in rows if row[0] == "restrict"] == wanted


def test_collars_of_auctions_are_not_bands():
    given = {"collar_reference_price": 10, "collar_up_price": 11, "collar_down_price": 9}
    assert said(UTP, "AE", stock="IBM", **given)[0] == [("collar", key_of("IBM"), 900, 1100)]
    names = ("upper_threshold_price", "lower_threshold_price")
    given = {f"auction_collar_{name}": price for name, price in zip(names, (11, 9), strict=True)}
    assert said(CTA, "QA", stock="IBM", **given)[0] == [("collar", key_of("IBM"), 900, 1100)]


def test_circuit_breakers_halt_everything():
    for level in "123":
        for feed, code, name in (
            (UTP, "AD", "mwcb_status_level_indicator"),
            (CTA, "ML", "market_wide_circuit_breaker_level_indicator"),
        ):
            found, rows = said(feed, code, **{name: level})
            assert found == [("status", 0, 0, a.STATUS_HALTED)]
            assert int(rows["flags"][0]) == a.ALL
    blank = {"market_wide_circuit_breaker_level_indicator": " "}
    assert said(CTA, "ML", **blank)[0] == []


def test_sessions():
    for code, status in {
        "CI": a.STATUS_PREOPEN,
        "CO": a.STATUS_TRADING,
        "CC": a.STATUS_CLOSED,
    }.items():
        assert said(UTP, code)[0] == [("status", 0, 0, status)]
    assert said(UTP, "CZ")[0] == said(CTA, "CZ")[0] == [("end", 0, 0, 0)]
    assert said(CTA, "CA")[0] == [("status", 0, 0, a.STATUS_PREOPEN)]


def test_the_directory_names_long_symbols_and_marks_tests():
    for feed, code, test in ((UTP, "AB", {"authenticity": "T"}), (CTA, "AS", {"test": "1"})):
        found, rows = said(feed, code, stock=LONG_NAME, round_lot_size=10, **test)
        text = text_of(int(rows["order_id"][0]), int(rows["aux"][0]), convention_of(feed))
        assert (text, int(rows["quantity"][0])) == (LONG_NAME, 10)
        assert int(rows["flags"][0]) == a.TEST_SYMBOL
        assert found[0][1] < 0
        plain = {"authenticity": "P"} if feed is UTP else {"test": "0"}
        assert said(feed, code, stock="IBM", **plain)[1]["flags"].tolist() == [0]


def test_symbols_that_differ_behind_the_eighth_letter_have_keys_of_their_own():
    rows = [band(CTA, name, 1, 2, "0") for name in (LONG_NAME, LONG_NAME[:-1] + "B")]
    assert [[row[0] for row in found] for found in rows] == [["symbol", "bands"]] * 2
    keys = [{row[1] for row in found} for found in rows]
    assert [len(found) for found in keys] == [1, 1]
    assert keys[0] != keys[1]


def test_the_master_brings_the_spellings_of_a_tape_and_a_venue_together():
    master = SymbolMaster()
    master.add_venue(0, Convention.NASDAQ)
    master.add_venue(1, convention_of(CTA))
    number = master.learn(0, 7, "ABCD+A")
    found, rows = said(CTA, "AS", stock=LONG_NAME, round_lot_size=100)
    assert master.learn_actions(1, rows) == 1
    assert master.by_key(1, found[0][1]) == number
    assert master.learn_key(1, -5) == 0
    assert master.learn_key(1, key_of("BRK.A")) == master.learn(0, 9, "BRK.A")


def test_blocks_are_even_and_their_checksum_is_the_sum_of_all_other_bytes():
    short = CTA.protocol["QQ"].encode({**CTA_WHEN, "security_symbol": "IBM"})
    for messages in ([short], [short, short]):
        block = write_packet(TRANSPORT, messages, {**CTA.header, "block_sequence_number": 9})
        assert len(block) == 20 + 47 * len(messages) + len(messages) % 2
        assert int.from_bytes(block[18:20], "big") == sum(block[:18]) + sum(block[20:])
        _, row = run_packet(*CTA.kernels(), block)
        assert (faults(row), int(row["next_sequence"])) == ({}, 9 + len(messages))
        short_of_two = block[:1] + b"\0" + bytes([len(block) - 2]) + block[3:]
        _, row = run_packet(*CTA.kernels(), sealed(short_of_two))
        assert set(faults(row)) == {"bad_length"}


def sealed(block):
    """The block with the checksum that its stated length asks for."""
    size = int.from_bytes(block[1:3], "big")
    total = (sum(block[:18]) + sum(block[20:size])) & 0xFFFF
    return block[:18] + total.to_bytes(2, "big") + block[20:]


@pytest.mark.parametrize("at", [0, 4, 8, 18, 19, 30, -1])
def test_a_block_whose_checksum_is_wrong_is_counted_and_not_read(at):
    messages = [CTA.protocol["QL"].encode({"security_symbol": "IBM"})] * 2
    block = bytearray(write_packet(TRANSPORT, messages, {**CTA.header, "block_sequence_number": 9}))
    assert peeked(bytes(block))[0] == MESSAGES
    block[at] ^= 0x40
    _, row = run_packet(*CTA.kernels(), bytes(block))
    assert faults(row) == {"bad_checksum": 1}
    assert (int(row["packets"]), int(row["messages"]), int(row["next_sequence"])) == (0, 0, 0)
    assert [fault.reason for fault in decode(CTA, bytes(block)).faults] == ["bad_checksum"]
    assert peeked(bytes(block))[0] == BAD


def test_a_sum_of_any_length_is_the_plain_one():
    raw = np.arange(1, 1500, dtype=np.uint16).astype(np.uint8)
    for size in [0, 1, 7, 8, 9, 255, 1400]:
        for fill in (raw, np.full(1500, 255, np.uint8)):
            with allowed(fill):
                assert summed(fill.ctypes.data, size) == int(fill[:size].sum())


@njit(nogil=True)
def summed(address, length):
    return sum_bytes(address, length)


@njit(nogil=True)
def peek(address, length):
    return peek_siac(address, length)


def peeked(block):
    """Kind, session, unit, sequence, count and send time of a block."""
    raw = np.frombuffer(block, np.uint8)
    with allowed(raw):
        return peek(raw.ctypes.data, len(raw))


def test_a_block_says_how_it_counts():
    short = CTA.protocol["QQ"].encode({**CTA_WHEN, "security_symbol": "IBM"})
    cases = {("O", 9): MESSAGES, ("V", 9): RETRANSMISSION, ("O", 0): UNSEQUENCED}
    for (mark, sequence), kind in cases.items():
        header = {**CTA.header, "retransmission_indicator": mark, "block_sequence_number": sequence}
        block = write_packet(TRANSPORT, [short], header)
        assert peeked(block)[0] == kind
        assert peeked(block)[3:5] == (sequence, 1)
