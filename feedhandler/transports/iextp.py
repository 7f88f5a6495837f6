"""IEX-TP 1: the transport of all IEX feeds. The sequence counts messages of a channel's session.

One layout carries every feed: `message_protocol_id` says which, so a feed accepts its own id only.

Source: IEX Transport Protocol specification 1.25 (Investors Exchange). The gap fill request's
fields are those of a public parser and of IEX's public notes. Unverified: no captured bytes were at
hand, the width of its range count is the parser's alone, no source gives the values of its type.
"""

from __future__ import annotations

from feedhandler.transports.kinds import HEARTBEAT
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import COUNTED_U16_LE
from feedhandler.wire.record import Record
from feedhandler.wire.tails import Group

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

BY_SEQUENCE, BY_OFFSET = 0, 1
REQUEST_RANGE = Record(
    "",
    "request range",
    16,
    [
        le.sint("first_message_sequence_number", 8),
        le.sint("last_message_sequence_number", 8, note="offsets of bytes in the other type"),
    ],
)
GAP_FILL_REQUEST = Record(
    "",
    "gap fill request",
    16,
    [
        le.u8("version", fixed=VERSION),
        le.u8("request_type", values={BY_SEQUENCE: "by sequence", BY_OFFSET: "by stream offset"}),
        le.u16("message_protocol_id", values=PROTOCOL_IDS),
        le.u32("channel_id"),
        le.u32("session_id"),
        le.u32("request_range_count", note="0 over UDP asks whether the server is there"),
    ],
    tails=[Group("ranges", REQUEST_RANGE, count="request_range_count")],
    note="by UDP or TCP; ranges increase and do not overlap, also those of one TCP connection's "
    "requests; the answer is ordinary segments to the sender, an invalid request has none",
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
    requests=(GAP_FILL_REQUEST,),
    session="session_id",
    unit="channel_id",
    sent=("send_time",),
    signals=("message_count", {0: HEARTBEAT}),
    restarts=True,
)
