"""CME's definitions as actions: the symbol with its tick, price limits, the trading state."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, NO_PRICE, STATUS_CLOSED, SYMBOL, emit, head
from feedhandler.context import UNIT, count_fault, get
from feedhandler.faults import UNKNOWN_SYMBOL
from feedhandler.protocols.cme_acts import NO_CHANGE, NOT_IN_LAYOUT
from feedhandler.protocols.cme_columns import (
    DEFINITIONS,
    HIGHEST_DEFINITION,
    LOWEST_DEFINITION,
    ticks,
)
from feedhandler.protocols.cme_fields import HEADER_BYTES, LEGACY_BELOW
from feedhandler.protocols.cme_layouts import load_n16, scaled
from feedhandler.protocols.cme_levels import ASSET, DEPTH, GROUP, LEVELS, row_of
from feedhandler.protocols.cme_limits import defined_limits
from feedhandler.protocols.cme_states import say_status, status_of
from feedhandler.wire.access import loader, loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.sbe import groups_of
from feedhandler.wire.spaces import rest, spaced
from nic.raw import load_i64le, load_n8, store_u32le, store_u64le

FUTURE = DEFINITIONS[0]
block_length, last_update_time, security_id, update_action, trading_status = loads(
    FUTURE,
    "block_length",
    "last_update_time",
    "security_id",
    "security_update_action",
    "md_security_trading_status",
)
security_group, asset = loads(FUTURE, "security_group", "asset")
SYMBOL_AT = FUTURE.offset("symbol")
first_letters, more_letters = (loader(SYMBOL_AT + at, 8, False, False) for at in (0, 8))
last_letters = loader(SYMBOL_AT + 16, 4, False, False)
ticks_at = constant_table(ticks())
DIMENSION_BYTES = 3
DEPTH_AT = groups_of(FUTURE)[1].entry.offset("market_depth")
feed_type = loader(0, 3, False, False)
BOOK_FEED = int.from_bytes(b"GBX", "little")
DELETED = ord("D")
LOT = 1  # contracts are traded one by one


@njit(nogil=True, forceinline=True)
def is_definition(code):
    """Whether a template is a definition."""
    return (
        LOWEST_DEFINITION <= code <= HIGHEST_DEFINITION
        and constant_i32(ticks_at() + 4 * (code - LOWEST_DEFINITION)) != 0
    )


@njit(nogil=True)
def depth_of(address):
    """Levels of the direct book, from the group of feed types; DEPTH where it is not said."""
    at = address + HEADER_BYTES + block_length(address)
    at += DIMENSION_BYTES + load_n16(at) * load_n8(at + 2)
    stride, count = load_n16(at), load_n8(at + 2)
    at += DIMENSION_BYTES
    for _ in range(count):
        if feed_type(at) == BOOK_FEED:
            return min(max(load_n8(at + DEPTH_AT), 1), DEPTH)
        at += stride
    return np.int64(DEPTH)


@njit(nogil=True)
def name(code, address, unit, sequence, out):
    """The SYMBOL record. A symbol of more than 16 letters does not fit: the id is its name."""
    text, more = spaced(first_letters(address)), rest(more_letters(address))
    if last_letters(address) != 0:
        text, more = np.int64(0), np.int64(0)
    raw = load_i64le(address + constant_i32(ticks_at() + 4 * (code - LOWEST_DEFINITION)))
    tick = scaled(raw, 1 if code >= LEGACY_BELOW else 0)
    tick = tick if tick != NO_PRICE else 0
    key, time_ns = security_id(address), last_update_time(address)
    return emit(out, head(SYMBOL, 0, 0) | unit, key, text, tick, LOT, more, time_ns, sequence)


@njit(nogil=True)
def define(code, address, sequence, context, out):
    """A definition: what later messages need is noted; gives the number of records."""
    key, unit = security_id(address), get(context, UNIT) << 32
    row = row_of(context, key)
    if row == 0:
        count_fault(context, UNKNOWN_SYMBOL)
    else:
        store_u64le(row + GROUP, security_group(address))
        store_u64le(row + ASSET, asset(address))
        store_u32le(row + LEVELS, depth_of(address))
    made = name(code, address, unit, sequence, out)
    place, said_ns = out + ACTION_BYTES * made, last_update_time(address)
    made += defined_limits(code, address, unit, key, said_ns, sequence, place)
    status = status_of(trading_status(address))
    if update_action(address) == DELETED:
        status = STATUS_CLOSED
    if status == NO_CHANGE or status == NOT_IN_LAYOUT:
        return made
    place, own = out + ACTION_BYTES * made, trading_status(address)
    return made + say_status(place, unit, key, own, status, said_ns, sequence)
