"""What all of NYSE's market data kernels share: price scales and clocks of symbols, and states.

The symbol index mappings fill the context's table of symbols: `price_multiplier` 0 means that
no price of the symbol can be told, `clock` is 1 + the system whose seconds its times count from.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    CLOCK,
    PRICE_DECIMALS,
    RESTRICT,
    STATUS,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_TRADING,
    SYMBOL,
    emit,
    head,
)
from feedhandler.context import (
    SYMBOL_BYTES,
    SYMBOLS_ADDRESS,
    SYMBOLS_COUNT,
    UNIT,
    UNITS,
    count_fault,
    get,
    set_second,
    since_second,
)
from feedhandler.faults import UNKNOWN_SYMBOL, UNKNOWN_VALUE
from feedhandler.prices import multiplier
from feedhandler.protocols.nyse_acts import (
    BY_MARKET,
    MARKET_STATE,
    NO_STATUS,
    NOT_IN_LAYOUT,
    SECURITY_STATUS,
)
from feedhandler.protocols.nyse_control import (
    SECURITY_STATUS_MESSAGE,
    SOURCE_TIME_REFERENCE,
    SYMBOL_INDEX_MAPPING,
)
from feedhandler.wire.access import loader, loads
from feedhandler.wire.constants import constant_i64, constant_table
from feedhandler.wire.spaces import rest, spaced
from nic.raw import load_i64le, store_u64le

BILLION = 1_000_000_000
MAPPING_CODE = SYMBOL_INDEX_MAPPING.code
STATUS_CODE = SECURITY_STATUS_MESSAGE.code
TIME_CODE = SOURCE_TIME_REFERENCE.code
MULTIPLIERS = constant_table(np.array([multiplier(code) for code in range(9)], np.int64))
STATUSES = constant_table(
    np.array([SECURITY_STATUS.get(chr(n), NOT_IN_LAYOUT) for n in range(256)], np.int64)
)
MARKET_STATES = constant_table(
    np.array([MARKET_STATE.get(chr(n), STATUS_TRADING) for n in range(256)], np.int64)
)
mapped_index, system_id, price_scale_code, lot_size = loads(
    SYMBOL_INDEX_MAPPING, "symbol_index", "system_id", "price_scale_code", "lot_size"
)
SYMBOL_AT = SYMBOL_INDEX_MAPPING.offset("symbol")
first_letters = loader(SYMBOL_AT, 8, False, False)
last_letters = loader(SYMBOL_AT + 8, 3, False, False)
clock_id, clock_second = loads(SOURCE_TIME_REFERENCE, "id", "source_time")
status_index, status_second, status_ns, security_status, halt_condition, ssr_state, market_state = (
    loads(
        SECURITY_STATUS_MESSAGE,
        "symbol_index",
        "source_time",
        "source_time_ns",
        "security_status",
        "halt_condition",
        "ssr_state",
        "market_state",
    )
)


@njit(nogil=True)
def scale(context, key, factor):
    """The scale of a symbol's prices; 0 while the symbol is unknown, which is then counted."""
    known = 0
    if key < get(context, SYMBOLS_COUNT):
        known = load_i64le(get(context, SYMBOLS_ADDRESS) + SYMBOL_BYTES * key)
    if known == 0 and factor == 0:
        count_fault(context, UNKNOWN_SYMBOL)
    return known if factor == 0 else factor


@njit(nogil=True)
def clock(context, key, time):
    """Epoch ns of a time in the second that the symbol's system announced last; 0 if none was."""
    if key >= get(context, SYMBOLS_COUNT):
        return 0
    system = load_i64le(get(context, SYMBOLS_ADDRESS) + SYMBOL_BYTES * key + 8)
    return since_second(context, system - 1, time) if system != 0 else 0


@njit(nogil=True)
def mapping(address, sequence, context, out):
    """Notes the symbol's scale and clock. A scale of more than 8 decimals gives no prices."""
    key, code = mapped_index(address), price_scale_code(address)
    factor = 0
    if code <= PRICE_DECIMALS:
        factor = constant_i64(MULTIPLIERS() + 8 * code)
    else:
        count_fault(context, UNKNOWN_VALUE)
    if key < get(context, SYMBOLS_COUNT):
        row = get(context, SYMBOLS_ADDRESS) + SYMBOL_BYTES * key
        store_u64le(row, factor)
        store_u64le(row + 8, system_id(address) + 1)
    first = head(SYMBOL, 0, 0) | (get(context, UNIT) << 32)
    name, more = spaced(first_letters(address)), rest(last_letters(address))
    return emit(out, first, key, name, factor, lot_size(address), more, 0, sequence)


@njit(nogil=True)
def time_reference(address, sequence, context, out):
    """A system's new second."""
    system, second_ns = clock_id(address), clock_second(address) * BILLION
    if system >= UNITS:
        return -UNKNOWN_VALUE
    set_second(context, system, second_ns)
    first = head(CLOCK, 0, 0) | (get(context, UNIT) << 32)
    return emit(out, first, 0, system, 0, 0, 0, second_ns, sequence)


@njit(nogil=True)
def trading_status(address):
    """The STATUS_ code with flags above bit 16, NO_STATUS when nothing changes, or NOT_IN_LAYOUT.

    A halt condition that is still in force outweighs a session's state, as when the core session
    starts while a symbol is halted for news.
    """
    status = constant_i64(STATUSES() + 8 * security_status(address))
    if status == BY_MARKET:
        return constant_i64(MARKET_STATES() + 8 * market_state(address))
    if status <= NO_STATUS:
        return status
    why = halt_condition(address)
    if why in (ord("~"), ord(" "), 0) or security_status(address) == ord("X"):
        return status
    return STATUS_PAUSED if why == ord("M") else STATUS_HALTED


@njit(nogil=True)
def restriction(address):
    """1 when the short sale restriction is in force, 0 when not, -1 when the message is silent."""
    event, state = security_status(address), ssr_state(address)
    if event in (ord("A"), ord("C")) or (event != ord("D") and state == ord("E")):
        return 1
    return 0 if event == ord("D") or state == ord("~") else -1


@njit(nogil=True)
def state_change(address, sequence, context, out):
    """Trading state and short sale restriction: both stand in every security status message."""
    status, restricted = trading_status(address), restriction(address)
    if status == NOT_IN_LAYOUT:
        return -UNKNOWN_VALUE
    key = status_index(address)
    time_ns = status_second(address) * BILLION + status_ns(address)
    unit = get(context, UNIT) << 32
    made = 0
    if status != NO_STATUS:
        first = head(STATUS, 0, status >> 16) | unit
        own = security_status(address) | (halt_condition(address) << 8)
        made = emit(out, first, key, own, 0, 0, status & 0xFFFF, time_ns, sequence)
    if restricted >= 0:
        first = head(RESTRICT, 0, 0) | unit
        place = out + ACTION_BYTES * made
        made += emit(place, first, key, 0, 0, 0, restricted, time_ns, sequence)
    return made


@njit(nogil=True)
def special(code, address, length, sequence, context, out):
    """The control messages that are more than moved fields; all others mean nothing to a book."""
    if code == MAPPING_CODE:
        return mapping(address, sequence, context, out)
    if code == TIME_CODE:
        return time_reference(address, sequence, context, out)
    if code == STATUS_CODE:
        return state_change(address, sequence, context, out)
    return 0
