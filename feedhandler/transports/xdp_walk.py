"""The compiled walk over NYSE's XDP packets."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES, REFRESH, SNAPSHOT_END, emit, head
from feedhandler.context import (
    HEARTBEATS,
    NEXT_SEQUENCE,
    PACKETS,
    STREAM_NS,
    UNIT,
    add,
    count_fault,
    get,
    put,
)
from feedhandler.faults import BAD_HEADER, SHORT_HEADER
from feedhandler.protocols.nyse_control import REFRESH_HEADER
from feedhandler.transports.xdp import (
    HEADER,
    HEARTBEAT,
    MESSAGE_UNAVAILABLE,
    REFRESH_END,
    REFRESH_ONLY,
    TRANSPORT,
)
from feedhandler.wire.access import loads
from feedhandler.wire.walk import BATCH, walker
from nic.raw import load_i64le, store_u64le

BILLION = 1_000_000_000
HEADER_BYTES = HEADER.size
pkt_size, delivery_flag, number_msgs, seq_num, seconds, nanoseconds = loads(
    HEADER, "pkt_size", "delivery_flag", "number_msgs", "seq_num", "seconds", "nanoseconds"
)
REFRESH_HEADER_CODE = REFRESH_HEADER.code
REFRESH_HEADER_BYTES = REFRESH_HEADER.size
message_size, message_type, last_seq_num = loads(
    REFRESH_HEADER, "message_size", "message_type", "last_seq_num"
)
walk_messages = walker(TRANSPORT.framing)


@njit(nogil=True)
def end_of_refresh(start, end, context, out, made):
    """Says up to which live sequence the refreshed book is good; gives the number of records.

    The refresh header states it in front of the orders, so the record is made behind them. The
    symbol is that of the last order.
    """
    if made >= BATCH or end - start < REFRESH_HEADER_BYTES:
        return 0
    stated = message_size(start) == REFRESH_HEADER_BYTES
    if not stated or message_type(start) != REFRESH_HEADER_CODE:
        return 0
    place = out + ACTION_BYTES * made
    key = load_i64le(place - ACTION_BYTES + 8) if made > 0 else 0
    first = head(SNAPSHOT_END, 0, REFRESH) | (get(context, UNIT) << 32)
    return emit(place, first, key, last_seq_num(start), 0, 0, 0, get(context, STREAM_NS), 0)


@njit(nogil=True)
def refreshed(start, end, flag, context, out, made):
    """Marks a refresh packet's actions; gives how many there are then."""
    for number in range(made):
        place = out + ACTION_BYTES * number
        store_u64le(place, load_i64le(place) | (REFRESH << 16))
    if flag in (REFRESH_ONLY, REFRESH_END):
        made += end_of_refresh(start, end, context, out, made)
    return made


@njit(nogil=True)
def walk(payload, length, context, out, message):
    """Decodes one packet into actions at `out`; gives their number.

    What the transport expects next is left as it was by refreshes, which count on their own, and by
    packets that say that a message is unavailable.
    """
    if length < HEADER_BYTES:
        count_fault(context, SHORT_HEADER)
        return 0
    size = pkt_size(payload)
    if size < HEADER_BYTES or size > length:
        count_fault(context, BAD_HEADER)
        return 0
    add(context, PACKETS, 1)
    flag, count, sequence = delivery_flag(payload), number_msgs(payload), seq_num(payload)
    put(context, STREAM_NS, seconds(payload) * BILLION + nanoseconds(payload))
    if flag == HEARTBEAT:
        add(context, HEARTBEATS, 1)
        put(context, NEXT_SEQUENCE, sequence)
        return 0
    if flag < REFRESH_ONLY or flag > MESSAGE_UNAVAILABLE:
        put(context, NEXT_SEQUENCE, sequence + count)
    start, end = payload + HEADER_BYTES, payload + size
    made = walk_messages(start, end, count, sequence, context, out, message)
    if REFRESH_ONLY <= flag <= REFRESH_END:
        made = refreshed(start, end, flag, context, out, made)
    return made
