"""Datagrams and TCP segments of captures, for tools that look at each one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

import numpy as np
from numpy.typing import NDArray

from captures import MergedCapture
from feedhandler.frame import FRAME_DTYPE
from feedhandler.framebatch import parse_frames
from feedhandler.reasons import Reason
from nic.regions import allowed

CHUNK_PACKETS = 4096


@dataclass(frozen=True, slots=True)
class Datagram:
    """One captured packet down to its payload.

    Attributes:
        number: of the packet in the merged captures, from 1.
        timestamp_ns: capture time, epoch.
        reason: Reason.OK for UDP, Reason.TCP for TCP, else why there is no payload.
        payload: the UDP or TCP payload; empty when there is none.
        source_ip, destination_ip: IPv4 addresses as integers; 0 when there is none.
        source_port, destination_port, vlan: as on the wire.
        tcp_sequence: of the first payload byte.
        capture: index of the file it came from.
    """

    number: int
    timestamp_ns: int
    reason: Reason
    payload: memoryview
    source_ip: int = 0
    destination_ip: int = 0
    source_port: int = 0
    destination_port: int = 0
    vlan: int = 0
    tcp_sequence: int = 0
    capture: int = 0

    @property
    def flow(self) -> tuple[int, int, int, int]:
        """What tells one TCP direction from another."""
        return self.source_ip, self.source_port, self.destination_ip, self.destination_port

    @property
    def to(self) -> str:
        """Destination address and port, as people write them."""
        return f"{IPv4Address(self.destination_ip)}:{self.destination_port}"


def _parse(
    merged: MergedCapture, chunk: NDArray[np.void]
) -> tuple[NDArray[np.void], NDArray[np.uint8]]:
    packet = chunk["packet"]
    addresses = merged.addresses(chunk)
    lengths = np.ascontiguousarray(packet["caplen_bytes"])
    links = packet["link_type"].astype(np.uint32)
    rows = np.zeros(len(addresses), FRAME_DTYPE)
    reasons = np.zeros(len(addresses), np.uint8)
    given = (addresses, lengths, links)
    places = [array.ctypes.data for array in given]
    windows = [capture.data for capture in merged.captures]
    with allowed(*given, rows, reasons, *windows):
        parse_frames(*places, len(addresses), rows.ctypes.data, reasons.ctypes.data)
    return rows, reasons


def datagrams(merged: MergedCapture) -> Iterator[Datagram]:
    """Every packet of the captures in the order of time, parsed by the loop's own parser."""
    number = 0
    for chunk in merged.packets(CHUNK_PACKETS):
        packet = chunk["packet"]
        rows, reasons = _parse(merged, chunk)
        windows = [capture.data.data for capture in merged.captures]
        bases = [capture.address for capture in merged.captures]
        columns = [rows[name].tolist() for name in _COLUMNS]
        sources, times = chunk["source"].tolist(), packet["timestamp_ns"].tolist()
        for i, reason in enumerate(reasons.tolist()):
            number += 1
            source = sources[i]
            if reason > Reason.TCP:
                empty = windows[source][:0]
                yield Datagram(number, times[i], Reason(reason), empty, capture=source)
                continue
            address, size, *rest = (column[i] for column in columns)
            start = address - bases[source]
            payload = windows[source][start : start + size]
            given = dict(zip(_COLUMNS[2:], rest, strict=True))
            yield Datagram(number, times[i], Reason(reason), payload, **given, capture=source)


_COLUMNS = (
    "payload_address",
    "payload_bytes",
    "source_ip",
    "destination_ip",
    "source_port",
    "destination_port",
    "vlan",
    "tcp_sequence",
)
