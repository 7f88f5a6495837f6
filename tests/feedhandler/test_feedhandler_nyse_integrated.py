"""NYSE Integrated: what its messages do to a book, and when it may not say a price or a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from action_rig import faults, run_packet
from nyse_rig import Symbols

from feedhandler import actions as a
from feedhandler.registry import decode_best, versions
from feedhandler.transports.packets import write_packet
from feedhandler.transports.xdp import HEADER, TRANSPORT
from feedhandler.wire.access import key_of

FEED, OLD_FEED = versions("nyse_integrated")
WALK, MESSAGE = FEED.kernels()
TABLE, OLD = FEED.protocol, OLD_FEED.protocol
IBM = 5
SECOND = 1_700_000_000
BILLION = 1_000_000_000
MAPPING = {"symbol_index": IBM, "symbol": "IBM", "system_id": 7, "lot_size": 100}
ADD: dict[str, Any] = {
    "symbol_index": IBM,
    "order_id": 77,
    "price": 1234500,
    "volume": 300,
    "side": "B",
    "source_time_ns": 42,
}


def packet(*messages: bytes, sequence: int = 10, flag: int = 11, **header: int) -> bytes:
    return write_packet(TRANSPORT, messages, {"delivery_flag": flag, "seq_num": sequence, **header})


def run(*messages: bytes, symbols: Symbols | None = None, **header: int) -> tuple[Any, Any]:
    known = symbols if symbols is not None else Symbols()
    return run_packet(WALK, MESSAGE, packet(*messages, **header), **known.given())


def mapped(decimals: int = 4) -> Symbols:
    symbols = Symbols()
    symbols.set(IBM, decimals, 7)
    return symbols


def test_a_mapping_then_a_second_then_an_order_gives_price_and_time() -> None:
    mapping = TABLE[3].encode(MAPPING, price_scale_code=4)
    second = TABLE[2].encode(id=7, source_time=SECOND)
    made, context = run(mapping, second, TABLE[100].encode(ADD))
    symbol, clock, order = made
    assert (symbol["kind"], symbol["key"], symbol["order_id"]) == (a.SYMBOL, IBM, key_of("IBM"))
    assert (symbol["quantity"], symbol["price"], symbol["aux"]) == (100, 10_000, 0)
    assert (clock["kind"], clock["time_ns"]) == (a.CLOCK, SECOND * BILLION)
    assert (order["kind"], order["key"], order["order_id"]) == (a.ADD, IBM, 77)
    assert (order["side"], order["quantity"]) == (a.BUY, 300)
    assert order["price"] == 123_45000000
    assert order["time_ns"] == SECOND * BILLION + 42
    assert list(made["sequence"]) == [10, 11, 12]
    assert (context["next_sequence"], faults(context)) == (13, {})


@pytest.mark.parametrize("code", range(9))
def test_every_scale_code_is_exact(code: int) -> None:
    mapping = TABLE[3].encode(MAPPING, price_scale_code=code)
    for price in (-(2**31), -1, 0, 1, 2**31 - 1):
        made, _ = run(mapping, TABLE[100].encode(ADD, price=price))
        assert made["price"][1] == price * 10 ** (8 - code)


def test_a_scale_beyond_8_decimals_gives_no_price_and_is_counted() -> None:
    mapping = TABLE[3].encode(MAPPING, price_scale_code=9)
    made, context = run(mapping, TABLE[100].encode(ADD))
    assert made["price"][1] == a.NO_PRICE
    assert faults(context) == {"unknown_value": 1, "unknown_symbol": 1}


def test_an_order_of_an_unknown_symbol_has_no_price_and_no_time() -> None:
    second = TABLE[2].encode(id=7, source_time=SECOND)
    made, context = run(second, TABLE[100].encode(ADD), TABLE[100].encode(ADD, symbol_index=2**31))
    assert list(made["price"][1:]) == [a.NO_PRICE] * 2
    assert list(made["time_ns"][1:]) == [0, 0]
    assert faults(context) == {"unknown_symbol": 2}


def test_a_time_is_unknown_until_the_symbols_own_system_said_its_second() -> None:
    other = TABLE[2].encode(id=6, source_time=SECOND)
    made, context = run(other, TABLE[100].encode(ADD), symbols=mapped())
    assert made["time_ns"][1] == 0
    assert faults(context) == {}


def test_a_delete_of_an_unknown_symbol_is_no_fault() -> None:
    made, context = run(TABLE[102].encode(symbol_index=9999, order_id=1))
    assert (made["kind"][0], made["price"][0]) == (a.DELETE, 0)
    assert faults(context) == {}


@pytest.mark.parametrize("pad", [" ", "\0"])
@pytest.mark.parametrize("symbol", ["A", "ABCDEFGH", "ABCDEFGHIJK", "BRK A"])
def test_symbols_are_the_same_text_whatever_pads_them(symbol: str, pad: str) -> None:
    made, _ = run(TABLE[3].encode(MAPPING, symbol=symbol.ljust(11, pad)))
    rest = key_of(symbol[8:]) if len(symbol) > 8 else 0
    assert (made["order_id"][0], made["aux"][0]) == (key_of(symbol), rest)


@pytest.mark.parametrize(("change", "flags"), [(0, a.KEEPS_PRIORITY), (1, 0), (2, 0)])
def test_a_modified_order_keeps_its_place_only_when_the_feed_says_so(
    change: int, flags: int
) -> None:
    modify = TABLE[101].encode(
        symbol_index=IBM, order_id=77, price=5, volume=6, position_change=change
    )
    (made,), _ = run(modify, symbols=mapped())
    assert (made["kind"], made["flags"]) == (a.MODIFY, flags)
    assert (made["order_id"], made["price"], made["quantity"]) == (77, 50_000, 6)


@pytest.mark.parametrize(("printable", "flags"), [(1, 0), (0, a.NOT_PRINTABLE)])
def test_executions_and_hidden_trades_say_whether_they_print(printable: int, flags: int) -> None:
    given = {"symbol_index": IBM, "price": 1, "volume": 2, "trade_id": 3}
    made, _ = run(
        TABLE[103].encode(given, order_id=77, printable_flag=printable),
        TABLE[110].encode(given, printable_flag=printable),
        symbols=mapped(),
    )
    assert list(made["kind"]) == [a.EXECUTE_PRICE, a.TRADE]
    assert list(made["flags"]) == [flags, flags | a.HIDDEN]
    assert list(made["order_id"]) == [77, 0]
    assert set(made["aux"]) == {3}


def test_replace_cross_cancel_and_correction() -> None:
    made, _ = run(
        TABLE[104].encode(symbol_index=IBM, order_id=1, new_order_id=2, price=3, volume=4),
        TABLE[111].encode(symbol_index=IBM, cross_id=5, price=6, volume=7, cross_type="6"),
        TABLE[112].encode(symbol_index=IBM, trade_id=8),
        TABLE[113].encode(symbol_index=IBM, cross_id=9, volume=10),
        symbols=mapped(),
    )
    assert list(made["kind"]) == [a.REPLACE, a.TRADE, a.BREAK, a.BREAK]
    assert list(made["order_id"]) == [1, 0, 0, 0]
    assert list(made["aux"]) == [2, 5, 8, 9]
    assert list(made["flags"]) == [0, a.CROSS, 0, a.CROSS | a.CORRECTION]


def test_an_imbalance_has_its_own_second_and_scales_all_its_prices() -> None:
    imbalance = TABLE[105].encode(
        symbol_index=IBM,
        source_time=SECOND,
        source_time_ns=9,
        reference_price=100,
        paired_qty=5,
        total_imbalance_qty=6,
        market_imbalance_qty=4,
        auction_type="C",
        indicative_match_price=98,
        imbalance_side="S",
        continuous_book_clearing_price=101,
        auction_interest_clearing_price=99,
    )
    made, _ = run(imbalance, symbols=mapped(2))
    assert list(made["kind"]) == [a.AUCTION] * 3
    assert list(made["flags"]) == [0, a.FAR, a.TYPED]
    assert list(made["price"]) == [100_000_000, 100_000_000, 98_000_000]
    assert list(made["aux"]) == [101_000_000, 99_000_000, a.AUCTION_CLOSING]
    assert (made["order_id"][2], made["quantity"][2]) == (ord("C"), 4)
    assert set(made["time_ns"]) == {SECOND * BILLION + 9}
    assert (made["quantity"][0], made["order_id"][0], made["side"][0]) == (5, 6, a.SELL)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"security_status": "O", "ssr_state": "~"}, [(a.STATUS, 2, 0), (a.RESTRICT, 0, 0)]),
        ({"security_status": "O", "halt_condition": "P"}, [(a.STATUS, 3, 0)]),
        ({"security_status": "4", "halt_condition": "M"}, [(a.STATUS, 4, 0)]),
        ({"security_status": "4", "halt_condition": "D"}, [(a.STATUS, 3, 0)]),
        ({"security_status": "X", "halt_condition": "D"}, [(a.STATUS, 6, 0)]),
        ({"security_status": "5", "market_state": "O"}, [(a.STATUS, 2, 0)]),
        ({"security_status": "5", "market_state": "P"}, [(a.STATUS, 1, 0)]),
        ({"security_status": "L"}, [(a.STATUS, 2, a.EXTENDED_HOURS)]),
        ({"security_status": "P", "ssr_state": "E"}, [(a.STATUS, 1, 0), (a.RESTRICT, 1, 0)]),
        ({"security_status": "A", "ssr_state": "~"}, [(a.RESTRICT, 1, 0)]),
        ({"security_status": "D", "ssr_state": "E"}, [(a.RESTRICT, 0, 0)]),
        ({"security_status": "I"}, []),
    ],
)
def test_security_states(values: dict[str, str], wanted: list[tuple[int, int, int]]) -> None:
    status = TABLE[34].encode(values, symbol_index=IBM, source_time=SECOND)
    made, context = run(status)
    assert [(m["kind"], m["aux"], m["flags"]) for m in made] == wanted
    assert set(made["time_ns"]) <= {SECOND * BILLION}
    assert faults(context) == {}


def test_clears_are_of_a_symbol_or_of_the_channel() -> None:
    made, _ = run(
        TABLE[32].encode(symbol_index=IBM, source_time=SECOND), TABLE[1].encode(source_time=SECOND)
    )
    assert list(made["kind"]) == [a.CLEAR, a.CLEAR]
    assert list(made["key"]) == [IBM, 0]
    assert list(made["flags"]) == [0, a.ALL]


@pytest.mark.parametrize("code", [10, 11, 12, 13, 15, 31, 114, 223])
def test_messages_without_meaning_for_a_book_emit_nothing(code: int) -> None:
    made, context = run(TABLE[code].encode())
    assert (len(made), context["messages"], faults(context)) == (0, 1, {})


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"\x04\x00\xff\x7f", "unknown_message"),
        (b"\x04\x00\x64\x00", "short_message"),
        (TABLE[102].encode() + b"x", "long_message"),
        (TABLE[100].encode(ADD, side="Q"), "unknown_value"),
        (TABLE[34].encode(security_status="?"), "unknown_value"),
        (TABLE[2].encode(id=256), "unknown_value"),
    ],
)
def test_a_message_that_does_not_fit_is_counted_and_skipped(bad: bytes, fault: str) -> None:
    stated = len(bad).to_bytes(2, "little") + bad[2:]
    made, context = run(stated, TABLE[102].encode(symbol_index=IBM))
    assert faults(context) == {fault: 1}
    assert list(made["sequence"]) == [11]
    assert context["next_sequence"] == 12


@pytest.mark.parametrize("size", [0, 3, 26, 65535])
def test_an_impossible_message_size_ends_the_packet(size: int) -> None:
    delete = TABLE[102].encode()
    made, context = run(delete, size.to_bytes(2, "little") + delete[2:], delete)
    assert len(made) <= 1 + (size == 26)
    assert sum(faults(context).values()) >= 1
    assert context["next_sequence"] == 13


def test_the_packet_size_bounds_the_messages() -> None:
    whole = packet(TABLE[102].encode(), TABLE[102].encode())
    for size in (0, 15, len(whole) + 1):
        _, context = run_packet(WALK, MESSAGE, size.to_bytes(2, "little") + whole[2:])
        assert faults(context) == {"bad_header": 1}
    shorter = (16 + 25).to_bytes(2, "little") + whole[2:]
    made, context = run_packet(WALK, MESSAGE, shorter)
    assert (len(made), faults(context)) == (1, {"bad_count": 1})
    _, context = run_packet(WALK, MESSAGE, whole[:15])
    assert faults(context) == {"short_header": 1}


def test_a_heartbeat_states_the_next_sequence() -> None:
    made, context = run(flag=1, sequence=55, seconds=3, nanoseconds=4)
    assert (len(made), context["next_sequence"], context["heartbeats"]) == (0, 55, 1)
    assert context["stream_ns"] == 3 * BILLION + 4


def test_refreshes_are_marked_and_leave_the_live_sequence_alone() -> None:
    header = TABLE[35].encode(current_refresh_pkt=1, total_refresh_pkts=1, last_seq_num=900)
    order = TABLE[106].encode(ADD, source_time=SECOND)
    row = run(flag=1, sequence=55)[1]
    symbols = mapped()
    payload = packet(header, order, flag=19, sequence=1)
    (made,), row = run_packet(WALK, MESSAGE, payload, row=row, **symbols.given())
    assert (made["kind"], made["flags"]) == (a.ADD, a.REFRESH)
    assert (made["time_ns"], made["price"]) == (SECOND * BILLION + 42, 123_45000000)
    assert row["next_sequence"] == 55
    for flag in (17, 20):
        payload = packet(header, order, flag=flag, sequence=1)
        (made, end), row = run_packet(WALK, MESSAGE, payload, row=row, **symbols.given())
        assert (end["kind"], end["key"], end["order_id"]) == (a.SNAPSHOT_END, IBM, 900)
        assert row["next_sequence"] == 55


def test_the_end_of_a_refresh_without_its_header_says_nothing() -> None:
    made, context = run(TABLE[102].encode(), flag=20)
    assert list(made["kind"]) == [a.DELETE]
    made, context = run(flag=17)
    assert (len(made), faults(context)) == (0, {})


def test_version_2_1_is_told_by_its_imbalance_or_by_when_it_was_sent() -> None:
    both = versions("nyse_integrated")
    sent_2017, sent_2022 = {"seconds": 1_500_000_000}, {"seconds": 1_645_000_000}
    short, long = OLD[105].encode(), TABLE[105].encode()
    for header in ({}, sent_2017, sent_2022):
        assert decode_best(both, packet(short, **header))[0] is OLD_FEED
        assert decode_best(both, packet(long, **header))[0] is FEED
    execution = TABLE[103].encode()
    assert decode_best(both, packet(execution))[0] is FEED
    assert decode_best(both, packet(execution, **sent_2022))[0] is FEED
    assert decode_best(both, packet(execution, **sent_2017))[0] is OLD_FEED


def test_both_versions_mean_the_same() -> None:
    walk, message = OLD_FEED.kernels()
    symbols = mapped()
    for code in (100, 101, 102, 103, 104, 106, 110, 111):
        given = {n: v for n, v in ADD.items() if n in TABLE[code].by_name}
        if "side" not in OLD[code].by_name:
            given.pop("side", None)
        new = run_packet(WALK, MESSAGE, packet(TABLE[code].encode(given)), **symbols.given())[0]
        old = run_packet(walk, message, packet(OLD[code].encode(given)), **symbols.given())[0]
        assert np.array_equal(new, old), code


def test_the_header_nests_its_send_time_and_takes_it_nested() -> None:
    payload = HEADER.encode({"send_time": {"seconds": 8, "nanoseconds": 9}, "seq_num": 1})
    values = HEADER.decode(payload)
    assert (values["seconds"], values["nanoseconds"]) == (8, 9)
    assert HEADER.nest(values)["send_time"] == {"seconds": 8, "nanoseconds": 9}
