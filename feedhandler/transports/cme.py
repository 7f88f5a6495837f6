"""CME's packets: UDP of MDP 3.0, and the same messages in a TCP session.

The sequence numbers packets, not messages: all messages of a packet have its number. A heartbeat
is a packet with a message of its own and a number of its own. It starts again at 1 each week.

Source: CME MDP 3.0, binary packet header and technical header, by the public dissectors; checked
against captures (heartbeats included).
"""

from __future__ import annotations

from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields, Role
from feedhandler.wire.framing import INSIDE_U16_LE, Framing
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

le = Fields(big=False)

ENCODING = 0xCAFE  # SBE 1.0, little-endian
HEADER = Record(
    "",
    "binary packet header",
    12,
    [
        le.u32("packet_sequence_number", note="of the packet: its messages share it"),
        le.u64("sending_time", note="ns since the epoch"),
    ],
)
TRANSPORT = Transport(
    name="cme",
    title="CME packets",
    header=HEADER,
    framing=INSIDE_U16_LE,
    sequence="packet_sequence_number",
    scope="channel",
    sent=("sending_time",),
    restarts=True,
    by_packet=True,
)

TECHNICAL_HEADER = Record(
    ENCODING,
    "technical header",
    14,
    [
        le.u16("encoding_type", role=Role.CODE),
        le.u32("message_sequence_number"),
        le.u64("tcp_sending_time", note="ns since the epoch"),
    ],
    note="in front of every message",
)
FRAMING = Framing(
    offset=TECHNICAL_HEADER.size,
    width=2,
    big=False,
    plus=TECHNICAL_HEADER.size,
    body=0,
    marker=ENCODING.to_bytes(2, "little"),
)
SESSION = Protocol("cme_session", "CME's TCP session", [TECHNICAL_HEADER], code_width=2)
TCP_TRANSPORT = Transport(
    name="cme_tcp", title="CME by TCP", header=None, framing=FRAMING, scope="session", stream=True
)
