"""The compiled walk over SIAC's blocks."""

from __future__ import annotations

from numba import njit

from feedhandler.context import NEXT_SEQUENCE, PACKETS, STREAM_NS, add, count_fault, put
from feedhandler.faults import BAD_CHECKSUM, BAD_HEADER, SHORT_HEADER
from feedhandler.transports.siac import HEADER, TRANSPORT, UNSEQUENCED
from feedhandler.transports.suh_walk import forget_sequences
from feedhandler.wire.access import loads
from feedhandler.wire.checksum import checker
from feedhandler.wire.walk import walker

BILLION = 1_000_000_000
HEADER_BYTES = HEADER.size
block_size, sequence_number, message_count, seconds, nanoseconds = loads(
    HEADER, "block_size", "block_sequence_number", "messages_in_block", "seconds", "nanoseconds"
)
sound = checker(HEADER, TRANSPORT.checksum)
walk_messages = walker(TRANSPORT.framing, TRANSPORT.padded)


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one block into actions at `out`; gives their number.

    What the transport expects next is left as it was by blocks that are not counted.
    """
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    size = block_size(payload)
    if size < HEADER_BYTES or size > length:
        count_fault(context, BAD_HEADER)
        return 0
    if not sound(payload, size):
        count_fault(context, BAD_CHECKSUM)
        return 0
    add(context, PACKETS, 1)
    sequence, count = sequence_number(payload), message_count(payload)
    put(context, STREAM_NS, seconds(payload) * BILLION + nanoseconds(payload))
    if sequence != UNSEQUENCED:
        put(context, NEXT_SEQUENCE, sequence + count)
    start = payload + HEADER_BYTES
    made = walk_messages(start, payload + size, count, sequence, context, out, message)
    if sequence == UNSEQUENCED:
        forget_sequences(out, made)
    return made
