"""Live recovery of one stream: owns the sockets of the clients and drives them beside the loop.

What the loop says of the stream comes in through `on_event`; what goes into it comes out through
`inject`: answers to requests on line R, splice packets on line S. Nothing here waits: whoever owns
the driver calls `step` every few milliseconds, from one thread. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from console.recoveryclients import Position, RecoverySettings, Talk, gap_client, image_client
from console.recoverylinks import Address, Datagrams, Link
from feedhandler.feed import Feed
from feedhandler.lines.image import Image
from feedhandler.lines.recoverer import Recoverer
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.snapshotclient import SnapshotClient
from feedhandler.lines.snapshots.nyse import NyseRefreshClient
from nic.block import Block

ANSWERS: Final = "R"
SPLICES: Final = "S"
RECONNECT_NS: Final = 100_000_000
Inject = Callable[[str, bytes], None]


class GapDesk:
    """Asks for messages: by UDP, or over a connection that is made when something is missing."""

    def __init__(self, client: GapClient | Talk, address: Address) -> None:
        self.gaps = client if isinstance(client, GapClient) else client.gaps
        self._talk = None if isinstance(client, GapClient) else client
        self._udp = Datagrams.towards(address) if self._talk is None else None
        self._address = address
        self._link: Link | None = None
        self._started = False
        self._next_ns = 0

    def step(self, now_ns: int) -> list[bytes]:
        """Sends what is to be sent; the answers that came to us, for line R."""
        if self._udp is not None:
            self._udp.send(self.gaps.requests(now_ns))
            return self._udp.step()
        assert self._talk is not None
        if self._link is None and self.gaps.gaps and now_ns >= self._next_ns:
            self._link, self._started = Link(self._address), False
        if self._link is not None:
            self._speak(self._talk, self._link, now_ns)
        return self._talk.take()

    def _speak(self, talk: Talk, link: Link, now_ns: int) -> None:
        data = link.step()
        if link.up and not self._started:
            self._started = True
            link.send(talk.start(now_ns))
        if data:
            link.send(talk.on_bytes(data, now_ns))
        if self._started:
            link.send(talk.tick(now_ns))
            link.send(talk.requests(now_ns))
        if link.gone or talk.again or talk.failed is not None:
            self._hang_up(now_ns)

    def _hang_up(self, now_ns: int) -> None:
        if self._link is not None:
            self._link.close()
        self._link, self._next_ns = None, now_ns + RECONNECT_NS

    def close(self) -> None:
        """Closes the sockets."""
        self._hang_up(0)
        if self._udp is not None:
            self._udp.close()


class ImageDesk:
    """Asks for one image, over one connection."""

    def __init__(self, client: SnapshotClient, address: Address) -> None:
        self.client, self._link, self._started = client, Link(address), False

    def step(self, now_ns: int) -> bool:
        """Sends and takes what there is; whether it is over."""
        client, link = self.client, self._link
        data = link.step()
        if link.up and not self._started:
            self._started = True
            link.send(client.start(now_ns))
        if data:
            link.send(client.on_bytes(data, now_ns))
        if self._started:
            link.send(client.tick(now_ns))
        if link.gone and not self.over:
            client.closed(now_ns)
        return self.over

    @property
    def over(self) -> bool:
        """Whether there is an image, or will be none."""
        return self.client.image is not None or self.client.failed is not None

    def on_refresh(self, payload: bytes, now_ns: int) -> None:
        """A datagram of the refresh multicast."""
        if self._started and isinstance(self.client, NyseRefreshClient):
            self._link.send(self.client.on_datagram(payload, now_ns))

    def close(self) -> None:
        """Ends the connection."""
        self._link.close()


class RecoveryDriver:
    """Recovery of one stream, with all its units.

    Args:
        feed: the stream's.
        settings: where the services are; without a gap service images are asked for at once.
        inject: puts a packet on line R or S of the stream.
        where: how far the loop is with a unit.
        recovering: how the Recoverer is to be; see there.

    Attributes:
        recoverer: what is done about each unit.
        refused: why images did not come, the last ones; no password is in it.

    Raises:
        OSError: the refresh multicast cannot be heard.
    """

    def __init__(
        self,
        feed: Feed,
        settings: RecoverySettings,
        inject: Inject,
        where: Callable[[int], Position],
        **recovering: Any,
    ) -> None:
        self.feed, self.settings, self._inject, self._where = feed, settings, inject, where
        self._by_key = feed.protocol.name == "nyse_integrated_25"
        self.recoverer = Recoverer(self._ask, None, by_key=self._by_key, **recovering)
        self.refused: list[str] = []
        self._gaps: GapDesk | None = None
        self._images: dict[int, ImageDesk] = {}
        self._refresh: Datagrams | None = None
        if settings.refresh is not None:
            self._refresh = Datagrams.joined(settings.refresh, settings.interface)

    def on_event(self, event: np.void) -> None:
        """An EVENT_DTYPE record of the loop's event ring that is of this stream."""
        if self._gaps is None:
            self._open_gaps(int(event["words"][1]))
        self.recoverer.on_event(event)

    def _open_gaps(self, unit: int) -> None:
        """When the stream's session is known, which the first event tells."""
        client = gap_client(self.feed, self.settings, self._where(unit).session)
        address = self.settings.gap_stream or self.settings.gap
        if client is not None and address is not None:
            self._gaps = GapDesk(client, address)
            self.recoverer.gaps = self._gaps.gaps

    def on_refresh(self, payload: bytes, now_ns: int) -> None:
        """A datagram of NYSE's refresh multicast, from whoever hears it."""
        for desk in self._images.values():
            desk.on_refresh(payload, now_ns)

    def step(self, now_ns: int) -> None:
        """Everything that is due."""
        if self._refresh is not None:
            for payload in self._refresh.step():
                self.on_refresh(payload, now_ns)
        if self._gaps is not None:
            for unit in list(self._gaps.gaps.gaps):
                self._gaps.gaps.moved(unit, self._where(unit).expected)
            for payload in self._gaps.step(now_ns):
                self._inject(ANSWERS, payload)
        for unit, desk in list(self._images.items()):
            if desk.step(now_ns):
                self._take(unit, desk, now_ns)
        for payload in self.recoverer.step(now_ns):
            self._inject(SPLICES, payload)

    def _ask(self, unit: int, now_ns: int) -> None:
        """The recoverer wants an image."""
        self._drop(unit)
        address = self.settings.snapshot_of(unit)
        if address is None:
            self.refused.append(f"unit {unit}: no snapshot service is known")
            self.recoverer.failed(unit, now_ns)
            return
        client = image_client(self.feed, self.settings, unit, self._where(unit))
        self._images[unit] = ImageDesk(client, address)

    def _take(self, unit: int, desk: ImageDesk, now_ns: int) -> None:
        """An image is whole, or will never be."""
        client = desk.client
        images: list[Image] = list(client.images.values())
        self._drop(unit)
        if client.failed is None:
            self.recoverer.images(images, now_ns)
            return
        self.refused = [*self.refused[-99:], f"unit {unit}: {client.failed}"]
        self.recoverer.failed(unit, now_ns)

    def _drop(self, unit: int) -> None:
        desk = self._images.pop(unit, None)
        if desk is not None:
            desk.close()

    def close(self) -> None:
        """Closes all sockets."""
        for unit in list(self._images):
            self._drop(unit)
        for one in (self._gaps, self._refresh):
            if one is not None:
                one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def position_in(block: Block, stream: int) -> Callable[[int], Position]:
    """Reads from a loop's state how far it is with a unit of a stream."""
    rows = block["streams"]
    mine = np.flatnonzero(rows["number"] == stream)

    def where(unit: int) -> Position:
        first = rows[mine[0]]
        row = rows[mine[unit & int(first["unit_mask"])]]
        return Position(*(int(row[name]) for name in ("expected", "top", "session", "held")))

    return where
