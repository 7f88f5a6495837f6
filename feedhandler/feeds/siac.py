"""The consolidated tapes that SIAC runs for NYSE and regional listings."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.cqs210 import CQS210
from feedhandler.protocols.cts211 import CTS211
from feedhandler.transports.siac import TRANSPORT
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Values

QUOTES, TRADES = "Q", "T"


def tape(name: str, version: str, title: str, protocol: Protocol, indicator: str) -> Feed:
    """A tape; quotes and trades come in blocks of one form, and the header says which it is."""

    def of_this_tape(header: Values) -> bool:
        return header.get("data_feed_indicator") == indicator

    return Feed(
        name=name,
        version=version,
        title=title,
        transport=TRANSPORT,
        protocol=protocol,
        walk="feedhandler.transports.siac_walk:walk",
        message=f"feedhandler.protocols.{protocol.name}_actions:message",
        rows=f"feedhandler.protocols.{protocol.name}_acts:ROWS",
        likely=of_this_tape,
        keys="text",
        consolidated=True,
        header={"version": 2, "data_feed_indicator": indicator, "retransmission_indicator": "O"},
    )


FEEDS = (
    tape("siac_cqs", "2.10", "CTA SIP quotes (CQS) 1.91 to 2.10", CQS210, QUOTES),
    tape("siac_cts", "2.11", "CTA SIP trades (CTS) 1.91 to 2.11", CTS211, TRADES),
)
