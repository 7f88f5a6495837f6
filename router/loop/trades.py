"""What a packet's executions say of an instrument: volume, last price, and what routing learns."""

from __future__ import annotations

from typing import Final

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    EXECUTE,
    EXECUTE_PRICE,
    HIDDEN,
    NO_PRICE,
    NOT_PRINTABLE,
    TRADE,
)
from feedhandler.consolidated.follow import kind_of, trade_of, word
from feedhandler.consolidated.quotes import is_tape
from router.routing.hidden import note_hidden
from router.routing.posting_flows import note_trade
from router.rows import add, get, instrument_row, put
from router.tables import HEAD, INSTRUMENT

FLAGS_SHIFT: Final = 16
NOT_OURS: Final = -1


@njit(nogil=True, forceinline=True)
def is_execution(kind):
    """Whether an action of a kind is an execution or a trade report."""
    return kind == EXECUTE or kind == EXECUTE_PRICE or kind == TRADE


@njit(nogil=True)
def count_trade(router, instrument, price, shares, now):
    """Adds to an instrument's volume."""
    row = instrument_row(router, instrument)
    add(row, INSTRUMENT.volume, shares)
    add(row, INSTRUMENT.notional, price * shares)
    put(row, INSTRUMENT.last, price)
    put(row, INSTRUMENT.last_ns, now)


@njit(nogil=True)
def follow_trades(router, market, number, book, actions, count, now):
    """Takes the executions of a packet of the venue with this number in the consolidated book.

    Those of a consolidated tape are the venues' own, told again.
    """
    if is_tape(market, number):
        return
    venue = get(get(router, HEAD.routed), 8 * number)
    for place in range(count):
        action = actions + ACTION_BYTES * place
        if not is_execution(kind_of(action)):
            continue
        instrument, price, side = trade_of(market, number, book, actions, place)
        if instrument <= 0 or price == NO_PRICE:
            continue
        flags, shares = word(action, 0) >> FLAGS_SHIFT, word(action, 4)
        if flags & NOT_PRINTABLE == 0:
            count_trade(router, instrument, price, shares, now)
        if venue == NOT_OURS:
            continue
        if flags & HIDDEN or side == 0:
            note_hidden(router, venue, instrument, side, shares, now)
        else:
            note_trade(router, venue, instrument, side, price, shares, now)
