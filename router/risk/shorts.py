"""Short sales: flagged, located, and priced by the rule that is in force.

Regulation SHO of the SEC: rule 200(g) marks orders, 203(b) wants a locate, 201 forbids short sales
at or below the national best bid while its circuit breaker is on.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import SELL
from router.risk import layout as reasons
from router.risk.facts import opens_of, others_open
from router.rows import get
from router.tables import INSTRUMENT, LOCATED, MIDPOINT, POSITION, SHORT, SHORT_EXEMPT


@njit(nogil=True)
def judge_price_test(facts, prices):
    """Reason, seen, allowed: priced above the national best bid, as a midpoint is."""
    if get(facts.instrument, INSTRUMENT.price_test) == 0 or facts.flags & SHORT_EXEMPT != 0:
        return reasons.PASSED, 0, 0
    bid = prices.bid
    price = facts.price
    if facts.flags & MIDPOINT != 0:
        price = max(price, (bid + prices.offer) // 2)
    if bid == 0 or price <= bid:
        return reasons.PRICE_TEST, facts.price, bid
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_short(facts, prices):
    """Reason, seen, allowed: of sales. A sale flagged SHORT is one, whatever is held."""
    if facts.side != SELL:
        return reasons.PASSED, 0, 0
    opens = opens_of(facts)
    owned = get(facts.position, POSITION.shares) - others_open(facts)
    if facts.flags & SHORT == 0:
        if opens > owned:
            return reasons.NOT_FLAGGED, opens, owned
        return reasons.PASSED, 0, 0
    if facts.flags & LOCATED == 0:
        return reasons.NOT_LOCATED, 0, 0
    needed = facts.whole - facts.was_whole
    located = get(facts.instrument, INSTRUMENT.locates)
    left = located - get(facts.instrument, INSTRUMENT.locates_used)
    if needed > 0 and needed > left:
        return reasons.NO_LOCATES, needed, left
    return judge_price_test(facts, prices)
