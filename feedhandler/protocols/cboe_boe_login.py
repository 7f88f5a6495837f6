"""The compiled bounds check of the BOE session messages that carry units and parameter groups."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.faults import BAD_COUNT, SHORT_MESSAGE
from feedhandler.protocols.cboe_boe import CBOE_BOE, PARAM_GROUP, UNIT_SEQUENCE
from nic.raw import load_u8, load_u16le

LOGIN_REQUEST, LOGIN_RESPONSE, LOGOUT = 0x37, 0x24, 0x08
REQUEST_BYTES = CBOE_BOE[LOGIN_REQUEST].size
RESPONSE_BYTES = CBOE_BOE[LOGIN_RESPONSE].size
LOGOUT_BYTES = CBOE_BOE[LOGOUT].size
UNIT_BYTES = UNIT_SEQUENCE.entry.size
GROUP_BYTES = PARAM_GROUP.entry.size
UNIT_SEQUENCES, RETURN_BITFIELDS = 0x80, 0x81
LISTED_BYTES = GROUP_BYTES + 2  # of a group up to the list that the last of these bytes counts


@njit(nogil=True)
def group_fault(place, size):
    """Why one parameter group of a size does not fit; 0 when it does."""
    if size < GROUP_BYTES:
        return SHORT_MESSAGE
    kind = np.int64(load_u8(place + GROUP_BYTES - 1))
    if kind not in (UNIT_SEQUENCES, RETURN_BITFIELDS):
        return 0
    if size < LISTED_BYTES:
        return SHORT_MESSAGE
    count = np.int64(load_u8(place + LISTED_BYTES - 1))
    entry_bytes = UNIT_BYTES if kind == UNIT_SEQUENCES else 1
    return BAD_COUNT if LISTED_BYTES + entry_bytes * count > size else 0


@njit(nogil=True)
def groups_fault(place, end):
    """Why the counted parameter groups do not fit; 0 when they do."""
    if place >= end:
        return SHORT_MESSAGE
    left = np.int64(load_u8(place))
    place += 1
    while left > 0:
        if place + 2 > end:
            return BAD_COUNT
        size = np.int64(load_u16le(place))
        if size == 0 or place + size > end:
            return BAD_COUNT
        fault = group_fault(place, size)
        if fault != 0:
            return fault
        place += size
        left -= 1
    return 0


@njit(nogil=True)
def session_fault(code, address, length):
    """Why a message's units or groups do not fit; 0 when they do or it has none."""
    if code not in (LOGIN_REQUEST, LOGIN_RESPONSE, LOGOUT):
        return 0
    end = address + length
    if code == LOGIN_REQUEST:
        return groups_fault(address + REQUEST_BYTES, end)
    place = address + (RESPONSE_BYTES if code == LOGIN_RESPONSE else LOGOUT_BYTES)
    place += UNIT_BYTES * np.int64(load_u8(place - 1))
    if place > end:
        return BAD_COUNT
    return groups_fault(place, end) if code == LOGIN_RESPONSE else 0
