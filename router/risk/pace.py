"""How many orders there are, and how fast they come."""

from __future__ import annotations

from numba import njit

from router.risk import layout as reasons
from router.risk.facts import rules_of_venue
from router.risk.layout import (
    ACCOUNT_LIMITS,
    LIMITS,
    MEMORY,
    MINUTE_BUCKET_NS,
    PACE,
    SECOND_BUCKET_NS,
    VENUE_LIMITS,
)
from router.risk.memory import count_in, pace_of_account, ring_of_venue
from router.rows import get
from router.tables import ACCOUNT, HEAD


@njit(nogil=True)
def judge_open_orders(facts):
    """Reason, seen, allowed: open orders, the new one included. Replaces add none."""
    seen = get(facts.account, ACCOUNT.open_orders)
    most = get(facts.rules, ACCOUNT_LIMITS.open_orders)
    if facts.enters != 0 and seen >= most:
        return reasons.OPEN_ORDERS, seen, most
    seen = get(facts.router, HEAD.open_count)
    most = get(facts.limits, LIMITS.open_orders)
    if facts.enters != 0 and seen >= most:
        return reasons.ALL_OPEN_ORDERS, seen, most
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_rates(facts):
    """Reason, seen, allowed: new orders and replaces that passed in the last second."""
    memory, bucket = get(facts.limits, LIMITS.memory), facts.now // SECOND_BUCKET_NS
    pace = pace_of_account(memory, facts.account_number)
    seen = count_in(pace + PACE.second, bucket)
    most = get(facts.rules, ACCOUNT_LIMITS.orders_per_second)
    if seen >= most:
        return reasons.ACCOUNT_RATE, seen, most
    seen = count_in(ring_of_venue(memory, facts.venue_number), bucket)
    rules = rules_of_venue(facts.limits, facts.venue_number)
    most = get(rules, VENUE_LIMITS.orders_per_second)
    if seen >= most:
        return reasons.VENUE_RATE, seen, most
    seen = count_in(memory + MEMORY.second, bucket)
    most = get(facts.limits, LIMITS.orders_per_second)
    if seen >= most:
        return reasons.ALL_RATE, seen, most
    return reasons.PASSED, 0, 0


@njit(nogil=True, error_model="numpy")
def judge_cancel_ratio(facts):
    """Reason, seen, allowed: cancels in 100 new orders of the last minute, from some number on."""
    memory, bucket = get(facts.limits, LIMITS.memory), facts.now // MINUTE_BUCKET_NS
    pace = pace_of_account(memory, facts.account_number)
    orders = count_in(pace + PACE.orders, bucket)
    if facts.enters == 0 or orders == 0 or orders < get(facts.rules, ACCOUNT_LIMITS.cancel_from):
        return reasons.PASSED, 0, 0
    cancels = count_in(pace + PACE.cancels, bucket)
    most = get(facts.rules, ACCOUNT_LIMITS.cancel_percent)
    if 100 * cancels > most * orders:
        return reasons.CANCEL_RATIO, 100 * cancels // orders, most
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_pace(facts):
    """All of this file: reason, seen, allowed."""
    verdict = judge_open_orders(facts)
    if verdict[0] == reasons.PASSED:
        verdict = judge_rates(facts)
    if verdict[0] == reasons.PASSED:
        verdict = judge_cancel_ratio(facts)
    return verdict
