"""Cboe Gap Request Proxy: asks for messages of a unit to be sent again on the gap multicast.

Headers carry unit 0 and sequence 0. The messages come as ordinary packets on the gap multicast,
possibly in pieces and before the response. Both sides send heartbeats (count 0) every second; the
service drops a client that is silent for 5 s.

Source: Cboe US Equities/Options Multicast PITCH specification.
"""

from __future__ import annotations

from feedhandler.protocols.cboe_login import LOGIN, LOGIN_RESPONSE
from feedhandler.protocols.cboe_pitch import HEAD, le
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

GAP_STATUS = {
    "A": "accepted",
    "O": "out of range",
    "D": "daily quota used",
    "M": "minute quota used",
    "S": "second quota used",
    "C": "count too large",
    "I": "invalid unit",
    "U": "unit unavailable",
}
GAP = (*HEAD, le.u8("unit"), le.u32("sequence", note="of the first message"), le.u16("count"))

GAP_REQUEST = Record(0x03, "gap request", 9, GAP)
GAP_RESPONSE = Record(
    0x04,
    "gap response",
    10,
    [*GAP, le.alpha("status", 1, GAP_STATUS)],
    note="unit, sequence and count as requested",
)

CBOE_GRP = Protocol(
    "cboe_grp",
    "Cboe Gap Request Proxy",
    [LOGIN, LOGIN_RESPONSE, GAP_REQUEST, GAP_RESPONSE],
    code_offset=1,
    source="Cboe US Equities/Options Multicast PITCH specification",
)
