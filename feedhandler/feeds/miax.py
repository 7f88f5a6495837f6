"""MIAX Pearl Equities' order entry: what goes over an order session, both ways."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.transports.esesm import ESESM, SEQUENCED, TRANSPORT, UNSEQUENCED

FEEDS = (
    Feed(
        name="miax_meo",
        version="2.6",
        title="MIAX Pearl Equities MEO 2.6",
        transport=TRANSPORT,
        protocol=ESESM,
        inner={SEQUENCED: MIAX_MEO, UNSEQUENCED: MIAX_MEO},
        walk="feedhandler.transports.esesm_walk:walk",
        message="feedhandler.protocols.miax_meo_actions:message",
        rows="feedhandler.protocols.miax_meo_acts:ROWS",
    ),
)
