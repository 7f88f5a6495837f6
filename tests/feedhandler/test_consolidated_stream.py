"""The stream on a ring: what is published, what a slow subscriber is told, the wire format."""

from __future__ import annotations

import numpy as np
import pytest
from market_rig import Rig, action

from feedhandler import actions as a
from feedhandler.actions import BUY, SELL
from feedhandler.consolidated.slow import SlowVenue
from feedhandler.consolidated.streamformat import KINDS, STREAM_DTYPE
from feedhandler.consolidated.streamwire import (
    BATCH,
    DIRECTORY,
    MOST_RECORDS,
    Message,
    directory,
    name_in,
    pack,
    unpack,
)
from feedhandler.consolidated.subscriptions import Subscription


@pytest.fixture
def rig():
    made = Rig([SlowVenue(), SlowVenue()])
    for venue in range(2):
        made.status(venue, 1, a.STATUS_TRADING)
    yield made
    made.close()


def told(records):
    return [(KINDS[r["kind"]], int(r["venue"]), r["words"].tolist()) for r in records]


def test_a_new_best_is_told_as_quote_best_and_national(rig):
    subscription = Subscription(rig.market)
    rig.level(1, 1, BUY, 1000, 200)
    records = subscription.read()
    assert told(records) == [
        ("quote", 1, [1000, 200, 0, 0, a.STATUS_TRADING | 1 << 16]),
        ("best", 0, [1000, 0, 200, 0, 2]),
        ("national", 0, [1000, 0, 200, 0, 2]),
    ]
    assert records["sequence"].tolist() == [1, 2, 3]
    assert set(records["time_ns"].tolist()) == {rig.time_ns}
    assert set(records["instrument"].tolist()) == {1}
    rig.level(0, 1, SELL, 1000, 100)
    last = subscription.read()[-1]
    assert (KINDS[last["kind"]], last["flags"] & 3) == ("national", 1)
    assert last["words"].tolist() == [1000, 1000, 200, 100, 2 | 1 << 32]


def test_bands_are_told_once_and_in_front_of_what_they_change(rig):
    rig.level(0, 1, BUY, 1000, 200)
    subscription = Subscription(rig.market)
    said = action(a.BANDS, key=1, price=990, aux=1000, time_ns=77)
    rig.apply(1, said)
    records = subscription.read()
    assert told(records) == [
        ("bands", 1, [990, 1000, 77, 0, 0]),
        ("national", 0, [1000, 0, 200, 0, 1]),
    ]
    assert records["flags"].tolist() == [0, 4 << 2]  # limit up
    rig.apply(1, said)
    assert len(subscription.read()) == 0


def test_only_the_kinds_asked_for_come(rig):
    subscription = Subscription(rig.market, ["status", "odd_lot"])
    rig.level(0, 1, BUY, 1000, 50)
    rig.status(0, 1, a.STATUS_HALTED)
    assert told(subscription.read()) == [
        ("odd_lot", 0, [1000, 0, 50, 0, 1]),
        ("status", 0, [a.STATUS_HALTED, 0, 0, 0, 0]),
        ("odd_lot", 0, [0, 0, 0, 0, 0]),
    ]
    with pytest.raises(ValueError, match="no stream record 'x'"):
        Subscription(rig.market, ["x"])


def test_trades_bear_the_price_of_their_order(rig):
    subscription = Subscription(rig.market, ["trade"])
    rig.apply(0, action(a.ADD, key=1, order_id=7, side=BUY, price=1000, quantity=100))
    rig.apply(0, action(a.EXECUTE, order_id=7, quantity=60, aux=91, time_ns=5))
    rig.apply(0, action(a.EXECUTE_PRICE, key=1, order_id=7, quantity=30, price=1002, aux=92))
    rig.apply(0, action(a.TRADE, key=1, quantity=5, price=1003, aux=93, side=SELL, flags=a.HIDDEN))
    rig.apply(0, action(a.EXECUTE, order_id=99, quantity=60, aux=94))
    records = subscription.read()
    assert [row["words"].tolist() for row in records] == [
        [1000, 60, 91, 7, 5],
        [1002, 30, 92, 7, 0],
        [1003, 5, 93, 0, 0],
    ]
    assert [(int(r["side"]), int(r["flags"])) for r in records] == [(0, 0), (0, 0), (2, 1)]


def test_orders_that_come_and_trade_in_one_packet_have_their_price(rig):
    subscription = Subscription(rig.market, ["trade"])
    rig.apply(
        0,
        action(a.ADD, key=1, order_id=7, side=BUY, price=1000, quantity=100),
        action(a.EXECUTE, order_id=7, quantity=10),
        action(a.MODIFY, order_id=7, price=1005, quantity=90),
        action(a.EXECUTE, order_id=7, quantity=10),
        action(a.MODIFY, order_id=7, price=a.NO_PRICE, quantity=70),
        action(a.EXECUTE, order_id=7, quantity=10),
        action(a.REPLACE, order_id=7, aux=8, price=1006, quantity=90),
        action(a.EXECUTE, order_id=8, quantity=10),
    )
    prices = [row["words"].tolist()[0] for row in subscription.read()]
    assert prices == [1000, 1005, 1005, 1006]


def test_a_slow_subscriber_loses_records_and_is_told_how_many(rig):
    slow = Subscription(rig.market, ["quote"], slots=4)
    quick = Subscription(rig.market, ["quote"], slots=64)
    for price in range(1000, 1010):
        rig.level(0, 1, BUY, price, 100)
    assert slow.read()["sequence"].tolist() == [1, 2, 3, 4]
    rig.level(0, 1, BUY, 1010, 100)
    gap, after = slow.read()
    assert (KINDS[gap["kind"]], gap["words"].tolist()) == ("gap", [6, 0, 0, 0, 0])
    assert (gap["sequence"], after["sequence"], after["words"][0]) == (11, 12, 1010)
    assert slow.lost_count == 6
    assert quick.read()["words"][:, 0].tolist() == list(range(1000, 1011))
    assert quick.lost_count == 0


def test_who_left_gets_nothing_and_the_place_is_given_again(rig):
    first = Subscription(rig.market)
    first.close()
    assert rig.market.head["wanted"] == 0
    rig.level(0, 1, BUY, 1000, 100)
    assert len(first.read()) == 0
    second = Subscription(rig.market, slots=8)
    assert second.place == first.place
    rig.level(0, 1, BUY, 1001, 100)
    assert second.read()["sequence"].tolist() == [1, 2, 3]


def test_there_is_room_for_so_many_subscribers(rig):
    for _ in range(len(rig.market.subscribers)):
        Subscription(rig.market, slots=2)
    with pytest.raises(ValueError, match="room for 16 subscribers"):
        Subscription(rig.market)


def test_messages_are_read_back():
    records = np.zeros(3, STREAM_DTYPE)
    records["sequence"] = [5, 6, 7]
    found = unpack(pack(Message(BATCH, 77, 4, records)))
    assert found[:3] == (BATCH, 77, 4)
    assert np.array_equal(found.records, records)
    with pytest.raises(ValueError, match="at most 1000"):
        pack(Message(BATCH, 1, 1, np.zeros(MOST_RECORDS + 1, STREAM_DTYPE)))


@pytest.mark.parametrize(
    "spoil, why",
    [
        (lambda m: m[:31], "at least 32"),
        (lambda m: b"X" + m[1:], "offset 0"),
        (lambda m: m[:1] + b"XYZ" + m[4:], "offset 0"),
        (lambda m: m[:4] + b"\2" + m[5:], "offset 4"),
        (lambda m: m[:-1], "offset 6"),
    ],
)
def test_what_is_no_message_is_refused(spoil, why):
    message = pack(Message(DIRECTORY, 1, 0, np.zeros(2, STREAM_DTYPE)))
    with pytest.raises(ValueError, match=why):
        unpack(spoil(message))


def test_the_directory_names_instruments_and_venues(rig):
    rig.market.set_instrument(1, "BRK.A", lot=1, bands=(5, 9))
    records = directory(rig.market)
    assert [name_in(row) for row in records] == ["BRK.A", "v0", "v1"]
    assert records[0]["words"].tolist()[2:] == [1, 5, 9]
    assert records["venue"].tolist() == [0, 0, 1]
