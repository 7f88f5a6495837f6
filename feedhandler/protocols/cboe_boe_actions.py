"""The compiled decoder of BOE messages from the venue.

Our client order ids are decimal numbers of at most 18 digits; an action's order id is that number,
0 for any other text. A cancel takes off all that was left: its quantity is 0. What the client did
not ask to be returned at login is not in the messages: a price is then NO_PRICE, a quantity -1 and
the replaced order 0.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import CORRECTION, NO_PRICE
from feedhandler.context import HEARTBEATS, add
from feedhandler.faults import BAD_COUNT, LONG_MESSAGE, SHORT_MESSAGE
from feedhandler.prices import multiplier
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.cboe_boe_acts import BASE_LIQUIDITY, ID_PLACES, ROWS, SUB_LIQUIDITY
from feedhandler.protocols.cboe_boe_login import session_fault
from feedhandler.protocols.liquidity import ADDED, MIDPOINT, UNIT_AT, UNKNOWN
from feedhandler.wire.access import code_loader, loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.digits import decimal_number
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.presence_access import presence_kernels
from nic.raw import load_i64le, load_u32le, store_u32le, store_u64le

SERVER_HEARTBEAT, ACKNOWLEDGED, MODIFIED, RESTATED, CORRECTED = 0x09, 0x25, 0x27, 0x28, 0x2D
EXECUTED = 0x2C
ORDER_AT, PRICE_AT, QUANTITY_AT, AUX_AT = 16, 24, 32, 40  # in an action
CL_ORD_ID_BYTES = 20
MOST_DIGITS = 18  # what fits 63 bits whatever the digits
FACTOR = multiplier(4)
LIMIT = ((1 << 63) - 1) // FACTOR
NOT_SAID = -1

load_code = code_loader(CBOE_BOE)
(corrected_price,) = loads(CBOE_BOE[CORRECTED], "corrected_price")
extent, finder = presence_kernels(CBOE_BOE)
acknowledged_price, acknowledged_leaves = (
    finder(ACKNOWLEDGED, name) for name in ("price", "leaves_qty")
)
changed_price, changed_leaves, replaced = (
    finder(MODIFIED, name) for name in ("price", "leaves_qty", "orig_cl_ord_id")
)
restated_price, restated_leaves = (finder(RESTATED, name) for name in ("price", "leaves_qty"))
base_indicator, sub_indicator = loads(
    CBOE_BOE[EXECUTED], "base_liquidity_indicator", "sub_liquidity_indicator"
)
base_codes_at = constant_table(by_letter(BASE_LIQUIDITY, UNKNOWN))
sub_codes_at = constant_table(by_letter(SUB_LIQUIDITY, UNKNOWN))
id_places_at = constant_table(ID_PLACES)


@njit(nogil=True, forceinline=True)
def order_number(address):
    """The number that the 20 bytes of a client order id spell; 0 when they spell none of ours."""
    return decimal_number(address, CL_ORD_ID_BYTES, MOST_DIGITS)


@njit(nogil=True, forceinline=True)
def store_liquidity(address, out):
    """How an execution came about, in place of the matching unit's number."""
    code = constant_i32(base_codes_at() + 4 * base_indicator(address))
    kind = constant_i32(sub_codes_at() + 4 * sub_indicator(address))
    if kind == MIDPOINT or (code == ADDED and kind != UNKNOWN):
        code = kind
    store_u32le(out + UNIT_AT, code)


@njit(nogil=True, forceinline=True)
def store_terms(price_place, leaves_place, out):
    """The order's price and open quantity, where they were returned."""
    price, leaves = NO_PRICE, np.int64(NOT_SAID)
    if price_place != 0:
        raw = load_i64le(price_place)
        if -LIMIT <= raw <= LIMIT:
            price = raw * FACTOR
    if leaves_place != 0:
        leaves = np.int64(load_u32le(leaves_place))
    store_u64le(out + PRICE_AT, price)
    store_u64le(out + QUANTITY_AT, leaves)


@njit(nogil=True, forceinline=True)
def complete(code, address, out):
    """Adds to an action what its row could not say."""
    place = constant_i32(id_places_at() + 4 * code)
    if place == 0:
        return
    store_u64le(out + ORDER_AT, order_number(address + place))
    if code == EXECUTED:
        store_liquidity(address, out)
    elif code == ACKNOWLEDGED:
        store_terms(acknowledged_price(address), acknowledged_leaves(address), out)
    elif code == MODIFIED:
        store_terms(changed_price(address), changed_leaves(address), out)
        old = replaced(address)
        store_u64le(out + AUX_AT, order_number(old) if old != 0 else 0)
    elif code == RESTATED:
        store_terms(restated_price(address), restated_leaves(address), out)
    elif code == CORRECTED and corrected_price(address) != 0:
        store_u64le(out, load_i64le(out) | (CORRECTION << 16))


@njit(nogil=True, forceinline=True)
def special(code, address, length, sequence, context, out):
    """The messages without rows: the venue's heartbeats are counted."""
    if code == SERVER_HEARTBEAT:
        add(context, HEARTBEATS, 1)
    return 0


plain = interpreter(ROWS, special=special)


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """Handles one message: records written, or minus a fault."""
    made = plain(address, length, sequence, context, out)
    if made < 0:
        return made
    code = load_code(address)
    fault = session_fault(code, address, length)
    if fault != 0:
        return -fault
    announced = extent(code, address, length)
    if announced != length:
        if announced < 0:
            return -BAD_COUNT
        return -SHORT_MESSAGE if announced > length else -LONG_MESSAGE
    if made > 0:
        complete(code, address, out)
    return made
