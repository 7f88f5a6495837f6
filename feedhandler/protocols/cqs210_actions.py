"""The compiled decoder of CQS: what quotes say beside prices, and the directory."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ALL,
    BANDS,
    COLLAR,
    RESTRICT,
    STATUS,
    STATUS_HALTED,
    SYMBOL,
    TEST_SYMBOL,
    emit,
    head,
)
from feedhandler.protocols.cqs210 import CQS210, REFERENCE
from feedhandler.protocols.cqs210_acts import PRICE_TESTS, ROWS, SECURITY_STATUSES
from feedhandler.protocols.sip_kernels import key_of_long, name_long, say
from feedhandler.wire.access import load_long_key, load_price, loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.interpreter import interpreter
from feedhandler.wire.protocol import code_number
from feedhandler.wire.spaces import rest

BILLION = 1_000_000_000
LONG, SPECIAL, AUCTION, BREAKER = CQS210["QL"], CQS210["QS"], CQS210["QA"], CQS210["ML"]
IS_LONG, IS_SPECIAL, IS_REFERENCE, IS_AUCTION, IS_BREAKER = (
    code_number(code) for code in ("QL", "QS", "AS", "QA", "ML")
)
text, tail = load_long_key(LONG, "security_symbol")  # at one place in all that have one
seconds, nanoseconds = loads(LONG, "seconds", "nanoseconds")
(status_indicator,) = loads(LONG, "security_status_indicator")  # in a special quote as well
(long_restriction,) = loads(LONG, "short_sale_restriction_indicator")
(special_restriction,) = loads(SPECIAL, "short_sale_restriction_indicator")
lower_band = load_price(LONG, "bid_price_lower_limit_price_band")
upper_band = load_price(LONG, "offer_price_upper_limit_price_band")
round_lot, is_test, halt_reason, restriction = loads(
    REFERENCE, "round_lot_size", "test", "halt_reason", "short_sale_restriction_indicator"
)
collar_reference = load_price(AUCTION, "auction_collar_reference_price")
collar_lower = load_price(AUCTION, "auction_collar_lower_threshold_price")
collar_upper = load_price(AUCTION, "auction_collar_upper_threshold_price")
(breaker_level,) = loads(BREAKER, "market_wide_circuit_breaker_level_indicator")

NOTHING = -1
statuses_at = constant_table(by_letter(SECURITY_STATUSES, NOTHING))
tests_at = constant_table(by_letter(PRICE_TESTS, NOTHING))


@njit(nogil=True)
def states(out, made, key, reason, test, time_ns, sequence):
    """Status and short sale price test, where codes say them; gives the number of records then."""
    status = constant_i32(statuses_at() + 4 * reason)
    if status != NOTHING:
        place, first = out + ACTION_BYTES * made, head(STATUS, 0, 0)
        made += emit(place, first, key, reason, 0, 0, status, time_ns, sequence)
    restricted = constant_i32(tests_at() + 4 * test)
    if restricted != NOTHING:
        place, first = out + ACTION_BYTES * made, head(RESTRICT, 0, 0)
        made += emit(place, first, key, 0, 0, 0, restricted, time_ns, sequence)
    return made


@njit(nogil=True)
def quote(address, banded, reason, test, time_ns, sequence, out):
    """What a quote says of its security: price bands, status, price test."""
    has_status = constant_i32(statuses_at() + 4 * reason) != NOTHING
    has_test = constant_i32(tests_at() + 4 * test) != NOTHING
    if not (banded or has_status or has_test):
        return 0
    first, last = text(address), tail(address)
    key = key_of_long(first, rest(last))
    made = name_long(out, key, first, last, time_ns, sequence)
    if banded:
        place, kind = out + ACTION_BYTES * made, head(BANDS, 0, 0)
        lower, upper = lower_band(address), upper_band(address)
        made += emit(place, kind, key, reason, lower, 0, upper, time_ns, sequence)
    return states(out, made, key, reason, test, time_ns, sequence)


@njit(nogil=True)
def directory(address, time_ns, sequence, out):
    """A security's name and round lot, and in which state it begins the day."""
    first, more = text(address), rest(tail(address))
    flags = TEST_SYMBOL if is_test(address) == ord("1") else 0
    key, kind = key_of_long(first, more), head(SYMBOL, 0, flags)
    made = emit(out, kind, key, first, 0, round_lot(address), more, time_ns, sequence)
    reason, test = halt_reason(address), restriction(address)
    return states(out, made, key, reason, test, time_ns, sequence)


@njit(nogil=True)
def breaker(address, time_ns, sequence, out):
    """A market-wide circuit breaker: every security is halted until it is resumed by name."""
    level = breaker_level(address)
    if level < ord("1") or level > ord("3"):
        return 0
    return emit(out, head(STATUS, 0, ALL), 0, level, 0, 0, STATUS_HALTED, time_ns, sequence)


@njit(nogil=True)
def of_symbol(code, address, length, sequence, context, out):
    """The messages that say more than prices."""
    time_ns = seconds(address) * BILLION + nanoseconds(address)
    if code == IS_LONG:
        reason, test = status_indicator(address), long_restriction(address)
        banded = reason == ord("0") or reason == ord("9")
        return quote(address, banded, reason, test, time_ns, sequence, out)
    if code == IS_SPECIAL:
        reason, test = status_indicator(address), special_restriction(address)
        return quote(address, False, reason, test, time_ns, sequence, out)
    if code == IS_REFERENCE:
        return directory(address, time_ns, sequence, out)
    if code == IS_BREAKER:
        return breaker(address, time_ns, sequence, out)
    if code == IS_AUCTION:
        first, last = text(address), tail(address)
        lower, upper = collar_lower(address), collar_upper(address)
        middle = collar_reference(address)
        return say(out, COLLAR, first, last, 0, lower, middle, upper, time_ns, sequence)
    return 0


message = interpreter(ROWS, special=of_symbol)
