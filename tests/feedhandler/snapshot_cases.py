"""The snapshot services over TCP, each with its client and its tiny server, as cases for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snapshot_servers import (
    CHANNEL_ID,
    DEEP_PLUS,
    ITCH,
    MEMOIR,
    PASSWORD,
    PITCH,
    SESSION_ID,
    USER,
    GlimpseServer,
    IexSnapServer,
    MemxServer,
    Server,
    SpinServer,
    deep_orders,
    itch_orders,
    memoir_orders,
    pitch_orders,
)

from feedhandler.feed import Feed
from feedhandler.lines.snapshots.glimpse import GlimpseClient
from feedhandler.lines.snapshots.iexsnap import IexSnapClient
from feedhandler.lines.snapshots.memoir import MemoirSnapshotClient
from feedhandler.lines.snapshots.spin import SpinClient
from feedhandler.protocols.cboe_login import LOGIN_STATUS
from feedhandler.protocols.iex_snap import REJECT_REASON_CODE
from feedhandler.transports import memxtcp, soupbintcp

TOP = (5 << 32) + 20
SPUN = (4 << 32) + (1 << 32) - 6  # behind the last turn of the 32 bits


@dataclass(frozen=True)
class Service:
    """A service with its client and its tiny server.

    Attributes:
        make: (password, least) to a client.
        serve: (messages, code to refuse with) to a server.
        orders: how many to the messages of an image.
        refusals: what each code of a refusal means.
        heartbeat: what keeps the client's connection alive.
    """

    feed: Feed
    make: Callable[[str, int], Any]
    serve: Callable[[list[bytes], str], Server]
    orders: Callable[[int], list[bytes]]
    sequence: int
    refusals: dict[str, str]
    heartbeat: bytes
    unit: int = 0


SERVICES = {
    "glimpse": Service(
        ITCH,
        lambda password, least: GlimpseClient(ITCH, USER, password, least=least),
        lambda messages, refuse: GlimpseServer(messages, 1001, refuse),
        itch_orders,
        1000,
        soupbintcp.REJECT_REASON_CODE,
        soupbintcp.SOUPBINTCP["R"].encode(),
    ),
    "spin": Service(
        PITCH,
        lambda password, least: SpinClient(PITCH, 3, "0001", USER, password, near=TOP, least=least),
        lambda messages, refuse: SpinServer(messages, [SPUN], refuse=refuse),
        pitch_orders,
        SPUN,
        {code: text for code, text in LOGIN_STATUS.items() if code != "A"},
        bytes([8, 0, 0, 0, 0, 0, 0, 0]),
        3,
    ),
    "memoir": Service(
        MEMOIR,
        lambda password, least: MemoirSnapshotClient(MEMOIR, USER, password, least=least),
        lambda messages, refuse: MemxServer(messages, "T", refuse),
        memoir_orders,
        0,
        memxtcp.LOGIN_REJECT_CODE,
        bytes(3),
    ),
    "iex": Service(
        DEEP_PLUS,
        lambda password, least: IexSnapClient(
            DEEP_PLUS, password, CHANNEL_ID, SESSION_ID, least=least
        ),
        lambda messages, refuse: IexSnapServer(messages, 900, refuse),
        deep_orders,
        900,
        REJECT_REASON_CODE,
        b"",
        CHANNEL_ID,
    ),
}


def pair(name: str, count: int = 5, refuse: str = "") -> tuple[Any, Server, list[bytes]]:
    """A client, a server for it, and the messages of the server's image."""
    service = SERVICES[name]
    messages = service.orders(count)
    return service.make(PASSWORD, 0), service.serve(messages, refuse), messages
