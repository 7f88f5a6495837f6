"""The compiled decoder of CTS: trades, cancels and corrections, trading status and price bands.

The `order_id` of a trade says where: byte 0 the market's letter, byte 1 that of the facility which
reported it, from bit 32 on the millionths of a share beside the whole ones. Its `aux` is the
market's reference number, by which a cancel or correction names it.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ALL,
    BANDS,
    BREAK,
    CORRECTION,
    RESTRICT,
    STATUS,
    STATUS_HALTED,
    STATUS_TRADING,
    TRADE,
    emit,
    head,
)
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.cqs210_acts import PRICE_TESTS
from feedhandler.protocols.cts211 import CTS211
from feedhandler.protocols.cts211_acts import CONDITION_FLAGS, HALT, HALTS, RESUME, ROWS
from feedhandler.protocols.sip_kernels import key_of_long, name_long
from feedhandler.wire.access import load_key, load_long_key, load_price, loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.protocol import code_number
from feedhandler.wire.spaces import rest

BILLION = 1_000_000_000
MILLIONTHS = 1_000_000
LONG, SHORT, FRACTIONAL, FRACTIONAL_SHORT, CANCEL, ERROR, CORRECTED, STATE, BREAKER = (
    CTS211[code] for code in ("TL", "TT", "TR", "TH", "TX", "TE", "TC", "TS", "ML")
)
IS_LONG, IS_SHORT, IS_FRACTIONAL, IS_FRACTIONAL_SHORT, IS_STATE, IS_BREAKER = (
    code_number(code) for code in ("TL", "TT", "TR", "TH", "TS", "ML")
)
IS_CANCEL, IS_ERROR, IS_CORRECTED = (code_number(code) for code in ("TX", "TE", "TC"))
text, tail = load_long_key(LONG, "security_symbol")  # at one place in all that have one
short_text = load_key(SHORT, "security_symbol_5")
market, seconds, nanoseconds, reference = loads(
    LONG, "participant_id", "seconds", "nanoseconds", "participant_reference_number"
)
conditions = loads(
    LONG,
    "settlement_type",
    "trade_through_exempt_reason",
    "extended_hours_or_sequence_type",
    "sro_trade_detail",
)
condition_1, condition_2, condition_3, condition_4 = conditions  # at one place in all long trades
(short_condition,) = loads(SHORT, "sale_condition_1")
price, short_price = load_price(LONG, "trade_price"), load_price(SHORT, "trade_price_2")
volume, long_facility = loads(LONG, "trade_volume", "trade_reporting_facility_id")
millionths, fractional_facility = loads(
    FRACTIONAL, "fractional_trade_volume", "trade_reporting_facility_id"
)
(short_volume,) = loads(SHORT, "trade_volume_2")
(short_millionths,) = loads(FRACTIONAL_SHORT, "fractional_trade_volume_4")
canceled, cancel_facility = loads(
    CANCEL, "original_participant_reference_number", "trade_reporting_facility_id"
)
fractional_canceled, error_facility = loads(
    ERROR, "original_participant_reference_number", "trade_reporting_facility_id"
)
corrected, new_volume, corrected_facility = loads(
    CORRECTED,
    "original_participant_reference_number",
    "corrected_trade_volume",
    "trade_reporting_facility_id",
)
new_price = load_price(CORRECTED, "corrected_trade_price")
security_status, halt_reason, price_test, luld = loads(
    STATE,
    "security_status",
    "halt_reason",
    "short_sale_restriction_indicator",
    "limit_up_limit_down_luld_indicator",
)
upper_band = load_price(STATE, "high_indication_price_upper_limit_price_band")
lower_band = load_price(STATE, "low_indication_price_lower_limit_price_band")
(breaker_level,) = loads(BREAKER, "market_wide_circuit_breaker_level_indicator")

NOTHING = -1
HALTED, RESUMED = ord(HALT), ord(RESUME)
flags_at = constant_table(by_letter(CONDITION_FLAGS, 0))
halts_at = constant_table(by_letter(HALTS, NOTHING))
tests_at = constant_table(by_letter(PRICE_TESTS, NOTHING))


@njit(nogil=True, forceinline=True)
def flags_of(letter):
    """What a sale condition says of a trade."""
    return constant_i32(flags_at() + 4 * letter)


@njit(nogil=True)
def long_flags(address):
    """What the four sale conditions of a long trade say of it."""
    first = flags_of(condition_1(address)) | flags_of(condition_2(address))
    return first | flags_of(condition_3(address)) | flags_of(condition_4(address))


@njit(nogil=True)
def of_long(address, kind, flags, where, cost, shares, trade, sequence, out):
    """One action on the trade's symbol, behind its name if it is a long one."""
    first, last = text(address), tail(address)
    key = key_of_long(first, rest(last))
    time_ns = seconds(address) * BILLION + nanoseconds(address)
    made = name_long(out, key, first, last, time_ns, sequence)
    place, top = out + ACTION_BYTES * made, head(kind, 0, flags)
    return made + emit(place, top, key, where, cost, shares, trade, time_ns, sequence)


@njit(nogil=True)
def long_trade(address, facility, shares, part, sequence, out):
    """A trade in the long form, `part` millionths of a share beside whole ones."""
    where = market(address) | facility << 8 | part << 32
    flags, cost, trade = long_flags(address), price(address), reference(address)
    return of_long(address, TRADE, flags, where, cost, shares, trade, sequence, out)


@njit(nogil=True)
def fractional_trade(address, sequence, out):
    """A long trade whose volume may have parts of a share."""
    size = millionths(address)
    if size < 0:
        return -UNKNOWN_VALUE
    whole = size // MILLIONTHS
    part = size - whole * MILLIONTHS
    return long_trade(address, fractional_facility(address), whole, part, sequence, out)


@njit(nogil=True)
def short_trade(address, shares, part, sequence, out):
    """A trade in the short form."""
    first = head(TRADE, 0, flags_of(short_condition(address)))
    key, where = short_text(address), market(address) | part << 32
    time_ns = seconds(address) * BILLION + nanoseconds(address)
    cost, trade = short_price(address), reference(address)
    return emit(out, first, key, where, cost, shares, trade, time_ns, sequence)


@njit(nogil=True)
def taken_back(code, address, sequence, out):
    """A cancel, an error or a correction: the trade that it names is no more, or is another."""
    if code == IS_CORRECTED:
        where = market(address) | corrected_facility(address) << 8
        cost, shares, trade = new_price(address), new_volume(address), corrected(address)
        return of_long(address, BREAK, CORRECTION, where, cost, shares, trade, sequence, out)
    if code == IS_CANCEL:
        where, trade = market(address) | cancel_facility(address) << 8, canceled(address)
    else:
        where, trade = market(address) | error_facility(address) << 8, fractional_canceled(address)
    return of_long(address, BREAK, 0, where, 0, 0, trade, sequence, out)


@njit(nogil=True)
def status_of(address):
    """The STATUS_ code, or NOTHING where the message changes none."""
    status = security_status(address)
    if status == RESUMED:
        return STATUS_TRADING
    return constant_i32(halts_at() + 4 * halt_reason(address)) if status == HALTED else NOTHING


@njit(nogil=True)
def state(address, sequence, out):
    """Trading status: halts and resumptions, price bands, the short sale price test."""
    first, last = text(address), tail(address)
    key = key_of_long(first, rest(last))
    time_ns = seconds(address) * BILLION + nanoseconds(address)
    made = name_long(out, key, first, last, time_ns, sequence)
    own = security_status(address)
    if luld(address) == ord("A") or luld(address) == ord("B"):
        place, lower, upper = out + ACTION_BYTES * made, lower_band(address), upper_band(address)
        made += emit(place, head(BANDS, 0, 0), key, own, lower, 0, upper, time_ns, sequence)
    status = status_of(address)
    if status != NOTHING:
        place = out + ACTION_BYTES * made
        own |= halt_reason(address) << 8
        made += emit(place, head(STATUS, 0, 0), key, own, 0, 0, status, time_ns, sequence)
    test = constant_i32(tests_at() + 4 * price_test(address))
    if test != NOTHING:
        place = out + ACTION_BYTES * made
        made += emit(place, head(RESTRICT, 0, 0), key, 0, 0, 0, test, time_ns, sequence)
    return made


@njit(nogil=True)
def breaker(address, sequence, out):
    """A market-wide circuit breaker: every security is halted until it is resumed by name."""
    level = breaker_level(address)
    if level < ord("1") or level > ord("3"):
        return 0
    time_ns = seconds(address) * BILLION + nanoseconds(address)
    return emit(out, head(STATUS, 0, ALL), 0, level, 0, 0, STATUS_HALTED, time_ns, sequence)


@njit(nogil=True)
def of_symbol(code, address, length, sequence, context, out):
    """The messages that rows cannot say."""
    if code == IS_LONG:
        return long_trade(address, long_facility(address), volume(address), 0, sequence, out)
    if code == IS_SHORT:
        return short_trade(address, short_volume(address), 0, sequence, out)
    if code == IS_FRACTIONAL:
        return fractional_trade(address, sequence, out)
    if code == IS_FRACTIONAL_SHORT:
        size = short_millionths(address)
        whole = size // MILLIONTHS
        return short_trade(address, whole, size - whole * MILLIONTHS, sequence, out)
    if code == IS_CANCEL or code == IS_ERROR or code == IS_CORRECTED:
        return taken_back(code, address, sequence, out)
    if code == IS_STATE:
        return state(address, sequence, out)
    return breaker(address, sequence, out) if code == IS_BREAKER else 0


message = interpreter(ROWS, special=of_symbol)
