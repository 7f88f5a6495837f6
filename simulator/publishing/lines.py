"""The two lines of a feed: where they are sent, when they arrive, and their frames in captures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from captures import PACKET_DTYPE as RECORD_DTYPE
from captures import PcapWriter
from nic.regions import allowed
from simulator.publishing.frames import HEADERS_BYTES, IP_CHECKSUM_AT, write_frames
from simulator.publishing.packets import Packets
from simulator.publishing.venues import VenueFeed

LineName = Literal["A", "B"]
TTL: Final = 16
UDP: Final = 17
PADDING_BYTES: Final = 64


@dataclass(frozen=True)
class Line:
    """One line of a venue's feed.

    Attributes:
        venue: whose.
        name: "A" or "B".
        group, source, port: of its datagrams; both ports are the same.
        delay_ns: from the venue to us.
    """

    venue: VenueFeed
    name: LineName
    group: str
    source: str
    port: int
    delay_ns: int

    def template(self) -> bytes:
        """Ethernet, IPv4 and UDP headers; lengths, identification and checksums are 0."""
        group, source = IPv4Address(self.group).packed, IPv4Address(self.source).packed
        ethernet = b"\x01\x00\x5e" + bytes([group[1] & 0x7F, *group[2:]])
        ethernet += b"\x02\0" + source + b"\x08\0"
        ip = bytes([0x45, 0, 0, 0, 0, 0, 0x40, 0, TTL, UDP, 0, 0]) + source + group
        return ethernet + ip + self.port.to_bytes(2, "big") * 2 + bytes(4)


def lines_of(venue: VenueFeed) -> tuple[Line, Line]:
    """Lines A and B of a venue."""
    later = venue.delay_ns + venue.lag_ns
    return (
        Line(venue, "A", venue.group_a, venue.source_a, venue.port, venue.delay_ns),
        Line(venue, "B", venue.group_b, venue.source_b, venue.port, later),
    )


def word_sum(raw: bytes) -> int:
    """Sum of 16-bit words, the first byte of each lowest."""
    return sum(int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2))


@dataclass(frozen=True)
class Frames:
    """Whole frames as a capture has them.

    Attributes:
        records: captures.PACKET_DTYPE; offsets count in `data`.
        data: uint8.
    """

    records: NDArray[np.void]
    data: NDArray[np.uint8]


class Framer:
    """Puts a line's payloads into frames; the IP identification counts them."""

    def __init__(self, line: Line) -> None:
        self.line, self.count = line, 0
        template = line.template()
        ip, ports = template[14:34], template[34:38]
        assert len(template) == HEADERS_BYTES and template[IP_CHECKSUM_AT] == 0
        pseudo = ip[12:20] + bytes([0, UDP]) + ports
        self._template = np.frombuffer(template.ljust(PADDING_BYTES, b"\0"), np.uint8).copy()
        self._sums = np.array([word_sum(ip), word_sum(pseudo)], np.int64)

    def frames(self, packets: Packets) -> Frames:
        """The frames of these packets, in order."""
        rows = np.ascontiguousarray(packets.rows)
        payload_bytes = int(rows["length"].sum())
        out = np.empty(payload_bytes + len(rows) * PADDING_BYTES + PADDING_BYTES, np.uint8)
        records = np.zeros(len(rows), RECORD_DTYPE)
        memory: list[NDArray[Any]] = [rows, packets.data, self._template, self._sums, out, records]
        with allowed(*memory):
            at = [array.ctypes.data for array in memory]
            used = write_frames(at[0], len(rows), at[1], at[2], at[3], self.count, at[4], at[5])
        self.count += len(rows)
        return Frames(records, out[:used])


class LineCapture:
    """Writes what a line brings into an ns pcap.

    A `with` block puts the file in its place at its end, whole or not at all.
    """

    def __init__(self, path: str | os.PathLike[str], line: Line) -> None:
        self._framer, self._writer = Framer(line), PcapWriter(path)

    @property
    def packet_count(self) -> int:
        """Packets written so far."""
        return self._writer.packet_count

    def write(self, packets: Packets) -> None:
        """Appends packets, whose times are those of their arrival."""
        if len(packets):
            frames = self._framer.frames(packets)
            self._writer.write_packets(frames.records, frames.data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._writer.__exit__(kind, value, traceback)


def capture_path(folder: Path, line: Line) -> Path:
    """Where a line's capture goes: `VENUE-a.pcap`."""
    return folder / f"{line.venue.name}-{line.name.lower()}.pcap"


def channel_map(venues: Iterable[VenueFeed], day: date, names: str = "AB") -> str:
    """The channel map of these venues as TOML text, as `feedhandler.channelfile` reads it."""
    parts = ["# The channels of made feeds: which feed is sent where.", f'date = "{day}"', ""]
    for line in (line for venue in venues for line in lines_of(venue) if line.name in names):
        parts += [
            "[[channels]]",
            f'name = "{line.venue.name}"',
            f'feed = "{line.venue.feed}"',
            f'line = "{line.name}"',
            f'group = "{line.group}"',
            f"port = {line.port}",
            "",
        ]
    return "\n".join(parts)
