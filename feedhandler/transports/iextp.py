"""IEX-TP 1: the transport of all IEX feeds. The sequence counts messages of a channel's session.

One layout carries every feed: `message_protocol_id` says which, so a feed accepts its own id only.

Source: IEX Transport Protocol specification 1.25 (Investors Exchange).
"""

from __future__ import annotations

from feedhandler.transports.kinds import HEARTBEAT
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import COUNTED_U16_LE
from feedhandler.wire.record import Record

le = Fields(big=False)

VERSION = 1
TOPS_1_5 = 0x8002
TOPS_1_6 = 0x8003
DEEP_1_0 = 0x8004
DEEP_PLUS_1_0 = 0x8005
PROTOCOL_IDS = {
    TOPS_1_5: "tops 1.5",
    TOPS_1_6: "tops 1.6",
    DEEP_1_0: "deep 1.0",
    DEEP_PLUS_1_0: "deep+ 1.0",
}

HEADER = Record(
    "",
    "outbound segment",
    40,
    [
        le.u8("version", fixed=VERSION),
        le.raw("reserved", 1),
        le.u16("message_protocol_id", values=PROTOCOL_IDS),
        le.u32("channel_id"),
        le.u32("session_id"),
        le.u16("payload_length", note="bytes behind this header"),
        le.u16("message_count"),
        le.sint("stream_offset", 8, note="of the first byte behind this header"),
        le.sint("first_message_sequence_number", 8),
        le.sint("send_time", 8, note="ns since the epoch"),
    ],
    note="no payload and no message is a heartbeat; it states the next sequence",
)

TRANSPORT = Transport(
    name="iextp",
    title="IEX-TP",
    header=HEADER,
    framing=COUNTED_U16_LE,
    sequence="first_message_sequence_number",
    count="message_count",
    scope="session",
    valid=lambda header: header["version"] == VERSION,
    length=("payload_length", HEADER.size),
    session="session_id",
    unit="channel_id",
    sent=("send_time",),
    signals=("message_count", {0: HEARTBEAT}),
    restarts=True,
)
