"""What of our own an order could meet: open orders on the other side, and its own twin."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.risk import layout as reasons
from router.risk.facts import rules_of
from router.risk.layout import ACCOUNT_LIMITS, LIMITS
from router.risk.memory import age_of_twin
from router.rows import child_row, get, position_row
from router.tables import CHILD, HEAD, POSITION


@njit(nogil=True, forceinline=True)
def crosses(buys, price, other):
    """Whether an order would trade with one at `other`; without a price it meets all."""
    if price == 0 or other == 0:
        return True
    return price >= other if buys else price <= other


@njit(nogil=True)
def meets(facts, account):
    """An open child of an account that the order would trade with, on whatever venue; 0: none."""
    router, buys = facts.router, facts.side == BUY
    position = position_row(router, account, facts.instrument_number)
    number, most = get(position, POSITION.first_open), get(router, HEAD.child_count)
    for _ in range(most):
        if number < 1 or number > most:
            break
        child = child_row(router, number)
        if get(child, CHILD.side) != facts.side and get(child, CHILD.leaves) > 0:
            replaced = get(child, CHILD.new_token) != 0
            if crosses(buys, facts.price, get(child, CHILD.price)):
                return number
            if replaced and crosses(buys, facts.price, get(child, CHILD.new_price)):
                return number
        number = get(child, CHILD.next_open)
    return 0


@njit(nogil=True)
def judge_self_trade(facts):
    """Reason, seen, allowed: against the open orders of all accounts of the group."""
    accounts = get(facts.limits, LIMITS.account_count)
    account = facts.account_number
    for _ in range(accounts):
        met = meets(facts, account)
        if met != 0:
            return reasons.SELF_TRADE, met, 0
        account = get(rules_of(facts.limits, account), ACCOUNT_LIMITS.peer)
        if account == facts.account_number or account < 1 or account >= accounts:
            break
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_duplicate(facts):
    """Reason, seen, allowed: a new order like one that passed less than so many ns ago."""
    window_ns = get(facts.rules, ACCOUNT_LIMITS.duplicate_ns)
    if facts.enters == 0 or window_ns <= 0:
        return reasons.PASSED, 0, 0
    age_ns = age_of_twin(
        get(facts.limits, LIMITS.memory),
        facts.account_number,
        facts.instrument_number,
        facts.venue_number,
        facts.side,
        facts.price,
        facts.whole,
        facts.now,
        window_ns,
    )
    if age_ns < window_ns:
        return reasons.DUPLICATE, age_ns, window_ns
    return reasons.PASSED, 0, 0
