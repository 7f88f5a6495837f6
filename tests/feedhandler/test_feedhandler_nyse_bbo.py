"""NYSE's quotes and imbalances: what they do to a book, and which quotes count for a best."""

from __future__ import annotations

from typing import Any

import pytest
from action_rig import faults, run_packet
from nyse_rig import Symbols

from feedhandler import actions as a
from feedhandler.registry import decode_best, versions
from feedhandler.transports.packets import write_packet
from feedhandler.transports.xdp import REFRESH_ONLY, TRANSPORT

VERSIONS = versions("nyse_bbo")
QUOTE: dict[str, Any] = {
    "symbol_index": 5,
    "source_time_ns": 42,
    "bid_price": 1_000_000,
    "bid_volume": 300,
    "ask_price": 1_000_100,
    "ask_volume": 200,
    "quote_condition": "R",
}


def packet(feed, code, flag=11, **values):
    """One message in a packet."""
    message = feed.protocol[code].encode(values)
    return write_packet(TRANSPORT, [message], {"delivery_flag": flag, "seq_num": 1})


def said(feed, code, **values):
    """The actions of one message of a symbol with four decimals."""
    symbols = Symbols()
    symbols.set(5, 4, 7)
    made, row = run_packet(*feed.kernels(), packet(feed, code, **values), **symbols.given())
    assert faults(row) == {}
    return made


@pytest.mark.parametrize("feed", VERSIONS, ids=lambda feed: feed.version)
def test_a_quote_is_the_best_of_both_sides(feed):
    bid, offer = said(feed, 140, **QUOTE)
    assert [a.KINDS[row["kind"]] for row in (bid, offer)] == ["top", "top"]
    assert (bid["side"], bid["price"], bid["quantity"]) == (a.BUY, 10_000_000_000, 300)
    assert (offer["side"], offer["price"], offer["quantity"]) == (a.SELL, 10_001_000_000, 200)
    assert (bid["key"], bid["flags"], offer["flags"]) == (5, 0, 0)


@pytest.mark.parametrize(
    ("letters", "closed"), [("RO 4", (0, 0)), ("AF", (0, 1)), ("BE", (1, 0)), ("CHLNUW", (1, 1))]
)
def test_quotes_that_are_slow_closed_or_not_firm_are_in_no_national_best(letters, closed):
    for letter in letters:
        rows = said(VERSIONS[0], 140, **{**QUOTE, "quote_condition": letter})
        assert tuple(int(row["flags"] == a.CLOSED_SIDE) for row in rows) == closed, letter


def test_a_side_that_is_empty_is_said_so():
    bid, _ = said(VERSIONS[0], 140, **{**QUOTE, "bid_price": 0, "bid_volume": 0})
    assert (bid["price"], bid["quantity"]) == (0, 0)


def test_a_refreshed_quote_is_part_of_a_snapshot():
    feed = VERSIONS[0]
    symbols = Symbols()
    symbols.set(5, 4, 7)
    made, _ = run_packet(
        *feed.kernels(), packet(feed, 140, REFRESH_ONLY, **QUOTE), **symbols.given()
    )
    assert set(made["flags"].tolist()) == {a.REFRESH}


@pytest.mark.parametrize("name", ["nyse_bbo", "nyse_imbalances"])
def test_versions_are_told_apart_by_length_and_else_by_when_they_were_sent(name):
    new, old = versions(name)
    code = 140 if name == "nyse_bbo" else 105
    for feed in (new, old):
        assert decode_best([new, old], packet(feed, code))[0] is feed
    for second, feed in ((1_500_000_000, old), (1_700_000_000, new)):
        clear = new.protocol[1].encode({})
        header = {"delivery_flag": 12, "seq_num": 1, "seconds": second}
        assert decode_best([new, old], write_packet(TRANSPORT, [clear], header))[0] is feed


def test_an_imbalance_is_that_of_the_integrated_feed():
    values = {
        "symbol_index": 5,
        "source_time": 1_700_000_000,
        "source_time_ns": 9,
        "reference_price": 500_000,
        "paired_qty": 1_000,
        "total_imbalance_qty": 400,
        "imbalance_side": "S",
        "continuous_book_clearing_price": 499_900,
        "auction_type": "C",
    }
    for version in ("2.5", "2.1"):
        own = said(versions(f"nyse_imbalances@{version}")[0], 105, **values)
        integrated = said(versions(f"nyse_integrated@{version}")[0], 105, **values)
        assert own.tobytes() == integrated.tobytes()
        assert (own[0]["order_id"], own[0]["quantity"], own[0]["side"]) == (400, 1_000, a.SELL)
        assert own[0]["time_ns"] == 1_700_000_000_000_000_009
