"""Nasdaq's feeds, and the consolidated tape that Nasdaq runs for its listings."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.glimpse50 import GLIMPSE50, INBOUND
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.protocols.uqdf15 import UQDF15
from feedhandler.transports.moldudp64 import TRANSPORT as MOLDUDP64
from feedhandler.transports.soupbintcp import SOUPBINTCP
from feedhandler.transports.soupbintcp import TRANSPORT as SOUP


def itch50(name: str, market: str) -> Feed:
    """TotalView-ITCH 5.0 of one of the three markets: they differ in nothing but the market."""
    return Feed(
        name=name,
        version="5.0",
        title=f"{market} TotalView-ITCH 5.0",
        transport=MOLDUDP64,
        protocol=ITCH50,
        time_base="midnight",
        walk="feedhandler.transports.moldudp64_walk:walk",
        message="feedhandler.protocols.itch50_actions:message",
        header={"session": "0000000001"},
        rows="feedhandler.protocols.itch50_acts:ROWS",
    )


FEEDS = (
    itch50("nasdaq_itch50", "Nasdaq"),
    itch50("bx_itch50", "Nasdaq BX (Texas)"),
    itch50("psx_itch50", "Nasdaq PSX"),
    Feed(
        name="nasdaq_uqdf",
        version="1.5",
        title="UTP SIP quotes (UQDF) 1.5",
        transport=MOLDUDP64,
        protocol=UQDF15,
        walk="feedhandler.transports.moldudp64_walk:walk",
        message="feedhandler.protocols.uqdf15_actions:message",
        header={"session": "0000000001"},
        rows="feedhandler.protocols.uqdf15_acts:ROWS",
        keys="text",
        consolidated=True,
    ),
)

SNAPSHOTS = (
    Feed(
        name="nasdaq_glimpse",
        version="5.0",
        title="Nasdaq GLIMPSE 5.0",
        transport=SOUP,
        protocol=SOUPBINTCP,
        inner={"S": GLIMPSE50, "U": INBOUND},
        time_base="midnight",
        walk="feedhandler.transports.soupbintcp_walk:walk",
        message="feedhandler.protocols.glimpse50_actions:message",
        rows="feedhandler.protocols.glimpse50_acts:ROWS",
    ),
)
