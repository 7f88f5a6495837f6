"""MoldUDP64: Nasdaq's multicast transport. The sequence counts messages of a session.

Source: MoldUDP64 protocol specification 1.00 (Nasdaq).
"""

from __future__ import annotations

from feedhandler.transports.kinds import END_OF_SESSION, HEARTBEAT
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import COUNTED_U16_BE
from feedhandler.wire.record import Record

be = Fields(big=True)

HEARTBEAT_COUNT = 0
END_OF_SESSION_COUNT = 0xFFFF

HEADER = Record(
    "",
    "downstream packet",
    20,
    [be.alpha("session", 10), be.u64("sequence_number"), be.u16("message_count")],
    note="count 0 is a heartbeat, 65535 the end of the session; both state the next sequence",
)
REQUEST = Record(
    "",
    "request packet",
    20,
    [be.alpha("session", 10), be.u64("sequence_number"), be.u16("requested_message_count")],
    note="sent to the re-request server; the answer is an ordinary downstream packet",
)

TRANSPORT = Transport(
    name="moldudp64",
    title="MoldUDP64",
    header=HEADER,
    framing=COUNTED_U16_BE,
    sequence="sequence_number",
    count="message_count",
    scope="session",
    no_messages=frozenset({END_OF_SESSION_COUNT}),
    requests=(REQUEST,),
    session="session",
    signals=("message_count", {HEARTBEAT_COUNT: HEARTBEAT, END_OF_SESSION_COUNT: END_OF_SESSION}),
)
