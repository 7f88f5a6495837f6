"""Fees and rebates: what a share costs where, for taking and for posting.

Rates are those of the venue's tier in force; above 0 is a fee, below 0 a rebate. At prices of a
dollar or more a rate is an amount a share, below it is a part of the price, rounded down to a unit.
"""

from __future__ import annotations

from numba import njit

from router.rows import get, rates_of
from router.tables import DOLLAR


@njit(nogil=True, forceinline=True)
def fee_of_share(price, per_share, per_notional):
    """Fee of a share at a price, 1e-8 units; below 0: a rebate."""
    return per_share if price >= DOLLAR else price * per_notional // DOLLAR


@njit(nogil=True, forceinline=True)
def fee_at(venue, kind, price):
    """Fee of a share at a venue, `venue` its row's address."""
    at = rates_of(venue, kind)
    return fee_of_share(price, get(at, 0), get(at, 8))
