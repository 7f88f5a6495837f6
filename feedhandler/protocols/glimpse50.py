"""Nasdaq GLIMPSE 5.0: the open orders of Nasdaq, BX and PSX, as messages of TotalView-ITCH 5.0.

The messages come in sequenced data packets of a SoupBinTCP session of its own: system events, stock
directory, trading states and restrictions, an add for every displayed order, then the end of the
snapshot. The client logs in for sequence 1, or it misses the start; it sends no message.

Source: NASDAQ GLIMPSE 5.0 specification, after the public dissector of its revision of February
2026. Unverified: no captured bytes were at hand; that the live messages go on with the stated
sequence, and do not start behind it, is how a public description of the specification puts it.
"""

from __future__ import annotations

from feedhandler.protocols.itch50 import CODE, ITCH50, be
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

END_OF_SNAPSHOT = Record(
    "G",
    "end of snapshot",
    21,
    [CODE, be.digits("sequence_number", 20, note="of the first live message behind the snapshot")],
)

GLIMPSE50 = Protocol(
    "glimpse50",
    "Nasdaq GLIMPSE 5.0",
    [*(ITCH50[code] for code in "SRHYNAFh"), END_OF_SNAPSHOT],
    source="NASDAQ GLIMPSE 5.0 specification",
)
INBOUND = Protocol("glimpse50 inbound", "Nasdaq GLIMPSE 5.0, to the exchange: no message", [])
