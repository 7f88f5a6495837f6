"""Auctions of four venue groups as one record, beside a plain reading of their messages."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from action_rig import faults, run_packet
from auction_said import FEEDS, message, wanted
from nyse_rig import Symbols

from feedhandler import actions as a
from feedhandler.auctions import AuctionResult, AuctionUpdate, auctions_of

ROUNDS = 60


@pytest.mark.parametrize("name", FEEDS)
def test_every_venue_s_auction_is_one_record(name):
    chance = Random(name)
    symbols = Symbols()
    symbols.set(5, 4, 7)
    seen = set()
    for _ in range(ROUNDS):
        feed, packet = message(name, chance)
        made, row = run_packet(*feed.kernels(), packet, midnight_ns=1 << 60, **symbols.given())
        assert faults(row) == {}
        (update,) = auctions_of(made)
        key, time_ns = int(made["key"][0]), int(made["time_ns"][0])
        assert set(made["key"].tolist()) == {key}
        assert update == wanted(name, packet, 4, key, time_ns)
        seen.add(update.auction)
    assert seen == {*FEEDS[name][1].values(), "unknown"}


def actions(*rows):
    """Records with these fields."""
    made = np.zeros(len(rows), a.ACTION_DTYPE)
    for place, given in zip(made, rows, strict=True):
        for field, value in given.items():
            place[field] = value
    return made


def test_a_cross_is_a_result_and_other_trades_are_none():
    rows = actions(
        {"kind": a.TRADE, "flags": a.CROSS, "price": 500, "quantity": 70, "key": 3, "time_ns": 9},
        {"kind": a.TRADE, "flags": a.HIDDEN, "price": 500, "quantity": 70},
        {"kind": a.EXECUTE, "flags": a.CROSS},
        {"kind": a.TRADE, "flags": a.CROSS, "key": 4, "time_ns": 9},
    )
    assert list(auctions_of(rows)) == [
        AuctionResult(9, 0, 3, 500, 70),
        AuctionResult(9, 0, 4, None, 0),
    ]


def test_records_of_two_symbols_are_not_put_together():
    near = {"kind": a.AUCTION, "key": 1, "price": 5, "aux": 6, "quantity": 7, "order_id": 8}
    far = {"kind": a.AUCTION, "key": 1, "flags": a.FAR, "aux": 9}
    typed = {"kind": a.AUCTION, "key": 1, "flags": a.TYPED, "aux": 2, "order_id": ord("C")}
    (update,) = auctions_of(actions(near, far, typed))
    assert isinstance(update, AuctionUpdate)
    assert (update.auction, update.far, update.near, update.imbalance) == ("closing", 9, 6, 8)
    assert list(auctions_of(actions(near, {**typed, "key": 2}))) == []
    assert list(auctions_of(actions(typed))) == []
    (update,) = auctions_of(actions(near, far, near, typed))
    assert isinstance(update, AuctionUpdate)
    assert update.far is None


def test_a_type_that_is_not_known_and_prices_that_are_none_are_said_so():
    rows = actions(
        {"kind": a.AUCTION, "price": a.NO_PRICE, "aux": 0},
        {"kind": a.AUCTION, "flags": a.TYPED, "aux": 99},
    )
    (update,) = auctions_of(rows)
    assert isinstance(update, AuctionUpdate)
    assert (update.auction, update.letter, update.reference) == ("unknown", "", None)
