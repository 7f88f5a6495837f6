"""Captures of the consolidated tapes against an independent decoder, and encoded back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from action_rig import faults, run_packet
from real_decodes import captured, expected_packets

from feedhandler.actions import KINDS, ODD_LOT, SWEEP
from feedhandler.feed import Message, decode
from feedhandler.registry import guess, versions
from feedhandler.transports.packets import write_packet
from feedhandler.wire.access import key_of

PACKETS = {"nasdaq_uqdf": 3, "siac_cqs": 4, "siac_cts": 13}
# What the two versions of the independent decoder call a field, and our name of it.
NAMES = {
    "security_symbol_long": "security_symbol",
    "limit_up_limit_down_indicator": "limit_up_limit_down_luld_indicator",
    "luld_indicator": "limit_up_limit_down_luld_indicator",
    "participant_timestamp.seconds": "seconds",
    "participant_timestamp.nanoseconds": "nanoseconds",
    "adf_timestamp.seconds": "seconds_2",
    "adf_timestamp.nanoseconds": "nanoseconds_2",
    "timestamp_2.seconds": "seconds_2",
    "timestamp_2.nanoseconds": "nanoseconds_2",
}


CONDITIONS = (
    "settlement_type",
    "trade_through_exempt_reason",
    "extended_hours_or_sequence_type",
    "sro_trade_detail",
)
NAMES |= {
    f"{outer}.category_{number}": name
    for number, name in enumerate(CONDITIONS, 1)
    for outer in ("sale_conditions", "sale_condition_4")
}


def captures_of(folder: Path, feed: str) -> list[Path]:
    return sorted((folder / feed).glob("*.pcap"))


def raw_fields(message: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every field by our name, its value as it is on the wire: an integer, or bytes of text."""
    for path, value in message["raw"].items():
        name = NAMES.get(path, path.rpartition(".")[2])
        if name == "prior_day_trade_date_and_time":  # bytes to the other decoder
            raw = bytes.fromhex(value)
            yield "prior_seconds", int.from_bytes(raw[:4], "big")
            yield "prior_nanoseconds", int.from_bytes(raw[4:], "big")
            continue
        yield name, bytes.fromhex(value) if isinstance(value, str) else value


def differences(message: Message, wanted: dict[str, Any]) -> Iterator[str]:
    """What differs between our decode of one message and the other decoder's."""
    header, ours = wanted["header"], dict(message.values)
    code = header["message_category"] + wanted["code"]
    if message.record.code != code:
        yield f"code {message.record.code!r} != {code!r}"
    for name, value in raw_fields(wanted):
        found = ours.pop(name, None)
        if isinstance(value, bytes):
            value = value.decode("latin-1").rstrip(" \0")
        if found != value:
            yield f"{name}: {found!r} != {value!r}"
    left = set(ours) - {"version", "message_length", "message_category", "message_type"}
    if left:
        yield f"fields {left} are not the other decoder's"


@pytest.mark.parametrize("name", sorted(PACKETS))
def test_every_capture_reads_as_the_independent_decoder_read_it(
    real_captures: Path, name: str
) -> None:
    (feed,) = versions(name)
    packets = 0
    for capture in captures_of(real_captures, name):
        pairs = zip(captured(capture), expected_packets(capture), strict=True)
        for datagram, wanted in pairs:
            decoded = decode(feed, datagram.payload)
            assert decoded.faults == []
            for message, expected in zip(decoded.messages, wanted["messages"], strict=True):
                assert list(differences(message, expected)) == [], capture.name
            packets += 1
    assert packets == PACKETS[name]


@pytest.mark.parametrize("name", sorted(PACKETS))
def test_every_captured_packet_encodes_back_to_its_bytes(real_captures: Path, name: str) -> None:
    """Pad byte and checksum of the blocks included: only zero reserved bytes are told blanks."""
    (feed,) = versions(name)
    filled = ("message_count", "message_length", "block_checksum", "block_size")
    for capture in captures_of(real_captures, name):
        for datagram in captured(capture):
            payload = bytes(datagram.payload)
            decoded = decode(feed, payload)
            nulled = dict.fromkeys(("reserved", "second_reserved", "third_reserved"), "\0")
            messages = [
                m.record.encode({**m.values, **(nulled if m.record.code == "AS" else {})})
                for m in decoded.messages
            ]
            header = {n: v for n, v in decoded.packet.header.items() if n not in filled}
            assert write_packet(feed.transport, messages, header) == payload, capture.name


@pytest.mark.parametrize("name", sorted(PACKETS))
def test_captures_are_known_by_their_bytes(real_captures: Path, name: str) -> None:
    for capture in captures_of(real_captures, name):
        for datagram in captured(capture):
            found = guess(datagram.payload, stream=False)
            assert found is not None and found[0].name == name, capture.name


def actions_of(folder: Path, name: str) -> dict[str, list[Any]]:
    """The actions of each capture, by what its name ends with."""
    walk, message = versions(name)[0].kernels()
    made: dict[str, list[Any]] = {}
    for capture in captures_of(folder, name):
        for datagram in captured(capture):
            actions, row = run_packet(walk, message, bytes(datagram.payload))
            assert faults(row) == {}
            made[capture.stem] = list(actions)
    return made


def test_the_captured_price_band_becomes_bands(real_captures: Path) -> None:
    made = actions_of(real_captures, "nasdaq_uqdf")
    (band,) = made.pop("Uqdf.Output.Utp.v1.5__LimitUpLimitDownPriceBandMessage")
    assert (KINDS[band["kind"]], int(band["key"])) == ("bands", key_of("ANDA"))
    assert (int(band["price"]), int(band["aux"])) == (887_000_000, 1_084_000_000)
    assert (int(band["time_ns"]), int(band["order_id"])) == (1473960514774117456, ord("C"))
    assert list(made.values()) == [[], []]


def test_the_captured_directory_and_price_test_become_actions(real_captures: Path) -> None:
    made = actions_of(real_captures, "siac_cqs")
    symbols = made.pop("Cqs.Cta.v2.10.a__A_S_Symbol_Reference_Data")
    assert [(KINDS[row["kind"]], int(row["key"])) for row in symbols] == [
        ("symbol", key_of("JENA")),
        ("symbol", key_of("JENAr")),
    ]
    assert {int(row["quantity"]) for row in symbols} == {100}
    (test,) = made.pop("Cqs.Cta.v2.10.a__Q_L_Long_Quote")
    assert (KINDS[test["kind"]], int(test["key"])) == ("restrict", key_of("LVWR.WS"))
    assert (int(test["aux"]), int(test["time_ns"])) == (1, 1775536047291945405)
    assert list(made.values()) == [[], []]


def test_the_captured_trades_and_states_of_cts_become_actions(real_captures: Path) -> None:
    made = actions_of(real_captures, "siac_cts")
    (odd,) = made.pop("Cts.Cta.v1.91__LongTradeMessage")
    assert (KINDS[odd["kind"]], int(odd["key"])) == ("trade", key_of("ALLE"))
    assert (int(odd["price"]), int(odd["quantity"])) == (8_081_000_000, 17)
    assert (int(odd["flags"]), int(odd["aux"])) == (SWEEP | ODD_LOT, 53078603287364)
    assert int(odd["time_ns"]) == 1504899700914965000
    (trade,) = made.pop("Cts.Cta.v2.9__LongTradeMessage")
    assert (int(trade["price"]), int(trade["quantity"])) == (2_710_000_000, 100)
    assert (int(trade["flags"]), int(trade["order_id"])) == (0, ord("N") | ord(" ") << 8)
    (bands,) = made.pop("Cts.Cta.v2.9__TradingStatusMessage")
    assert (KINDS[bands["kind"]], int(bands["key"])) == ("bands", key_of("HYBX"))
    assert (int(bands["price"]), int(bands["aux"])) == (2_768_000_000, 3_383_000_000)
    (test,) = made.pop("Cts.Cta.v2.11.b__T_S_Trading_Status")
    assert (KINDS[test["kind"]], int(test["aux"])) == ("restrict", 1)
    (start,) = made.pop("Cts.Cta.v2.11.b__C_A_Start_of_Day")
    (end,) = made.pop("Cts.Cta.v2.11.b__C_Z_End_of_Day")
    assert (KINDS[start["kind"]], KINDS[end["kind"]]) == ("status", "end")
    assert list(made.values()) == [[]] * 7
