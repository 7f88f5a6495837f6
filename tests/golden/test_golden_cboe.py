"""Cboe captures against an independent decoder, and encoded back to the captured bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_decodes import captured, differences, expected_packets

from feedhandler.feed import decode
from feedhandler.registry import versions

PACKETS = {"cboe_pitch": 7, "cboe_boe": 13}


@pytest.mark.parametrize("feed", sorted(PACKETS))
def test_every_capture_reads_as_the_independent_decoder_read_it(
    real_captures: Path, feed: str
) -> None:
    packets = 0
    for capture in sorted((real_captures / feed).glob("*.pcap")):
        wanted, got = expected_packets(capture), list(captured(capture))
        assert len(got) == len(wanted)
        for datagram, packet in zip(got, wanted, strict=True):
            found = differences(feed, datagram, packet)
            assert not found, f"{capture.name} frame {packet['frame']}: {found[:5]}"
            packets += 1
    assert packets == PACKETS[feed]


@pytest.mark.parametrize("feed_name", sorted(PACKETS))
def test_every_captured_message_encodes_back_to_its_bytes(
    real_captures: Path, feed_name: str
) -> None:
    (feed,) = versions(feed_name)
    messages = 0
    for capture in sorted((real_captures / feed_name).glob("*.pcap")):
        for datagram in captured(capture):
            payload = bytes(datagram.payload)
            decoded = decode(feed, payload)
            spans = decoded.packet.spans
            for message, (start, end) in zip(decoded.messages, spans, strict=True):
                assert message.record.encode(message.values) == payload[start:end]
                messages += 1
    assert messages >= PACKETS[feed_name]
