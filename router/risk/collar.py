"""How far a price may be from the market before the gate refuses it, for who decides on prices."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.best import record_address
from nic.raw import load_i64le
from router.risk.facts import NATIONAL_BID, NATIONAL_OFFER, rules_of
from router.risk.layout import ACCOUNT_LIMITS, WHOLE_BPS
from router.rows import get, instrument_row
from router.tables import HEAD, INSTRUMENT


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

    The same prices as `judge_collars` compares with: the far side of the national best, else the
    own side, and the last trade.
    """
    limits = get(router, HEAD.limits)
    if limits == 0 or get(router, HEAD.market) == 0:
        return limit
    record, rules = record_address(get(router, HEAD.market), instrument), rules_of(limits, account)
    bid, offer = load_i64le(record + NATIONAL_BID), load_i64le(record + NATIONAL_OFFER)
    near, far = (bid, offer) if side == BUY else (offer, bid)
    national = farthest(side, far if far != 0 else near, get(rules, ACCOUNT_LIMITS.collar_bps))
    last = get(instrument_row(router, instrument), INSTRUMENT.last)
    traded = farthest(side, last, get(rules, ACCOUNT_LIMITS.last_bps))
    return tighter(side, tighter(side, limit, national), traded)
