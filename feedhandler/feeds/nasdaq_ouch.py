"""Nasdaq's order entry feeds: what goes over an order session, both ways."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols import ouch42, ouch50
from feedhandler.transports.soupbintcp import SOUPBINTCP, TRANSPORT
from feedhandler.wire.protocol import Protocol


def ouch(version: str, inbound: Protocol, outbound: Protocol) -> Feed:
    """A version of OUCH over SoupBinTCP."""
    short = version.replace(".", "")
    return Feed(
        name=f"nasdaq_ouch{short}",
        version=version,
        title=f"Nasdaq OUCH {version}",
        transport=TRANSPORT,
        protocol=SOUPBINTCP,
        inner={"S": outbound, "U": inbound},
        time_base="midnight",
        walk="feedhandler.transports.soupbintcp_walk:walk",
        message=f"feedhandler.protocols.ouch{short}_actions:message",
        rows=f"feedhandler.protocols.ouch{short}_acts:ROWS",
        keys="text",
    )


FEEDS = (ouch("5.0", ouch50.INBOUND, ouch50.OUTBOUND), ouch("4.2", ouch42.INBOUND, ouch42.OUTBOUND))
