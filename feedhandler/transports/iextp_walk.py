"""The compiled walks over IEX-TP packets, one a message protocol."""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.context import (
    HEARTBEATS,
    NEXT_SEQUENCE,
    PACKETS,
    SESSION,
    STREAM_NS,
    UNIT,
    add,
    count_fault,
    put,
)
from feedhandler.faults import BAD_HEADER, SHORT_HEADER
from feedhandler.transports.iextp import (
    DEEP_1_0,
    DEEP_PLUS_1_0,
    HEADER,
    TOPS_1_5,
    TOPS_1_6,
    TRANSPORT,
    VERSION,
)
from feedhandler.wire.access import loads
from feedhandler.wire.walk import walker

HEADER_BYTES = HEADER.size
version, protocol_id, channel_id, session_id = loads(
    HEADER, "version", "message_protocol_id", "channel_id", "session_id"
)
payload_length, message_count, first_sequence, send_time = loads(
    HEADER, "payload_length", "message_count", "first_message_sequence_number", "send_time"
)
walk_messages = walker(TRANSPORT.framing)


@njit(nogil=True)
def note_header(payload, sequence, count, context):
    """What the header says about the stream, also when the rest of the packet is not usable."""
    put(context, SESSION, session_id(payload))
    put(context, UNIT, channel_id(payload))
    put(context, STREAM_NS, send_time(payload))
    put(context, NEXT_SEQUENCE, sequence + count)


def walk_of(own_id: int) -> Any:
    """The walk that takes packets of one message protocol and refuses all others."""

    @njit(nogil=True)
    def walk(payload, length, context, out, message):
        """Decodes one datagram into actions at `out`; gives their number."""
        if length < HEADER_BYTES:
            count_fault(context, SHORT_HEADER)
            return 0
        add(context, PACKETS, 1)
        if version(payload) != VERSION or protocol_id(payload) != own_id:
            count_fault(context, BAD_HEADER)
            return 0
        sequence, count, size = (
            first_sequence(payload),
            message_count(payload),
            payload_length(payload),
        )
        note_header(payload, sequence, count, context)
        if size > length - HEADER_BYTES:
            count_fault(context, BAD_HEADER)
            return 0
        if count == 0 and size == 0:
            add(context, HEARTBEATS, 1)
            return 0
        start = payload + HEADER_BYTES
        return walk_messages(start, start + size, count, sequence, context, out, message)

    return walk


walk_deep = walk_of(DEEP_1_0)
walk_deep_plus = walk_of(DEEP_PLUS_1_0)
walk_tops_1_5 = walk_of(TOPS_1_5)
walk_tops_1_6 = walk_of(TOPS_1_6)
