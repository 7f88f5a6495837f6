"""Prices with fees and rebates: what a share costs where, for taking and for posting.

Rates are those of the venue's tier in force; above 0 is a fee, below 0 a rebate. At prices of a
dollar or more a rate is an amount a share, below it is a part of the price, rounded down to a unit.
"""

from __future__ import annotations

from numba import njit

from router.rows import get
from router.tables import TIER, TIER_BYTES, VENUE

DOLLAR = 100_000_000  # 1e-8 units


@njit(nogil=True, forceinline=True)
def fee_of_share(price, per_share, per_notional):
    """Fee of a share at a price, 1e-8 units; below 0: a rebate."""
    return per_share if price >= DOLLAR else price * per_notional // DOLLAR


@njit(nogil=True, forceinline=True)
def rates(venue, kind):
    """Address of a venue's rates in force; `kind` is TIER.removed, TIER.added, …"""
    return venue + VENUE.tiers + TIER_BYTES * get(venue, VENUE.tier) + kind


@njit(nogil=True, forceinline=True)
def fee_at(venue, kind, price):
    """Fee of a share at a venue, `venue` its row's address."""
    at = rates(venue, kind)
    return fee_of_share(price, get(at, 0), get(at, 8))


@njit(nogil=True, forceinline=True)
def taking_price(venue, sign, price):
    """Price with the fee of taking: what a buyer pays (sign 1), what a seller gets (sign -1)."""
    return price + sign * fee_at(venue, TIER.removed, price)


@njit(nogil=True, forceinline=True)
def posting_price(venue, sign, price):
    """Price with what posting costs or brings: lower is better for buyers, higher for sellers."""
    return price + sign * fee_at(venue, TIER.added, price)


@njit(nogil=True, forceinline=True)
def hidden_price(venue, sign, price):
    """As `posting_price`, for orders that are not shown."""
    return price + sign * fee_at(venue, TIER.added_hidden, price)


@njit(nogil=True, forceinline=True)
def midpoint_price(venue, sign, price):
    """Price with the fee of an execution at the midpoint."""
    return price + sign * fee_at(venue, TIER.midpoint, price)
