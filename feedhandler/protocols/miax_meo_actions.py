"""The compiled decoder of MEO's messages.

Our client order ids are decimal numbers of at most 18 digits; an action's order id is that number,
0 for any other text. A cancel takes off all that was left: its quantity is 0.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    BUY,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CORRECTION,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SYMBOL,
    TEST_SYMBOL,
    emit,
    head,
)
from feedhandler.context import UNIT, get
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.liquidity import liquidity_writer
from feedhandler.protocols.miax_meo import MIAX_MEO
from feedhandler.protocols.miax_meo_acts import EXECUTIONS, LIQUIDITY, ROWS
from feedhandler.wire.access import load_long_key, load_price, loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.digits import decimal_number
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.protocol import code_number
from feedhandler.wire.spaces import rest, spaced

ID_BYTES, MOST_DIGITS = 20, 18
NEW, MODIFIED, CANCEL, NOTED, CHANGED, REDUCED, EXECUTION, LISTED = (
    MIAX_MEO[code] for code in ("NR", "MR", "CR", "O1", "MN", "XN", "E1", "SU")
)
IS_NEW, IS_MODIFIED, IS_CANCEL, IS_NOTED, IS_CHANGED, IS_REDUCED, IS_EXECUTION, IS_LISTED = (
    code_number(code) for code in ("NR", "MR", "CR", "O1", "MN", "XN", "E1", "SU")
)
SUCCESSFUL, COMPLETED, PENDING, REFUSED = ord(" "), ord(" "), ord("P"), ord("X")
CORRECTED = ord("C")
TOKEN_AT = NEW.offset("client_order_id")  # in all answers and in all notifications but two
OLD_TOKEN_AT = MODIFIED.offset("original_client_order_id")
NOTED_TOKEN_AT = NOTED.offset("client_order_id")
EXECUTION_TOKEN_AT = EXECUTION.offset("client_order_id")
(time_of,) = loads(NEW, "matching_engine_time")  # at one place in all messages of the exchange
new_symbol, new_order, new_size, new_status = loads(
    NEW, "symbol_id", "order_id", "size", "order_status"
)
new_price = load_price(NEW, "price")
modified_symbol, modified_leaves, modified_status = loads(
    MODIFIED, "symbol_id", "leaves_qty", "modify_status"
)
modified_price = load_price(MODIFIED, "price")
cancel_symbol, cancel_status = loads(CANCEL, "symbol_id", "cancel_status")
noted_symbol, noted_order, noted_size, instructions = loads(
    NOTED, "symbol_id", "order_id", "size", "new_order_instructions"
)
noted_price = load_price(NOTED, "price")
changed_symbol, changed_order, changed_leaves, changed_status, changed_reason = loads(
    CHANGED, "symbol_id", "order_id", "leaves_qty", "pending_modify_status", "pending_reject_reason"
)
changed_price = load_price(CHANGED, "price")
reduced_symbol, reduced_leaves, cancel_reason, reduced_status, reduced_reason = loads(
    REDUCED,
    "symbol_id",
    "leaves_qty",
    "cancel_reason",
    "pending_cancel_status",
    "pending_reject_reason",
)
executed_symbol, executed_id, trade_status, executed_size, executed_side = loads(
    EXECUTION,
    "symbol_id",
    "execution_id",
    "trade_status",
    "last_size",
    "order_execution_instructions",
)
executed_price = load_price(EXECUTION, "last_price")
listed_symbol, lot_size, is_test = loads(LISTED, "symbol_id", "lot_size", "test_security_indicator")
ticker, ticker_tail = load_long_key(LISTED, "ticker_symbol")
NOTHING = -1
executions_at = constant_table(by_letter(EXECUTIONS, NOTHING))
write_liquidity = liquidity_writer(EXECUTION, "liquidity_indicator", LIQUIDITY)


@njit(nogil=True, forceinline=True)
def number_at(address):
    """The number that a client order id spells; 0 when it spells none of ours."""
    return decimal_number(address, ID_BYTES, MOST_DIGITS)


@njit(nogil=True, forceinline=True)
def side_of(bits):
    """The side in the lowest bit."""
    return SELL if bits & 1 else BUY


@njit(nogil=True)
def first_of(context, kind, side, flags):
    """The first word of a record, with the matching engine."""
    return head(kind, side, flags) | (get(context, UNIT) << 32)


@njit(nogil=True)
def answered(address, sequence, context, out):
    """The response to a new order."""
    token, key, time_ns = number_at(address + TOKEN_AT), new_symbol(address), time_of(address)
    status = new_status(address)
    if status != SUCCESSFUL:
        first = first_of(context, REJECTED, 0, 0)
        return emit(out, first, key, token, 0, 0, status, time_ns, sequence)
    first, price, size = first_of(context, ACCEPTED, 0, 0), new_price(address), new_size(address)
    return emit(out, first, key, token, price, size, new_order(address), time_ns, sequence)


@njit(nogil=True)
def modified(address, sequence, context, out):
    """The response to a modify."""
    token, key, time_ns = number_at(address + TOKEN_AT), modified_symbol(address), time_of(address)
    status = modified_status(address)
    if status != SUCCESSFUL:
        first = first_of(context, CANCEL_REJECTED, 0, 0)
        return emit(out, first, key, token, 0, 0, status, time_ns, sequence)
    first, old = first_of(context, REPLACED, 0, 0), number_at(address + OLD_TOKEN_AT)
    price, leaves = modified_price(address), modified_leaves(address)
    return emit(out, first, key, token, price, leaves, old, time_ns, sequence)


@njit(nogil=True)
def cancel_answered(address, sequence, context, out):
    """The response to a cancel: of the order where it succeeded, else of the request."""
    key, time_ns, status = cancel_symbol(address), time_of(address), cancel_status(address)
    kind, at = CANCELED, OLD_TOKEN_AT
    if status != SUCCESSFUL:
        kind, at = CANCEL_REJECTED, TOKEN_AT
    first, token = first_of(context, kind, 0, 0), number_at(address + at)
    return emit(out, first, key, token, 0, 0, status, time_ns, sequence)


@njit(nogil=True)
def noted(address, sequence, context, out):
    """A new order is told of."""
    first = first_of(context, RESTATED, side_of(instructions(address)), 0)
    key, token, price = (
        noted_symbol(address),
        number_at(address + NOTED_TOKEN_AT),
        noted_price(address),
    )
    size, order, time_ns = noted_size(address), noted_order(address), time_of(address)
    return emit(out, first, key, token, price, size, order, time_ns, sequence)


@njit(nogil=True)
def changed(address, sequence, context, out):
    """A change is told of: done, refused, or still under way."""
    status, token = changed_status(address), number_at(address + TOKEN_AT)
    key, time_ns = changed_symbol(address), time_of(address)
    if status == PENDING:
        return 0
    if status == REFUSED:
        first, reason = first_of(context, CANCEL_REJECTED, 0, 0), changed_reason(address)
        return emit(out, first, key, token, 0, 0, reason, time_ns, sequence)
    first, price = first_of(context, RESTATED, 0, 0), changed_price(address)
    leaves, order = changed_leaves(address), changed_order(address)
    return emit(out, first, key, token, price, leaves, order, time_ns, sequence)


@njit(nogil=True)
def reduced(address, sequence, context, out):
    """Shares were taken off, asked for or not: all, or so many that some are left."""
    status, leaves = reduced_status(address), reduced_leaves(address)
    kind, reason, left = CANCELED, cancel_reason(address), 0
    if status == PENDING:
        kind = CANCEL_PENDING
    elif status == REFUSED:
        kind, reason = CANCEL_REJECTED, reduced_reason(address)
    elif leaves != 0:
        kind, left = RESTATED, leaves
    first, key, token = (
        first_of(context, kind, 0, 0),
        reduced_symbol(address),
        number_at(address + TOKEN_AT),
    )
    return emit(out, first, key, token, 0, left, reason, time_of(address), sequence)


@njit(nogil=True)
def executed(address, sequence, context, out):
    """A fill, or a trade that is taken back or put right."""
    status = trade_status(address)
    kind = constant_i32(executions_at() + 4 * status)
    if kind == NOTHING:
        return -UNKNOWN_VALUE
    first = head(kind, side_of(executed_side(address)), CORRECTION if status == CORRECTED else 0)
    key, token = executed_symbol(address), number_at(address + EXECUTION_TOKEN_AT)
    price, size, trade = executed_price(address), executed_size(address), executed_id(address)
    made = emit(out, first, key, token, price, size, trade, time_of(address), sequence)
    if kind != BREAK:
        write_liquidity(address, out)
    return made


@njit(nogil=True)
def listed(address, sequence, out):
    """The symbol of a number."""
    flags = TEST_SYMBOL if is_test(address) == ord("Y") else 0
    name, more = spaced(ticker(address)), rest(ticker_tail(address))
    key, lot, time_ns = listed_symbol(address), lot_size(address), time_of(address)
    return emit(out, head(SYMBOL, 0, flags), key, name, 1, lot, more, time_ns, sequence)


@njit(nogil=True)
def special(code, address, length, sequence, context, out):
    """The messages that name an order or a symbol."""
    if code == IS_EXECUTION:
        return executed(address, sequence, context, out)
    if code == IS_NEW:
        return answered(address, sequence, context, out)
    if code == IS_CANCEL:
        return cancel_answered(address, sequence, context, out)
    if code == IS_REDUCED:
        return reduced(address, sequence, context, out)
    if code == IS_MODIFIED:
        return modified(address, sequence, context, out)
    if code == IS_NOTED:
        return noted(address, sequence, context, out)
    if code == IS_CHANGED:
        return changed(address, sequence, context, out)
    return listed(address, sequence, out) if code == IS_LISTED else 0


message = interpreter(ROWS, special=special)
