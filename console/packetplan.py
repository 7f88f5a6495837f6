"""The packets of a plan's channels as actions, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

import numpy as np
from numpy.typing import NDArray

from console.bookplan import venue_of
from console.plan import Plan
from feedhandler.datagrams import Datagram
from feedhandler.packetactions import PacketActions
from feedhandler.reasons import Reason


def packet_actions(
    packets: Iterable[Datagram], plan: Plan
) -> Iterator[tuple[Datagram, str, NDArray[np.void]]]:
    """Packets of the plan's channels with their venue and actions; of several lines the first."""
    readers: dict[tuple[int, int] | None, tuple[str, PacketActions]] = {}
    taken: set[tuple[str, str]] = set()
    for channel in plan.channels:
        if channel.feed is None:
            continue
        line = channel.name, channel.feed.full_name
        if line in taken and channel.line != "A":
            continue
        taken.add(line)
        address = channel.address
        place = (int(IPv4Address(address.group)), address.udp_port) if address else None
        readers[place] = venue_of(channel), PacketActions(channel.feed, channel.midnight_ns)
    for datagram in packets:
        place = (datagram.destination_ip, datagram.destination_port)
        found = readers.get(place) or readers.get(None)
        if datagram.reason is Reason.OK and found is not None:
            yield datagram, found[0], found[1].read(datagram.payload, datagram.timestamp_ns)
