"""The compiled walk over a piece of a MEMX-TCP stream, by the convention of `wire.streamwalk`."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SESSION as SESSION_KIND
from feedhandler.actions import emit, head
from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, SESSION, add, get, put
from feedhandler.faults import LONG_MESSAGE, SHORT_MESSAGE, UNKNOWN_MESSAGE
from feedhandler.transports.memxtcp import (
    END_OF_SESSION,
    FRAMING,
    HEADER_BYTES,
    HEARTBEAT,
    LOGIN_ACCEPTED,
    LOGIN_REJECTED,
    LOGIN_REQUEST,
    MEMX_TCP,
    REPLAY_BEGIN,
    REPLAY_COMPLETE,
    REPLAY_REJECTED,
    SEQUENCED,
    START_OF_SESSION,
    STREAM_BEGIN,
    STREAM_COMPLETE,
    STREAM_REJECTED,
)
from feedhandler.wire.access import loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.streamwalk import stream_walker
from nic.raw import load_u8

SIZES = MEMX_TCP.sizes()
CODES = len(SIZES)
sizes_at = constant_table(SIZES)
(message_type,) = loads(MEMX_TCP[HEARTBEAT], "message_type")
(session_id,) = loads(MEMX_TCP[START_OF_SESSION], "session_id")
(total_count,) = loads(MEMX_TCP[STREAM_COMPLETE], "total_sequence_count")
(next_number,) = loads(MEMX_TCP[REPLAY_BEGIN], "next_sequence_number")


@njit(nogil=True)
def session_change(code, value, context, out):
    """What the server answered; aux says which message gave it."""
    sequence = get(context, NEXT_SEQUENCE)
    return emit(out, head(SESSION_KIND, 0, 0), 0, value, 0, 0, code, 0, sequence)


@njit(nogil=True)
def control(code, address, context, out):
    """The messages that carry none of MEMOIR; the client's own mean nothing."""
    if code == HEARTBEAT:
        add(context, HEARTBEATS, 1)
        return 0
    if code in (LOGIN_ACCEPTED, LOGIN_REJECTED, REPLAY_REJECTED, STREAM_REJECTED):
        return session_change(code, load_u8(address + HEADER_BYTES), context, out)
    if code == START_OF_SESSION:
        put(context, SESSION, session_id(address))
        return session_change(code, session_id(address), context, out)
    if code == REPLAY_BEGIN or code == STREAM_BEGIN:
        put(context, NEXT_SEQUENCE, next_number(address))
        return session_change(code, next_number(address), context, out)
    if code == REPLAY_COMPLETE or code == STREAM_COMPLETE:
        return session_change(code, total_count(address), context, out)
    if code == END_OF_SESSION:
        return session_change(code, 0, context, out)
    return 0


@njit(nogil=True)
def packet(address, length, context, out, message):
    """One message: a sequenced one counts whether or not it fits its table."""
    code = message_type(address)
    size = constant_i32(sizes_at() + 4 * code) if code < CODES else 0
    if size == 0:
        return -UNKNOWN_MESSAGE
    if length < size:
        return -SHORT_MESSAGE
    if code != SEQUENCED:
        if length > size and code != LOGIN_REQUEST:
            return -LONG_MESSAGE
        return control(code, address, context, out)
    sequence = get(context, NEXT_SEQUENCE)
    put(context, NEXT_SEQUENCE, sequence + 1)
    return message(address + HEADER_BYTES, length - HEADER_BYTES, sequence, context, out)


walk = stream_walker(FRAMING, packet)
