"""NYSE's packets (XDP, later called Pillar): market data multicast and the request server alike.

The sequence counts the messages of a channel. Refreshes count in a space of their own. The TCP
request server takes and gives the same packets with request messages in them.

Source: XDP and Pillar Common Client Specification (NYSE), packet header.
"""

from __future__ import annotations

from feedhandler.protocols.nyse_control import REQUESTS
from feedhandler.transports import kinds
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields, Role
from feedhandler.wire.framing import INSIDE_U16_LE
from feedhandler.wire.record import Record, Values

le = Fields(big=False)

HEARTBEAT = 1
FAILOVER = 10
ORIGINAL = 11
SEQUENCE_RESET = 12
RETRANSMISSION_ONLY = 13
RETRANSMISSION_PART = 15
REFRESH_ONLY = 17
REFRESH_START = 18
REFRESH_PART = 19
REFRESH_END = 20
MESSAGE_UNAVAILABLE = 21

DELIVERY_FLAG = {
    HEARTBEAT: "heartbeat",
    FAILOVER: "failover",
    ORIGINAL: "original message",
    SEQUENCE_RESET: "sequence number reset",
    RETRANSMISSION_ONLY: "only packet of a retransmission",
    RETRANSMISSION_PART: "part of a retransmission",
    REFRESH_ONLY: "only packet of a refresh",
    REFRESH_START: "start of a refresh",
    REFRESH_PART: "part of a refresh",
    REFRESH_END: "end of a refresh",
    MESSAGE_UNAVAILABLE: "message unavailable",
}

HEADER = Record(
    "",
    "packet header",
    16,
    [
        le.u16("pkt_size", role=Role.LENGTH, note="bytes, with this header"),
        le.u8("delivery_flag", values=DELIVERY_FLAG),
        le.u8("number_msgs"),
        le.u32("seq_num", note="of the first message; the next one's in a heartbeat"),
        le.u32("seconds", within=("send_time",), note="since the epoch"),
        le.u32("nanoseconds", within=("send_time",)),
    ],
    note="delivery flag 1 is a heartbeat, 12 a sequence reset, 17 to 20 a refresh",
)
SIGNALS = {
    HEARTBEAT: kinds.HEARTBEAT,
    SEQUENCE_RESET: kinds.RESET,
    RETRANSMISSION_ONLY: kinds.RETRANSMISSION,
    RETRANSMISSION_PART: kinds.RETRANSMISSION,
    REFRESH_ONLY: kinds.REFRESH,
    REFRESH_START: kinds.REFRESH,
    REFRESH_PART: kinds.REFRESH,
    REFRESH_END: kinds.REFRESH,
    MESSAGE_UNAVAILABLE: kinds.UNAVAILABLE,
}


def has_messages(header: Values) -> bool:
    """A heartbeat has none, whatever its count says."""
    return header["delivery_flag"] != HEARTBEAT


TRANSPORT = Transport(
    name="xdp",
    title="NYSE XDP / Pillar packets",
    header=HEADER,
    framing=INSIDE_U16_LE,
    sequence="seq_num",
    count="number_msgs",
    scope="channel",
    has_messages=has_messages,
    length=("pkt_size", 0),
    requests=REQUESTS,
    sent=("seconds", "nanoseconds"),
    signals=("delivery_flag", SIGNALS),
)
