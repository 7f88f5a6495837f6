"""The compiled walk over MoldUDP64 packets."""

from __future__ import annotations

from numba import njit

from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, PACKETS, SESSION, add, count_fault, put
from feedhandler.faults import SHORT_HEADER, TRAILING_BYTES
from feedhandler.transports.moldudp64 import (
    END_OF_SESSION_COUNT,
    HEADER,
    HEARTBEAT_COUNT,
    TRANSPORT,
)
from feedhandler.wire.access import load_fold, loads
from feedhandler.wire.walk import walker

HEADER_BYTES = HEADER.size
sequence_number, message_count = loads(HEADER, "sequence_number", "message_count")
session = load_fold(HEADER, "session")
walk_messages = walker(TRANSPORT.framing)


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one datagram into actions at `out`; gives their number."""
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    add(context, PACKETS, 1)
    sequence, count = sequence_number(payload), message_count(payload)
    put(context, SESSION, session(payload))
    if count in (HEARTBEAT_COUNT, END_OF_SESSION_COUNT):
        add(context, HEARTBEATS, 1)
        put(context, NEXT_SEQUENCE, sequence)
        if count == HEARTBEAT_COUNT and length > HEADER_BYTES:
            count_fault(context, TRAILING_BYTES)
        return 0
    put(context, NEXT_SEQUENCE, sequence + count)
    start = payload + HEADER_BYTES
    return walk_messages(start, payload + length, count, sequence, context, out, message)
