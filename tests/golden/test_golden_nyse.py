"""NYSE captures against an independent decoder."""

from __future__ import annotations

from pathlib import Path

import pytest
from action_rig import faults, run_packet
from nyse_rig import Symbols
from real_decodes import captured, differences, expected_packets

from feedhandler.actions import KINDS, NO_PRICE
from feedhandler.registry import decode_best, versions

FOLDERS = ["nyse_integrated", "nyse_gateway"]
# what the messages of each capture do to a book, when neither symbols nor seconds are known
ACTIONS = {
    "AddOrderMessage": ["add"],
    "CrossTradeMessage": ["trade", "trade"],
    "DeleteOrderMessage": ["delete"],
    "ImbalanceMessage": ["auction", "auction"],
    "OrderExecutionMessage": ["execute_price"],
    "ReplaceOrderMessage": ["replace"],
    "SecurityStatusMessage": ["status", "restrict"],
    "SourceTimeReferenceMessage": ["clock"],
    "StockSummaryMessage": [],
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
    walk, message = versions(feed)[0].kernels()
    for capture in captures_of(real_captures / feed):
        for datagram in captured(capture):
            actions, row = run_packet(walk, message, bytes(datagram.payload))
            kinds = [KINDS[kind] for kind in actions["kind"]]
            assert kinds == ACTIONS[capture.stem.rpartition("__")[2]], capture.name
            assert set(faults(row)) <= {"unknown_symbol"}


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
