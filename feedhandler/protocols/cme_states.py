"""CME's trading states as actions: of one security, or of all of a group that are known."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, STATUS, emit, head
from feedhandler.context import UNIT, count_fault, get
from feedhandler.faults import NO_ROOM, UNKNOWN_VALUE
from feedhandler.protocols.cme_acts import NO_CHANGE, NOT_IN_LAYOUT, STATUSES
from feedhandler.protocols.cme_fields import NULL_I32
from feedhandler.protocols.cme_levels import ASSET, GROUP, first_row, next_row, row_count
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.transports.cme_walk import MESSAGE_ROOM
from feedhandler.wire.access import loads
from feedhandler.wire.constants import constant_i32, constant_table
from nic.raw import load_i32le, load_i64le

RECORD = CME_MDP3[30]
transact_time, security_id, trading_status, halt_reason = loads(
    RECORD, "transact_time", "security_id", "security_trading_status", "halt_reason"
)
security_group, asset = loads(RECORD, "security_group", "asset")
statuses_at = constant_table(
    np.array([STATUSES.get(code, NOT_IN_LAYOUT) for code in range(256)], np.int32)
)


@njit(nogil=True, forceinline=True)
def status_of(code):
    """The STATUS_ of one of CME's codes; NO_CHANGE or NOT_IN_LAYOUT."""
    return constant_i32(statuses_at() + 4 * code)


@njit(nogil=True)
def say_status(out, unit, key, own, status, time_ns, sequence):
    """One STATUS record."""
    return emit(out, head(STATUS, 0, 0) | unit, key, own, 0, 0, status, time_ns, sequence)


@njit(nogil=True)
def group_status(address, sequence, context, out, own, status):
    """The state of all securities of a group, or of one product in it.

    Which they are is known of those that were defined. Looks at all rows in use.
    """
    group, product = security_group(address), asset(address)
    unit, time_ns, made = get(context, UNIT) << 32, transact_time(address), 0
    row = first_row(context)
    for _ in range(row_count(context)):  # no more, whatever the chain says
        if row == 0:
            break
        mine = load_i64le(row + GROUP) == group
        if mine and (product == 0 or load_i64le(row + ASSET) == product):
            if made == MESSAGE_ROOM:
                count_fault(context, NO_ROOM)
                break
            key, place = np.int64(load_i32le(row)), out + ACTION_BYTES * made
            made += say_status(place, unit, key, own, status, time_ns, sequence)
        row = next_row(context, row)
    return made


@njit(nogil=True)
def security_status(address, sequence, context, out):
    """A security status message."""
    code = trading_status(address)
    status = status_of(code)
    if status == NOT_IN_LAYOUT:
        return -UNKNOWN_VALUE
    if status == NO_CHANGE:
        return 0
    own, key = code | (halt_reason(address) << 8), security_id(address)
    if key == NULL_I32:
        return group_status(address, sequence, context, out, own, status)
    unit, time_ns = get(context, UNIT) << 32, transact_time(address)
    return say_status(out, unit, key, own, status, time_ns, sequence)
