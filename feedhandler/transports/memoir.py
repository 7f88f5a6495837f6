"""MEMOIR-UDP: MEMX's multicast transport. The sequence counts messages of a session.

Source: MEMX MEMOIR Depth feed 1.3 (MEMOIR-UDP).
"""

from __future__ import annotations

from feedhandler.transports import kinds
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import COUNTED_U16_BE
from feedhandler.wire.record import Record
from feedhandler.wire.tails import OnlyWhen

be = Fields(big=True)

HEARTBEAT = 0
SESSION_SHUTDOWN = 1
SEQUENCED = 2
HEADER_BYTES = 18
MESSAGE_TYPES = {
    HEARTBEAT: "heartbeat",
    SESSION_SHUTDOWN: "session shutdown",
    SEQUENCED: "sequenced messages",
}

COUNT = Record("", "message count", 2, [be.u16("message_count")])
HEADER = Record(
    "",
    "common header",
    HEADER_BYTES,
    [
        be.u8("message_type", values=MESSAGE_TYPES),
        be.u8("header_length", fixed=HEADER_BYTES, note="without the message count"),
        be.u64("session_id"),
        be.u64("sequence_number", note="of the first message; of the next one when there is none"),
    ],
    tails=[OnlyWhen("message_type", frozenset({SEQUENCED}), COUNT)],
)

TRANSPORT = Transport(
    name="memoir",
    title="MEMOIR-UDP",
    header=HEADER,
    framing=COUNTED_U16_BE,
    sequence="sequence_number",
    count="message_count",
    scope="session",
    has_messages=lambda header: header["message_type"] == SEQUENCED,
    valid=lambda header: (
        header["message_type"] in MESSAGE_TYPES and header["header_length"] == HEADER_BYTES
    ),
    session="session_id",
    signals=(
        "message_type",
        {
            **dict.fromkeys(range(SEQUENCED + 1, 256), kinds.BAD),
            HEARTBEAT: kinds.HEARTBEAT,
            SESSION_SHUTDOWN: kinds.END_OF_SESSION,
        },
    ),
)
