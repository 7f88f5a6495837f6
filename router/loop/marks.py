"""What positions are worth, kept up with the market."""

from __future__ import annotations

from numba import njit

from feedhandler.consolidated.best import NATIONAL_WORD, record_address
from feedhandler.consolidated.layout import RECORD_BEST
from nic.raw import load_i64le
from router.orders.positions import mark
from router.rows import get, instrument_row, position_row
from router.tables import HEAD, INSTRUMENT, POSITION

@njit(nogil=True)
def middle(router, instrument):
    """Between the national best bid and offer; the last trade where a side is missing; 0: neither."""
    record = record_address(get(router, HEAD.market), instrument)
    place = record + RECORD_BEST + 8 * NATIONAL_WORD
    bid, offer = load_i64le(place), load_i64le(place + 24)
    if load_i64le(place + 8) > 0 and load_i64le(place + 32) > 0:
        return (bid + offer) >> 1
    return get(instrument_row(router, instrument), INSTRUMENT.last)


@njit(nogil=True)
def mark_instrument(router, instrument):
    """Values what accounts hold of an instrument anew."""
    if get(router, HEAD.fill_count) == 0:
        return
    price = middle(router, instrument)
    if price == 0:
        return
    for account in range(1, get(router, HEAD.account_count)):
        row = position_row(router, account, instrument)
        if get(row, POSITION.shares) != 0 and get(row, POSITION.mark) != price:
            mark(router, account, instrument, price)
