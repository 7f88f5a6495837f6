"""The consolidated tapes that SIAC runs for NYSE and regional listings."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.cqs210 import CQS210
from feedhandler.protocols.cts211 import CTS211
from feedhandler.transports.siac import TRANSPORT
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Values

QUOTES, TRADES = "Q", "T"


def tape(protocol: Protocol, message: str, rows: str, indicator: str, **more: str) -> Feed:
    """A tape; quotes and trades come in blocks of one form, and the header says which it is."""

    def of_this_tape(header: Values) -> bool:
        return header.get("data_feed_indicator") == indicator

    return Feed(
        **more,  # type: ignore[arg-type]
        transport=TRANSPORT,
        protocol=protocol,
        walk="feedhandler.transports.siac_walk:walk",
        message=message,
        rows=rows,
        likely=of_this_tape,
        keys="text",
        consolidated=True,
        header={"version": 2, "data_feed_indicator": indicator, "retransmission_indicator": "O"},
    )


FEEDS = (
    tape(
        CQS210,
        "feedhandler.protocols.cqs210_actions:message",
        "feedhandler.protocols.cqs210_acts:ROWS",
        QUOTES,
        name="siac_cqs",
        version="2.10",
        title="CTA SIP quotes (CQS) 1.91 to 2.10",
    ),
    tape(
        CTS211,
        "feedhandler.protocols.cts211_actions:message",
        "feedhandler.protocols.cts211_acts:ROWS",
        TRADES,
        name="siac_cts",
        version="2.11",
        title="CTA SIP trades (CTS) 1.91 to 2.11",
    ),
)
