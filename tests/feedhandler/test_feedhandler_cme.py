"""CME MDP 3.0: what its messages do to books by price, and which are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from book_rig import Pair
from cme_rig import (
    CHANGE,
    DELETE,
    DELETE_FROM,
    DELETE_THRU,
    END_OF_EVENT,
    FEED,
    NEW,
    OVERLAY,
    SECURITY,
    SEQUENCE,
    TIME_NS,
    Decoder,
    Exchange,
    entry,
    message,
    packet,
)
from numba import njit
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.feed import decode
from feedhandler.lines.peeks import peek_cme
from feedhandler.protocols.cme_fields import NULL_I32, NULL_I64
from feedhandler.transports import kinds
from feedhandler.wire.access import symbol_of
from nic.regions import allowed

ROOM = Sizes(orders=64, levels=256, instruments=64, named=True)
BOOK_CODES = (32, 46, 64)


def said(rows: NDArray[np.void]) -> list[tuple[str, int, int, int]]:
    """Kind, side, price and quantity of records."""
    names = ("kind", "side", "price", "quantity")
    values = [tuple(int(row[name]) for name in names) for row in rows]
    return [(a.KINDS[kind], side, price, quantity) for kind, side, price, quantity in values]


def scale_of(code: int) -> int:
    """What a price on the wire is in units of 1e-8, times 10."""
    return 100 if code < 46 else 1


@pytest.mark.parametrize("code", BOOK_CODES)
def test_a_new_level_has_price_size_key_time_and_sequence(code: int) -> None:
    made = Decoder().run(message(code, entry("0", NEW, 1, 75_845_000_000, 2)))
    assert said(made) == [("level", a.BUY, 75_845_000_000 * scale_of(code) // 10, 2)]
    row = made[0]
    assert (row["key"], row["time_ns"], row["sequence"]) == (SECURITY, TIME_NS, SEQUENCE)
    assert row["flags"] == 0


@pytest.mark.parametrize("code", BOOK_CODES)
def test_books_are_what_the_exchange_shows_after_any_changes(code: int) -> None:
    """Direct and implied levels, levels that are pushed out and come back, deletions of many."""
    decoder, exchange = Decoder(), Exchange(seed=code)
    with Pair(ROOM) as pair:
        for _ in range(400):
            entries = exchange.change()
            if entries:
                pair.apply(decoder.run(message(code, *entries)), whole=False)
            for side in (a.BUY, a.SELL):
                levels = [
                    (price * 10 // scale_of(code), size) for price, size, _ in pair.side(side)
                ]
                assert levels == exchange.shown(side == a.BUY)
        assert pair.book.faults() == {}


def test_a_level_that_is_pushed_out_goes() -> None:
    decoder = Decoder()
    for level in range(1, 11):
        decoder.run(message(46, entry("1", NEW, level, 1000 * level, 5)))
    made = decoder.run(message(46, entry("1", NEW, 1, 500, 7)))
    assert said(made) == [("level", a.SELL, 1000, 0), ("level", a.SELL, 50, 7)]


def test_a_changed_price_takes_the_old_one_away() -> None:
    decoder = Decoder()
    decoder.run(message(46, entry("0", NEW, 1, 1000, 5)))
    made = decoder.run(message(46, entry("0", OVERLAY, 1, 2000, 6)))
    assert said(made) == [("level", a.BUY, 100, 0), ("level", a.BUY, 200, 6)]
    assert said(decoder.run(message(46, entry("0", CHANGE, 1, 2000, 9)))) == [
        ("level", a.BUY, 200, 9)
    ]


def test_levels_that_were_there_before_we_came_go_by_the_price_that_is_named() -> None:
    made = Decoder().run(message(46, entry("0", DELETE, 4, 1000)))
    assert said(made) == [("level", a.BUY, 100, 0)]


def test_many_levels_are_deleted_at_once() -> None:
    decoder = Decoder()
    for level in range(1, 6):
        decoder.run(message(46, entry("0", NEW, level, 1000 * (9 - level), 5)))
    thru = decoder.run(message(46, entry("0", DELETE_THRU, 2)))
    assert said(thru) == [("level", a.BUY, 800, 0), ("level", a.BUY, 700, 0)]
    below = decoder.run(message(46, entry("0", DELETE_FROM, 2)))
    assert said(below) == [("level", a.BUY, 500, 0), ("level", a.BUY, 400, 0)]


def test_direct_and_implied_sizes_at_a_price_add_up() -> None:
    decoder = Decoder()
    decoder.run(message(46, entry("0", NEW, 1, 1000, 5)))
    assert said(decoder.run(message(46, entry("E", NEW, 1, 1000, 3)))) == [("level", 1, 100, 8)]
    assert said(decoder.run(message(46, entry("0", DELETE, 1, 1000)))) == [("level", 1, 100, 3)]


@pytest.mark.parametrize("indicator", [0, END_OF_EVENT])
def test_only_the_last_level_of_an_event_closes_it(indicator: int) -> None:
    entries = [entry("0", NEW, 1, 3000, 5), entry("1", NEW, 1, 4000, 5)]
    made = Decoder().run(message(46, *entries, match_event_indicator=indicator))
    last = 0 if indicator else a.EVENT_OPEN
    assert made["flags"].tolist() == [a.EVENT_OPEN, last]


def test_negative_prices_and_those_of_nine_decimals() -> None:
    """A ninth decimal is not rounded away: the level has no price, which books refuse."""
    decoder = Decoder()
    assert said(decoder.run(message(46, entry("0", NEW, 1, -25_000, 5)))) == [
        ("level", a.BUY, -2500, 5)
    ]
    assert said(decoder.run(message(46, entry("1", NEW, 1, 0, 5)))) == [("level", a.SELL, 0, 5)]
    made = decoder.run(message(46, entry("1", NEW, 2, 1_953_125, 5)))
    assert said(made) == [("level", a.SELL, a.NO_PRICE, 5)]
    with Pair(ROOM) as pair:
        pair.apply(made)
        assert pair.book.faults() == {"bad_price": 1}


def test_a_null_size_is_none() -> None:
    made = Decoder().run(message(46, entry("0", NEW, 1, 1000, NULL_I32)))
    assert said(made) == [("level", a.BUY, 100, 0)]


def test_a_book_reset_and_a_channel_reset() -> None:
    decoder = Decoder()
    decoder.run(message(46, entry("0", NEW, 1, 1000, 5)))
    made = decoder.run(message(46, entry("J", NEW, 0)))
    assert said(made) == [("clear", 0, 0, 0)] and made[0]["key"] == SECURITY
    decoder.run(message(46, entry("0", NEW, 1, 1000, 5)))
    made = decoder.run(message(4))
    assert said(made) == [("clear", 0, 0, 0)] and made[0]["flags"] == a.ALL
    assert said(decoder.run(message(46, entry("0", NEW, 1, 3000, 1)))) == [("level", 1, 300, 1)]


@pytest.mark.parametrize(
    "wrong", [entry("0", NEW, 0), entry("0", NEW, 11), entry("E", NEW, 3), entry("0", 6, 1)]
)
def test_levels_and_actions_out_of_place_are_faults(wrong: dict[str, Any]) -> None:
    good = entry("1", NEW, 1, 1000, 2)
    made = Decoder().run(message(46, wrong, good), expect=("unknown_value",))
    assert said(made) == [("level", a.SELL, 100, 2)]


def test_a_table_without_room_is_said() -> None:
    decoder = Decoder(rows=128)  # 3 securities behind the table's first row
    entries = [entry("0", NEW, 1, 1000, 2, security=number) for number in range(1, 6)]
    made = decoder.run(message(46, *entries), expect=("unknown_symbol",) * 2)
    assert len(made) == 3


def trade(action: int, side: int, **more: int) -> dict[str, int]:
    """An entry of a trade summary."""
    given = {"md_entry_px": 1000, "md_entry_size": 7, "security_id": SECURITY}
    return {**given, "md_update_action": action, "aggressor_side": side, **more}


def test_trades_corrections_and_breaks() -> None:
    entries = [trade(NEW, 1, md_trade_entry_id=99), trade(CHANGE, 2), trade(DELETE, 255)]
    made = Decoder().run(message(48, *entries))
    assert said(made) == [("trade", 1, 100, 7), ("break", 2, 100, 7), ("break", 0, 100, 7)]
    assert made["aux"].tolist() == [99, 0, 0]
    assert made["flags"].tolist() == [0, a.CORRECTION, 0]


@pytest.mark.parametrize(("code", "scale"), [(36, 100), (42, 100), (48, 1), (65, 1)])
def test_every_version_of_a_trade(code: int, scale: int) -> None:
    made = Decoder().run(message(code, trade(NEW, 2)))
    assert said(made) == [("trade", 2, 1000 * scale // 10, 7)]


def definition(code: int, **values: Any) -> bytes:
    """A definition of the security in group 6E."""
    given = {
        "security_id": SECURITY,
        "symbol": "6EZ6",
        "security_group": "6E",
        "asset": "6E",
        "min_price_increment": 500_000,
        "md_security_trading_status": 255,
        "security_update_action": "A",
        "last_update_time": TIME_NS,
    }
    return message(code, **{**given, **values})


@pytest.mark.parametrize(("code", "scale"), [(27, 100), (29, 100), (41, 100), (54, 1), (56, 1)])
def test_definitions_name_a_security_and_its_tick(code: int, scale: int) -> None:
    (row,) = Decoder().run(definition(code))
    assert (a.KINDS[row["kind"]], row["key"], row["quantity"]) == ("symbol", SECURITY, 1)
    assert (symbol_of(int(row["order_id"])), row["price"]) == ("6EZ6", 500_000 * scale // 10)


def test_a_symbol_that_is_too_long_is_no_name() -> None:
    (row,) = Decoder().run(definition(54, symbol="GE:BF H7-M7-U7"))
    assert symbol_of(int(row["order_id"])) + symbol_of(int(row["aux"])) == "GE:BF H7-M7-U7"
    (row,) = Decoder().run(definition(54, symbol="GE:BF H7-M7-U7-Z7"))
    assert (row["order_id"], row["aux"]) == (0, 0)


def test_the_depth_of_a_book_is_the_definitions() -> None:
    decoder = Decoder()
    feed_types = [{"md_feed_type": "GBX", "market_depth": 5}]
    decoder.run(definition(54, feed_types=feed_types, events=[{"event_type": 5}]))
    for level in range(1, 6):
        decoder.run(message(46, entry("1", NEW, level, 1000 * level, 5)))
    made = decoder.run(message(46, entry("1", NEW, 5, 4500, 7)))
    assert said(made) == [("level", a.SELL, 500, 0), ("level", a.SELL, 450, 7)]
    decoder.run(message(46, entry("1", NEW, 6, 9000, 7)), expect=("unknown_value",))


@pytest.mark.parametrize(
    ("code", "status"),
    [(2, a.STATUS_HALTED), (17, a.STATUS_TRADING), (21, a.STATUS_PREOPEN), (26, a.STATUS_CLOSED)],
)
def test_the_state_of_a_security(code: int, status: int) -> None:
    values = {"security_id": SECURITY, "security_trading_status": code, "halt_reason": 2}
    (row,) = Decoder().run(message(30, **values))
    assert (a.KINDS[row["kind"]], row["key"], row["aux"]) == ("status", SECURITY, status)
    assert row["order_id"] == code | 2 << 8


def test_the_state_of_a_group_is_that_of_the_securities_defined_in_it() -> None:
    decoder = Decoder()
    for number, group, product in ((1, "6E", "6E"), (2, "6E", "E7"), (3, "6C", "6C")):
        decoder.run(definition(54, security_id=number, security_group=group, asset=product))
    state = {"security_id": NULL_I32, "security_group": "6E", "security_trading_status": 17}
    assert sorted(decoder.run(message(30, **state))["key"].tolist()) == [1, 2]
    assert decoder.run(message(30, **state, asset="E7"))["key"].tolist() == [2]
    assert len(decoder.run(message(30, **{**state, "security_trading_status": 103}))) == 0
    wrong = message(30, **{**state, "security_trading_status": 77})
    assert len(decoder.run(wrong, expect=("unknown_value",))) == 0


@pytest.mark.parametrize(("code", "scale"), [(38, 100), (52, 1), (69, 1)])
def test_a_snapshot_rebuilds_the_book(code: int, scale: int) -> None:
    decoder = Decoder()
    decoder.run(message(32, entry("0", NEW, 1, 900, 1)))
    levels = [entry("0", 0, 1, 1000, 5), entry("1", 0, 1, 3000, 6), entry("F", 0, 1, 3000, 2)]
    keep = ("md_entry_type", "md_price_level", "md_entry_px", "md_entry_size")
    entries = [{name: level[name] for name in keep} for level in levels]
    entries.append({"md_entry_type": "4", "md_entry_px": NULL_I64})
    made = decoder.run(message(code, *entries, security_id=SECURITY, md_security_trading_status=17))
    unit = scale / 10
    assert said(made) == [
        ("clear", 0, 0, 0),
        ("level", a.BUY, 1000 * unit, 5),
        ("level", a.SELL, 3000 * unit, 6),
        ("level", a.SELL, 3000 * unit, 8),
        ("status", 0, 0, 0),
    ]
    assert all(row["flags"] & a.REFRESH for row in made[:4])
    made = decoder.run(message(46, entry("0", NEW, 1, 20_000, 1)))
    assert said(made) == [("level", a.BUY, 2000, 1)]


def test_all_messages_of_a_packet_have_its_number() -> None:
    first, second = (message(46, entry("0", NEW, level, 1000, 1)) for level in (1, 2))
    assert Decoder().run(first, second)["sequence"].tolist() == [SEQUENCE] * 2
    decoded = decode(FEED, packet(first, second))
    assert [m.sequence for m in decoded.messages] == [SEQUENCE] * 2


def test_fields_beyond_a_shorter_block_are_absent_and_longer_ones_are_stepped_over() -> None:
    future = FEED.protocol[54]
    old, new = future.encode(), future.encode(instrument_guid=7)
    assert len(new) == len(old) + 8
    assert "instrument_guid" not in future.decode(old)
    assert future.decode(new)["instrument_guid"] == 7
    longer = future.encode(instrument_guid=7, block_length=240, symbol="ESZ6")
    assert future.decode(longer) == {**future.decode(longer), "instrument_guid": 7}
    assert said(Decoder().run(longer))[0][0] == "symbol"


def test_entries_are_stepped_by_their_stated_length() -> None:
    entries = [entry("0", NEW, 1, 1000, 1), entry("0", NEW, 2, 900, 2)]
    values = {"md_entries_block_length": 48, "order_id_entries_padding": "fc47000000"}
    made = Decoder().run(message(46, *entries, **values))
    assert said(made) == [("level", a.BUY, 100, 1), ("level", a.BUY, 90, 2)]


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (2, 10, "short_message"),  # a root block that is shorter than the table's
        (2, 200, "bad_length"),
        (21, 31, "bad_count"),  # entries that are shorter than the table's
        (23, 3, "bad_count"),
        (4, 255, "unknown_message"),
    ],
)
def test_impossible_lengths_are_refused(place: int, value: int, reason: str) -> None:
    raw = bytearray(message(46, entry("0", NEW, 1, 1000, 1), entry("0", NEW, 2, 900, 1)))
    raw[place] = value
    good = message(46, entry("1", NEW, 1, 2000, 1))
    decoder = Decoder()
    assert said(decoder.run(bytes(raw), good)) == [("level", a.SELL, 200, 1)]
    plain = decode(FEED, packet(bytes(raw), good))
    assert [fault.reason for fault in plain.faults] == [reason]


def test_a_packet_is_one_number_for_arbitration() -> None:
    """Whatever it carries, and a heartbeat too; what is shorter than its header is none."""
    for messages in ((), (message(12),), (message(46), message(46))):
        raw = np.frombuffer(packet(*messages), np.uint8)
        with allowed(raw):
            said_of = peek(raw.ctypes.data, len(raw))
        assert said_of == (kinds.MESSAGES, 0, 0, SEQUENCE, 1, TIME_NS)
    short = np.frombuffer(packet()[:-1], np.uint8)
    with allowed(short):
        assert peek(short.ctypes.data, len(short))[0] == kinds.BAD


@njit(nogil=True)
def peek(address: Any, length: Any) -> Any:
    """The look of the lines at a packet."""
    return peek_cme(address, length)


@pytest.mark.parametrize(("code", "scale"), [(27, 100), (41, 100), (54, 1), (56, 1)])
def test_a_definition_says_the_limits_of_the_day(code: int, scale: int) -> None:
    given = {"low_limit_price": 9_000_000_000, "high_limit_price": 11_000_000_000}
    rows = Decoder().run(definition(code, **given))
    assert [a.KINDS[row["kind"]] for row in rows] == ["symbol", "bands"]
    band = rows[1]
    wanted = [9_000_000_000 * scale // 10, 11_000_000_000 * scale // 10]
    assert [band["price"], band["aux"], band["key"]] == [*wanted, SECURITY]
    null = {"low_limit_price": NULL_I64, "high_limit_price": NULL_I64}
    assert len(Decoder().run(definition(code, **null))) == 1


@pytest.mark.parametrize(("code", "scale"), [(34, 100), (50, 1)])
def test_limits_that_change_are_bands_of_each_security(code: int, scale: int) -> None:
    rows = [
        (1, 9_000_000_000, 11_000_000_000),
        (2, NULL_I64, 20_000_000_000),
        (3, NULL_I64, NULL_I64),
    ]
    entries = [
        {"security_id": key, "low_limit_price": low, "high_limit_price": high}
        for key, low, high in rows
    ]
    made = Decoder().run(message(code, *entries))
    assert {a.KINDS[row["kind"]] for row in made} == {"bands"}
    wanted = [(k, *(0 if p == NULL_I64 else p * scale // 10 for p in (low, high)))
              for k, low, high in rows]  # fmt: skip
    assert [(row["key"], row["price"], row["aux"]) for row in made] == wanted
    assert set(made["time_ns"].tolist()) == {TIME_NS}
