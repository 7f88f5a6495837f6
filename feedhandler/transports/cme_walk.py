"""The compiled walks over CME's packets and over a piece of its TCP session."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import MESSAGES, NEXT_SEQUENCE, PACKETS, STREAM_NS, add, count_fault, put
from feedhandler.faults import BAD_LENGTH, NO_ROOM, SHORT_HEADER, SHORT_MESSAGE
from feedhandler.transports.cme import FRAMING, HEADER, TECHNICAL_HEADER
from feedhandler.wire.access import loader, loads
from feedhandler.wire.streamwalk import stream_walker
from feedhandler.wire.walk import BATCH

HEADER_BYTES = HEADER.size
TECHNICAL_BYTES = TECHNICAL_HEADER.size
LENGTH_BYTES = 2
load_n16 = loader(0, 2, False, False)
MESSAGE_ROOM = 4096  # actions that one message makes at most, see `protocols.cme_books`
packet_sequence_number, sending_time = loads(HEADER, "packet_sequence_number", "sending_time")
(message_number,) = loads(TECHNICAL_HEADER, "message_sequence_number")


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one datagram into actions at `out`; gives their number."""
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    sequence = packet_sequence_number(payload)
    add(context, PACKETS, 1)
    put(context, NEXT_SEQUENCE, sequence + 1)
    put(context, STREAM_NS, sending_time(payload))
    start, end = payload + HEADER_BYTES, payload + length
    emitted, seen = 0, 0
    while start < end:
        step = load_n16(start) if end - start >= LENGTH_BYTES else 0
        if step < LENGTH_BYTES or step > end - start:
            count_fault(context, BAD_LENGTH)
            break
        if emitted > BATCH - MESSAGE_ROOM:
            count_fault(context, NO_ROOM)
            break
        made = message(start, step, sequence, context, out + ACTION_BYTES * emitted)
        if made < 0:
            count_fault(context, -made)
        else:
            emitted += made
        seen += 1
        start += step
    add(context, MESSAGES, seen)
    return emitted


@njit(nogil=True)
def framed(address, length, context, out, message):
    """One message behind its technical header."""
    sequence = message_number(address)
    put(context, NEXT_SEQUENCE, sequence + 1)
    if length < TECHNICAL_BYTES:
        return -SHORT_MESSAGE
    return message(address + TECHNICAL_BYTES, length - TECHNICAL_BYTES, sequence, context, out)


walk_tcp = stream_walker(FRAMING, framed, MESSAGE_ROOM)
