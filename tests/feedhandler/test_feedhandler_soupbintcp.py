"""SoupBinTCP: a stream walked piece by piece, its sequence, its faults."""

from __future__ import annotations

from action_rig import faults, run_packet
from numba import njit

from feedhandler.actions import SESSION
from feedhandler.protocols.ouch50 import OUTBOUND
from feedhandler.protocols.ouch50_actions import message
from feedhandler.registry import versions
from feedhandler.streampieces import decode_piece
from feedhandler.transports.soupbintcp import SOUPBINTCP, wrap
from feedhandler.transports.soupbintcp_walk import walk
from feedhandler.wire.framing import INSIDE_U8
from feedhandler.wire.streamwalk import stream_walker
from feedhandler.wire.walk import BATCH, ROOM

CANCELED = wrap("S", OUTBOUND["C"].encode(timestamp=1, user_ref_num=7, quantity=40))
HEARTBEAT = SOUPBINTCP["H"].encode()
LOGIN = SOUPBINTCP["A"].encode(session="000012345A", sequence_number=90)


def test_a_login_sets_the_sequence_and_sequenced_packets_count_from_it() -> None:
    records, context = run_packet(walk, message, LOGIN + CANCELED + HEARTBEAT + CANCELED)
    assert records["kind"][0] == SESSION
    assert (records["aux"][0], records["order_id"][0]) == (ord("A"), 90)
    assert list(records["sequence"]) == [90, 90, 91]
    assert (context["next_sequence"], context["heartbeats"]) == (92, 1)
    assert context["session"] != 0
    assert context["messages"] == 4


def test_only_whole_packets_are_consumed_wherever_the_piece_is_cut() -> None:
    stream = CANCELED * 3
    for length in range(len(stream) + 1):
        records, context = run_packet(walk, message, stream[:length])
        whole = length // len(CANCELED)
        assert (len(records), context["consumed"]) == (whole, whole * len(CANCELED))
        assert faults(context) == {}


def test_a_sequenced_packet_counts_even_when_its_message_does_not_fit() -> None:
    stream = wrap("S", b"?") + CANCELED
    records, context = run_packet(walk, message, stream, next_sequence=5)
    assert faults(context) == {"unknown_message": 1}
    assert list(records["sequence"]) == [6]


@njit(nogil=True)
def one_a_message(address, length, context, out, message):
    return 1


def test_an_impossible_length_ends_a_stream() -> None:
    with_length_inside = stream_walker(INSIDE_U8, one_a_message)
    stream = b"\2x\3yz\0\2x"
    made, context = run_packet(with_length_inside, message, stream)
    assert (len(made), context["consumed"]) == (2, len(stream))
    assert faults(context) == {"bad_length": 1}


def test_faults_of_control_packets() -> None:
    cases = {
        b"\0\0": "short_message",
        b"\0\1?": "unknown_message",
        b"\0\1\xff": "unknown_message",
        b"\0\1A": "short_message",
        b"\0\2Hx": "long_message",
        b"\0\1U": "short_message",
        b"\0\1S": "short_message",
        SOUPBINTCP["A"].encode(sequence_number="12x4"): "unknown_value",
        SOUPBINTCP["A"].encode(sequence_number="9" * 20): "unknown_value",
    }
    for packet, reason in cases.items():
        records, context = run_packet(walk, message, packet + CANCELED)
        assert faults(context) == {reason: 1}, packet
        assert len(records) == 1, packet


def test_the_client_s_packets_and_debug_text_emit_nothing() -> None:
    stream = (
        SOUPBINTCP["+"].encode(text="hello")
        + SOUPBINTCP["L"].encode(username="user", requested_sequence_number=1)
        + wrap("U", b"X" + bytes(8))
        + SOUPBINTCP["R"].encode()
        + SOUPBINTCP["O"].encode()
    )
    records, context = run_packet(walk, message, stream)
    assert len(records) == 0
    assert (context["messages"], context["heartbeats"]) == (5, 1)
    assert faults(context) == {}


def test_a_rejected_login_and_the_end_of_the_session_are_said() -> None:
    stream = SOUPBINTCP["J"].encode(reject_reason_code="S") + SOUPBINTCP["Z"].encode()
    records, _ = run_packet(walk, message, stream)
    assert [chr(code) for code in records["aux"]] == ["J", "Z"]
    assert records["order_id"][0] == ord("S")


def test_a_full_batch_stops_the_walk_and_the_rest_comes_with_the_next_call() -> None:
    count = BATCH + 10
    stream = CANCELED * count
    records, context = run_packet(walk, message, stream)
    assert BATCH - ROOM < len(records) <= BATCH
    assert context["consumed"] == len(records) * len(CANCELED)
    rest, after = run_packet(walk, message, stream[context["consumed"] :], context)
    assert len(records) + len(rest) == count
    assert after["next_sequence"] == count


def test_the_tables_read_what_the_encoder_writes() -> None:
    feed = versions("nasdaq_ouch50")[0]
    login = SOUPBINTCP["L"].encode(
        username="user", password="secret", requested_session="", requested_sequence_number=17
    )
    piece = decode_piece(feed, login + SOUPBINTCP["+"].encode(text="hi there") + CANCELED[:5])
    request, debug = piece.decoded.messages
    assert request.values["requested_sequence_number"] == 17
    assert request.values["packet_length"] == 47
    assert debug.values["text"] == "hi there"
    assert piece.decoded.packet.consumed == len(login) + 3 + 8
