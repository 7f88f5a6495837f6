"""The compiled walk over a piece of a Pillar stream, by the convention of `wire.streamwalk`."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SESSION as SESSION_KIND
from feedhandler.actions import emit, head
from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, SESSION, add, put
from feedhandler.faults import LONG_MESSAGE, SHORT_MESSAGE, UNKNOWN_MESSAGE
from feedhandler.transports.pillar_stream import FRAMING, PILLAR_STREAM, SEQ_MSG
from feedhandler.wire.access import loader, loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.streamwalk import stream_walker

SIZES = PILLAR_STREAM.sizes()
CODES = len(SIZES)
sizes_at = constant_table(SIZES)
LOGIN_RESPONSE, STREAM_AVAILABLE, HEARTBEAT = 0x0202, 0x0203, 0x0204
OPEN_RESPONSE, CLOSE_RESPONSE = 0x0206, 0x0208
SEQUENCED_BYTES = PILLAR_STREAM[SEQ_MSG].size
(msg_type,) = loads(PILLAR_STREAM[HEARTBEAT], "msg_type")
(login_status,) = loads(PILLAR_STREAM[LOGIN_RESPONSE], "status")
available_value, next_seq = loads(PILLAR_STREAM[STREAM_AVAILABLE], "value", "next_seq")
open_value, open_status = loads(PILLAR_STREAM[OPEN_RESPONSE], "value", "status")
close_value, close_status = loads(PILLAR_STREAM[CLOSE_RESPONSE], "value", "status")
(seq,) = loads(PILLAR_STREAM[SEQ_MSG], "seq")
stream_id = loader(PILLAR_STREAM[SEQ_MSG].offset("sess"), 8, False, False)


@njit(nogil=True)
def session_change(code, key, value, out):
    """What the server answered: the stream, the answer, and in aux which message gave it."""
    return emit(out, head(SESSION_KIND, 0, 0), key, value, 0, 0, code, 0, 0)


@njit(nogil=True)
def control(code, address, context, out):
    """The messages that carry none of the application; the client's own mean nothing."""
    if code == HEARTBEAT:
        add(context, HEARTBEATS, 1)
        return 0
    if code == LOGIN_RESPONSE:
        return session_change(code, 0, login_status(address), out)
    if code == STREAM_AVAILABLE:
        return session_change(code, available_value(address), next_seq(address), out)
    if code == OPEN_RESPONSE:
        return session_change(code, open_value(address), open_status(address), out)
    if code == CLOSE_RESPONSE:
        return session_change(code, close_value(address), close_status(address), out)
    return 0


@njit(nogil=True)
def packet(address, length, context, out, message):
    """One message of the stream protocol; `session` is the id of the stream it came on."""
    code = msg_type(address)
    size = constant_i32(sizes_at() + 4 * code) if code < CODES else 0
    if size == 0:
        return -UNKNOWN_MESSAGE
    if length < size:
        return -SHORT_MESSAGE
    if code != SEQ_MSG:
        return -LONG_MESSAGE if length > size else control(code, address, context, out)
    sequence = seq(address)
    put(context, SESSION, stream_id(address))
    put(context, NEXT_SEQUENCE, sequence + 1)
    inside = address + SEQUENCED_BYTES
    return message(inside, length - SEQUENCED_BYTES, sequence, context, out)


walk = stream_walker(FRAMING, packet)
