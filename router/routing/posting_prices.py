"""Prices that orders stand at: the national best as limits, ticks, rounding."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.best import FLAG_SHIFT, record_address
from feedhandler.consolidated.layout import CROSSED, MARKET_HALTED, RECORD_BEST, RECORD_STATE
from router.orders.midpoints import OFFER, national_best
from router.rows import get, tick_at
from router.tables import HEAD

CENT = 1_000_000
STATE_MASK = 0xFF


@njit(nogil=True)
def trades(router, instrument):
    """Whether there is a national best on both sides, not crossed, and the market not halted."""
    market = get(router, HEAD.market)
    if market == 0:
        return False
    record = record_address(market, instrument)
    state = get(record, RECORD_STATE)
    if state & STATE_MASK == CROSSED or (state >> FLAG_SHIFT) & MARKET_HALTED:
        return False
    best = national_best(router, instrument)
    return get(best, 8) != 0 and get(best, OFFER + 8) != 0


@njit(nogil=True)
def national(router, instrument, side):
    """Price of the national best of a side; see `trades`."""
    return get(national_best(router, instrument), 0 if side == BUY else OFFER)


@njit(nogil=True)
def best_shown(router, instrument, side):
    """Best price of a side over all venues and sizes; 0 where nothing is shown."""
    record = record_address(get(router, HEAD.market), instrument)
    word = record + RECORD_BEST + (0 if side == BUY else OFFER)
    return get(word, 0) * (get(word, 8) != 0)


@njit(nogil=True)
def tick_of(venue, price):
    """A venue's tick at a price; a cent where it has none."""
    tick = tick_at(venue, price)
    return tick if tick > 0 else CENT


@njit(nogil=True, error_model="numpy")
def on_tick(venue, side, price):
    """The nearest price on a venue's grid that is no more aggressive."""
    tick = tick_of(venue, price)
    rest = price % tick
    if rest == 0:
        return price
    return price - rest if side == BUY else price - rest + tick


@njit(nogil=True)
def within(side, price, limit):
    """The less aggressive of two prices; a limit of 0 is none."""
    if limit == 0:
        return price
    return min(price, limit) if side == BUY else max(price, limit)
