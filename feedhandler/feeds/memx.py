"""MEMX's feeds."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports.memoir import SEQUENCED, TRANSPORT
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.transports.memxtcp import SEQUENCED as SEQUENCED_MESSAGE
from feedhandler.transports.memxtcp import TRANSPORT as TCP

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
    Feed(
        name="memx_recovery",
        version="1.2",
        title="MEMX-TCP: gap fill and snapshots of MEMOIR Depth",
        transport=TCP,
        protocol=MEMX_TCP,
        inner={SEQUENCED_MESSAGE: MEMOIR13},
        walk="feedhandler.transports.memxtcp_walk:walk",
        message="feedhandler.protocols.memoir13_actions:message",
        rows="feedhandler.protocols.memoir13_acts:TCP_ROWS",  # the same rows: they need less
    ),
)
