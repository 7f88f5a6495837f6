"""The compiled walk over a piece of a SoupBinTCP stream, by the convention of `wire.streamwalk`."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import SESSION as SESSION_KIND
from feedhandler.actions import emit, head
from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, SESSION, add, get, put
from feedhandler.faults import LONG_MESSAGE, SHORT_MESSAGE, UNKNOWN_MESSAGE, UNKNOWN_VALUE
from feedhandler.transports.soupbintcp import COUNTED_PACKET, HEADER_BYTES, SOUPBINTCP
from feedhandler.wire.access import load_fold, loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.streamwalk import stream_walker
from nic.raw import load_u8

SIZES = SOUPBINTCP.sizes()
CODES = len(SIZES)
sizes_at = constant_table(SIZES)
(packet_type,) = loads(SOUPBINTCP["S"], "packet_type")
(reject_reason,) = loads(SOUPBINTCP["J"], "reject_reason_code")
session = load_fold(SOUPBINTCP["A"], "session")

DEBUG, LOGIN_ACCEPTED, LOGIN_REJECTED, END_OF_SESSION = ord("+"), ord("A"), ord("J"), ord("Z")
SEQUENCED, UNSEQUENCED, SERVER_HEARTBEAT, CLIENT_HEARTBEAT = ord("S"), ord("U"), ord("H"), ord("R")
SEQUENCE_AT = SOUPBINTCP["A"].offset("sequence_number")
SEQUENCE_BYTES = SOUPBINTCP["A"].by_name["sequence_number"].width
SPACE, ZERO, NINE = ord(" "), ord("0"), ord("9")
TENTH = (1 << 63) // 10 - 1  # a number below this can take one more digit


@njit(nogil=True)
def digits(address, width):
    """A number in ASCII digits, padded with spaces on the left; -1 when it is none."""
    number = np.int64(0)
    for i in range(width):
        byte = np.int64(load_u8(address + i))
        if byte == SPACE and number == 0:
            continue
        if byte < ZERO or byte > NINE or number > TENTH:
            return np.int64(-1)
        number = 10 * number + byte - ZERO
    return number


@njit(nogil=True)
def login_accepted(address, context, out):
    """Notes session and sequence, from which on the sequenced packets count."""
    sequence = digits(address + SEQUENCE_AT, SEQUENCE_BYTES)
    if sequence < 0:
        return -UNKNOWN_VALUE
    put(context, SESSION, session(address))
    put(context, NEXT_SEQUENCE, sequence)
    return emit(out, head(SESSION_KIND, 0, 0), 0, sequence, 0, 0, LOGIN_ACCEPTED, 0, sequence)


@njit(nogil=True)
def control(code, address, length, context, out):
    """The packets that carry no message of the application."""
    size = constant_i32(sizes_at() + 4 * code) if code < CODES else 0
    if size == 0:
        return -UNKNOWN_MESSAGE
    if length < size:
        return -SHORT_MESSAGE
    if code == DEBUG:
        return 0
    if code == UNSEQUENCED:
        return 0 if length > size else -SHORT_MESSAGE
    if length > size:
        return -LONG_MESSAGE
    if code == SERVER_HEARTBEAT or code == CLIENT_HEARTBEAT:
        add(context, HEARTBEATS, 1)
        return 0
    if code == LOGIN_ACCEPTED:
        return login_accepted(address, context, out)
    sequence = get(context, NEXT_SEQUENCE)
    if code == LOGIN_REJECTED:
        first, reason = head(SESSION_KIND, 0, 0), reject_reason(address)
        return emit(out, first, 0, reason, 0, 0, LOGIN_REJECTED, 0, sequence)
    if code == END_OF_SESSION:
        return emit(out, head(SESSION_KIND, 0, 0), 0, 0, 0, 0, END_OF_SESSION, 0, sequence)
    return 0


@njit(nogil=True, forceinline=True)
def packet(address, length, context, out, message):
    """One packet: a sequenced message counts whether or not it fits its table.

    What the client sends (unsequenced data) means nothing to an order's state and emits nothing.
    """
    if length < HEADER_BYTES:
        return -SHORT_MESSAGE
    code = packet_type(address)
    if code != SEQUENCED:
        return control(code, address, length, context, out)
    sequence = get(context, NEXT_SEQUENCE)
    put(context, NEXT_SEQUENCE, sequence + 1)
    return message(address + HEADER_BYTES, length - HEADER_BYTES, sequence, context, out)


walk = stream_walker(COUNTED_PACKET, packet)
