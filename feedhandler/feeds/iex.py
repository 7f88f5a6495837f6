"""IEX's feeds: all come over IEX-TP, told apart by its message protocol id."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols import iex
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports import iexsnap, iextp
from feedhandler.wire.protocol import Protocol


def feed(name: str, version: str, protocol: Protocol, protocol_id: int, kernels: str) -> Feed:
    """A feed; `kernels` is what its walk and message kernels' names end in."""
    return Feed(
        name=name,
        version=version,
        title=protocol.title,
        transport=iextp.TRANSPORT,
        protocol=protocol,
        walk=f"feedhandler.transports.iextp_walk:walk_{kernels}",
        message=f"feedhandler.protocols.iex_actions:message_{kernels}",
        rows=f"feedhandler.protocols.iex_acts:{kernels.upper()}_ROWS",
        header={"message_protocol_id": protocol_id, "channel_id": 1, "session_id": 1},
        accepts=lambda header: header["message_protocol_id"] == protocol_id,
        keys="text",
        natural=kernels.startswith("tops"),
    )


FEEDS = (
    feed("iex_deep", "1.0", iex.DEEP, iextp.DEEP_1_0, "deep"),
    feed("iex_deepplus", "1.0", iex.DEEP_PLUS, iextp.DEEP_PLUS_1_0, "deep_plus"),
    feed("iex_tops", "1.6", iex.TOPS_1_6, iextp.TOPS_1_6, "tops_1_6"),
    feed("iex_tops", "1.5", iex.TOPS_1_5, iextp.TOPS_1_5, "tops_1_5"),
    Feed(
        name="iex_snap",
        version="1.05",
        title="IEX SNAP 1.05",
        transport=iexsnap.TRANSPORT,
        protocol=IEX_SNAP,
        walk="feedhandler.transports.iexsnap_walk:walk",
        message="feedhandler.protocols.iex_snap_actions:message",
        rows="feedhandler.protocols.iex_snap_acts:ROWS",
    ),
)
