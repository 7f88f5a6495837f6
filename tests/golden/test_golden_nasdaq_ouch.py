"""OUCH captures, decoded by our tables and by an independent decoder."""

from __future__ import annotations

from pathlib import Path

from real_decodes import captured, differences, expected_packets

from feedhandler.registry import versions
from feedhandler.streams import StreamDecoder

FOLDER = "nasdaq_ouch50"


def captures(folder: Path) -> list[Path]:
    found = sorted((folder / FOLDER).glob("*.pcap"))
    assert found
    return found


def test_every_captured_message_reads_as_the_oracle_reads_it(real_captures: Path) -> None:
    found = [
        f"{capture.name}: {line}"
        for capture in captures(real_captures)
        for datagram, expected in zip(captured(capture), expected_packets(capture), strict=True)
        for line in differences(FOLDER, datagram, expected)
    ]
    assert found == []


def test_every_captured_message_survives_the_stream_decoder(real_captures: Path) -> None:
    for capture in captures(real_captures):
        decoder = StreamDecoder(versions(FOLDER))
        for datagram, expected in zip(captured(capture), expected_packets(capture), strict=True):
            decoded = decoder.segment(datagram)
            codes = [message.record.code for message in decoded.messages]
            assert codes == [message["code"] for message in expected["messages"]]
            assert decoded.faults == []


def test_a_decoded_message_encodes_to_its_captured_bytes(real_captures: Path) -> None:
    for capture in captures(real_captures):
        for datagram in captured(capture):
            for message in StreamDecoder(versions(FOLDER)).segment(datagram).messages:
                assert message.record.encode(message.values) == datagram.payload[message.start :]
