"""NYSE's Pillar stream protocol: order entry sessions over TCP.

Every message starts with its type and its length. A connection carries several streams, each with
its own sequence; 0x0905 wraps one application message of a stream.

Source: NYSE Pillar Stream Protocol Specification, after the public dissector.
"""

from __future__ import annotations

from feedhandler.transports.packets import enclose
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.framing import Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Value

le = Fields(big=False, pad=b"\0")

FRAMING = Framing(offset=2, width=2, big=False, plus=0, body=0)
SEQ_MSG = 0x0905

HEAD = (le.u16("msg_type", role=Role.CODE), le.u16("msg_length", role=Role.LENGTH))
STREAM_ID = ("stream_id",)
STREAM = (le.u32("sess", within=STREAM_ID), le.u32("value", within=STREAM_ID))
SEQ_MSG_ID = ("seq_msg_id",)
SEQUENCED_STREAM = SEQ_MSG_ID + STREAM_ID

STATUS = {
    0: "request processed successfully",
    18: "not logged in",
    24: "invalid login details",
    27: "already logged in",
    28: "heartbeat timeout",
    29: "login timed out",
    33: "invalid message",
    54: "no stream permission",
    81: "invalid protocol version",
    82: "message out of sequence",
    84: "invalid stream",
    85: "stream not open",
    86: "invalid timestamp",
    89: "denial of service",
}


def message(code: int, name: str, size: int, *fields: Field, note: str = "") -> Record:
    """A message with the header that all have."""
    return Record(code, name, size, [*HEAD, *fields], note=note)


RECORDS = [
    message(
        0x0201,
        "login",
        76,
        le.alpha("username", 16),
        le.alpha("password", 32),
        le.alpha("mic", 4),
        le.alpha("version", 20),
    ),
    message(0x0202, "login response", 21, le.alpha("username", 16), le.u8("status", values=STATUS)),
    message(0x0203, "stream avail", 21, *STREAM, le.u64("next_seq"), le.u8("access")),
    message(0x0204, "heartbeat", 4),
    message(
        0x0205,
        "open",
        30,
        *STREAM,
        le.u64("start_seq"),
        le.u64("end_seq"),
        le.u8("access"),
        le.u8("mode"),
    ),
    message(0x0206, "open response", 14, *STREAM, le.u8("status", values=STATUS), le.u8("access")),
    message(0x0207, "close", 12, *STREAM),
    message(0x0208, "close response", 13, *STREAM, le.u8("status", values=STATUS)),
    message(
        SEQ_MSG,
        "seq msg",
        32,
        le.u32("sess", role=Role.HEADER, within=SEQUENCED_STREAM),
        le.u32("value", role=Role.HEADER, within=SEQUENCED_STREAM),
        le.u64("seq", role=Role.HEADER, within=SEQ_MSG_ID),
        le.raw("reserved_4", 4, role=Role.HEADER),
        le.u64("timestamp", role=Role.HEADER),
        note="carries one application message behind it",
    ),
]

PILLAR_STREAM = Protocol(
    "pillar_stream",
    "NYSE Pillar Stream Protocol",
    RECORDS,
    code_width=2,
    source="NYSE Pillar Stream Protocol Specification",
)

TRANSPORT = Transport(
    name="pillar_stream",
    title="NYSE Pillar Stream Protocol",
    header=None,
    framing=FRAMING,
    scope="stream",
    stream=True,
)


def wrap(message: bytes, sequence: int, sess: int = 0, value: int = 0, timestamp: int = 0) -> bytes:
    """A sequenced message around an encoded application message.

    Args:
        message: the application message.
        sequence: its number in the stream.
        sess, value: the stream's id.
        timestamp: when it was sent, ns since the epoch.
    """
    given: dict[str, Value] = {
        "sess": sess,
        "value": value,
        "seq": sequence,
        "timestamp": timestamp,
    }
    return enclose(PILLAR_STREAM[SEQ_MSG], message, given)
