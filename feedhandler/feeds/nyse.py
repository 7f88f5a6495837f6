"""The NYSE group's feeds."""

from __future__ import annotations

from collections.abc import Callable

from feedhandler.feed import Feed
from feedhandler.protocols.nyse_bbo import NYSE_BBO_24, NYSE_BBO_25
from feedhandler.protocols.nyse_imbalances import NYSE_IMBALANCES_21, NYSE_IMBALANCES_25
from feedhandler.protocols.nyse_integrated_21 import NYSE_INTEGRATED_21
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG
from feedhandler.transports.pillar_stream import TRANSPORT as PILLAR_TRANSPORT
from feedhandler.transports.xdp import ORIGINAL
from feedhandler.transports.xdp import TRANSPORT as XDP
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Values

PILLAR_START_S = 1606694400  # 30 November 2020, when version 2.4 replaced the XDP formats


def sent_by_pillar(header: Values) -> bool:
    """Whether a packet was sent when the 2.5 format could be on the wire; no send time says yes."""
    seconds = header.get("seconds", 0)
    return not (isinstance(seconds, int) and 0 < seconds < PILLAR_START_S)


def anyhow(header: Values) -> bool:
    """Every packet speaks for the version."""
    return True


def market_data(
    name: str,
    version: str,
    protocol: Protocol,
    message: str,
    rows: str,
    likely: Callable[[Values], bool],
) -> Feed:
    """One version of a feed: the same of NYSE, Arca, American, National and Chicago.

    Versions differ in the length of one message alone, else in the meaning of bytes, so the
    packet's send time decides.
    """
    return Feed(
        name=name,
        version=version,
        title=protocol.title,
        transport=XDP,
        protocol=protocol,
        time_base="symbol second",
        walk="feedhandler.transports.xdp_walk:walk",
        message=message,
        rows=rows,
        header={"delivery_flag": ORIGINAL},
        likely=likely,
        natural=name == BBO,
    )


INTEGRATED, BBO, IMBALANCES = "nyse_integrated", "nyse_bbo", "nyse_imbalances"

FEEDS = (
    market_data(
        INTEGRATED,
        "2.5",
        NYSE_INTEGRATED_25,
        "feedhandler.protocols.nyse_integrated_25_actions:message",
        "feedhandler.protocols.nyse_acts:ROWS_25",
        sent_by_pillar,
    ),
    market_data(
        INTEGRATED,
        "2.1",
        NYSE_INTEGRATED_21,
        "feedhandler.protocols.nyse_integrated_21_actions:message",
        "feedhandler.protocols.nyse_acts:ROWS_21",
        anyhow,
    ),
    market_data(
        BBO,
        "2.5",
        NYSE_BBO_25,
        "feedhandler.protocols.nyse_bbo_actions:message_25",
        "feedhandler.protocols.nyse_bbo_acts:ROWS_25",
        sent_by_pillar,
    ),
    market_data(
        BBO,
        "2.4",
        NYSE_BBO_24,
        "feedhandler.protocols.nyse_bbo_actions:message_24",
        "feedhandler.protocols.nyse_bbo_acts:ROWS_24",
        anyhow,
    ),
    market_data(
        IMBALANCES,
        "2.5",
        NYSE_IMBALANCES_25,
        "feedhandler.protocols.nyse_imbalances_actions:message_25",
        "feedhandler.protocols.nyse_imbalances_acts:ROWS_25",
        sent_by_pillar,
    ),
    market_data(
        IMBALANCES,
        "2.1",
        NYSE_IMBALANCES_21,
        "feedhandler.protocols.nyse_imbalances_actions:message_21",
        "feedhandler.protocols.nyse_imbalances_acts:ROWS_21",
        anyhow,
    ),
    Feed(
        name="nyse_gateway",
        version="5.x",
        title="NYSE Pillar Gateway, equities",
        transport=PILLAR_TRANSPORT,
        protocol=PILLAR_STREAM,
        inner={SEQ_MSG: PILLAR_GATEWAY},
        walk="feedhandler.transports.pillar_stream_walk:walk",
        message="feedhandler.protocols.pillar_gateway_actions:message",
        rows="feedhandler.protocols.pillar_gateway_acts:ROWS",
    ),
)
