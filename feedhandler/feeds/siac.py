"""The consolidated tape that SIAC runs for NYSE and regional listings."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.cqs210 import CQS210
from feedhandler.transports.siac import TRANSPORT
from feedhandler.wire.record import Values

QUOTES = "Q"


def has_quotes(header: Values) -> bool:
    """Whether a block is of the quotation system; trades come in blocks of the same form."""
    return header.get("data_feed_indicator") == QUOTES


FEEDS = (
    Feed(
        name="siac_cqs",
        version="2.10",
        title="CTA SIP quotes (CQS) 1.91 to 2.10",
        transport=TRANSPORT,
        protocol=CQS210,
        walk="feedhandler.transports.siac_walk:walk",
        message="feedhandler.protocols.cqs210_actions:message",
        rows="feedhandler.protocols.cqs210_acts:ROWS",
        likely=has_quotes,
        keys="text",
        consolidated=True,
        header={"version": 2, "data_feed_indicator": QUOTES, "retransmission_indicator": "O"},
    ),
)
