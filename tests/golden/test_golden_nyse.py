"""NYSE captures against an independent decoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from action_rig import faults, run_packet
from nyse_rig import Symbols
from real_decodes import captured, differences, expected_packets

from feedhandler.actions import AUCTION_CLOSING, KINDS, NO_PRICE
from feedhandler.registry import decode_best, versions
from feedhandler.transports.packets import write_packet

FOLDERS = ["nyse_integrated", "nyse_bbo", "nyse_imbalances", "nyse_gateway"]
# what each message of a capture does to a book, when neither symbols nor seconds are known
ACTIONS = {
    "AddOrderMessage": ["add"],
    "CrossTradeMessage": ["trade"],
    "DeleteOrderMessage": ["delete"],
    "ImbalanceMessage": ["auction", "auction", "auction"],
    "OrderExecutionMessage": ["execute_price"],
    "ReplaceOrderMessage": ["replace"],
    "SecurityStatusMessage": ["status", "restrict"],
    "SourceTimeReferenceMessage": ["clock"],
    "StockSummaryMessage": [],
    "QuoteMessage": ["top", "top"],
    "SequenceNumberResetMessage": ["clear"],
    "SequenceResetMessage": ["clear"],
    "SymbolIndexMappingMessage": ["symbol"],
    "NewOrderSingleAndCancelReplaceRequestMessage": [],
}


def captures_of(folder: Path) -> list[Path]:
    """The captures of one feed."""
    found = sorted(folder.glob("*.pcap"))
    assert found
    return found


@pytest.mark.parametrize("feed", FOLDERS)
def test_every_capture_reads_as_the_independent_decoder_read_it(
    feed: str, real_captures: Path
) -> None:
    for capture in captures_of(real_captures / feed):
        wanted, got = expected_packets(capture), list(captured(capture))
        assert len(got) == len(wanted)
        for datagram, packet in zip(got, wanted, strict=True):
            found = differences(feed, datagram, packet)
            assert not found, f"{capture.name} frame {packet['frame']}: {found[:5]}"


def test_packet_headers_nest_like_the_layout(real_captures: Path) -> None:
    for capture in captures_of(real_captures / "nyse_integrated"):
        for datagram, packet in zip(captured(capture), expected_packets(capture), strict=True):
            feed, decoded = decode_best(versions("nyse_integrated"), datagram.payload)
            assert feed.transport.header is not None
            assert feed.transport.header.nest(decoded.packet.header) == packet["packet_header"]


@pytest.mark.parametrize("feed", FOLDERS)
def test_every_capture_makes_the_actions_that_its_name_says(feed: str, real_captures: Path) -> None:
    for capture in captures_of(real_captures / feed):
        for datagram in captured(capture):
            best, decoded = decode_best(versions(feed), datagram.payload)
            actions, row = run_packet(*best.kernels(), bytes(datagram.payload))
            kinds = [KINDS[kind] for kind in actions["kind"]]
            wanted = ACTIONS[capture.stem.rpartition("__")[2]]
            assert kinds == (wanted * len(decoded.messages) if wanted else []), capture.name
            assert set(faults(row)) <= {"unknown_symbol"}


def test_every_captured_quote_and_imbalance_encodes_back_to_its_bytes(real_captures: Path) -> None:
    for name in ("nyse_bbo", "nyse_imbalances"):
        for capture in captures_of(real_captures / name):
            for datagram in captured(capture):
                payload = bytes(datagram.payload)
                feed, decoded = decode_best(versions(name), payload)
                assert not feed.version.startswith("2.5")
                messages = [m.record.encode(m.values) for m in decoded.messages]
                packet = write_packet(feed.transport, messages, decoded.packet.header)
                blanks = 11 * len(messages)  # NUL or space behind a symbol: told as text alike
                assert len(packet) == len(payload)
                if "Mapping" not in capture.name:
                    assert packet == payload
                else:
                    assert sum(a != b for a, b in zip(packet, payload, strict=True)) <= blanks


def test_the_captured_quote_and_imbalance_say_these_prices(real_captures: Path) -> None:
    symbols = Symbols(1 << 16)
    symbols.set(6589, decimals=4, system=1)
    symbols.set(44419, decimals=4, system=1)
    made = {}
    for name, version, message in (
        ("nyse_bbo", "2.4", "Bbo.Xdp.v2.3a__QuoteMessage"),
        ("nyse_imbalances", "2.1", "ImbalancesFeed.Xdp.v2.1.f__ImbalanceMessage"),
    ):
        (datagram,) = captured(real_captures / name / f"{message}.pcap")
        kernels = versions(f"{name}@{version}")[0].kernels()
        made[name], row = run_packet(*kernels, bytes(datagram.payload), **symbols.given())
        assert faults(row) == {}
    sides = [(r["side"], r["price"], r["quantity"], r["flags"]) for r in made["nyse_bbo"]]
    assert sides == [(1, 1_032_000_000, 300, 0), (2, 1_038_000_000, 100, 0)]
    near, far, which = made["nyse_imbalances"]
    assert (which["aux"], which["order_id"]) == (AUCTION_CLOSING, ord("C"))
    assert (near["price"], near["aux"], near["quantity"], near["side"]) == (
        1_822_000_000,
        1_822_000_000,
        0,
        0,
    )
    assert (far["aux"], far["time_ns"]) == (1_822_000_000, 1_504_814_400_106_502_000)


def test_a_captured_order_has_no_price_before_its_symbol_is_known(real_captures: Path) -> None:
    walk, message = versions("nyse_integrated")[0].kernels()
    (datagram,) = captured(
        real_captures / "nyse_integrated" / "IntegratedFeed.Pillar.v2.5__AddOrderMessage.pcap"
    )
    payload = bytes(datagram.payload)
    (action,), row = run_packet(walk, message, payload)
    assert (action["price"], action["time_ns"]) == (NO_PRICE, 0)
    assert faults(row) == {"unknown_symbol": 1}
    symbols = Symbols()
    symbols.set(4966, decimals=6, system=3)
    (action,), row = run_packet(walk, message, payload, **symbols.given())
    assert (action["price"], action["quantity"], action["side"]) == (1_001_000_000, 1200, 1)
    assert faults(row) == {}
