"""Cboe Spin: an image of a unit's open orders, for those who join late or lost too much.

Headers carry unit 0 and sequence 0. Between the response and the end the server sends the image as
Time, Add Order and Trading Status messages; multicast messages above the image's sequence, buffered
meanwhile, are applied on top.

Source: Cboe US Equities/Options Multicast PITCH specification.
"""

from __future__ import annotations

from feedhandler.protocols.cboe_login import LOGIN, LOGIN_RESPONSE
from feedhandler.protocols.cboe_pitch import ADDS, HEAD, TIME, TRADING_STATUS_MESSAGE, le
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

SPIN_STATUS = {"A": "accepted", "O": "out of range", "S": "spin already in progress"}
SEQUENCE = le.u32("sequence", note="the image has the orders up to this sequence")

SPIN_MESSAGES = [
    Record(0x80, "spin image available", 6, [*HEAD, SEQUENCE], note="sent about once a second"),
    Record(0x81, "spin request", 6, [*HEAD, SEQUENCE]),
    Record(
        0x82,
        "spin response",
        11,
        [*HEAD, SEQUENCE, le.u32("order_count"), le.alpha("status", 1, SPIN_STATUS)],
    ),
    Record(0x83, "spin finished", 6, [*HEAD, SEQUENCE]),
]

CBOE_SPIN = Protocol(
    "cboe_spin",
    "Cboe Spin",
    [LOGIN, LOGIN_RESPONSE, *SPIN_MESSAGES, TIME, *ADDS, TRADING_STATUS_MESSAGE],
    code_offset=1,
    source="Cboe US Equities/Options Multicast PITCH specification",
)
