"""The compiled walks over packets with a Sequenced Unit Header, in datagrams and in a stream."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import (
    CONSUMED,
    HEARTBEATS,
    NEXT_SEQUENCE,
    PACKETS,
    UNIT,
    add,
    count_fault,
    put,
)
from feedhandler.faults import BAD_HEADER, SHORT_HEADER
from feedhandler.transports.suh import HEADER, TRANSPORT, UNSEQUENCED
from feedhandler.wire.access import loads
from feedhandler.wire.walk import BATCH, ROOM, walker
from nic.raw import store_u64le

HEADER_BYTES = HEADER.size
PACKET_ROOM = 255 * ROOM  # a packet's count is one byte
SEQUENCE_AT = 56  # in an action
packet_bytes, message_count, unit, first_sequence = loads(
    HEADER, "length", "count", "unit", "sequence"
)
walk_messages = walker(TRANSPORT.framing)


@njit(nogil=True)
def forget_sequences(out, made):
    """Unsequenced messages have the sequence 0, all of them."""
    for number in range(made):
        store_u64le(out + ACTION_BYTES * number + SEQUENCE_AT, 0)


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one packet into actions at `out`; gives their number.

    The context's next sequence is that of the packet's unit, 0 when the packet says none.
    """
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    stated = packet_bytes(payload)
    if stated < HEADER_BYTES or stated > length:
        count_fault(context, BAD_HEADER)
        return 0
    add(context, PACKETS, 1)
    count, sequence = message_count(payload), first_sequence(payload)
    put(context, UNIT, unit(payload))
    if count == 0:
        add(context, HEARTBEATS, 1)
    numbered = sequence != UNSEQUENCED
    put(context, NEXT_SEQUENCE, sequence + count if numbered else UNSEQUENCED)
    start, end = payload + HEADER_BYTES, payload + stated
    made = walk_messages(start, end, count, sequence, context, out, message)
    if not numbered:
        forget_sequences(out, made)
    return made


@njit(nogil=True)
def walk_stream(payload, length, context, out, message):
    """Decodes the whole packets of a stream piece, by the convention of `wire.streamwalk`."""
    emitted = 0
    at = 0
    while length - at >= HEADER_BYTES and emitted <= BATCH - PACKET_ROOM:
        stated = packet_bytes(payload + at)
        if stated > length - at:
            break
        made = walk(payload + at, length - at, context, out + ACTION_BYTES * emitted, message)
        if stated < HEADER_BYTES:
            at = length
            break
        emitted += made
        at += stated
    put(context, CONSUMED, at)
    return emitted
