"""OUCH 4.2: tokens, and what the exchange's messages do to an order."""

from __future__ import annotations

import numpy as np
import pytest
from action_rig import faults, run_packet
from numba import njit

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CORRECTION,
    EXECUTED,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SESSION,
)
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.ouch42 import INBOUND, LIQUIDITY_FLAG, OUTBOUND, TOKEN_LIMIT, token_of
from feedhandler.protocols.ouch42_actions import message, token_number
from feedhandler.protocols.ouch42_acts import LIQUIDITY
from feedhandler.registry import versions
from feedhandler.streampieces import decode_piece
from feedhandler.transports.soupbintcp import wrap
from feedhandler.transports.soupbintcp_walk import walk
from feedhandler.wire.access import key_of
from nic.regions import allowed

KINDS = {
    "S": SESSION,
    "A": ACCEPTED,
    "U": REPLACED,
    "C": CANCELED,
    "D": CANCELED,
    "E": EXECUTED,
    "G": EXECUTED,
    "B": BREAK,
    "F": BREAK,
    "J": REJECTED,
    "P": CANCEL_PENDING,
    "I": CANCEL_REJECTED,
    "T": RESTATED,
    "M": RESTATED,
    "N": RESTATED,
}


@njit(nogil=True)
def number_at(address):
    return token_number(address)


def number(token: str) -> int:
    raw = np.frombuffer(token.encode("latin-1").ljust(14), np.uint8)
    with allowed(raw):
        return int(number_at(raw.ctypes.data))


def actions(code, token="00000000000012", **values):
    """The records of one outbound message; asserts that it has no fault."""
    record = OUTBOUND[code]
    named = {name: token for name in record.by_name if name.endswith("order_token")}
    if code == "U":
        named["replacement_order_token_alphanumeric_14"] = token
    side = {"buy_sell_indicator": "B"} if "buy_sell_indicator" in record.by_name else {}
    packet = wrap("S", record.encode({**named, **side, **values}))
    records, context = run_packet(walk, message, packet)
    assert faults(context) == {}
    return records


@pytest.mark.parametrize("order_id", [0, 1, 9, 10, 99_999_999, 12_345_678_901_234, TOKEN_LIMIT - 1])
def test_a_token_of_digits_is_its_number(order_id: int) -> None:
    assert number(token_of(order_id)) == order_id


def test_every_digit_of_a_token_counts() -> None:
    for place in range(14):
        for digit in range(10):
            assert number(token_of(digit * 10**place)) == digit * 10**place


def test_other_tokens_are_negative_and_differ() -> None:
    texts = ["ABC", "ABD", "1234567890123", "1234567890123:", "1234567890123/", "/2345678901234"]
    made = [number(text) for text in texts]
    assert all(value < 0 for value in made)
    assert len(set(made)) == len(made)


def test_a_number_beyond_fourteen_digits_has_no_token() -> None:
    for order_id in (-1, TOKEN_LIMIT):
        with pytest.raises(ValueError, match="a token holds"):
            token_of(order_id)


def test_every_reply_names_the_order_by_its_token() -> None:
    for code, kind in KINDS.items():
        (one,) = actions(code)
        assert one["kind"] == kind, code
        assert one["order_id"] == (0 if code == "S" else 12), code


def test_a_trade_now_is_said_as_a_restatement() -> None:
    (one,) = actions("N")
    assert one["aux"] == ord("N")


def test_a_new_order_has_its_terms() -> None:
    terms = {"shares": 500, "stock": "AAPL", "price": 1_234_500, "buy_sell_indicator": "E"}
    (one,) = actions("A", order_reference_number=5, **terms)
    assert (one["side"], one["quantity"], one["price"]) == (SELL, 500, 12_345_000_000)
    assert (one["key"], one["aux"]) == (key_of("AAPL"), 5)
    (two,) = actions("U", token=token_of(13), previous_order_token=token_of(12), **terms)
    assert (two["order_id"], two["aux"], two["key"]) == (13, 12, key_of("AAPL"))


def test_an_order_dead_on_arrival_is_canceled_in_full() -> None:
    for code in "AU":
        first, second = actions(code, shares=500, order_state="D", stock="AAPL")
        assert (second["kind"], second["order_id"], second["quantity"]) == (CANCELED, 12, 500)
        assert (first["key"], second["key"]) == (key_of("AAPL"), key_of("AAPL"))


def test_fills_and_cancels_say_how_much() -> None:
    fill = {"executed_shares": 3, "execution_price": 10_000, "match_number": 8}
    for code in "EGF":
        (one,) = actions(code, **fill)
        assert (one["quantity"], one["price"], one["aux"]) == (3, 100_000_000, 8)
        assert one["flags"] == (CORRECTION if code == "F" else 0)
    (one,) = actions("C", decrement_shares=4, cancel_order_reason="T")
    assert (one["quantity"], one["aux"]) == (4, ord("T"))


@pytest.mark.parametrize(
    ("letter", "liquidity"),
    [("A", ADDED), ("R", REMOVED), ("J", ADDED_HIDDEN), ("k", MIDPOINT), ("L", AUCTION), ("0", 0)],
)
@pytest.mark.parametrize("code", ["E", "G"])
def test_a_fill_says_how_it_came_about(code: str, letter: str, liquidity: int) -> None:
    (executed,) = actions(code, liquidity_flag=letter)
    assert executed["unit"] == liquidity


def test_every_flag_of_the_layout_but_one_is_known() -> None:
    assert {*LIQUIDITY_FLAG} - {*LIQUIDITY} == {"0"}


def test_every_message_must_have_its_length() -> None:
    for record in OUTBOUND.records:
        whole = record.encode()
        for inner, reason in ((whole[:-1], "short_message"), (whole + b"\0", "long_message")):
            records, context = run_packet(walk, message, wrap("S", inner))
            assert (len(records), faults(context)) == (0, {reason: 1}), record.name


def test_lengths_are_those_of_the_specification() -> None:
    inbound = {record.code: record.size for record in INBOUND.records}
    outbound = {record.code: record.size for record in OUTBOUND.records}
    assert inbound == {"O": 49, "U": 47, "X": 19, "M": 20, "N": 15}
    assert (outbound["A"], outbound["U"], outbound["E"], outbound["C"]) == (66, 80, 40, 28)


def test_both_directions_read_by_their_own_table() -> None:
    feed = versions("nasdaq_ouch42")[0]
    replace = INBOUND["U"].encode(existing_order_token="A", shares=7)
    stream = wrap("U", replace) + wrap("S", OUTBOUND["U"].encode(shares=9))
    names = [m.record.name for m in decode_piece(feed, stream).decoded.messages]
    assert names == ["replace order", "replaced"]
