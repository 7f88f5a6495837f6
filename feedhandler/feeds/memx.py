"""MEMX's feeds."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports.memoir import SEQUENCED, TRANSPORT

FEEDS = (
    Feed(
        name="memx_memoir",
        version="1.3",
        title="MEMX MEMOIR Depth",
        transport=TRANSPORT,
        protocol=MEMOIR13,
        walk="feedhandler.transports.memoir_walk:walk",
        message="feedhandler.protocols.memoir13_actions:message",
        header={"message_type": SEQUENCED, "session_id": 1},
        rows="feedhandler.protocols.memoir13_acts:ROWS",
    ),
)
