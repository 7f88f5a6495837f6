"""Cboe BOE: what the venue's messages do to an order, login groups, streams and faults."""

from __future__ import annotations

import pytest
from action_rig import faults, run_packet

from feedhandler.actions import (
    ACCEPTED,
    ALL,
    BREAK,
    BUY,
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
from feedhandler.feed import decode
from feedhandler.protocols.cboe_boe import CBOE_BOE, OUTBOUND
from feedhandler.protocols.cboe_boe_actions import message
from feedhandler.protocols.cboe_boe_fields import RETURNED
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED, UNKNOWN
from feedhandler.registry import versions
from feedhandler.transports.boe_walk import walk

(FEED,) = versions("cboe_boe")
TIME_NS = 1_409_538_525_237_238_000
OURS = {"cl_ord_id": "4711", "transaction_time": TIME_NS}
DOLLAR = 100_000_000
HEARTBEAT = CBOE_BOE[0x09].encode()


def boe(code, **values):
    """One message of the venue, from unit 2 with sequence 50."""
    return CBOE_BOE[code].encode({"matching_unit": 2, "sequence_number": 50, **values})


def run(*messages):
    """Records and faults of a stream piece; the plain decoder has to name the same faults."""
    piece = b"".join(messages)
    records, row = run_packet(walk, message, piece)
    plain = decode(FEED, piece)
    assert {fault.reason for fault in plain.faults} == set(faults(row))
    assert plain.packet.consumed == row["consumed"]
    return records, faults(row)


def one(code, unit=2, **values):
    """The only record of one message; asserts that it has no fault."""
    records, found = run(boe(code, **values))
    assert (len(records), found) == (1, {})
    assert (records[0]["unit"], records[0]["sequence"]) == (unit, 50)
    return records[0]


def test_an_acknowledgment_names_our_order_and_theirs() -> None:
    given = {"transact_time": TIME_NS, "cl_ord_id": "4711", "order_id": 245_620_911_467_925_533}
    record = one(0x25, **given, price=200_100, leaves_qty=300, account="X", side="1")
    assert (record["kind"], record["order_id"]) == (ACCEPTED, 4711)
    assert record["aux"] == 245_620_911_467_925_533
    assert (record["price"], record["quantity"]) == (2001 * DOLLAR // 100, 300)
    assert record["time_ns"] == TIME_NS


def test_what_was_not_returned_is_not_said() -> None:
    record = one(0x25, cl_ord_id="4711", price=200_100)
    assert (record["price"], record["quantity"]) == (2001 * DOLLAR // 100, -1)
    record = one(0x27, **OURS, return_bitfield_8=0)
    assert (record["price"], record["quantity"], record["aux"]) == (NO_PRICE, -1, 0)


def test_a_modified_order_has_its_new_id_and_the_old_one() -> None:
    record = one(0x27, **OURS, orig_cl_ord_id="4710", leaves_qty=100, price=-1, stop_px=5)
    assert (record["kind"], record["order_id"], record["aux"]) == (REPLACED, 4711, 4710)
    assert (record["quantity"], record["price"]) == (100, -10_000)


def test_a_restated_order_has_the_reason_and_its_new_terms() -> None:
    record = one(0x28, **OURS, restatement_reason="W", leaves_qty=70, price=10_000)
    assert (record["kind"], record["order_id"]) == (RESTATED, 4711)
    assert (record["aux"], record["quantity"], record["price"]) == (ord("W"), 70, DOLLAR)


def test_an_execution_says_its_shares_price_and_id() -> None:
    given = {"exec_id": 146_932_807_687, "last_shares": 100, "last_px": 200_100, "leaves_qty": 5}
    record = one(0x2C, UNKNOWN, **OURS, **given, symbol="A", contra_capacity="P")
    assert (record["kind"], record["order_id"], record["aux"]) == (EXECUTED, 4711, given["exec_id"])
    assert (record["quantity"], record["price"]) == (100, 2001 * DOLLAR // 100)


@pytest.mark.parametrize(
    ("base", "sub", "code"),
    [
        ("A", "", ADDED),
        ("A", "S", ADDED),
        ("A", "H", ADDED_HIDDEN),
        ("A", "m", MIDPOINT),
        ("R", "", REMOVED),
        ("R", "H", REMOVED),
        ("R", "m", MIDPOINT),
        ("C", "", AUCTION),
        ("X", "", UNKNOWN),
    ],
)
def test_an_execution_says_how_it_came_about(base: str, sub: str, code: int) -> None:
    letters = {"base_liquidity_indicator": base, "sub_liquidity_indicator": sub}
    assert one(0x2C, code, **OURS, **letters)["kind"] == EXECUTED


def test_cancels_and_refusals_give_the_reason() -> None:
    record = one(0x2A, transact_time=TIME_NS, cl_ord_id="4711", cancel_reason="U")
    assert (record["kind"], record["order_id"]) == (CANCELED, 4711)
    assert (record["aux"], record["quantity"]) == (ord("U"), 0)
    for code, kind, field in (
        (0x26, REJECTED, "order_reject_reason"),
        (0x29, CANCEL_REJECTED, "modify_reject_reason"),
        (0x2B, CANCEL_REJECTED, "cancel_reject_reason"),
    ):
        record = one(code, **OURS, **{field: "J"}, text="why")
        assert (record["kind"], record["order_id"], record["aux"]) == (kind, 4711, ord("J"))
    record = one(0x48, transaction_time=TIME_NS, purge_reject_reason="Z", mass_cancel_id="M1")
    assert (record["kind"], record["flags"], record["aux"]) == (CANCEL_REJECTED, ALL, ord("Z"))
    assert record["order_id"] == 0


@pytest.mark.parametrize(("side", "meant"), [("1", BUY), ("2", SELL), ("5", SELL), ("6", SELL)])
def test_a_trade_is_cancelled_or_corrected(side: str, meant: int) -> None:
    given = {**OURS, "exec_ref_id": 9, "side": side, "last_shares": 100, "last_px": 10_000}
    record = one(0x2D, **given)
    assert (record["kind"], record["side"], record["aux"]) == (BREAK, meant, 9)
    assert (record["flags"], record["quantity"]) == (0, 100)
    record = one(0x2D, **given, corrected_price=10_100)
    assert (record["flags"], record["price"]) == (CORRECTION, 101 * DOLLAR // 100)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("00000012", 12),
        ("1409538419471693", 1_409_538_419_471_693),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, 0),
        ("0" * 20, 0),
        ("12 ", 12),
        ("12A", 0),
        ("-1", 0),
        ("", 0),
    ],
)
def test_our_ids_are_the_numbers_they_spell(text: str, number: int) -> None:
    assert one(0x25, cl_ord_id=text)["order_id"] == number


def test_session_messages_give_their_code_and_status() -> None:
    units = [{"unit_number": 1, "sequence_number": 46}, {"unit_number": 2, "sequence_number": 0}]
    login = one(0x24, login_response_status="A", unit_sequence=units)
    assert (login["kind"], login["aux"], login["order_id"]) == (SESSION, 0x24, ord("A"))
    logout = one(0x08, logout_reason="E", last_received_sequence_number=30)
    assert (logout["aux"], logout["order_id"], logout["quantity"]) == (0x08, ord("E"), 30)
    assert one(0x13)["aux"] == 0x13
    assert one(0x36, cancelled_order_count=12)["quantity"] == 12


def test_heartbeats_are_counted_and_inbound_messages_mean_nothing() -> None:
    inbound = [CBOE_BOE[code].encode() for code in (0x37, 0x02, 0x03, 0x38, 0x39, 0x3A, 0x47)]
    records, row = run_packet(walk, message, b"".join([HEARTBEAT, HEARTBEAT, *inbound]))
    assert (len(records), faults(row)) == (0, {})
    assert (row["heartbeats"], row["messages"]) == (2, 9)


def test_every_return_bit_is_measured_alike_by_both_decoders() -> None:
    for record in OUTBOUND:
        if not record.tails or "number_of_return_bitfields" not in record.by_name:
            continue
        for byte in {item.byte for item in RETURNED} | {4, 9, 16}:
            for bit in range(8):
                values = {f"return_bitfield_{byte}": 1 << bit, "side": "1"}
                if "side" not in record.by_name:
                    del values["side"]
                raw = record.encode(values)
                records, found = run(raw, raw)
                assert (len(records), found) == (2, {}), (record, byte, bit)


def test_optional_fields_are_found_behind_every_other_one() -> None:
    shown = {"price": 7, "leaves_qty": 8, "orig_cl_ord_id": "9"}
    (part,) = CBOE_BOE[0x27].tails
    others = [item.field for item in RETURNED if item.field.name in part.names - set(shown)]
    assert len(others) > 30
    for other in others:
        record = one(0x27, **OURS, **shown, **{other.name: 1 if other.is_integer else "1"})
        assert (record["price"], record["quantity"], record["aux"]) == (70_000, 8, 9), other.name


def test_unit_sequences_and_return_bitfields_make_the_captured_kind_of_groups() -> None:
    groups = [
        {"type": 0x80, "no_unspecified_unit_replay": 0, "units": [{"unit": 1, "sequence": 40}]},
        {"type": 0x81, "message_type": 0x25, "bitfields": [253, 65]},
    ]
    raw = CBOE_BOE[0x37].encode(username="BATS", password="test", param_group=groups)
    tail = "02" + "0a0080" + "0001" + "0128000000" + "070081" + "2502" + "fd41"
    assert raw[28:].hex() == tail
    assert CBOE_BOE[0x37].encode(CBOE_BOE[0x37].decode(raw)) == raw


LOGIN = CBOE_BOE[0x24].encode(
    unit_sequence=[{"unit_number": 1, "sequence_number": 46}],
    param_group=[
        {"type": 0x80, "units": [{"unit": 1, "sequence": 40}]},
        {"type": 0x81, "message_type": 0x25, "bitfields": [1, 2, 3]},
        {"type": 0x99, "body": "0102"},
    ],
)
FIRST_GROUP = 77 + 5 + 1


@pytest.mark.parametrize(
    ("at", "value", "fault"),
    [
        (76, 1, None),
        (76, 9, "bad_count"),
        (FIRST_GROUP - 1, 2, None),
        (FIRST_GROUP - 1, 4, "bad_count"),
        (FIRST_GROUP, 0, "bad_count"),
        (FIRST_GROUP, 2, "short_message"),
        (FIRST_GROUP, 4, "short_message"),
        (FIRST_GROUP + 4, 2, "bad_count"),
        (FIRST_GROUP + 10 + 4, 4, "bad_count"),
        (FIRST_GROUP + 10 + 8, 200, "bad_count"),
    ],
)
def test_login_groups_are_bounded_by_the_message(at: int, value: int, fault: str | None) -> None:
    raw = bytearray(LOGIN)
    raw[at] = value
    records, found = run(bytes(raw))
    assert found == ({} if fault is None else {fault: 1})
    assert len(records) == (fault is None)


def test_a_stream_reads_the_same_wherever_it_is_cut() -> None:
    stream = boe(0x25, cl_ord_id="1", price=5) + HEARTBEAT + boe(0x2C, **OURS, last_shares=3)
    whole, _ = run_packet(walk, message, stream)
    assert whole["kind"].tolist() == [ACCEPTED, EXECUTED]
    for cut in range(len(stream) + 1):
        first, row = run_packet(walk, message, stream[:cut])
        consumed = int(row["consumed"])
        assert decode(FEED, stream[:cut]).packet.consumed == consumed <= cut
        second, row = run_packet(walk, message, stream[consumed:], row=row)
        assert [*first.tolist(), *second.tolist()] == whole.tolist()
        assert faults(row) == {}


def resized(raw: bytes, size: int) -> bytes:
    """A message cut or filled up to a size, its length field made to fit."""
    made = (raw + bytes(300))[:size]
    return made[:2] + (size - 2).to_bytes(2, "little") + made[4:]


WHOLE = boe(0x25, cl_ord_id="1", price=5, side="1")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (resized(WHOLE, len(WHOLE) - 1), "short_message"),
        (resized(WHOLE, len(WHOLE) + 1), "long_message"),
        (resized(WHOLE, 48), "bad_count"),
        (resized(WHOLE, 47), "short_message"),
        (resized(WHOLE, 5), "short_message"),
        (resized(HEARTBEAT, 11), "long_message"),
        (resized(b"\xba\xba\0\0\x99" + bytes(5), 10), "unknown_message"),
        (boe(0x2D, **OURS, side="7"), "unknown_value"),
    ],
)
def test_a_message_that_does_not_fit_is_counted_and_stepped_over(raw: bytes, fault: str) -> None:
    records, row = run_packet(walk, message, raw + WHOLE)
    assert (len(records), faults(row)) == (1, {fault: 1})
    assert row["consumed"] == len(raw + WHOLE)


@pytest.mark.parametrize("broken", [b"\xba\xbb\x08\x00\x09" + bytes(5), b"\xba\xba\x01\x00"])
def test_a_stream_that_lost_its_place_is_given_up(broken: bytes) -> None:
    records, found = run(WHOLE, broken, WHOLE)
    assert (len(records), found) == (1, {"bad_length": 1})
