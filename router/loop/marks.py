"""What positions are worth, kept up with the market."""

from __future__ import annotations

from numba import njit

from router.orders.midpoints import midpoint
from router.orders.positions import mark_all
from router.rows import get
from router.tables import HEAD


@njit(nogil=True)
def mark_instrument(router, instrument):
    """Values what accounts hold of an instrument anew: at the midpoint, while there is one.

    Without one the last mark stands: a lone print, as of an auction, may be far from the market.
    """
    if get(router, HEAD.fill_count) == 0:
        return
    price = midpoint(router, instrument)
    if price != 0:
        mark_all(router, instrument, price)
