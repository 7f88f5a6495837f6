"""The Pillar gateway: streams walked piece by piece, and what became of our orders."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from action_rig import faults, run_packet

from feedhandler import actions as a
from feedhandler.feed import decode
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.pillar_gateway import ORDER_ADD_ON, PILLAR_GATEWAY
from feedhandler.registry import versions
from feedhandler.transports.pillar_stream import PILLAR_STREAM, wrap
from feedhandler.wire.access import key_of
from feedhandler.wire.errors import WireError

(FEED,) = versions("nyse_gateway")
WALK, MESSAGE = FEED.kernels()
NEW_ORDER = PILLAR_GATEWAY[0x0240]
ORDER_ADD_ON_VALUES: dict[str, Any] = {
    "sub_msg_header": {"sub_msg_type": 5, "sub_msg_length": 49},
    "stop_px": -1,
    "deliver_to_comp_id": "ABCDE",
    "max_floor": 7,
    "locate_broker": "L",
    "reserved_8": "00" * 8,
    "offset_price": 8,
    "effective_time": 9,
}
ROUTING_ADD_ON_VALUES: dict[str, Any] = {
    "sub_msg_header": {"sub_msg_type": 6, "sub_msg_length": 32},
    "routing_strategy": 3,
    "reserved_27": "01" * 27,
}


def run(*messages: bytes, first: int = 40) -> tuple[Any, Any]:
    stream = b"".join(wrap(m, first + i, sess=1, value=2) for i, m in enumerate(messages))
    return run_packet(WALK, MESSAGE, stream)


def app(code: int, **values: Any) -> bytes:
    return PILLAR_GATEWAY[code].encode(values)


@pytest.mark.parametrize(
    ("ack_type", "kind", "aux", "quantity"),
    [
        (1, a.ACCEPTED, 9000, 300),
        (2, a.RESTATED, 9000, 300),
        (8, a.REPLACED, 10, 200),
        (5, a.CANCEL_PENDING, 66, 0),
        (11, a.CANCELED, 66, 0),
        (14, a.CANCELED, 66, 0),
    ],
)
def test_an_acknowledgement_is_what_its_type_says(
    ack_type: int, kind: int, aux: int, quantity: int
) -> None:
    ack = app(
        0x0260,
        transact_time=123,
        symbol_id=4,
        cl_ord_id=11,
        orig_cl_ord_id=10,
        bitfield_order_instructions=3 << 60,
        price=1855000000,
        order_qty=300,
        leaves_qty=200,
        order_id=9000,
        reason_code=66,
        ack_type=ack_type,
    )
    (made,), context = run(ack)
    assert (made["kind"], made["aux"], made["quantity"]) == (kind, aux, quantity)
    assert (made["order_id"], made["key"], made["side"]) == (11, 4, a.SELL)
    assert (made["price"], made["time_ns"], made["sequence"]) == (1855000000, 123, 40)
    assert (context["next_sequence"], context["session"]) == (41, 1 | 2 << 32)


@pytest.mark.parametrize(
    ("ack_type", "kind", "order", "aux"),
    [(9, a.RESTATED, 11, 9000), (11, a.CANCELED, 11, 66), (5, a.CANCEL_PENDING, 11, 66)],
)
def test_a_request_about_an_order_names_that_order(
    ack_type: int, kind: int, order: int, aux: int
) -> None:
    values = {"ref_cl_ord_id": 12, "orig_cl_ord_id": 11, "reason_code": 66, "side": 1}
    values |= {"order_id": 9000}
    (made,), _ = run(app(0x0271, ack_type=ack_type, **values))
    assert (made["kind"], made["order_id"], made["aux"]) == (kind, order, aux)
    assert made["side"] == a.BUY


def test_a_modified_order_keeps_its_id_also_when_nobody_asked() -> None:
    terms = {"orig_cl_ord_id": 11, "order_qty": 300, "leaves_qty": 200, "price": 5}
    made, _ = run(
        app(0x0271, ack_type=9, ref_cl_ord_id=12, **terms), app(0x0271, ack_type=9, **terms)
    )
    assert list(made["kind"]) == [a.RESTATED, a.RESTATED]
    assert list(made["order_id"]) == [11, 11]
    assert list(made["quantity"]) == [200, 200]


def test_an_order_taken_off_unasked_is_found_in_either_field() -> None:
    made, _ = run(
        app(0x0271, ack_type=11, ref_cl_ord_id=12), app(0x0271, ack_type=11, orig_cl_ord_id=12)
    )
    assert list(made["order_id"]) == [12, 12]


def test_pending_replaces_and_requests_of_the_client_emit_nothing() -> None:
    quiet = [app(0x0260, ack_type=6), app(0x0271, ack_type=7), app(0x0240), app(0x0280)]
    made, context = run(*quiet, app(0x0270), app(0x0281))
    assert (len(made), context["messages"], faults(context)) == (0, 6, {})


def test_fills_busts_and_rejections() -> None:
    made, _ = run(
        app(0x0290, cl_ord_id=11, deal_id=5, last_px=6, last_qty=7, symbol_id=4),
        app(0x0292, cl_ord_id=11, deal_id=5, last_px=6, last_qty=7, seq=8, sess=1),
        app(0x0263, cl_ord_id=12, reason_code=9, reject_type=1),
        app(0x0263, cl_ord_id=12, reason_code=9, reject_type=3),
        app(0x0262, cl_ord_id=11, order_id=9001, working_price=5),
    )
    kinds = [a.EXECUTED, a.BREAK, a.REJECTED, a.CANCEL_REJECTED, a.RESTATED]
    assert list(made["kind"]) == kinds
    assert list(made["aux"]) == [5, 5, 9, 9, 9001]
    assert list(made["sequence"]) == [40, 41, 42, 43, 44]
    assert (made["price"][0], made["quantity"][0]) == (6, 7)


@pytest.mark.parametrize(
    ("letters", "code"),
    [("A", ADDED), ("R", REMOVED), ("H", ADDED_HIDDEN), ("M", MIDPOINT), ("X", AUCTION), ("?", 0)],
)
def test_a_fill_says_how_it_came_about(letters: str, code: int) -> None:
    (made,), _ = run(app(0x0290, cl_ord_id=11, liquidity_indicator=letters))
    assert (made["kind"], made["unit"]) == (a.EXECUTED, code)


def test_symbol_reference_data_names_the_key() -> None:
    made, _ = run(app(0x0232, symbol_id=4, nyse_symbol="BRK A", round_lot_size=100))
    assert (made["kind"][0], made["key"][0], made["order_id"][0]) == (a.SYMBOL, 4, key_of("BRK A"))
    assert (made["aux"][0], made["quantity"][0]) == (0, 100)


def test_answers_of_the_server_are_session_actions() -> None:
    stream = b"".join(
        [
            PILLAR_STREAM[0x0202].encode(username="ME", status=24),
            PILLAR_STREAM[0x0203].encode(sess=1, value=2, next_seq=77),
            PILLAR_STREAM[0x0204].encode(),
            PILLAR_STREAM[0x0206].encode(sess=1, value=2, status=54),
            PILLAR_STREAM[0x0208].encode(sess=1, value=3),
            PILLAR_STREAM[0x0201].encode(username="ME"),
            PILLAR_STREAM[0x0205].encode(),
            PILLAR_STREAM[0x0207].encode(),
        ]
    )
    made, context = run_packet(WALK, MESSAGE, stream)
    assert set(made["kind"]) == {a.SESSION}
    assert list(made["aux"]) == [0x0202, 0x0203, 0x0206, 0x0208]
    assert list(made["order_id"]) == [24, 77, 54, 0]
    assert list(made["key"]) == [0, 2, 2, 3]
    assert (context["heartbeats"], context["messages"], faults(context)) == (1, 8, {})


def test_only_whole_messages_are_consumed_wherever_the_piece_is_cut() -> None:
    fill = wrap(app(0x0290, cl_ord_id=11), 1)
    for length in range(2 * len(fill) + 1):
        made, context = run_packet(WALK, MESSAGE, (fill * 2)[:length])
        whole = length // len(fill)
        assert (len(made), context["consumed"]) == (whole, whole * len(fill))
        assert faults(context) == {}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (PILLAR_STREAM[0x0206].encode(msg_length=13)[:13], "short_message"),
        (PILLAR_STREAM[0x0204].encode(msg_length=5) + b"x", "long_message"),
        (PILLAR_STREAM[0x0204].encode(msg_type=0x0999), "unknown_message"),
        (wrap(b"\x90\x02\x04\x00", 1), "short_message"),
        (wrap(b"\x90", 1), "short_message"),
        (wrap(app(0x0263) + b"x", 1), "long_message"),
        (wrap(b"\x99\x09\x04\x00", 1), "unknown_message"),
        (wrap(app(0x0260, ack_type=0), 1), "unknown_value"),
        (wrap(app(0x0271, ack_type=200), 1), "unknown_value"),
    ],
)
def test_a_message_that_does_not_fit_is_counted_and_stepped_over(bad: bytes, fault: str) -> None:
    good = wrap(app(0x0290, cl_ord_id=11), 8)
    made, context = run_packet(WALK, MESSAGE, bad + good)
    assert faults(context) == {fault: 1}
    assert list(made["kind"]) == [a.EXECUTED]
    assert context["consumed"] == len(bad + good)


def test_a_length_shorter_than_its_own_field_ends_the_stream() -> None:
    good = wrap(app(0x0290, cl_ord_id=11), 8)
    made, context = run_packet(WALK, MESSAGE, good + b"\x04\x02\x03\x00" + good)
    assert (len(made), faults(context)) == (1, {"bad_length": 1})


def test_order_instructions_show_their_parts() -> None:
    field = NEW_ORDER.by_name["bitfield_order_instructions"]
    whole = 3602880119049289728  # of a captured order: sell short, limit, IOC, core, agency
    parts = {part.name: part.of(whole) for part in field.parts}
    assert (parts["side"], parts["ord_type"], parts["self_trade_type"]) == (3, 2, 3)
    assert (parts["time_in_force"], parts["trading_session_id"], parts["order_capacity"]) == (
        2,
        2,
        1,
    )
    covered = sorted((part.shift, part.shift + part.width) for part in field.parts)
    assert covered[0][0] == 0
    assert covered[-1][1] == 64
    assert all(low[1] == high[0] for low, high in pairwise(covered))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"optional_order_add_on": ORDER_ADD_ON_VALUES},
        {"optional_routing_strategy_add_on": ROUTING_ADD_ON_VALUES},
        {
            "optional_order_add_on": ORDER_ADD_ON_VALUES,
            "optional_routing_strategy_add_on": ROUTING_ADD_ON_VALUES,
        },
        {"other_add_ons": ["0100060055aa"]},
    ],
)
def test_add_ons_are_there_or_not(given: dict[str, Any]) -> None:
    raw = NEW_ORDER.encode({**given, "cl_ord_id": 5})
    values = NEW_ORDER.decode(raw)
    assert values["msg_length"] == len(raw)
    found = {name: values[name] for name in given}
    assert found == given
    assert NEW_ORDER.encode(values) == raw
    (message,) = decode(FEED, wrap(raw, 6)).messages
    assert message.envelope["seq"] == 6
    assert message.values == values


@pytest.mark.parametrize("tail", ["01", "010000", "01000300", "0100ff00", "0100310000"])
def test_a_cut_add_on_is_a_fault_that_reads_nothing_behind_the_message(tail: str) -> None:
    raw = NEW_ORDER.encode(cl_ord_id=5) + bytes.fromhex(tail)
    with pytest.raises(WireError, match="add-on states"):
        NEW_ORDER.decode(raw + ORDER_ADD_ON.encode(), 0, len(raw))


def test_structures_nest_as_in_the_layout_and_encode_from_there() -> None:
    bust = PILLAR_GATEWAY[0x0292]
    raw = bust.encode(sess=1, value=2, seq=3, deal_id=4)
    body = bust.body(bust.decode(raw))
    assert body["ref_seq_msg_id"] == {"stream_id": {"sess": 1, "value": 2}, "seq": 3}
    assert bust.encode(body) == raw
    outer = PILLAR_STREAM[0x0905]
    assert outer.nest(outer.decode(wrap(raw, 9, 7, 8)))["seq_msg_id"] == {
        "stream_id": {"sess": 7, "value": 8},
        "seq": 9,
    }
