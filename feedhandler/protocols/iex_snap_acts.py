"""What IEX SNAP messages mean, as rows. The error response has a kernel.

The order of a SESSION record is the message's number; aux is its code. The orders of the image lie
in segments of IEX-TP, which the feed's own decoder reads.
"""

from __future__ import annotations

from feedhandler.actions import ALL, REFRESH, SESSION, SNAPSHOT_END
from feedhandler.protocols.iex_snap import IEX_SNAP
from feedhandler.transports.iexsnap import TRANSPORT
from feedhandler.wire.acts import Act, Rows

ROWS = Rows(
    IEX_SNAP,
    {
        "s": Act(
            SESSION, order_id="snapshot_length", mapped=("message_type", {}), default=ord("s")
        ),
        "x": Act(SNAPSHOT_END, order_id="snapshot_sequence_number", flags=REFRESH | ALL),
    },
    bytes_in_front=TRANSPORT.framing.body,
)
