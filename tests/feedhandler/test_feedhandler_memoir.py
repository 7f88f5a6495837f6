"""MEMX MEMOIR Depth: what its messages do, and which packets are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from action_rig import faults, run_packet
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.feed import decode
from feedhandler.registry import versions
from feedhandler.transports.memoir import HEADER, HEARTBEAT, SEQUENCED, SESSION_SHUTDOWN, TRANSPORT
from feedhandler.wire.access import key_of, symbol_of

FEED = versions("memx_memoir")[0]
TIME_NS = 1_700_000_000_123_456_789
SECURITY = 7996
SEQUENCE = 500


def message(code: int, **values: Any) -> bytes:
    """One message; time and security are given."""
    record = FEED.protocol[code]
    given = {"timestamp": TIME_NS, "security_id": SECURITY, **values}
    return record.encode({name: v for name, v in given.items() if name in record.by_name})


def packet(*messages: bytes, kind: int = SEQUENCED, **header: Any) -> bytes:
    """A packet with a true count, but for what the test says in the header."""
    stated = {"message_type": kind, "session_id": 77, "sequence_number": SEQUENCE}
    if kind == SEQUENCED:
        stated["message_count"] = len(messages)
    return HEADER.encode({**stated, **header}) + b"".join(map(TRANSPORT.framing.wrap, messages))


def run(payload: bytes) -> tuple[NDArray[np.void], np.void]:
    """The compiled decoder; its faults must be those of the plain one."""
    made, row = run_packet(*FEED.kernels(), payload)
    plain = [fault.reason for fault in decode(FEED, payload).faults]
    assert sorted(faults(row).items()) == sorted((name, plain.count(name)) for name in set(plain))
    return made, row


def act(code: int, **values: Any) -> dict[str, Any]:
    """What one message does, by the names of an action's fields; zeros are left out."""
    made, row = run(packet(message(code, **values)))
    assert faults(row) == {} and len(made) == 1
    fields = {name: int(made[0][name]) for name in a.ACTION_DTYPE.names}
    assert (fields.pop("sequence"), fields.pop("time_ns")) == (SEQUENCE, TIME_NS)
    kind = a.KINDS[fields.pop("kind")]
    return {"kind": kind, **{name: value for name, value in fields.items() if value}}


def of_security(kind: str, **more: int) -> dict[str, Any]:
    """An action on the security of `message`."""
    return {"kind": kind, "key": SECURITY, **more}


ADD = {"order_id": 9, "side": "B", "quantity": 100, "price": 104_760_000}
DOLLARS = 10_476_000_000  # of that price


@pytest.mark.parametrize(
    ("code", "values", "done"),
    [
        (10, ADD, of_security("add", side=a.BUY, order_id=9, price=DOLLARS, quantity=100)),
        (
            10,
            {**ADD, "side": "S", "order_id": (1 << 63) + 9},
            of_security("add", side=a.SELL, order_id=9 - (1 << 63), price=DOLLARS, quantity=100),
        ),
        (11, {"order_id": 9}, of_security("delete", order_id=9)),
        (12, {"order_id": 9, "quantity": 40}, of_security("reduce", order_id=9, quantity=40)),
        (
            13,
            {"order_id": 9, "trade_id": 3, "quantity": 60, "price": 104_760_000},
            of_security("execute_price", order_id=9, aux=3, quantity=60, price=DOLLARS),
        ),
        (
            14,
            {"trade_id": 3, "quantity": 60, "price": 104_760_000},
            of_security("trade", flags=a.HIDDEN, aux=3, quantity=60, price=DOLLARS),
        ),
        (
            15,
            {"trade_id": 3, "original_quantity": 60, "original_price": 104_760_000},
            of_security("break", aux=3, quantity=60, price=DOLLARS),
        ),
        (
            16,
            {
                "trade_id": 3,
                "original_quantity": 60,
                "original_price": 1,
                "corrected_quantity": 50,
                "corrected_price": 104_760_000,
            },
            of_security("break", flags=a.CORRECTION, aux=3, quantity=50, price=DOLLARS),
        ),
        (18, {}, of_security("clear")),
        (
            100,
            {"as_of_sequence_number": 44},
            {"kind": "snapshot_end", "flags": a.ALL | a.REFRESH, "order_id": 44},
        ),
        (2, {"short_sale_restriction": 1}, of_security("restrict", aux=1)),
        (2, {"short_sale_restriction": 0}, of_security("restrict")),
    ],
)
def test_what_a_message_does(code: int, values: dict[str, Any], done: dict[str, Any]) -> None:
    assert act(code, **values) == done


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("T", a.STATUS_TRADING),
        ("H", a.STATUS_HALTED),
        ("P", a.STATUS_PAUSED),
        ("Q", a.STATUS_QUOTING),
    ],
)
def test_security_trading_status(code: str, status: int) -> None:
    done = act(3, security_trading_status=code, security_trading_status_reason="R")
    assert done == of_security("status", order_id=ord(code), aux=status)


@pytest.mark.parametrize(
    ("session", "status"),
    [
        ("1", a.STATUS_PREOPEN),
        ("2", a.STATUS_TRADING),
        ("3", a.STATUS_UNKNOWN),
        ("4", a.STATUS_CLOSED),
    ],
)
def test_the_trading_session_concerns_all_securities(session: str, status: int) -> None:
    done = act(5, trading_session=session)
    assert done.pop("aux", 0) == status
    assert done == {"kind": "status", "flags": a.ALL, "order_id": ord(session)}


@pytest.mark.parametrize(("suffix", "rest"), [("", 0), ("\0" * 6, 0), ("B", key_of("B"))])
def test_the_instrument_directory_names_a_security(suffix: str, rest: int) -> None:
    done = act(1, symbol="BRK", symbol_sfx=suffix, round_lot=100, mpv=10_000)
    named = {"order_id": key_of("BRK"), "price": 1_000_000, "quantity": 100}
    assert done == of_security("symbol", **named, **({"aux": rest} if rest else {}))
    assert symbol_of(done["order_id"]) == "BRK"


def test_a_test_symbol_is_flagged() -> None:
    done = act(1, symbol="ZTEST6", round_lot=1, is_test_symbol=1)
    assert done["flags"] == a.TEST_SYMBOL
    assert symbol_of(done["order_id"]) == "ZTEST6"


@pytest.mark.parametrize(
    ("raw", "price"),
    [
        (-1, -100),
        (((1 << 63) - 1) // 100, ((1 << 63) - 1) // 100 * 100),
        (((1 << 63) - 1) // 100 + 1, a.NO_PRICE),
        (-(1 << 63), a.NO_PRICE),
    ],
)
def test_prices_at_the_ends_of_their_range(raw: int, price: int) -> None:
    assert act(10, **{**ADD, "price": raw})["price"] == price


DELETE = message(11, order_id=9)
CLEAR = message(18)


def with_block(raw: bytes, block_bytes: int) -> bytes:
    """The message with another block length."""
    return block_bytes.to_bytes(2, "big") + raw[2:]


def test_a_longer_block_of_a_newer_version_is_stepped_over() -> None:
    newer = with_block(DELETE, 20) + b"\xaa\xbb"
    made, row = run(packet(newer, CLEAR))
    assert faults(row) == {}
    assert made["kind"].tolist() == [a.DELETE, a.CLEAR]
    assert made["order_id"].tolist() == [9, 0]


def test_what_stands_behind_the_block_is_not_the_message_s() -> None:
    made, row = run(packet(DELETE + b"\xaa" * 5, CLEAR))
    assert (len(made), faults(row)) == (2, {})


@pytest.mark.parametrize(
    ("kind", "next_sequence"), [(HEARTBEAT, SEQUENCE), (SESSION_SHUTDOWN, SEQUENCE)]
)
def test_a_packet_without_messages_has_18_bytes_and_states_the_next_sequence(
    kind: int, next_sequence: int
) -> None:
    payload = packet(kind=kind)
    assert len(payload) == 18
    made, row = run(payload)
    assert len(made) == 0 and faults(row) == {}
    assert (row["packets"], row["heartbeats"], row["session"]) == (1, 1, 77)
    assert row["next_sequence"] == next_sequence


def test_messages_are_numbered_from_the_packet_s_sequence() -> None:
    made, row = run(packet(DELETE, CLEAR, DELETE))
    assert made["sequence"].tolist() == [SEQUENCE, SEQUENCE + 1, SEQUENCE + 2]
    assert (row["next_sequence"], row["messages"]) == (SEQUENCE + 3, 3)


def test_a_sequenced_packet_may_hold_no_message() -> None:
    made, row = run(packet())
    assert (len(made), faults(row), row["next_sequence"]) == (0, {}, SEQUENCE)


@pytest.mark.parametrize("payload", [b"", packet(DELETE)[:17], packet(DELETE)[:19]])
def test_a_cut_header_is_counted(payload: bytes) -> None:
    made, row = run(payload)
    assert len(made) == 0 and faults(row) == {"short_header": 1}


@pytest.mark.parametrize(
    "payload",
    [
        packet(kind=3),
        packet(kind=255),
        packet(DELETE, header_length=17),
        packet(DELETE, header_length=20),
        packet(kind=HEARTBEAT, header_length=0),
    ],
)
def test_an_impossible_header_is_refused(payload: bytes) -> None:
    made, row = run(payload)
    assert len(made) == 0 and faults(row) == {"bad_header": 1}
    assert row["next_sequence"] == 0


@pytest.mark.parametrize(
    ("payload", "fault", "made_count", "messages"),
    [
        (packet(DELETE, DELETE)[:-1], "bad_length", 1, 1),
        (packet(DELETE, message_count=2), "bad_count", 1, 1),
        (packet(DELETE, message_count=0xFFFF), "bad_count", 1, 1),
        (packet(DELETE, DELETE, message_count=1), "trailing_bytes", 1, 1),
        (packet(b"", CLEAR), "short_message", 1, 2),
        (packet(DELETE[:5], CLEAR), "short_message", 1, 2),
        (packet(DELETE[:-1], CLEAR), "short_message", 1, 2),
        (packet(with_block(DELETE, 17), CLEAR), "short_message", 1, 2),
        (packet(with_block(DELETE, 0), CLEAR), "short_message", 1, 2),
        (packet(with_block(DELETE, 19), CLEAR), "bad_length", 1, 2),
        (packet(with_block(DELETE, 0xFFFF), CLEAR), "bad_length", 1, 2),
        (packet(b"\x00\x12\xfe" + DELETE[3:], CLEAR), "unknown_message", 1, 2),
        (packet(b"\x00\x12\x04" + DELETE[3:], CLEAR), "unknown_message", 1, 2),
        (packet(b"\xff\xff\x04" + DELETE[3:], CLEAR), "unknown_message", 1, 2),
    ],
)
def test_what_does_not_fit_is_counted_and_the_rest_read(
    payload: bytes, fault: str, made_count: int, messages: int
) -> None:
    made, row = run(payload)
    assert faults(row) == {fault: 1}
    assert (len(made), row["messages"]) == (made_count, messages)
    count = int(HEADER.decode(payload)["message_count"])
    assert row["next_sequence"] == SEQUENCE + count


def test_an_unknown_side_is_counted_and_the_next_message_read() -> None:
    made, row = run_packet(*FEED.kernels(), packet(message(10, **{**ADD, "side": "X"}), CLEAR))
    assert faults(row) == {"unknown_value": 1}
    assert made["sequence"].tolist() == [SEQUENCE + 1]


def test_the_encoder_fills_in_the_block_length_and_the_schema() -> None:
    assert DELETE[:6].hex() == "00120b020103"
