"""Which client a feed's recovery services want, and the settings that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console.recoverylinks import Address
from feedhandler.feed import Feed
from feedhandler.lines.iexgap import IexStreamClient, iex_client
from feedhandler.lines.memxgap import MemxGapClient
from feedhandler.lines.recovery import GapClient
from feedhandler.lines.requests import CboeClient, NyseClient, moldudp64_client
from feedhandler.lines.secret import Secret
from feedhandler.lines.session import whole_packets
from feedhandler.lines.snapshotclient import SnapshotClient
from feedhandler.lines.snapshots.glimpse import GlimpseClient
from feedhandler.lines.snapshots.iexsnap import IexSnapClient
from feedhandler.lines.snapshots.memoir import MemoirSnapshotClient
from feedhandler.lines.snapshots.nyse import NyseRefreshClient
from feedhandler.lines.snapshots.spin import SpinClient
from feedhandler.transports import suh, xdp
from feedhandler.transports.transport import Transport
from feedhandler.wire.errors import WireError


@dataclass(frozen=True)
class RecoverySettings:
    """Where a venue's recovery services are, and who we are there. The password shows nowhere.

    Attributes:
        gap: of the gap service; None: nobody is asked for messages.
        gap_stream: IEX: the gap service over TCP, taken instead where it is given.
        snapshots: of the snapshot services by unit; without a unit's own that of unit 0.
        refresh: NYSE: multicast group of the refreshes, where this driver is to hear it itself;
            CME: of the snapshots' loop. refresh_b: CME: its line B.
        definitions, definitions_b: CME: multicast groups of the definitions' loop.
        interface: address of the interface to hear it on.
        username, password: IEX: the token alone.
        session_sub_id: Cboe's.
        session: MoldUDP64's, 10 characters.
        product_id, channel_id: NYSE's; the source id is the user name.
        symbols: NYSE: indexes of the symbols that images are wanted of.
    """

    gap: Address | None = None
    gap_stream: Address | None = None
    snapshots: dict[int, Address] = field(default_factory=dict)
    refresh: Address | None = None
    refresh_b: Address | None = None
    definitions: Address | None = None
    definitions_b: Address | None = None
    interface: str = "0.0.0.0"
    username: str = ""
    password: Secret = field(default_factory=lambda: Secret("", 0))
    session_sub_id: str = ""
    session: str = ""
    product_id: int = 1
    channel_id: int = 1
    symbols: Sequence[int] = ()

    def snapshot_of(self, unit: int) -> Address | None:
        """Where to ask for an image of a unit."""
        return self.snapshots.get(unit, self.snapshots.get(0))


@dataclass(frozen=True)
class Position:
    """How far the loop is with a unit: the next sequence, the highest known, the session.

    `held`: packets of it that wait.
    """

    expected: int
    top: int
    session: int
    held: int = 0


class Talk(Protocol):
    """A gap client on a connection of its own.

    Attributes:
        gaps: what is missing.
        failed: why the connection is of no use any more.
        again: it is to be made anew.
    """

    gaps: GapClient
    failed: str | None
    again: bool

    def start(self, now_ns: int) -> list[bytes]:
        """The connection stands: what to send first."""

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """Takes TCP bytes in any pieces; what to send back."""

    def tick(self, now_ns: int) -> list[bytes]:
        """What to send because of the time."""

    def requests(self, now_ns: int) -> list[bytes]:
        """The requests to send now."""

    def take(self) -> list[bytes]:
        """Answers that came over the connection, as datagrams for line R."""


class PacketTalk:
    """A client that takes whole packets, whose answers come by multicast.

    Args:
        client: CboeClient or NyseClient.
        transport: of the connection.
    """

    def __init__(self, client: CboeClient | NyseClient, transport: Transport) -> None:
        self.client, self.gaps, self._transport = client, client.gaps, transport
        self.failed: str | None = None
        self.again = False
        self._pending = b""

    def start(self, now_ns: int) -> list[bytes]:
        """See Talk."""
        self.failed, self._pending = None, b""
        for gap in self.gaps.gaps.values():
            gap.asked_ns = None
        if isinstance(self.client, CboeClient):
            self.client.logged_in = False
            return [self.client.login(now_ns)]
        return []

    def on_bytes(self, data: bytes, now_ns: int) -> list[bytes]:
        """See Talk."""
        made: list[bytes] = []
        try:
            packets, used = whole_packets(self._transport, self._pending + data)
            self._pending = (self._pending + data)[used:]
            for packet in packets:
                made += self.client.on_packet(packet) or []
        except WireError as error:
            self.failed = f"bytes that are no message of the service: {error.reason}"
        return made

    def tick(self, now_ns: int) -> list[bytes]:
        """See Talk."""
        return []

    def requests(self, now_ns: int) -> list[bytes]:
        """See Talk."""
        client = self.client
        return (client if isinstance(client, CboeClient) else client.gaps).requests(now_ns)

    def take(self) -> list[bytes]:
        """See Talk."""
        return []


def gap_client(feed: Feed, settings: RecoverySettings, session: int) -> GapClient | Talk | None:
    """The client of the gap service: a GapClient where it is asked by UDP.

    Args:
        feed: the stream's.
        settings: see RecoverySettings.
        session: the stream's own, where it is a number.
    """
    if settings.gap is None and settings.gap_stream is None:
        return None
    name, password = settings.username, settings.password.reveal()
    protocol = feed.protocol.name
    if protocol == "itch50":
        return moldudp64_client(settings.session)
    if protocol == "cboe_pitch":
        return PacketTalk(CboeClient(settings.session_sub_id, name, password), suh.TRANSPORT)
    if protocol == "nyse_integrated_25":
        client = NyseClient(name, settings.product_id, settings.channel_id)
        return PacketTalk(client, xdp.TRANSPORT)
    if protocol == "memoir13":
        return MemxTalk(feed, name, password, session_id=session)
    if settings.gap_stream is not None:
        return IexStreamClient(feed, settings.channel_id, session)
    return iex_client(feed, settings.channel_id, session)


class MemxTalk(MemxGapClient):
    """A MemxGapClient as a Talk: its connection takes ranges in any order."""

    again = False


Images = Callable[[int, Position], SnapshotClient]


def image_client(feed: Feed, settings: RecoverySettings, unit: int, at: Position) -> SnapshotClient:
    """The client of the snapshot service for one image, no older than what comes next."""
    name, password, least = settings.username, settings.password.reveal(), at.expected - 1
    client: Any
    protocol = feed.protocol.name
    if protocol == "itch50":
        client = GlimpseClient(feed, name, password, session=settings.session, least=least)
    elif protocol == "cboe_pitch":
        sub_id = settings.session_sub_id
        client = SpinClient(feed, unit, sub_id, name, password, near=at.top, least=least)
    elif protocol == "nyse_integrated_25":
        about = name, settings.product_id, settings.channel_id
        client = NyseRefreshClient(
            feed, *about, settings.symbols, near=at.top, least=least, everything=True
        )
    elif protocol == "memoir13":
        client = MemoirSnapshotClient(feed, name, password, session_id=at.session, least=least)
    else:
        client = IexSnapClient(feed, password, settings.channel_id, at.session, least=least)
    made: SnapshotClient = client
    return made
