"""The compiled walk over MEMOIR-UDP packets."""

from __future__ import annotations

from numba import njit

from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, PACKETS, SESSION, add, count_fault, put
from feedhandler.faults import BAD_HEADER, SHORT_HEADER
from feedhandler.transports.memoir import COUNT, HEADER, HEADER_BYTES, SEQUENCED, TRANSPORT
from feedhandler.wire.access import load_field, loads
from feedhandler.wire.walk import walker

COUNTED_BYTES = HEADER_BYTES + COUNT.size
message_type, header_length, session_id, sequence_number = loads(
    HEADER, "message_type", "header_length", "session_id", "sequence_number"
)
message_count = load_field(COUNT.by_name["message_count"].at(HEADER_BYTES))
walk_messages = walker(TRANSPORT.framing)


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one datagram into actions at `out`; gives their number."""
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    kind, sequence = message_type(payload), sequence_number(payload)
    if kind == SEQUENCED and length < COUNTED_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    add(context, PACKETS, 1)
    if kind > SEQUENCED or header_length(payload) != HEADER_BYTES:
        count_fault(context, BAD_HEADER)
        return 0
    put(context, SESSION, session_id(payload))
    if kind != SEQUENCED:
        add(context, HEARTBEATS, 1)
        put(context, NEXT_SEQUENCE, sequence)
        return 0
    count = message_count(payload)
    put(context, NEXT_SEQUENCE, sequence + count)
    start = payload + COUNTED_BYTES
    return walk_messages(start, payload + length, count, sequence, context, out, message)
