"""The recovery services of one venue: made from its publisher, then opened in a reactor."""

from __future__ import annotations

from feedhandler.transports import memxtcp
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.cboe import GapPeer, SpinPeer
from simulator.services.glimpse import GlimpsePeer
from simulator.services.iex import IexGapPeer, IexGapServer, SnapPeer
from simulator.services.memx import MemxPeer
from simulator.services.mold import MoldServer
from simulator.services.nyse import NysePeer
from simulator.services.settings import Address, Door, Multicast, ServiceSettings
from simulator.serving.reactor import Datagrams, Reactor


def no_multicast(_group: str, _payload: bytes) -> None:
    """For venues that send nothing again by multicast."""


class Services:
    """Gap fill and snapshots of a venue.

    Args:
        publisher: whose messages and orders.
        settings: accounts, addresses, limits.
        multicast: sends on the recovery groups; NYSE and Cboe need it.

    Attributes:
        gap, gap_stream: where the gap services listen; None where there is none (gap_stream: IEX).
        snapshots: the same of the snapshot services, by unit; NYSE's is the gap service.
    """

    def __init__(
        self,
        publisher: Publisher,
        settings: ServiceSettings | None = None,
        multicast: Multicast = no_multicast,
    ) -> None:
        self.publisher, self.multicast = publisher, multicast
        self.settings = settings or ServiceSettings()
        self.gap: Address | None = None
        self.gap_stream: Address | None = None
        self.snapshots: dict[int, Address] = {}

    def open(self, reactor: Reactor) -> None:
        """Listens. Raises OSError with the address that cannot be had."""
        protocol = self.publisher.feed.protocol.name
        {
            "itch50": self._open_nasdaq,
            "cboe_pitch": self._open_cboe,
            "nyse_integrated_25": self._open_nyse,
            "memoir13": self._open_memx,
            "iex_deepplus": self._open_iex,
        }[protocol](reactor)

    def _door(self) -> Door:
        """Each service lets in on its own."""
        return Door(self.settings.accounts, self.settings.limits)

    def _snapshot_address(self, unit: UnitStream) -> Address:
        host, port = self.settings.snapshot
        return host, port + unit.number - 1 if port else 0

    def _datagrams(self, reactor: Reactor, server: type[MoldServer] | type[IexGapServer]) -> None:
        opened: list[Datagrams] = []

        def send(data: bytes, to: Address) -> None:
            opened[0].send(data, to)

        taker = server(self.publisher, send, self.settings.limits)
        opened.append(reactor.datagrams(self.settings.gap, taker.take))
        self.gap = opened[0].address

    def _open_nasdaq(self, reactor: Reactor) -> None:
        door, publisher, unit = self._door(), self.publisher, self.publisher.units[0]
        self._datagrams(reactor, MoldServer)
        self.snapshots[unit.number] = reactor.listen(
            self._snapshot_address(unit),
            lambda outlet, now_ns: GlimpsePeer(publisher, door, outlet, now_ns),
        )

    def _open_cboe(self, reactor: Reactor) -> None:
        door, publisher = self._door(), self.publisher
        self.gap = reactor.listen(
            self.settings.gap,
            lambda outlet, now_ns: GapPeer(publisher, door, self.multicast, outlet, now_ns),
        )
        for unit in publisher.units:
            self._open_spin(reactor, unit, self._door())

    def _open_spin(self, reactor: Reactor, unit: UnitStream, door: Door) -> None:
        self.snapshots[unit.number] = reactor.listen(
            self._snapshot_address(unit),
            lambda outlet, now_ns: SpinPeer(self.publisher, unit, door, outlet, now_ns),
        )

    def _open_nyse(self, reactor: Reactor) -> None:
        door, publisher = self._door(), self.publisher
        channel = self.settings.product_id, self.settings.channel_id
        self.gap = reactor.listen(
            self.settings.gap,
            lambda outlet, now_ns: NysePeer(
                publisher, door, channel, self.multicast, outlet, now_ns
            ),
        )
        self.snapshots[publisher.units[0].number] = self.gap

    def _open_memx(self, reactor: Reactor) -> None:
        publisher, unit = self.publisher, self.publisher.units[0]
        gap_door, image_door = self._door(), self._door()
        self.gap = reactor.listen(
            self.settings.gap,
            lambda outlet, now_ns: MemxPeer(publisher, gap_door, memxtcp.REPLAY, outlet, now_ns),
        )
        self.snapshots[unit.number] = reactor.listen(
            self._snapshot_address(unit),
            lambda outlet, now_ns: MemxPeer(
                publisher, image_door, memxtcp.SNAPSHOT, outlet, now_ns
            ),
        )

    def _open_iex(self, reactor: Reactor) -> None:
        publisher, unit, limits = self.publisher, self.publisher.units[0], self.settings.limits
        door = self._door()
        self._datagrams(reactor, IexGapServer)
        self.gap_stream = reactor.listen(
            self.settings.gap_stream,
            lambda outlet, now_ns: IexGapPeer(publisher, limits, outlet, now_ns),
        )
        self.snapshots[unit.number] = reactor.listen(
            self._snapshot_address(unit),
            lambda outlet, now_ns: SnapPeer(publisher, door, outlet, now_ns),
        )
