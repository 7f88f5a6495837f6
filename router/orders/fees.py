"""What executions cost: a venue's tiers of rates by the shares executed there today.

At a price of one currency unit or more a rate counts by the share, below by the notional. Fees are
in 1e-8 currency units, below 0 for a rebate; of the notional they are rounded down (towards what is
better for us by less than one unit). A tier that an execution reaches counts from the next one on.
"""

from __future__ import annotations

from numba import njit

from router.rows import get, put, rates_of, venue_row
from router.tables import ADDED, DOLLAR, IN_AUCTION, REMOVED, TIER, TIER_BYTES, VENUE

RATE_BYTES = TIER.removed - TIER.added


@njit(nogil=True)
def share_of_notional(shares, price, rate):
    """shares x price x rate / 1e8, rounded down, without a product that does not fit."""
    money = shares * price
    return money // DOLLAR * rate + money % DOLLAR * rate // DOLLAR


@njit(nogil=True)
def fee_of(router, venue, liquidity, shares, price):
    """What an execution costs at a venue in its tier of now; 0 where it has no tiers.

    Liquidity that is not known costs what removing does.
    """
    row = venue_row(router, venue)
    if get(row, VENUE.tier_count) == 0:
        return 0
    known = liquidity if ADDED <= liquidity <= IN_AUCTION else REMOVED
    rate = rates_of(row, TIER.added + RATE_BYTES * (known - ADDED))
    if price >= DOLLAR:
        return shares * get(rate, 0)
    return share_of_notional(shares, price, get(rate, 8))


@njit(nogil=True)
def find_tier(row):
    """Writes the tier that a venue's executed shares have reached; tiers rise by `from_shares`."""
    executed, found = get(row, VENUE.executed), 0
    for tier in range(1, get(row, VENUE.tier_count)):
        if executed >= get(row + VENUE.tiers + TIER_BYTES * tier, TIER.from_shares):
            found = tier
    put(row, VENUE.tier, found)
