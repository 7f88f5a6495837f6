"""Whether anything may be sent at all: kill switches, venues, halts, the restricted list."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import STATUS_TRADING, STATUS_UNKNOWN
from feedhandler.books.layout import LIVE
from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import (
    HEAD_DTYPE,
    MARKET_HALTED,
    QUOTE_BYTES,
    QUOTE_STATUS,
    RECORD_STATE,
    UNKNOWN_TRADES,
    VENUE_COUNT,
)
from feedhandler.consolidated.quotes import quotes_of
from nic.block import field_offset
from nic.raw import load_i64le, load_n8
from router.risk import layout as reasons
from router.rows import get
from router.tables import ACCOUNT, DOWN_KILLED, HEAD, INSTRUMENT, VENUE

MARKET_INSTRUMENTS = field_offset(HEAD_DTYPE, "instrument_count")


@njit(nogil=True)
def judge_switches(facts):
    """Kill switches, and whether orders may go to the venue."""
    if get(facts.router, HEAD.killed) != 0:
        return reasons.KILLED
    if get(facts.account, ACCOUNT.killed) != 0:
        return reasons.ACCOUNT_KILLED
    if get(facts.instrument, INSTRUMENT.killed) != 0:
        return reasons.INSTRUMENT_KILLED
    down = get(facts.venue, VENUE.down)
    if down & DOWN_KILLED != 0:
        return reasons.VENUE_KILLED
    return reasons.VENUE_DOWN if down != 0 else reasons.PASSED


@njit(nogil=True)
def judge_market(facts):
    """Whether the market trades, the venue trades, and its book can be believed."""
    market, number = get(facts.router, HEAD.market), facts.instrument_number
    if market == 0 or number >= load_i64le(market + MARKET_INSTRUMENTS):
        return reasons.NO_MARKET
    quotes = get(facts.venue, VENUE.quotes)
    if quotes >= load_i64le(market + VENUE_COUNT):
        return reasons.NO_MARKET
    if load_n8(record_address(market, number) + RECORD_STATE + 1) & MARKET_HALTED != 0:
        return reasons.MARKET_IS_HALTED
    if quotes < 0:
        return reasons.PASSED
    quote = quotes_of(market, number) + QUOTE_BYTES * quotes
    status = load_n8(quote + QUOTE_STATUS)
    silent = status == STATUS_UNKNOWN and load_i64le(market + UNKNOWN_TRADES) != 0
    if status != STATUS_TRADING and not silent:
        return reasons.VENUE_NOT_TRADING
    return reasons.PASSED if load_n8(quote + QUOTE_STATUS + 1) == LIVE else reasons.BOOK_NOT_LIVE


@njit(nogil=True)
def judge_standing(facts):
    """All of this file; the reason."""
    reason = judge_switches(facts)
    if reason == reasons.PASSED:
        reason = judge_market(facts)
    if reason == reasons.PASSED and get(facts.instrument, INSTRUMENT.restricted) != 0:
        reason = reasons.RESTRICTED
    return reason
