"""The compiled decoder of UQDF 1.5: price bands, halts, price tests, collars and the directory."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BANDS, COLLAR, RESTRICT, STATUS, SYMBOL, TEST_SYMBOL, emit, head
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.sip_kernels import key_of_long, say
from feedhandler.protocols.uqdf15 import UQDF15
from feedhandler.protocols.uqdf15_acts import ROWS, TRADING_ACTIONS
from feedhandler.wire.access import load_long_key, load_price, loads
from feedhandler.wire.clocks import absolute
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.protocol import code_number
from feedhandler.wire.spaces import rest

BAND, HALT, TEST = UQDF15["AP"], UQDF15["AH"], UQDF15["AV"]
AUCTION_COLLAR, DIRECTORY = UQDF15["AE"], UQDF15["AB"]
IS_BAND, IS_HALT, IS_TEST, IS_COLLAR, IS_DIRECTORY = (
    code_number(code) for code in ("AP", "AH", "AV", "AE", "AB")
)
text, tail = load_long_key(BAND, "symbol")  # at one place in all of them
(sip_timestamp,) = loads(BAND, "sip_timestamp")
(band_indicator,) = loads(BAND, "luld_price_band_indicator")
lower_band, upper_band = load_price(BAND, "limit_down_price"), load_price(BAND, "limit_up_price")
(trading_action,) = loads(HALT, "trading_action_code")
(reg_sho_action,) = loads(TEST, "reg_sho_action")
collar_reference = load_price(AUCTION_COLLAR, "collar_reference_price")
collar_lower = load_price(AUCTION_COLLAR, "collar_down_price")
collar_upper = load_price(AUCTION_COLLAR, "collar_up_price")
round_lot, authenticity = loads(DIRECTORY, "round_lot_size", "authenticity")

NO_STATUS = -1
statuses_at = constant_table(by_letter(TRADING_ACTIONS, NO_STATUS))


@njit(nogil=True)
def bands(address, time_ns, sequence, out):
    """Price bands; suspended ones and those outside their hours are none."""
    code = band_indicator(address)
    lower, upper = lower_band(address), upper_band(address)
    if code == ord("D") or code == ord("F"):
        lower, upper = 0, 0
    first, last = text(address), tail(address)
    return say(out, BANDS, first, last, code, lower, 0, upper, time_ns, sequence)


@njit(nogil=True)
def halt(address, time_ns, sequence, out):
    """The listing exchange halts a security everywhere, or lets it trade again."""
    code = trading_action(address)
    status = constant_i32(statuses_at() + 4 * code)
    if status == NO_STATUS:
        return -UNKNOWN_VALUE
    return say(out, STATUS, text(address), tail(address), code, 0, 0, status, time_ns, sequence)


@njit(nogil=True)
def directory(address, time_ns, sequence, out):
    """A security's name and round lot."""
    first, more = text(address), rest(tail(address))
    kind = authenticity(address)
    flags = TEST_SYMBOL if kind == ord("T") or kind == ord("D") else 0
    key, lot = key_of_long(first, more), round_lot(address)
    return emit(out, head(SYMBOL, 0, flags), key, first, 0, lot, more, time_ns, sequence)


@njit(nogil=True)
def of_symbol(code, address, length, sequence, context, out):
    """The messages that concern one security; quotes are none of them."""
    time_ns = sip_timestamp(address)
    if code == IS_BAND:
        return bands(address, time_ns, sequence, out)
    if code == IS_HALT:
        return halt(address, time_ns, sequence, out)
    if code == IS_DIRECTORY:
        return directory(address, time_ns, sequence, out)
    if code == IS_TEST:
        test = 0 if reg_sho_action(address) == ord("0") else 1
        return say(out, RESTRICT, text(address), tail(address), 0, 0, 0, test, time_ns, sequence)
    if code == IS_COLLAR:
        lower, upper = collar_lower(address), collar_upper(address)
        first, last, middle = text(address), tail(address), collar_reference(address)
        return say(out, COLLAR, first, last, 0, lower, middle, upper, time_ns, sequence)
    return 0


message = interpreter(ROWS, clock=absolute, special=of_symbol)
