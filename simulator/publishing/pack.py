"""From messages to packets: what comes within a window and a size goes together.

A packet leaves when its window ends, or when the next message has no room in it. Heartbeats leave
after silence. What is not certain before `until` stays for the next call, so that the packets do
not depend on where a run of events was cut.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.context import add, get, put
from nic.raw import (
    load_i64le,
    load_n8,
    load_n32le,
    store_u8,
    store_u16be,
    store_u16le,
    store_u32le,
    store_u64le,
)
from simulator.publishing.layout import (
    BIG,
    BODY,
    DATA,
    HEARTBEAT,
    LENGTH,
    MESSAGE_DTYPE,
    MESSAGES,
    NANOSECONDS,
    OFFSET,
    PACKET_DTYPE,
    SECONDS,
    SENT,
    SEQUENCE,
    STATE_DTYPE,
    UNIT,
    offsets,
)
from simulator.publishing.placing import set_value, write_form

BILLION = 1_000_000_000
MESSAGE_BYTES, PACKET_BYTES = MESSAGE_DTYPE.itemsize, PACKET_DTYPE.itemsize
M_OFFSET, M_LENGTH = offsets(MESSAGE_DTYPE, "offset", "length")
P_OFFSET, P_SEQUENCE, P_LENGTH, P_COUNT, P_UNIT, P_KIND = offsets(
    PACKET_DTYPE, "offset", "sequence", "length", "count", "unit", "kind"
)
IN, ROWS, HEADER, HEADER_BYTES, HEARTBEAT_FORM = offsets(
    STATE_DTYPE, "out", "messages", "header", "header_bytes", "heartbeat"
)
PREFIX, PREFIX_WIDTH, PREFIX_PLUS = offsets(
    STATE_DTYPE, "prefix_bytes", "prefix_width", "prefix_plus"
)
LIMIT_BYTES, LIMIT_COUNT, WINDOW, HEARTBEAT_NS, SENT_NS = offsets(
    STATE_DTYPE, "limit_bytes", "limit_count", "window_ns", "heartbeat_ns", "sent_ns"
)
NEXT, STREAM, OWN_UNIT = offsets(STATE_DTYPE, "sequence", "stream_bytes", "unit")
OUT, USED, PACKETS, MADE, ROOM = offsets(
    STATE_DTYPE, "packet_out", "packet_used", "packets", "packet_made", "packet_room"
)


@njit(nogil=True)
def copy(out, source, length):
    """Copies bytes that do not overlap."""
    whole = length & ~7
    for at in range(0, whole, 8):
        store_u64le(out + at, load_i64le(source + at))
    for at in range(whole, length):
        store_u8(out + at, load_n8(source + at))


@njit(nogil=True)
def note_packet(state, time_ns, length, count, kind):
    """Appends the row of a packet whose bytes stand at the end of the output."""
    row = get(state, PACKETS) + PACKET_BYTES * get(state, MADE)
    store_u64le(row, time_ns)
    store_u64le(row + P_OFFSET, get(state, USED))
    store_u64le(row + P_SEQUENCE, get(state, NEXT))
    store_u32le(row + P_LENGTH, length)
    store_u32le(row + P_COUNT, count)
    store_u32le(row + P_UNIT, get(state, OWN_UNIT))
    store_u32le(row + P_KIND, kind)
    add(state, USED, length)
    add(state, MADE, 1)
    add(state, NEXT, count)
    put(state, SENT_NS, time_ns)


@njit(nogil=True)
def write_header(state, form, time_ns, count, body):
    """The packet header in front of `body` bytes; gives its length."""
    set_value(state, SEQUENCE, get(state, NEXT))
    set_value(state, MESSAGES, count)
    set_value(state, LENGTH, get(state, HEADER_BYTES) + body)
    set_value(state, BODY, body)
    set_value(state, UNIT, get(state, OWN_UNIT))
    set_value(state, SECONDS, time_ns // BILLION)
    set_value(state, NANOSECONDS, time_ns % BILLION)
    set_value(state, SENT, time_ns)
    set_value(state, OFFSET, get(state, STREAM))
    return write_form(state, form, get(state, OUT) + get(state, USED))


@njit(nogil=True)
def signal(state, form, time_ns, kind):
    """A packet without messages: a heartbeat or the end."""
    note_packet(state, time_ns, write_header(state, form, time_ns, 0, 0), 0, kind)


@njit(nogil=True)
def put_prefix(state, out, length):
    """The length in front of a message, where the transport has one."""
    width = get(state, PREFIX_WIDTH)
    if width == BIG + 2:
        store_u16be(out, length + get(state, PREFIX_PLUS))
    elif width == 2:
        store_u16le(out, length + get(state, PREFIX_PLUS))


@njit(nogil=True)
def send(state, first, count, body, time_ns):
    """One packet of `count` messages."""
    prefix, start = get(state, PREFIX), get(state, OUT) + get(state, USED)
    at = start + write_header(state, get(state, HEADER), time_ns, count, body)
    for number in range(first, first + count):
        row = get(state, ROWS) + MESSAGE_BYTES * number
        length = load_n32le(row + M_LENGTH)
        put_prefix(state, at, length)
        copy(at + prefix, get(state, IN) + load_i64le(row + M_OFFSET), length)
        at += prefix + length
    add(state, STREAM, body)
    note_packet(state, time_ns, at - start, count, DATA)


@njit(nogil=True)
def extent(state, first, count):
    """(messages, bytes behind the header, when it leaves) of the packet that begins at `first`."""
    row = get(state, ROWS) + MESSAGE_BYTES * first
    room, prefix = get(state, LIMIT_BYTES) - get(state, HEADER_BYTES), get(state, PREFIX)
    closes, most = load_i64le(row) + get(state, WINDOW), get(state, LIMIT_COUNT)
    taken, body, leaves = 0, 0, closes
    while first + taken < count and load_i64le(row) <= closes:
        step = prefix + load_n32le(row + M_LENGTH)
        if taken == most or body + step > room:
            leaves = load_i64le(row - MESSAGE_BYTES)
            break
        body += step
        taken += 1
        row += MESSAGE_BYTES
    return taken, body, leaves


@njit(nogil=True, cache=True)
def pack_messages(state, first, count, until):
    """Packs the messages from `first` on into packets that leave before `until`.

    Gives the number of the first message that is still waiting. Stops when the rows are full.
    """
    state, first, count, until = np.int64(state), np.int64(first), np.int64(count), np.int64(until)
    while get(state, MADE) < get(state, ROOM):
        taken, body, leaves = np.int64(0), np.int64(0), until
        if first < count:
            taken, body, leaves = extent(state, first, count)
        due = get(state, SENT_NS) + get(state, HEARTBEAT_NS)
        if get(state, SENT_NS) != 0 and due < min(leaves, until):
            signal(state, get(state, HEARTBEAT_FORM), due, HEARTBEAT)
        elif leaves < until or first + taken < count:
            send(state, first, taken, body, leaves)
            first += taken
        else:
            break
    return first


@njit(nogil=True, cache=True)
def pack_signal(state, form, time_ns, kind):
    """`signal` for the control side."""
    signal(np.int64(state), np.int64(form), np.int64(time_ns), np.int64(kind))
