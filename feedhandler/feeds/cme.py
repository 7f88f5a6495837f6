"""The feeds of CME Group."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.cme_mdp3 import CME_MDP3, CME_TCP
from feedhandler.transports.cme import ENCODING, SESSION, TCP_TRANSPORT, TRANSPORT

CHICAGO = "America/Chicago"

FEEDS = (
    Feed(
        name="cme_mdp3",
        version="1.13",
        title="CME MDP 3.0, books by price",
        transport=TRANSPORT,
        protocol=CME_MDP3,
        zone=CHICAGO,
        walk="feedhandler.transports.cme_walk:walk",
        message="feedhandler.protocols.cme_actions:by_price",
        rows="feedhandler.protocols.cme_acts:ROWS",
        keys="wide number",
        natural=True,
        remembers=True,
        lined="feedhandler.protocols.cme_lined:by_price",
        by_image=True,
    ),
    Feed(
        name="cme_mdp3_orders",
        version="1.13",
        title="CME MDP 3.0, books by order",
        transport=TRANSPORT,
        protocol=CME_MDP3,
        zone=CHICAGO,
        walk="feedhandler.transports.cme_walk:walk",
        message="feedhandler.protocols.cme_actions:by_order",
        rows="feedhandler.protocols.cme_acts:ROWS",
        keys="wide number",
        natural=True,
        remembers=True,
        lined="feedhandler.protocols.cme_lined:by_order",
        by_image=True,
    ),
    Feed(
        name="cme_tcp",
        version="1.13",
        title="CME MDP 3.0 by TCP: books by price and recovery",
        transport=TCP_TRANSPORT,
        protocol=SESSION,
        inner={ENCODING: CME_TCP},
        zone=CHICAGO,
        walk="feedhandler.transports.cme_walk:walk_tcp",
        message="feedhandler.protocols.cme_actions:by_price_tcp",
        rows="feedhandler.protocols.cme_acts:TCP_ROWS",
        keys="wide number",
        remembers=True,
    ),
)
