"""The compiled handling of the Pillar gateway's messages."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import CANCEL_PENDING, CANCELED, REPLACED, SYMBOL, TEST_SYMBOL, emit, head
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.liquidity import liquidity_writer
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.protocols.pillar_gateway_acts import (
    ACKNOWLEDGED,
    CHANGED,
    LIQUIDITY,
    NO_ACTION,
    NOT_IN_LAYOUT,
    ROWS,
    SIDES,
)
from feedhandler.wire.access import code_loader, load_price, loader, loads
from feedhandler.wire.constants import constant_i64, constant_table
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.spaces import rest, spaced

ENTERED = PILLAR_GATEWAY[0x0260]
CHANGE = PILLAR_GATEWAY[0x0271]
EXECUTION = PILLAR_GATEWAY[0x0290]
REFERENCE = PILLAR_GATEWAY[0x0232]
ENTERED_CODE, CHANGED_CODE, REFERENCE_CODE = ENTERED.code, CHANGE.code, REFERENCE.code
EXECUTION_CODE = EXECUTION.code
SIDE_SHIFT = next(
    part.shift
    for part in ENTERED.by_name["bitfield_order_instructions"].parts
    if part.name == "side"
)
SIDE_MASK = 15
ack_kinds = constant_table(
    np.array([ACKNOWLEDGED.get(n, NOT_IN_LAYOUT) for n in range(256)], np.int64)
)
change_kinds = constant_table(
    np.array([CHANGED.get(n, NOT_IN_LAYOUT) for n in range(256)], np.int64)
)
side_codes = constant_table(np.array([SIDES.get(n, 0) for n in range(256)], np.int64))
(
    entered_key,
    entered_time,
    entered_id,
    entered_old,
    instructions,
    entered_quantity,
    entered_leaves,
    venue_id,
    entered_reason,
    entered_type,
) = loads(
    ENTERED,
    "symbol_id",
    "transact_time",
    "cl_ord_id",
    "orig_cl_ord_id",
    "bitfield_order_instructions",
    "order_qty",
    "leaves_qty",
    "order_id",
    "reason_code",
    "ack_type",
)
entered_price = load_price(ENTERED, "price")
(
    changed_key,
    changed_time,
    changed_venue_id,
    request_id,
    changed_old,
    changed_leaves,
    changed_side,
    changed_reason,
    changed_type,
) = loads(
    CHANGE,
    "symbol_id",
    "transact_time",
    "order_id",
    "ref_cl_ord_id",
    "orig_cl_ord_id",
    "leaves_qty",
    "side",
    "reason_code",
    "ack_type",
)
changed_price = load_price(CHANGE, "price")
write_liquidity = liquidity_writer(EXECUTION, "liquidity_indicator", LIQUIDITY)
code_of = code_loader(PILLAR_GATEWAY)
reference_key, reference_time, lot, is_test = loads(
    REFERENCE, "symbol_id", "transact_time", "round_lot_size", "test_symbol_indicator"
)
SYMBOL_AT = REFERENCE.offset("nyse_symbol")
first_letters = loader(SYMBOL_AT, 8, False, False)
last_letters = loader(SYMBOL_AT + 8, 8, False, False)


@njit(nogil=True)
def entered(address, sequence, out):
    """0x0260: what became of an order or of its replacement, whose id it carries."""
    kind = constant_i64(ack_kinds() + 8 * entered_type(address))
    if kind == NOT_IN_LAYOUT:
        return -UNKNOWN_VALUE
    if kind == NO_ACTION:
        return 0
    aux, quantity = venue_id(address), entered_quantity(address)
    if kind == REPLACED:
        aux, quantity = entered_old(address), entered_leaves(address)
    elif kind in (CANCELED, CANCEL_PENDING):
        aux, quantity = entered_reason(address), 0
    side = constant_i64(side_codes() + 8 * ((instructions(address) >> SIDE_SHIFT) & SIDE_MASK))
    key, order, price = entered_key(address), entered_id(address), entered_price(address)
    time_ns = entered_time(address)
    return emit(out, head(kind, side, 0), key, order, price, quantity, aux, time_ns, sequence)


@njit(nogil=True)
def changed(address, sequence, out):
    """0x0271: what became of a cancel or modify request, or an order taken off unasked.

    The order is the one that the request named, and keeps its id: that of the request is only a
    reference. Unasked, the message may name the order in either field.
    """
    kind = constant_i64(change_kinds() + 8 * changed_type(address))
    if kind == NOT_IN_LAYOUT:
        return -UNKNOWN_VALUE
    if kind == NO_ACTION:
        return 0
    order = changed_old(address)
    if order == 0:
        order = request_id(address)
    aux, quantity = changed_venue_id(address), changed_leaves(address)
    if kind in (CANCELED, CANCEL_PENDING):
        aux, quantity = changed_reason(address), 0
    side = constant_i64(side_codes() + 8 * changed_side(address))
    key, price, time_ns = changed_key(address), changed_price(address), changed_time(address)
    return emit(out, head(kind, side, 0), key, order, price, quantity, aux, time_ns, sequence)


@njit(nogil=True)
def reference(address, sequence, out):
    """0x0232: the symbol of an id."""
    first = head(SYMBOL, 0, TEST_SYMBOL if is_test(address) != 0 else 0)
    key, time_ns = reference_key(address), reference_time(address)
    name, more = spaced(first_letters(address)), rest(last_letters(address))
    return emit(out, first, key, name, 1, lot(address), more, time_ns, sequence)


@njit(nogil=True)
def special(code, address, length, sequence, context, out):
    """The acknowledgements; what the client sends means nothing to an order's state."""
    if code == ENTERED_CODE:
        return entered(address, sequence, out)
    if code == CHANGED_CODE:
        return changed(address, sequence, out)
    if code == REFERENCE_CODE:
        return reference(address, sequence, out)
    return 0


rows = interpreter(ROWS, special=special)


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """Handles one message: records written, or minus a fault."""
    made = rows(address, length, sequence, context, out)
    if made > 0 and code_of(address) == EXECUTION_CODE:
        write_liquidity(address, out)
    return made
