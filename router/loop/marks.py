"""What positions are worth, kept up with the market."""

from __future__ import annotations

from numba import njit

from router.orders.midpoints import midpoint
from router.orders.positions import mark_all
from router.rows import get, instrument_row
from router.tables import HEAD, INSTRUMENT


@njit(nogil=True)
def mark_instrument(router, instrument):
    """Values what accounts hold of an instrument anew: at the midpoint, else the last trade."""
    if get(router, HEAD.fill_count) == 0:
        return
    price = midpoint(router, instrument)
    if price == 0:
        price = get(instrument_row(router, instrument), INSTRUMENT.last)
    if price != 0:
        mark_all(router, instrument, price)
