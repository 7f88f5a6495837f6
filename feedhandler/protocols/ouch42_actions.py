"""The compiled decoder of the exchange's OUCH 4.2 messages.

A token of fourteen decimal digits, as the router writes them, becomes its number. Any other token,
of orders that someone else entered on the session, becomes a negative number made from its bytes,
which no order of ours has.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, CANCELED, emit, head
from feedhandler.context import since_midnight
from feedhandler.protocols.liquidity import liquidity_writer
from feedhandler.protocols.ouch42 import OUTBOUND, TOKEN_BYTES
from feedhandler.protocols.ouch42_acts import LIQUIDITY, ROWS
from feedhandler.wire.access import FOLD_MULTIPLIER, load_key, loads
from feedhandler.wire.clocks import from_midnight
from feedhandler.wire.digits import all_digits, eight_digits
from feedhandler.wire.interpreter import interpreter
from nic.raw import load_i64le, load_u8, store_u64le

SIGN = -(1 << 63)
TOKEN_AT = OUTBOUND["A"].offset("order_token")
PREVIOUS_AT = OUTBOUND["U"].offset("previous_order_token")
SECOND_PART = TOKEN_BYTES - 8  # the two 8-byte loads of a token overlap by 2 bytes
OVERLAP_BITS = 8 * (16 - TOKEN_BYTES)
HUNDRED_MILLION = 100_000_000
LEADING_ZEROS = 0x3030  # shifted in under the first six digits
ACCEPTED_CODE, REPLACED_CODE, SYSTEM_EVENT, DEAD = ord("A"), ord("U"), ord("S"), ord("D")
EXECUTED_CODE, EXECUTED_AT_REFERENCE = ord("E"), ord("G")

rows = interpreter(ROWS, clock=from_midnight)
accepted_state, accepted_shares, timestamp = loads(
    OUTBOUND["A"], "order_state", "shares", "timestamp"
)
symbol_of_order = load_key(OUTBOUND["A"], "stock")
write_liquidity = liquidity_writer(OUTBOUND["E"], "liquidity_flag", LIQUIDITY)


@njit(nogil=True, forceinline=True)
def token_number(address):
    """The number of a token of 14 characters."""
    first, last = load_i64le(address), load_i64le(address + SECOND_PART)
    if all_digits(first) and all_digits(last):
        leading = (first << OVERLAP_BITS) | LEADING_ZEROS
        return eight_digits(leading) * HUNDRED_MILLION + eight_digits(last)
    return (first ^ (last * FOLD_MULTIPLIER)) | SIGN


@njit(nogil=True, forceinline=True)
def message(address, length, sequence, context, out):
    """One outbound message: what the rows move, and the token all but system events start with.

    An order that is dead on arrival is also canceled in full.
    """
    made = rows(address, length, sequence, context, out)
    if made <= 0:
        return made
    code = np.int64(load_u8(address))
    if code == SYSTEM_EVENT:
        return made
    number = token_number(address + TOKEN_AT)
    store_u64le(out + 16, number)
    if code == EXECUTED_CODE or code == EXECUTED_AT_REFERENCE:
        write_liquidity(address, out)
    if code != ACCEPTED_CODE and code != REPLACED_CODE:
        return made
    symbol = symbol_of_order(address)
    store_u64le(out + 8, symbol)
    if code == REPLACED_CODE:
        store_u64le(out + 40, token_number(address + PREVIOUS_AT))
    if accepted_state(address) != DEAD:
        return made
    time_ns, shares = since_midnight(context, timestamp(address)), accepted_shares(address)
    first, place = head(CANCELED, 0, 0), out + ACTION_BYTES
    return made + emit(place, first, symbol, number, 0, shares, DEAD, time_ns, sequence)
