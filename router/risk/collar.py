"""How far a price may be from the market before the gate refuses it, for who decides on prices."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.risk.facts import market_prices, rules_of
from router.risk.layout import ACCOUNT_LIMITS, WHOLE_BPS
from router.risk.pricing import reference
from router.rows import get
from router.tables import HEAD


@njit(nogil=True)
def tighter(side, one, other):
    """The limit that allows less of two; 0 is none."""
    if one == 0 or other == 0:
        return max(one, other)
    return min(one, other) if side == BUY else max(one, other)


@njit(nogil=True)
def farthest(side, price, bps):
    """The worst price that is no more than so many basis points from another; 0 of none."""
    if price == 0:
        return 0
    if side == BUY:
        return price * (WHOLE_BPS + bps) // WHOLE_BPS
    return (price * (WHOLE_BPS - bps) + WHOLE_BPS - 1) // WHOLE_BPS


@njit(nogil=True)
def within_collars(router, account, instrument, side, limit):
    """A limit (0: none) made tight enough for the price collars of an account, where it has some.

    By the prices that `judge_collars` compares with.
    """
    limits = get(router, HEAD.limits)
    if limits == 0 or get(router, HEAD.market) == 0:
        return limit
    prices, rules = market_prices(router, instrument), rules_of(limits, account)
    national = farthest(side, reference(side, prices), get(rules, ACCOUNT_LIMITS.collar_bps))
    traded = farthest(side, prices.last, get(rules, ACCOUNT_LIMITS.last_bps))
    return tighter(side, tighter(side, limit, national), traded)
