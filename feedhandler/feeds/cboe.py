"""Cboe's feeds: PITCH with its recovery services, and order entry."""

from __future__ import annotations

from feedhandler.feed import Feed
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.transports.boe import TRANSPORT as BOE
from feedhandler.transports.suh import STREAM as SUH_STREAM
from feedhandler.transports.suh import TRANSPORT as SUH

FEEDS = (
    Feed(
        name="cboe_pitch",
        version="2.41",
        title="Cboe US equities multicast PITCH",
        transport=SUH,
        protocol=CBOE_PITCH,
        time_base="unit second",
        walk="feedhandler.transports.suh_walk:walk",
        message="feedhandler.protocols.cboe_pitch_actions:message",
        rows="feedhandler.protocols.cboe_pitch_acts:ROWS",
        header={"unit": 1},
        keys="text",
    ),
    Feed(
        name="cboe_grp",
        version="2.41",
        title="Cboe PITCH gap request proxy",
        transport=SUH_STREAM,
        protocol=CBOE_GRP,
        walk="feedhandler.transports.suh_walk:walk_stream",
        message="feedhandler.protocols.cboe_pitch_actions:grp_message",
        rows="feedhandler.protocols.cboe_pitch_acts:GRP_ROWS",
    ),
    Feed(
        name="cboe_spin",
        version="2.41",
        title="Cboe PITCH spin",
        transport=SUH_STREAM,
        protocol=CBOE_SPIN,
        time_base="unit second",
        walk="feedhandler.transports.suh_walk:walk_stream",
        message="feedhandler.protocols.cboe_pitch_actions:spin_message",
        rows="feedhandler.protocols.cboe_pitch_acts:SPIN_ROWS",
        keys="text",
    ),
    Feed(
        name="cboe_boe",
        version="2.3",
        title="Cboe US equities BOE order entry",
        transport=BOE,
        protocol=CBOE_BOE,
        walk="feedhandler.transports.boe_walk:walk",
        message="feedhandler.protocols.cboe_boe_actions:message",
        rows="feedhandler.protocols.cboe_boe_acts:ROWS",
    ),
)
