"""One venue of a live market: its feed, its order entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from feedhandler.actions import STATUS_PREOPEN
from simulator.gateways.accounts import Account
from simulator.gateways.boe import BoeGateway
from simulator.gateways.gateway import Gateway, Submit
from simulator.gateways.meo import MeoGateway
from simulator.gateways.ouch import OuchGateway
from simulator.gateways.pillar import PillarGateway
from simulator.live.multicast import MulticastSender
from simulator.market.market import Records
from simulator.market.outlets import publisher_of
from simulator.market.plan import MarketPlan
from simulator.publishing.faults import FaultPlan
from simulator.publishing.lines import lines_of
from simulator.publishing.linestream import LineStream
from simulator.publishing.packets import Packets
from simulator.publishing.publisher import Publisher
from simulator.publishing.venues import VENUES, VenueFeed
from simulator.services.settings import GAP, REFRESH

USUAL: Final = {"bzx": "boe", "edgx": "boe", "nyse": "pillar", "arca": "pillar"}
OUCH: Final = "ouch50"  # of venues with a protocol that we do not speak


def gateway_of(
    venue: str,
    accounts: Mapping[str, Account],
    symbols: Sequence[str],
    submit: Submit,
    protocol: str = "",
) -> Gateway:
    """The order entry of a venue, in a protocol; empty: in the usual one."""
    units = VENUES[venue].units if venue in VENUES else 1
    makers: dict[str, Callable[..., Gateway]] = {
        OUCH: OuchGateway,
        "boe": partial(BoeGateway, units=units),
        "pillar": PillarGateway,
        "meo": partial(MeoGateway, engines=units),
    }
    return makers[protocol or USUAL.get(venue, OUCH)](accounts, symbols, submit)


def recovery_groups(venue: VenueFeed) -> dict[str, str]:
    """Where a venue sends again what was missed: the groups behind those of its lines."""
    network = venue.group_b.rpartition(".")[0]
    last = int(venue.group_b.rpartition(".")[2])
    return {GAP: f"{network}.{last + 1}", REFRESH: f"{network}.{last + 2}"}


class LiveFeed:
    """The feed of a venue on both lines, with what goes wrong on them.

    Attributes:
        publisher: of the feed.
        messages: sent so far, on each line.
    """

    def __init__(
        self, plan: MarketPlan, venue: str, faults: FaultPlan, sender: MulticastSender
    ) -> None:
        self.publisher: Publisher = publisher_of(plan, venue, retain=None)
        self.messages = 0
        self._sender = sender
        self._lines = [
            (line, LineStream(line, faults, self.publisher.midnight_ns, plan.seed))
            for line in lines_of(self.publisher.venue)
        ]

    def begin(self, time_ns: int) -> None:
        """The directory, and the state before the opening."""
        self._put(self.publisher.begin(time_ns, STATUS_PREOPEN))

    def publish(self, events: Records, until_ns: int) -> None:
        """Sends events, and what leaves before a time when nothing more happens."""
        if len(events):
            self._put(self.publisher.publish(np.ascontiguousarray(events)))
        self._put(self.publisher.heartbeats(until_ns))

    def flush(self) -> None:
        """Sends what waits for others to share its packet."""
        self._put(self.publisher.flush())

    def end(self, time_ns: int) -> None:
        """The closed state, and the end of the session."""
        self._put(self.publisher.end(time_ns))
        for line, stream in self._lines:
            self._send(line.group, line.port, stream.flush())

    def send_again(self, group: str, payload: bytes) -> None:
        """Sends a datagram of the recovery services, on the group for gaps or for refreshes."""
        venue = self.publisher.venue
        self._sender.send(payload, recovery_groups(venue)[group], venue.port)

    def _put(self, packets: Packets) -> None:
        if len(packets) == 0:
            return
        self.messages += packets.message_count
        for line, stream in self._lines:
            self._send(line.group, line.port, stream.carry(packets))

    def _send(self, group: str, port: int, packets: Packets) -> None:
        for _, payload in packets:
            self._sender.send(payload, group, port)
