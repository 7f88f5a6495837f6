"""MEO over ESesM: what the exchange's messages mean to our orders, and the session around them."""

from __future__ import annotations

import pytest
from action_rig import faults, run_packet

from feedhandler import actions as a
from feedhandler.protocols import liquidity
from feedhandler.registry import guess, versions
from feedhandler.transports.esesm import ESESM, SEQUENCED, UNSEQUENCED, wrap
from feedhandler.wire.access import key_of

(FEED,) = versions("miax_meo")
TABLE = FEED.inner[SEQUENCED]
WALK, MESSAGE = FEED.kernels()
NOW_NS = 1_773_667_800_000_000_007
ABOUT = {
    "matching_engine_time": NOW_NS,
    "client_order_id": "000000000000042",
    "original_client_order_id": "000000000000041",
    "symbol_id": 9,
    "order_id": 777,
    "price": 186_910_000,
}


def said(code, *, engine=3, sequence=55, **values):
    """The actions of one message of the exchange: kind, token, price, quantity, aux; and all."""
    record = TABLE[code]
    given = {name: value for name, value in {**ABOUT, **values}.items() if name in record.by_name}
    packet = wrap(SEQUENCED, record.encode(given), sequence, engine)
    made, row = run_packet(WALK, MESSAGE, packet)
    assert faults(row) == {}
    assert set(made["time_ns"].tolist()) <= {NOW_NS}
    assert set(made["sequence"].tolist()) <= {sequence}
    names = ("order_id", "price", "quantity", "aux")
    return [(a.KINDS[r["kind"]], *(int(r[name]) for name in names)) for r in made], made


PRICE = 18_691_000_000


def test_answers_to_a_new_order():
    assert said("NR", size=300)[0] == [("accepted", 42, PRICE, 300, 777)]
    assert said("NR", order_status="J")[0] == [("rejected", 42, 0, 0, ord("J"))]
    assert int(said("NR", size=300)[1]["key"][0]) == 9
    assert int(said("NR", size=300)[1]["unit"][0]) == 3


def test_answers_to_a_modify_name_the_new_order():
    assert said("MR", leaves_qty=250)[0] == [("replaced", 42, PRICE, 250, 41)]
    assert said("MR", modify_status="D")[0] == [("cancel_rejected", 42, 0, 0, ord("D"))]


def test_answers_to_a_cancel_name_the_order_or_the_refused_request():
    assert said("CR")[0] == [("canceled", 41, 0, 0, ord(" "))]
    assert said("CR", cancel_status="T")[0] == [("cancel_rejected", 42, 0, 0, ord("T"))]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"cancel_reason": "U"}, ("canceled", 42, 0, 0, ord("U"))),
        ({"cancel_reason": "U", "leaves_qty": 30}, ("restated", 42, 0, 30, ord("U"))),
        ({"pending_cancel_status": "P", "cancel_reason": "U"}, ("cancel_pending", 42, 0, 0, 85)),
        (
            {"pending_cancel_status": "X", "pending_reject_reason": "F"},
            ("cancel_rejected", 42, 0, 0, ord("F")),
        ),
    ],
)
def test_what_takes_shares_off_an_order(values, wanted):
    assert said("XN", **values)[0] == [wanted]


@pytest.mark.parametrize("bit", [0, 1])
@pytest.mark.parametrize(("letter", "kind"), [("A", liquidity.ADDED), ("R", liquidity.REMOVED)])
def test_a_fill(letter, kind, bit):
    short, made = said(
        "E1",
        trade_status="E",
        execution_id=99,
        last_price=186_910_000,
        last_size=100,
        liquidity_indicator=letter + "1",
        order_execution_instructions=bit,
    )
    assert short == [("executed", 42, PRICE, 100, 99)]
    assert (int(made["side"][0]), int(made["unit"][0])) == (1 + bit, kind)


def test_a_fill_that_is_taken_back_or_put_right():
    given = {"execution_id": 99, "last_price": 186_910_000, "last_size": 100}
    short, made = said("E1", trade_status="X", **given)
    assert (short[0][0], int(made["flags"][0])) == ("break", 0)
    short, made = said("E1", trade_status="C", **given)
    assert (short[0][0], int(made["flags"][0])) == ("break", a.CORRECTION)


def test_news_about_orders():
    short, made = said("O1", size=300, new_order_instructions=1)
    assert short == [("restated", 42, PRICE, 300, 777)]
    assert int(made["side"][0]) == a.SELL
    assert said("MN", leaves_qty=20)[0] == [("restated", 42, PRICE, 20, 777)]
    assert said("MN", pending_modify_status="P")[0] == []
    refused = said("MN", pending_modify_status="X", pending_reject_reason="B")[0]
    assert refused == [("cancel_rejected", 42, 0, 0, ord("B"))]
    for code in ("PU", "RA", "CQ", "XR"):
        assert said(code)[0] == []


def test_symbols_and_the_state_of_the_system():
    short, made = said("SU", ticker_symbol="ABCDEFGHIJK", lot_size=100)
    assert short == [("symbol", key_of("ABCDEFGH"), 1, 100, key_of("IJK"))]
    assert int(made["key"][0]) == 9
    test = said("SU", ticker_symbol="ZVZZT", test_security_indicator="Y")[1]
    assert int(test["flags"][0]) == a.TEST_SYMBOL
    assert said("SN", system_status="S", session_id=4)[0] == [("session", 4, 0, 0, ord("S"))]


def test_ids_of_others_are_none_of_ours():
    assert said("NR", client_order_id="WEB-7", size=1)[0][0][1] == 0


def control(code, **values):
    """The actions of one packet of the session."""
    made, row = run_packet(WALK, MESSAGE, ESESM[code].encode(values))
    assert faults(row) == {}
    return [(a.KINDS[r["kind"]], int(r["aux"]), int(r["order_id"])) for r in made], row


def test_the_session():
    engines = [{"status": " ", "trading_session_id": n} for n in (1, 2)]
    assert control("r", engines=engines)[0] == [("session", ord("r"), ord(" "))]
    engines[1]["status"] = "X"
    assert control("r", engines=engines)[0] == [("session", ord("r"), ord("X"))]
    assert control("c")[0] == [("session", ord("c"), 0)]
    assert control("G", text="bye")[0] == [("session", ord("G"), 0)]
    for code in ("0", "1"):
        made, row = control(code)
        assert (made, int(row["heartbeats"])) == ([], 1)
    for code in ("l", "a", "X", "T"):
        assert control(code)[0] == []


def test_engines_that_reach_behind_their_packet_are_a_fault():
    for code, name in (("r", "engines"), ("l", "requested")):
        raw = bytearray(ESESM[code].encode({name: [{}]}))
        raw[ESESM[code].size - 1] = 2
        made, row = run_packet(WALK, MESSAGE, bytes(raw))
        assert (len(made), faults(row)) == (0, {"bad_count": 1})


def test_what_the_client_says_is_decoded_and_means_nothing():
    order = TABLE["N1"].encode(client_order_id="1", symbol_id=9, size=100, price=1)
    packet = wrap(UNSEQUENCED, order)
    assert len(packet) == 134
    made, row = run_packet(WALK, MESSAGE, packet)
    assert (len(made), faults(row)) == (0, {})
    found = guess(packet, stream=True)
    assert found is not None and found[0] is FEED
