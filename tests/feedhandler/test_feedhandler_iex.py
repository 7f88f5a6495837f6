"""IEX: what its messages do, and which packets are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from action_rig import faults, run_packet
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.feed import Feed, decode
from feedhandler.prices import price_text
from feedhandler.registry import decode_best, versions
from feedhandler.transports.iextp import (
    DEEP_1_0,
    DEEP_PLUS_1_0,
    HEADER,
    TOPS_1_5,
    TOPS_1_6,
    TRANSPORT,
)
from feedhandler.wire.access import key_of

DEEP, DEEP_PLUS = versions("iex_deep")[0], versions("iex_deepplus")[0]
TOPS16, TOPS15 = versions("iex_tops@1.6")[0], versions("iex_tops@1.5")[0]
IDS = {
    DEEP.full_name: DEEP_1_0,
    DEEP_PLUS.full_name: DEEP_PLUS_1_0,
    TOPS16.full_name: TOPS_1_6,
    TOPS15.full_name: TOPS_1_5,
}
TIME_NS = 1_700_000_000_123_456_789
COMMON = {"timestamp": TIME_NS, "symbol": "ZIEXT"}


def message(feed: Feed, code: str, **values: Any) -> bytes:
    """One message; time and symbol are given."""
    record = feed.protocol[code]
    common = {name: value for name, value in COMMON.items() if name in record.by_name}
    return record.encode({**common, **values})


def packet(feed: Feed, *messages: bytes, **header: Any) -> bytes:
    """A packet with true counts and lengths, but for what the test says in the header."""
    body = b"".join(map(TRANSPORT.framing.wrap, messages))
    stated = {
        "message_protocol_id": IDS[feed.full_name],
        "channel_id": 1,
        "session_id": 77,
        "payload_length": len(body),
        "message_count": len(messages),
        "first_message_sequence_number": 500,
        "send_time": TIME_NS + 9,
        **header,
    }
    return HEADER.encode(stated) + body


def run(feed: Feed, payload: bytes) -> tuple[NDArray[np.void], np.void]:
    """The compiled decoder; its faults must be those of the plain one."""
    made, row = run_packet(*feed.kernels(), payload)
    plain = [fault.reason for fault in decode(feed, payload).faults]
    assert sorted(faults(row).items()) == sorted((name, plain.count(name)) for name in set(plain))
    return made, row


def acts(feed: Feed, code: str, **values: Any) -> list[dict[str, Any]]:
    """What one message does, by the names of an action's fields; zeros are left out."""
    made, row = run(feed, packet(feed, message(feed, code, **values)))
    assert faults(row) == {}
    assert all(made["sequence"] == 500) and all(made["time_ns"] == TIME_NS)
    shown = []
    for action in made:
        fields = {name: int(action[name]) for name in a.ACTION_DTYPE.names}
        kind = a.KINDS[fields.pop("kind")]
        for name in ("sequence", "time_ns", "unit"):
            fields.pop(name)
        assert fields["key"] == (key_of("ZIEXT") if code != "S" else 0)
        fields.pop("key")
        shown.append({"kind": kind, **{n: v for n, v in fields.items() if v}})
    return shown


@pytest.mark.parametrize(("code", "side"), [("8", a.BUY), ("5", a.SELL)])
def test_deep_sets_a_level_to_its_new_size(code: str, side: int) -> None:
    done = acts(DEEP, code, event_flags=1, size=9700, price=990_500)
    assert done == [{"kind": "level", "side": side, "price": 9_905_000_000, "quantity": 9700}]
    assert price_text(done[0]["price"]) == "99.05"


def test_deep_removes_a_level_with_size_zero() -> None:
    assert acts(DEEP, "8", event_flags=1, size=0, price=10_000) == [
        {"kind": "level", "side": a.BUY, "price": 10**8}
    ]


@pytest.mark.parametrize(("flags", "inside"), [(0, True), (1, False), (2, True), (3, False)])
def test_deep_says_that_an_event_is_still_going_on(flags: int, inside: bool) -> None:
    (level,) = acts(DEEP, "5", event_flags=flags, size=1, price=1)
    assert level.get("flags", 0) == (a.EVENT_OPEN if inside else 0)


@pytest.mark.parametrize(
    ("conditions", "flags"),
    [
        (0x00, 0),
        (0x80, a.SWEEP),
        (0x40, a.EXTENDED_HOURS),
        (0x20, a.ODD_LOT),
        (0x10, 0),
        (0x08, a.CROSS),
        (0xF8, a.SWEEP | a.EXTENDED_HOURS | a.ODD_LOT | a.CROSS),
    ],
)
@pytest.mark.parametrize("feed", [DEEP, DEEP_PLUS, TOPS15, TOPS16], ids=lambda f: f.full_name)
@pytest.mark.parametrize(("code", "kind"), [("T", "trade"), ("B", "break")])
def test_sale_conditions_become_flags(
    feed: Feed, code: str, kind: str, conditions: int, flags: int
) -> None:
    (done,) = acts(
        feed, code, sale_condition_flags=conditions, size=100, price=5, trade_id=(1 << 63) + 1
    )
    # DEEP+ reports only trades between orders that are not displayed as such
    hidden = a.HIDDEN if feed is DEEP_PLUS and code == "T" else 0
    assert done.pop("flags", 0) == flags | hidden
    assert done == {"kind": kind, "price": 50_000, "quantity": 100, "aux": 1 - (1 << 63)}


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x00, 0),
        (0x80, a.CLOSED_SIDE),
        (0x40, a.CLOSED_SIDE | a.EXTENDED_HOURS),
        (0xC0, a.CLOSED_SIDE | a.EXTENDED_HOURS),
    ],
)
@pytest.mark.parametrize("feed", [TOPS15, TOPS16], ids=lambda feed: feed.full_name)
def test_a_quote_sets_both_sides(feed: Feed, flags: int, expected: int) -> None:
    sides = acts(
        feed,
        "Q",
        quote_update_flags=flags,
        bid_size=300,
        bid_price=10_000,
        ask_price=10_100,
        ask_size=200,
    )
    assert [side.pop("flags", 0) for side in sides] == [expected, expected]
    assert sides == [
        {"kind": "top", "side": a.BUY, "price": 100_000_000, "quantity": 300},
        {"kind": "top", "side": a.SELL, "price": 101_000_000, "quantity": 200},
    ]


def test_a_quote_without_a_bid_has_an_empty_side() -> None:
    bid, ask = acts(TOPS16, "Q", quote_update_flags=0, ask_price=10_100, ask_size=200)
    assert bid == {"kind": "top", "side": a.BUY}
    assert ask["quantity"] == 200


@pytest.mark.parametrize(
    ("code", "values", "done"),
    [
        (
            "a",
            {"side": "8", "order_id": 7, "size": 100, "price": 20_000},
            {"kind": "add", "side": a.BUY, "order_id": 7, "price": 2 * 10**8, "quantity": 100},
        ),
        (
            "a",
            {"side": "5", "order_id": 8, "size": 100, "price": 20_000},
            {"kind": "add", "side": a.SELL, "order_id": 8, "price": 2 * 10**8, "quantity": 100},
        ),
        (
            "M",
            {"modify_flags": 0, "order_id_reference": 7, "size": 50, "price": 30_000},
            {"kind": "modify", "order_id": 7, "price": 3 * 10**8, "quantity": 50},
        ),
        (
            "M",
            {"modify_flags": 0x80, "order_id_reference": 7, "size": 50, "price": 30_000},
            {
                "kind": "modify",
                "flags": a.KEEPS_PRIORITY,
                "order_id": 7,
                "price": 3 * 10**8,
                "quantity": 50,
            },
        ),
        ("R", {"order_id_reference": 7}, {"kind": "delete", "order_id": 7}),
        (
            "L",
            {"order_id_reference": 7, "size": 25, "price": 19_900, "trade_id": 3},
            {
                "kind": "execute_price",
                "order_id": 7,
                "price": 199 * 10**6,
                "quantity": 25,
                "aux": 3,
            },
        ),
        ("C", {}, {"kind": "clear"}),
    ],
)
def test_deep_plus_keeps_orders(code: str, values: dict[str, Any], done: dict[str, Any]) -> None:
    assert acts(DEEP_PLUS, code, **values) == [done]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("T", a.STATUS_TRADING),
        ("H", a.STATUS_HALTED),
        ("P", a.STATUS_PAUSED),
        ("O", a.STATUS_QUOTING),
    ],
)
def test_trading_status(code: str, status: int) -> None:
    done = acts(TOPS16, "H", trading_status=code, reason="T1")
    assert done == [{"kind": "status", "order_id": ord(code), "aux": status}]


def test_an_operational_halt_is_apart_from_the_trading_status() -> None:
    halted = acts(DEEP, "O", operational_halt_status="O")
    assert halted == [{"kind": "operational_halt", "order_id": ord("O"), "aux": 1}]
    over = acts(DEEP, "O", operational_halt_status="N")
    assert over == [{"kind": "operational_halt", "order_id": ord("N")}]


def test_short_sales_are_restricted_and_free_again() -> None:
    in_force = acts(DEEP_PLUS, "P", short_sale_price_test_status=1, detail="A")
    assert in_force == [{"kind": "restrict", "aux": 1}]
    assert acts(DEEP_PLUS, "P", detail="D") == [{"kind": "restrict"}]


def test_the_directory_names_the_symbol_that_is_its_key() -> None:
    known = {"kind": "symbol", "order_id": key_of("ZIEXT"), "quantity": 100}
    assert acts(DEEP, "D", round_lot_size=100, adjusted_poc_price=10_000) == [known]
    flagged = acts(DEEP, "D", security_directory_flags=0xE0, round_lot_size=100)
    assert flagged == [{**known, "flags": a.TEST_SYMBOL}]


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        ("O", "status", a.STATUS_UNKNOWN),
        ("S", "status", a.STATUS_PREOPEN),
        ("R", "status", a.STATUS_TRADING),
        ("M", "status", a.STATUS_UNKNOWN),
        ("E", "status", a.STATUS_CLOSED),
        ("C", "end", a.STATUS_UNKNOWN),
    ],
)
def test_system_events_concern_all_symbols(event: str, kind: str, status: int) -> None:
    (done,) = acts(TOPS15, "S", system_event=event)
    assert done.pop("aux", 0) == status
    assert done == {"kind": kind, "flags": a.ALL, "order_id": ord(event)}


@pytest.mark.parametrize(("imbalance", "side"), [("B", a.BUY), ("S", a.SELL), ("N", 0)])
def test_an_auction_gives_near_and_far_prices_and_its_collars(imbalance: str, side: int) -> None:
    near, far, which, collar = acts(
        DEEP,
        "A",
        auction_type="C",
        paired_shares=4000,
        reference_price=100_000,
        indicative_clearing_price=110_000,
        imbalance_shares=500,
        imbalance_side=imbalance,
        auction_book_clearing_price=120_000,
        collar_reference_price=99_000,
        lower_auction_collar=90_000,
        upper_auction_collar=130_000,
    )
    assert near.pop("side", 0) == far.pop("side", 0) == side
    shared = {"kind": "auction", "order_id": 500, "price": 10**9, "quantity": 4000}
    assert near == {**shared, "aux": 1_100_000_000}
    assert far == {**shared, "aux": 1_200_000_000, "flags": a.FAR}
    letter, typed = ord("C"), a.AUCTION_CLOSING
    assert {name: which[name] for name in ("kind", "flags", "aux")} == {
        "kind": "auction",
        "flags": a.TYPED,
        "aux": typed,
    }
    assert which["order_id"] & 0xFF == letter
    assert collar == {
        "kind": "collar",
        "price": 900_000_000,
        "aux": 1_300_000_000,
        "quantity": 990_000_000,
    }


@pytest.mark.parametrize(
    ("feed", "code"), [(DEEP, "E"), (DEEP, "I"), (DEEP, "X"), (TOPS16, "I"), (TOPS15, "E")]
)
def test_what_means_nothing_to_a_book_still_counts_as_a_message(feed: Feed, code: str) -> None:
    made, row = run(feed, packet(feed, message(feed, code)))
    assert (len(made), row["messages"], faults(row)) == (0, 1, {})


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        (0, 0),
        (-1, -10_000),
        (((1 << 63) - 1) // 10_000, ((1 << 63) - 1) // 10_000 * 10_000),
        (((1 << 63) - 1) // 10_000 + 1, a.NO_PRICE),
        ((1 << 63) - 1, a.NO_PRICE),
        (-(1 << 63), a.NO_PRICE),
    ],
)
def test_prices_at_the_ends_of_their_range(raw: int, price: int) -> None:
    (level,) = acts(DEEP, "8", event_flags=1, size=0xFFFFFFFF, price=raw)
    assert level.get("price", 0) == price
    assert level["quantity"] == 0xFFFFFFFF


@pytest.mark.parametrize(("feed", "code"), [(TOPS15, "I"), (TOPS16, "E"), (DEEP, "Q"), (DEEP, "a")])
def test_a_message_of_another_feed_is_unknown(feed: Feed, code: str) -> None:
    lender = next(f for f in (DEEP_PLUS, TOPS16) if ord(code) in f.protocol.by_number)
    made, row = run(feed, packet(feed, message(lender, code)))
    assert len(made) == 0 and faults(row) == {"unknown_message": 1}


def test_an_unknown_side_is_counted_and_the_next_message_read() -> None:
    add = {"order_id": 7, "size": 100, "price": 20_000}
    bad, good = (message(DEEP_PLUS, "a", side=side, **add) for side in "B8")
    made, row = run_packet(*DEEP_PLUS.kernels(), packet(DEEP_PLUS, bad, good))
    assert faults(row) == {"unknown_value": 1}
    assert made["sequence"].tolist() == [501]


LEVEL = message(DEEP, "8", event_flags=1, size=1, price=1)
SEQUENCE = 500


def test_a_heartbeat_states_the_next_sequence() -> None:
    made, row = run(DEEP, packet(DEEP))
    assert len(made) == 0 and faults(row) == {}
    assert (row["packets"], row["heartbeats"], row["next_sequence"]) == (1, 1, SEQUENCE)


def test_the_header_says_session_channel_and_send_time() -> None:
    made, row = run(DEEP, packet(DEEP, LEVEL, LEVEL))
    assert made["sequence"].tolist() == [SEQUENCE, SEQUENCE + 1]
    assert made["unit"].tolist() == [1, 1]
    stated = (row["session"], row["unit"], row["stream_ns"], row["next_sequence"])
    assert stated == (77, 1, TIME_NS + 9, SEQUENCE + 2)
    assert (row["packets"], row["messages"], row["heartbeats"]) == (1, 2, 0)


def test_a_sequence_that_starts_again_is_handed_on() -> None:
    _, row = run_packet(*DEEP.kernels(), packet(DEEP, LEVEL))
    made, row = run_packet(
        *DEEP.kernels(), packet(DEEP, LEVEL, first_message_sequence_number=1), row
    )
    assert (made["sequence"].tolist(), row["next_sequence"]) == ([1], 2)


def test_a_version_of_the_transport_other_than_1_is_refused() -> None:
    made, row = run(DEEP, packet(DEEP, LEVEL, version=2))
    assert len(made) == 0 and faults(row) == {"bad_header": 1}


@pytest.mark.parametrize("other", [TOPS_1_5, TOPS_1_6, DEEP_PLUS_1_0, 0])
def test_a_packet_of_another_protocol_is_refused(other: int) -> None:
    made, row = run(DEEP, packet(DEEP, LEVEL, message_protocol_id=other))
    assert len(made) == 0 and faults(row) == {"bad_header": 1}
    assert row["next_sequence"] == 0  # its sequence is another stream's


def test_the_protocol_id_selects_the_version_of_tops() -> None:
    quote = message(TOPS15, "Q", bid_size=1, bid_price=1, ask_price=2, ask_size=1)
    for feed in (TOPS15, TOPS16):
        chosen, decoded = decode_best(versions("iex_tops"), packet(feed, quote))
        assert chosen is feed and not decoded.faults


@pytest.mark.parametrize("size", [0, 1, 39])
def test_a_cut_header_is_counted(size: int) -> None:
    made, row = run(DEEP, packet(DEEP, LEVEL)[:size])
    assert len(made) == 0 and faults(row) == {"short_header": 1}


@pytest.mark.parametrize(
    ("payload", "fault", "levels", "messages"),
    [
        (packet(DEEP, LEVEL, LEVEL)[:-1], "bad_header", 0, 0),  # the payload is cut
        (packet(DEEP, LEVEL, message_count=2), "bad_count", 1, 1),
        (packet(DEEP, LEVEL, message_count=0xFFFF), "bad_count", 1, 1),
        (packet(DEEP, message_count=3), "bad_count", 0, 0),
        (packet(DEEP, LEVEL, LEVEL, message_count=1), "trailing_bytes", 1, 1),
        (packet(DEEP, LEVEL, message_count=0), "trailing_bytes", 0, 0),
        (packet(DEEP, LEVEL, LEVEL, payload_length=63), "bad_length", 1, 1),
        (packet(DEEP, LEVEL, LEVEL, payload_length=33), "bad_count", 1, 1),
        (packet(DEEP, b"", LEVEL), "short_message", 1, 2),
        (packet(DEEP, LEVEL[:-1], LEVEL), "short_message", 1, 2),
        (packet(DEEP, LEVEL + b"\0", LEVEL), "long_message", 1, 2),
        (packet(DEEP, b"\xff" * 30, LEVEL), "unknown_message", 1, 2),
    ],
)
def test_what_does_not_fit_is_counted_and_the_rest_read(
    payload: bytes, fault: str, levels: int, messages: int
) -> None:
    made, row = run(DEEP, payload)
    assert faults(row) == {fault: 1}
    assert (len(made), row["messages"]) == (levels, messages)
    count = int(HEADER.decode(payload)["message_count"])
    assert row["next_sequence"] == SEQUENCE + count


def test_bytes_behind_the_stated_payload_are_not_the_packet_s() -> None:
    made, row = run(DEEP, packet(DEEP, LEVEL) + b"\x01\x02\x03")
    assert (len(made), faults(row)) == (1, {})
