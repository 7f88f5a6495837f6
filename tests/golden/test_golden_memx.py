"""MEMX captures against an independent decoder."""

from __future__ import annotations

from pathlib import Path

from action_rig import faults, run_packet
from real_decodes import captured, differences, expected_packets

from feedhandler.actions import KINDS
from feedhandler.registry import versions

# what the one sequenced message of each capture does to a book
ACTIONS = {
    "Heartbeat": [],
    "OrderAddedMessage": ["add"],
    "OrderDeletedMessage": ["delete"],
    "OrderExecutedMessage": ["execute_price"],
    "OrderReducedMessage": ["reduce"],
    "RegShowRestrictionMessage": ["restrict"],
    "SecurityTradingStatusMessage": ["status"],
    "TradingSessionStatusMessage": ["status"],
}


def captures_of(folder: Path) -> list[Path]:
    """MEMX's captures: one set of this feed is known to hold a Nasdaq packet."""
    found = sorted((folder / "memx_memoir").glob("*.pcap"))
    assert found
    return [capture for capture in found if "StockTradingAction" not in capture.name]


def test_every_capture_reads_as_the_independent_decoder_read_it(real_captures: Path) -> None:
    for capture in captures_of(real_captures):
        wanted, got = expected_packets(capture), list(captured(capture))
        assert len(got) == len(wanted)
        for datagram, packet in zip(got, wanted, strict=True):
            found = differences("memx_memoir", datagram, packet)
            assert not found, f"{capture.name} frame {packet['frame']}: {found[:5]}"


def test_every_capture_makes_the_action_that_its_name_says(real_captures: Path) -> None:
    walk, message = versions("memx_memoir")[0].kernels()
    for capture in captures_of(real_captures):
        for datagram in captured(capture):
            actions, row = run_packet(walk, message, bytes(datagram.payload))
            assert faults(row) == {}
            kinds = [KINDS[kind] for kind in actions["kind"]]
            assert kinds == ACTIONS.get(capture.stem.rpartition("__")[2], kinds), capture.name
