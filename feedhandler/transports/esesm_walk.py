"""The compiled walk over a piece of an ESesM stream, by the convention of `wire.streamwalk`."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import SESSION as SESSION_KIND
from feedhandler.actions import emit, head
from feedhandler.context import HEARTBEATS, NEXT_SEQUENCE, UNIT, add, put
from feedhandler.faults import BAD_COUNT, LONG_MESSAGE, SHORT_MESSAGE, UNKNOWN_MESSAGE
from feedhandler.transports.esesm import (
    COUNTED_PACKET,
    ENGINES,
    ESESM,
    HEADER_BYTES,
    REQUESTED,
    SEQUENCED,
    UNSEQUENCED,
)
from feedhandler.wire.access import loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.streamwalk import stream_walker
from nic.raw import load_u8

SIZES = ESESM.sizes()
CODES = len(SIZES)
sizes_at, limits_at = constant_table(SIZES), constant_table(ESESM.limits())
IS_SEQUENCED, IS_UNSEQUENCED = ord(SEQUENCED), ord(UNSEQUENCED)
LOGIN_REQUEST, LOGIN_RESPONSE, COMPLETE, GOODBYE = ord("l"), ord("r"), ord("c"), ord("G")
SERVER_HEARTBEAT, CLIENT_HEARTBEAT = ord("0"), ord("1")
SEQUENCED_BYTES = ESESM[SEQUENCED].size
RESPONSE_BYTES = ESESM["r"].size
ENGINE_BYTES, REQUESTED_BYTES = ENGINES.entry.size, REQUESTED.entry.size
GRANTED = ord(" ")
(packet_type,) = loads(ESESM["0"], "packet_type")
sequence_number, engine_id = loads(ESESM[SEQUENCED], "sequence_number", "matching_engine_id")
(asked,) = loads(ESESM["l"], "number_of_matching_engines")
(answered,) = loads(ESESM["r"], "number_of_matching_engines")


@njit(nogil=True)
def login_response(address, out):
    """The first status that is no grant, else the grant, and how many engines answered."""
    count, status = answered(address), np.int64(GRANTED)
    for number in range(count):
        said = np.int64(load_u8(address + RESPONSE_BYTES + ENGINE_BYTES * number))
        if status == GRANTED:
            status = said
    return emit(out, head(SESSION_KIND, 0, 0), count, status, 0, 0, LOGIN_RESPONSE, 0, 0)


@njit(nogil=True)
def control(code, address, length, out, context):
    """The packets that carry no message of the application; the client's own mean nothing."""
    if code == SERVER_HEARTBEAT or code == CLIENT_HEARTBEAT:
        add(context, HEARTBEATS, 1)
        return 0
    if code == LOGIN_REQUEST:
        entries = REQUESTED_BYTES * asked(address)
        return -BAD_COUNT if constant_i32(sizes_at() + 4 * code) + entries > length else 0
    if code == LOGIN_RESPONSE:
        if RESPONSE_BYTES + ENGINE_BYTES * answered(address) > length:
            return -BAD_COUNT
        return login_response(address, out)
    if code == COMPLETE or code == GOODBYE:
        return emit(out, head(SESSION_KIND, 0, 0), 0, 0, 0, 0, code, 0, 0)
    return 0


@njit(nogil=True)
def packet(address, length, context, out, message):
    """One packet; the unit of the context is the matching engine."""
    if length < HEADER_BYTES:
        return -SHORT_MESSAGE
    code = packet_type(address)
    size = constant_i32(sizes_at() + 4 * code) if code < CODES else 0
    if size == 0:
        return -UNKNOWN_MESSAGE
    if length < size:
        return -SHORT_MESSAGE
    if code == IS_SEQUENCED:
        sequence = sequence_number(address)
        put(context, UNIT, engine_id(address))
        put(context, NEXT_SEQUENCE, sequence + 1)
        inside = address + SEQUENCED_BYTES
        return message(inside, length - SEQUENCED_BYTES, sequence, context, out)
    if code == IS_UNSEQUENCED:
        return message(address + HEADER_BYTES, length - HEADER_BYTES, 0, context, out)
    if length > constant_i32(limits_at() + 4 * code):
        return -LONG_MESSAGE
    return control(code, address, length, out, context)


walk = stream_walker(COUNTED_PACKET, packet)
