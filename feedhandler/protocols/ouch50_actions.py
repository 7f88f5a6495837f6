"""The compiled decoder of the exchange's OUCH 5.0 messages."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, CANCELED, emit, head
from feedhandler.context import since_midnight
from feedhandler.faults import BAD_COUNT
from feedhandler.protocols.liquidity import liquidity_writer
from feedhandler.protocols.ouch50 import OUTBOUND
from feedhandler.protocols.ouch50_acts import LIQUIDITY, ROWS
from feedhandler.wire.access import load_key, loads
from feedhandler.wire.clocks import from_midnight
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.interpreter import interpreter
from nic.raw import load_u8, load_u16be, store_u64le

APPENDAGE_AT = np.array(
    [
        r.offset("appendage_length") if r is not None and "appendage_length" in r.by_name else 0
        for r in map(OUTBOUND.by_number.get, range(len(OUTBOUND.sizes())))
    ],
    np.int32,
)
APPENDAGE_LENGTH_BYTES = 2
ACCEPTED_CODE, REPLACED_CODE, DEAD = ord("A"), ord("U"), ord("D")
EXECUTED_CODE = ord("E")

appendage_at = constant_table(APPENDAGE_AT)
rows = interpreter(ROWS, clock=from_midnight)
accepted_state, accepted_ref, accepted_quantity, timestamp = loads(
    OUTBOUND["A"], "order_state", "user_ref_num", "quantity", "timestamp"
)
replaced_state, replaced_ref, replaced_quantity = loads(
    OUTBOUND["U"], "order_state", "user_ref_num", "quantity"
)
accepted_symbol = load_key(OUTBOUND["A"], "symbol")
replaced_symbol = load_key(OUTBOUND["U"], "symbol")
write_liquidity = liquidity_writer(OUTBOUND["E"], "liquidity_flag", LIQUIDITY)


@njit(nogil=True, forceinline=True)
def entered(address, sequence, context, out, symbol, state, ref, quantity):
    """The symbol of a new order; one that is dead on arrival is also canceled in full."""
    store_u64le(out + 8, symbol)
    if state != DEAD:
        return 1
    time_ns = since_midnight(context, timestamp(address))
    place = out + ACTION_BYTES
    return 1 + emit(place, head(CANCELED, 0, 0), symbol, ref, 0, quantity, DEAD, time_ns, sequence)


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """One outbound message; an appendage that reaches behind it is a fault."""
    made = rows(address, length, sequence, context, out)
    if made < 0:
        return made
    code = np.int64(load_u8(address))
    at = np.int64(constant_i32(appendage_at() + 4 * code))
    # One test for messages with and without (at 0): a branch on which it is would be missed often.
    end = at + APPENDAGE_LENGTH_BYTES + np.int64(load_u16be(address + at))
    if at * (end - length) > 0:
        return -BAD_COUNT
    if code == EXECUTED_CODE:
        write_liquidity(address, out)
        return made
    if code == ACCEPTED_CODE:
        symbol, state = accepted_symbol(address), accepted_state(address)
        ref, quantity = accepted_ref(address), accepted_quantity(address)
        return entered(address, sequence, context, out, symbol, state, ref, quantity)
    if code == REPLACED_CODE:
        symbol, state = replaced_symbol(address), replaced_state(address)
        ref, quantity = replaced_ref(address), replaced_quantity(address)
        return entered(address, sequence, context, out, symbol, state, ref, quantity)
    return made
