"""Sequenced Unit Header: the packets of Cboe's PITCH multicast, gap request and spin services.

Sequences count the messages of a unit; a channel carries packets of several units. The stated
length bounds the packet: bytes behind it are another packet of a stream, padding of a datagram.

Source: Cboe US Equities/Options Multicast PITCH specification.
"""

from __future__ import annotations

from dataclasses import replace

from feedhandler.transports import kinds
from feedhandler.transports.transport import Transport
from feedhandler.wire.field import Fields
from feedhandler.wire.framing import INSIDE_U8
from feedhandler.wire.record import Record

le = Fields(big=False)

HEARTBEAT_COUNT = 0
UNSEQUENCED = 0

HEADER = Record(
    "",
    "sequenced unit header",
    8,
    [
        le.u16("length", note="of header and messages"),
        le.u8("count"),
        le.u8("unit"),
        le.u32("sequence", note="of the first message; 0: the messages have none"),
    ],
    note="count 0 is a heartbeat that states the next sequence, 0 on the gap multicast",
)

TRANSPORT = Transport(
    name="suh",
    title="Cboe Sequenced Unit Header",
    header=HEADER,
    framing=INSIDE_U8,
    sequence="sequence",
    count="count",
    scope="unit",
    length=("length", 0),
    unsequenced=UNSEQUENCED,
    unit="unit",
    signals=("count", {HEARTBEAT_COUNT: kinds.HEARTBEAT}),
)
STREAM = replace(
    TRANSPORT, name="suh_stream", title="Cboe Sequenced Unit Header over TCP", stream=True
)
