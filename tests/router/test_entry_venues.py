"""Our orders at simulated gateways: sentences, and what we understand of the answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from entry_rig import GATEWAYS, NUMBERS, Router, Trade, kinds
from gateway_rig import CENT, SYMBOLS

from feedhandler.actions import BUY, SELL
from router import tables as t
from router.entry.layout import BROKEN
from router.log import SENT
from router.logreader import LogReader
from simulator.matching import records as r

LIVE = tuple(GATEWAYS)


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with Router() as made:
        yield made


@pytest.fixture(params=LIVE)
def trade(router: Router, request: pytest.FixtureRequest) -> Iterator[Trade]:
    with Trade(router, request.param) as made:
        yield made


def enter(trade: Trade, token: int, **terms: int) -> np.ndarray:
    """An order's answers."""
    return trade(trade.router.enter(trade.protocol, token, **terms))


def test_an_order_rests_and_is_canceled(trade: Trade) -> None:
    (accepted,) = enter(trade, 7, price=1000 * CENT, quantity=300)
    assert kinds([accepted]) == ["accepted"]
    assert (accepted["order_id"], accepted["price"], accepted["quantity"]) == (7, 1000 * CENT, 300)
    assert trade.venue.shown() == [(1, BUY, 1000 * CENT, 300)]
    (canceled,) = trade(trade.router.cancel(trade.protocol, trade.router.children))
    assert (kinds([canceled]), canceled["order_id"]) == (["canceled"], 7)
    assert canceled["quantity"] in (0, 300)
    assert trade.venue.shown() == []


@pytest.mark.parametrize("side", [BUY, SELL])
def test_an_order_takes_what_rests(trade: Trade, side: int) -> None:
    trade.venue.rests(BUY + SELL - side, 100, 1000)
    accepted, executed, canceled = enter(
        trade, 8, side=side, price=1000 * CENT, quantity=250, tif=t.IOC
    )
    assert kinds([accepted, executed, canceled]) == ["accepted", "executed", "canceled"]
    assert (executed["order_id"], executed["price"], executed["quantity"]) == (8, 1000 * CENT, 100)
    assert executed["unit"] == t.REMOVED
    assert executed["aux"] != 0


def test_an_order_that_rests_adds(trade: Trade) -> None:
    enter(trade, 9, price=1000 * CENT, quantity=100)
    trade.venue.rests(SELL, 40, 1000)
    (executed,) = trade.hear()
    assert (executed["order_id"], executed["quantity"], executed["unit"]) == (9, 40, t.ADDED)


def test_a_hidden_order_adds_unseen(trade: Trade) -> None:
    enter(trade, 10, price=1000 * CENT, flags=t.NOT_SHOWN)
    trade.venue.rests(SELL, 40, 1000)
    (executed,) = trade.hear()
    assert (executed["order_id"], executed["unit"]) == (10, t.ADDED_HIDDEN)


def test_a_midpoint_order_trades_between_the_quotes(trade: Trade) -> None:
    trade.venue.rests(BUY, 100, 1000)
    trade.venue.rests(SELL, 100, 1010)
    trade.venue.other(r.REFERENCE, price=1000 * CENT, cap=1010 * CENT)
    assert kinds(enter(trade, 11, flags=t.MIDPOINT)) == ["accepted"]
    trade.venue.rests(SELL, 60, 0, type=r.MIDPOINT_PEG)
    (executed,) = trade.hear()
    assert (executed["order_id"], executed["price"]) == (11, 1005 * CENT)
    assert (executed["quantity"], executed["unit"]) == (60, t.AT_MIDPOINT)


def test_a_replace_counts_what_was_executed(trade: Trade) -> None:
    router = trade.router
    enter(trade, 20, price=1000 * CENT, quantity=300)
    child = router.children
    trade.venue.rests(SELL, 100, 1000)
    trade.hear()
    (replaced,) = trade(router.replace(trade.protocol, child, 21, 250, 990 * CENT))
    assert (kinds([replaced]), replaced["order_id"], replaced["aux"]) == (["replaced"], 21, 20)
    assert (replaced["price"], replaced["quantity"]) == (990 * CENT, 150)
    assert trade.venue.shown() == [(1, BUY, 990 * CENT, 150)]
    (canceled,) = trade(router.cancel(trade.protocol, child))
    assert (kinds([canceled]), canceled["order_id"]) == (["canceled"], 21)


def test_a_refused_order_names_its_token(trade: Trade) -> None:
    trade.venue.rests(SELL, 100, 1000)
    trade.venue.rests(BUY, 100, 990)
    (rejected,) = enter(trade, 30, price=1000 * CENT, quantity=0)
    assert (kinds([rejected]), rejected["order_id"]) == (["rejected"], 30)
    assert rejected["aux"] != 0


def test_an_order_at_the_venue_has_the_session_s_symbol(trade: Trade) -> None:
    enter(trade, 40, instrument=2, price=500 * CENT)
    assert SYMBOLS[1] == "MSFT"
    assert trade.venue.shown() == [(2, BUY, 500 * CENT, 100)]


def test_a_reserve_shows_a_part(trade: Trade) -> None:
    enter(trade, 41, price=500 * CENT, quantity=500, shown=100)
    assert trade.venue.shown() == [(1, BUY, 500 * CENT, 100)]


def test_a_minimum_is_kept(trade: Trade) -> None:
    trade.venue.rests(SELL, 100, 1000)
    made = enter(trade, 42, price=1000 * CENT, quantity=300, minimum=200, tif=t.IOC)
    assert "executed" not in kinds(made)


def test_a_cancel_that_is_too_late_is_refused_or_passed_over(trade: Trade) -> None:
    enter(trade, 50, price=1000 * CENT)
    child = trade.router.children
    trade(trade.router.cancel(trade.protocol, child))
    made = trade(trade.router.cancel(trade.protocol, child))
    assert kinds(made) == ([] if trade.protocol == "ouch50" else ["cancel_rejected"])
    assert all(action["order_id"] == 50 for action in made)


def test_a_replace_of_an_order_that_is_gone_is_refused_by_its_new_token(trade: Trade) -> None:
    enter(trade, 60, price=1000 * CENT)
    child = trade.router.children
    trade(trade.router.cancel(trade.protocol, child))
    (refused,) = trade(trade.router.replace(trade.protocol, child, 61, 200, 1000 * CENT))
    kind = "cancel_rejected" if trade.protocol in ("boe", "meo") else "rejected"
    assert (kinds([refused]), refused["order_id"]) == ([kind], 61)


def test_what_a_protocol_cannot_say_is_not_sent(trade: Trade) -> None:
    before = int(trade.router.session(trade.protocol)["unsaid"])
    fill_or_kill = trade.router.enter(trade.protocol, 70, price=1000 * CENT, tif=t.FOK)
    assert (fill_or_kill == 0) == (trade.protocol != "boe")
    trade.router.taken(trade.protocol)
    assert trade.router.enter(trade.protocol, 71, price=1000 * CENT, instrument=3) == 0
    assert trade.router.enter(trade.protocol, 72, price=1000 * CENT, flags=t.SHORT) == 0
    after = int(trade.router.session(trade.protocol)["unsaid"])
    assert after - before == 2 + (fill_or_kill == 0)


def test_answers_mean_the_same_wherever_they_are_cut(trade: Trade) -> None:
    trade.venue.rests(SELL, 100, 1000)
    trade.venue.rests(SELL, 100, 1001)
    made = enter(trade, 80, price=1001 * CENT, quantity=300)
    trade.router.replace(trade.protocol, trade.router.children, 81, 400, 990 * CENT)
    made = np.concatenate([made, trade.hears(trade.router.taken(trade.protocol))])
    assert len(made) == 4
    for cut in range(len(trade.heard) + 1):
        again = trade.router.hear(trade.protocol, trade.heard, cuts=[cut])
        ours = [n for n in again.dtype.names if n != "sequence" or trade.protocol != "ouch50"]
        assert all(np.array_equal(again[name], made[name]) for name in ours), cut
    single = trade.router.hear(trade.protocol, trade.heard, cuts=range(1, len(trade.heard)))
    assert list(single["order_id"]) == list(made["order_id"])
    assert trade.router.faults(trade.protocol) == {}


def test_no_more_actions_come_than_there_is_room_for(trade: Trade) -> None:
    made = enter(trade, 90, price=1000 * CENT)
    again = trade.router.hear(trade.protocol, trade.heard * 9, most=5)
    assert list(again["order_id"]) == 9 * list(made["order_id"])


def test_a_session_that_is_down_sends_nothing(trade: Trade) -> None:
    trade.router.sessions.set_state(NUMBERS[trade.protocol], 0)
    assert trade.router.enter(trade.protocol, 95, price=1000 * CENT) < 0
    assert trade.router.taken(trade.protocol) == b""


def test_a_port_s_error_comes_back_and_is_counted(trade: Trade) -> None:
    port = trade.router.ports[NUMBERS[trade.protocol]]
    session = trade.router.session(trade.protocol)
    failed, sequence = int(session["failed"]), int(session["sequence"])
    port.words[1] = -11
    assert trade.router.enter(trade.protocol, 96, price=1000 * CENT) == -11
    port.words[1] = 0
    assert (session["failed"], session["sequence"]) == (failed + 1, sequence)


@pytest.mark.parametrize(
    ("protocol", "bad"), [("boe", b"\0\0\0\0\0"), ("pillar", b"\x05\x09\x01\0")]
)
def test_a_stream_that_lost_its_place_breaks_the_session(
    router: Router, protocol: str, bad: bytes
) -> None:
    with Trade(router, protocol) as trade:
        enter(trade, 97, price=1000 * CENT)
        made = router.hear(protocol, trade.heard + bad + trade.heard)
        session = router.session(protocol)
        assert (len(made), session["state"]) == (1, BROKEN)
        assert router.faults(protocol)["bad_length"] == 1
        assert router.tables.venues[NUMBERS[protocol]]["down"] & t.DOWN_SESSION
        assert len(router.hear(protocol, trade.heard)) == 0
        router.tables.block["session_contexts"]["faults"] = 0


def test_the_log_has_the_bytes(router: Router) -> None:
    log: LogReader = router.tables.log
    list(log.read())
    sent = router.enter("ouch42", 5, price=1000 * CENT)
    (record,) = log.read()
    assert record.kind == SENT
    assert record.words[:6] == (
        NUMBERS["ouch42"],
        router.children,
        t.ENTER,
        sent,
        5,
        NUMBERS["ouch42"],
    )
    assert record.more[:sent] == router.taken("ouch42")
    assert not any(record.more[sent:])
