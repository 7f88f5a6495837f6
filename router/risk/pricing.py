"""The order itself: its size, its price beside the market's, its money."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.risk import layout as reasons
from router.risk.facts import opens_of
from router.risk.layout import ACCOUNT_LIMITS, MOST_PRICE, MOST_SHARES, WHOLE_BPS
from router.rows import get, tick_at
from router.tables import VENUE


@njit(nogil=True, error_model="numpy")
def judge_size(facts):
    """Reason, seen, allowed: the whole quantity, in shares and in lots of the venue."""
    whole, lot, least = facts.whole, get(facts.venue, VENUE.lot), get(facts.venue, VENUE.least)
    if whole <= facts.cum:
        return reasons.NO_QUANTITY, whole, facts.cum
    if whole > MOST_SHARES:
        return reasons.LARGE_QUANTITY, whole, MOST_SHARES
    most = get(facts.rules, ACCOUNT_LIMITS.order_shares)
    if whole > most:
        return reasons.ORDER_SIZE, whole, most
    if lot < 1 or whole % lot != 0:
        return reasons.LOT, whole, lot
    if whole < least:
        return reasons.LOT, whole, least
    return reasons.PASSED, 0, 0


@njit(nogil=True, error_model="numpy")
def judge_tick(facts):
    """Reason, seen, allowed: a price that can be, in steps of the venue. No price is one, too."""
    price = facts.price
    if price < 0 or price > MOST_PRICE:
        return reasons.PRICE, price, MOST_PRICE
    tick = tick_at(facts.venue, price)
    if price != 0 and (tick < 1 or price % tick != 0):
        return reasons.TICK, price, tick
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def reference(side, prices):
    """The national price that a price is compared with: the far side's, else the own; 0: none."""
    if side == BUY:
        return prices.offer if prices.offer != 0 else prices.bid
    return prices.bid if prices.bid != 0 else prices.offer


@njit(nogil=True)
def too_far(facts, from_price, bps):
    """Whether a price is worse than another one by more than so many basis points."""
    scaled = facts.price * WHOLE_BPS
    if facts.side == BUY:
        return scaled > from_price * (WHOLE_BPS + bps)
    return scaled < from_price * (WHOLE_BPS - bps)


@njit(nogil=True)
def judge_collars(facts, prices):
    """Reason, seen, allowed: against the national best, the last trade and the price bands.

    An order without a price has none to be wrong, but needs one for its money.
    """
    price, rules = facts.price, facts.rules
    national = reference(facts.side, prices)
    if national == 0 and prices.last == 0:
        return reasons.NO_REFERENCE, price, 0
    if price == 0:
        return reasons.PASSED, 0, 0
    if national != 0 and too_far(facts, national, get(rules, ACCOUNT_LIMITS.collar_bps)):
        return reasons.COLLAR, price, national
    if prices.last != 0 and too_far(facts, prices.last, get(rules, ACCOUNT_LIMITS.last_bps)):
        return reasons.LAST_COLLAR, price, prices.last
    if facts.side == BUY and prices.upper > 0 and price > prices.upper:
        return reasons.BAND, price, prices.upper
    if facts.side != BUY and prices.lower > 0 and price < prices.lower:
        return reasons.BAND, price, prices.lower
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def money_price(facts, prices):
    """The price of an order's money: its own; without one, the far side's plus the collar.

    Where the far side shows nothing: the last trade's, else the own side's, plus the collar.
    """
    if facts.price != 0:
        return facts.price
    base = prices.offer if facts.side == BUY else prices.bid
    if base == 0:
        base = prices.last
    if base == 0:
        base = prices.bid if facts.side == BUY else prices.offer
    scaled = base * (WHOLE_BPS + get(facts.rules, ACCOUNT_LIMITS.collar_bps))
    return (scaled + WHOLE_BPS - 1) // WHOLE_BPS


@njit(nogil=True, error_model="numpy")
def judge_notional(facts, price):
    """Reason, seen, allowed: money of what would be open. What passes here cannot wrap later.

    `seen` is in shares, and `allowed` as many as the money would do for.
    """
    most = get(facts.rules, ACCOUNT_LIMITS.order_notional) // price
    opens = opens_of(facts)
    if opens > most:
        return reasons.NOTIONAL, opens, most
    return reasons.PASSED, 0, 0
