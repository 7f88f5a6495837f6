"""Packets with a Sequenced Unit Header: sequences, bounds, heartbeats, streams; gap and spin."""

from __future__ import annotations

import pytest
from action_rig import faults, run_packet
from cboe_packets import UNIT, one, packet

from feedhandler.actions import (
    ADD,
    ALL,
    ATTRIBUTED,
    REFRESH,
    RESTRICT,
    SESSION,
    SNAPSHOT_END,
    STATUS,
)
from feedhandler.feed import decode
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_pitch_actions import grp_message, message, spin_message
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.registry import versions
from feedhandler.transports.suh_walk import walk, walk_stream

DELETE = one(CBOE_PITCH, 0x29, order_id=1)
(PITCH,) = versions("cboe_pitch")
(GRP,) = versions("cboe_grp")
(SPIN,) = versions("cboe_spin")


def both(payload, **context):
    """Records, faults and context of the compiled walk; the plain one has to name the same."""
    records, row = run_packet(walk, message, payload, **context)
    plain = decode(PITCH, payload)
    assert {fault.reason for fault in plain.faults} == set(faults(row))
    assert len(plain.packet.spans) == row["messages"]
    return records, faults(row), row


def test_messages_are_numbered_within_their_unit() -> None:
    records, found, row = both(packet(DELETE, DELETE, DELETE))
    assert found == {}
    assert records["sequence"].tolist() == [100, 101, 102]
    assert (row["next_sequence"], row["unit"], row["packets"]) == (103, UNIT, 1)


def test_a_heartbeat_says_the_next_sequence() -> None:
    records, found, row = both(packet(sequence=500))
    assert (len(records), found, row["heartbeats"]) == (0, {}, 1)
    assert row["next_sequence"] == 500


def test_unsequenced_messages_have_no_number() -> None:
    payload = packet(DELETE, DELETE, sequence=0)
    records, found, row = both(payload)
    assert (found, row["next_sequence"]) == ({}, 0)
    assert records["sequence"].tolist() == [0, 0]
    assert decode(PITCH, payload).packet.sequences == [None, None]


def test_the_stated_length_bounds_the_packet_not_the_datagram() -> None:
    records, found, row = both(packet(DELETE) + b"\x0e\x29padding and more")
    assert (len(records), found, row["messages"]) == (1, {}, 1)


@pytest.mark.parametrize("size", range(8))
def test_a_cut_header_is_one_fault(size: int) -> None:
    records, found, row = both(packet(DELETE)[:size])
    assert (len(records), found, row["packets"]) == (0, {"short_header": 1}, 0)


@pytest.mark.parametrize("length", [0, 7, 23, 65535])
def test_an_impossible_packet_length_is_a_bad_header(length: int) -> None:
    records, found, _ = both(packet(DELETE, length=length))
    assert (len(records), found) == (0, {"bad_header": 1})


@pytest.mark.parametrize(
    ("count", "fault"), [(0, "trailing_bytes"), (1, "trailing_bytes"), (3, "bad_count")]
)
def test_a_wrong_count_is_one_fault_and_the_sequence_follows_the_count(
    count: int, fault: str
) -> None:
    records, found, row = both(packet(DELETE, DELETE, count=count))
    assert (len(records), found) == (min(count, 2), {fault: 1})
    assert row["next_sequence"] == 100 + count


@pytest.mark.parametrize("bad", [b"\x00\x29", b"\x63\x29"])
def test_an_impossible_message_length_ends_the_packet(bad: bytes) -> None:
    records, found, row = both(packet(DELETE, bad, DELETE))
    assert (len(records), found, row["next_sequence"]) == (1, {"bad_length": 1}, 103)


def test_the_largest_packet_fits_a_batch() -> None:
    records, found, _ = both(packet(*[DELETE] * 255))
    assert (len(records), found) == (255, {})


LOGIN = one(CBOE_SPIN, 0x01, session_sub_id="0001", username="FIRM", filler="", password="ABCD00")
IMAGE = [
    packet(LOGIN, unit=0, sequence=0),
    packet(one(CBOE_SPIN, 0x02, status="A"), unit=0, sequence=0),
    packet(unit=0, sequence=0),
    packet(one(CBOE_SPIN, 0x80, sequence=777), unit=0, sequence=0),
    packet(one(CBOE_SPIN, 0x82, sequence=777, order_count=3, status="A"), unit=0, sequence=0),
    packet(
        one(CBOE_PITCH, 0x20, time=34_200),
        one(CBOE_PITCH, 0x22, order_id=5, side_indicator="S", symbol="A", add_order_flags=1),
        one(CBOE_PITCH, 0x21, order_id=6, side_indicator="B", symbol="A", add_order_flags=1),
        one(
            CBOE_PITCH,
            0x2F,
            order_id=7,
            side_indicator="B",
            symbol_extended="A",
            participant_id="ABCD",
            add_order_flags=1,
        ),
        one(CBOE_PITCH, 0x31, symbol_extended="A", trading_status="T", reg_sho_action="0"),
        unit=0,
        sequence=0,
    ),
    packet(one(CBOE_SPIN, 0x83, sequence=777), unit=0, sequence=0),
]
STREAM = b"".join(IMAGE)


def test_a_spin_image_is_marked_as_one_and_ends_at_its_sequence() -> None:
    records, row = run_packet(walk_stream, spin_message, STREAM, midnight_ns=86_400 * 10**9)
    assert faults(row) == {}
    assert records["kind"].tolist() == [*[SESSION] * 3, *[ADD] * 3, STATUS, RESTRICT, SNAPSHOT_END]
    login, available, answer, *image, end = records
    assert (login["aux"], login["order_id"]) == (0x02, ord("A"))
    assert (available["aux"], available["key"]) == (0x80, 777)
    assert (answer["aux"], answer["order_id"]) == (0x82, ord("A"))
    assert (answer["key"], answer["quantity"]) == (777, 3)
    assert [record["flags"] for record in image] == [
        REFRESH,
        REFRESH,
        REFRESH | ATTRIBUTED,
        REFRESH,
        REFRESH,
    ]
    assert all(record["time_ns"] == (86_400 + 34_200) * 10**9 for record in image)
    assert (end["order_id"], end["flags"]) == (777, REFRESH | ALL)
    assert (row["consumed"], row["packets"], row["heartbeats"]) == (len(STREAM), len(IMAGE), 1)


def test_a_stream_reads_the_same_wherever_it_is_cut() -> None:
    whole, _ = run_packet(walk_stream, spin_message, STREAM)
    for cut in range(len(STREAM) + 1):
        first, row = run_packet(walk_stream, spin_message, STREAM[:cut])
        consumed = int(row["consumed"])
        assert decode(SPIN, STREAM[:cut]).packet.consumed == consumed <= cut
        second, row = run_packet(walk_stream, spin_message, STREAM[consumed:], row=row)
        assert [*first.tolist(), *second.tolist()] == whole.tolist()
        assert faults(row) == {}


def test_the_plain_decode_of_a_stream_piece_has_all_its_packets_messages() -> None:
    decoded = decode(SPIN, STREAM)
    assert decoded.faults == []
    assert [m.record.code for m in decoded.messages] == [
        *(0x01, 0x02, 0x80, 0x82),
        *(0x20, 0x22, 0x21, 0x2F, 0x31),
        0x83,
    ]
    assert decoded.messages[0].record.encode(decoded.messages[0].values) == LOGIN


def test_a_stream_with_an_impossible_packet_length_is_given_up() -> None:
    broken = IMAGE[1] + b"\x03\x00\x01\x00\x00\x00\x00\x00" + IMAGE[3]
    records, row = run_packet(walk_stream, spin_message, broken)
    assert (len(records), faults(row)) == (1, {"bad_header": 1})
    assert row["consumed"] == len(broken)
    plain = decode(SPIN, broken)
    assert (plain.packet.consumed, [f.reason for f in plain.faults]) == (
        len(broken),
        ["bad_header"],
    )


def test_a_full_batch_stops_between_packets() -> None:
    piece = packet(*[one(CBOE_SPIN, 0x80, sequence=9)] * 255) * 100
    taken, rest = [], piece
    row = None
    while rest:
        records, row = run_packet(walk_stream, spin_message, rest, row=row)
        assert 0 < row["consumed"] <= len(rest)
        taken.append(len(records))
        rest = rest[int(row["consumed"]) :]
    assert len(taken) > 1
    assert sum(taken) == 255 * 100


def test_gap_requests_and_answers_have_the_specified_bytes() -> None:
    request = one(CBOE_GRP, 0x03, unit=1, sequence=0x01020304, count=5)
    assert request.hex() == "0903" + "01" + "04030201" + "0500"
    answer = one(CBOE_GRP, 0x04, unit=1, sequence=0x01020304, count=5, status="O")
    assert answer.hex() == "0a04" + "01" + "04030201" + "0500" + "4f"
    assert LOGIN.hex() == "1601" + b"0001FIRM  ABCD00    ".hex()
    payload = packet(request, sequence=0, unit=0) + packet(answer, sequence=0, unit=0)
    assert [m.values["sequence"] for m in decode(GRP, payload).messages] == [0x01020304] * 2
    (record,), row = run_packet(walk_stream, grp_message, payload)
    assert faults(row) == {}
    assert (record["kind"], record["aux"], record["order_id"]) == (SESSION, 0x04, ord("O"))
    assert (record["key"], record["quantity"]) == (0x01020304, 5)
