"""What a venue takes, or gives, for the execution of a share."""

from __future__ import annotations

from numba import njit

from router.rows import get
from router.tables import TIER_BYTES, VENUE

UNIT = 100_000_000  # one currency unit; from it on rates count by the share, below by the notional


@njit(nogil=True)
def fee_of_share(venue, kind, price):
    """Fee of a share in 1e-8 currency units by the tier in force; below 0: a rebate.

    Args:
        venue: the venue's row.
        kind: TIER.added, TIER.removed, ...
        price: of the execution.
    """
    rate = venue + VENUE.tiers + TIER_BYTES * get(venue, VENUE.tier) + kind
    if price >= UNIT:
        return get(rate, 0)
    return price * get(rate, 8) // UNIT
