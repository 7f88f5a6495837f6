"""The midpoint of an instrument, as far as the consolidated book has one."""

from __future__ import annotations

from numba import njit

from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import RECORD_BEST, RECORD_NATIONAL_BID, RECORD_NATIONAL_OFFER
from router.rows import get
from router.tables import HEAD

OFFER = RECORD_NATIONAL_OFFER - RECORD_NATIONAL_BID  # from a bid to its offer


@njit(nogil=True)
def middle(best):
    """The midpoint of a best bid and offer, rounded down; 0 where one is missing."""
    if get(best, 8) == 0 or get(best, OFFER + 8) == 0:
        return 0
    return (get(best, 0) + get(best, OFFER)) >> 1


@njit(nogil=True)
def national_best(router, instrument):
    """Where the national best bid of an instrument is: price, shares; OFFER on is the offer."""
    return record_address(get(router, HEAD.market), instrument) + RECORD_NATIONAL_BID


@njit(nogil=True)
def midpoint(router, instrument):
    """The national midpoint of an instrument, else that of all quotes; 0 where there is none."""
    market = get(router, HEAD.market)
    if market == 0:
        return 0
    national = middle(national_best(router, instrument))
    return national if national != 0 else middle(record_address(market, instrument) + RECORD_BEST)
