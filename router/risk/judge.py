"""The gate: whether an intent may be sent, and what it remembers of those that were.

`judge` reads and changes nothing. The loop calls it for each intent in turn, then `count_passed`
and sends, or `count_rejected`. `now` is the time of the event being worked on, in ns.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import SELL
from nic.raw import load_acquire_u64
from router.risk import layout as reasons
from router.risk.exposure import judge_exposure
from router.risk.facts import gather, judge_figures, judge_kind, judge_numbers, market_prices
from router.risk.layout import LIMITS, MEMORY, MINUTE_BUCKET_NS, PACE, REASON_ROOM, SECOND_BUCKET_NS
from router.risk.memory import count_one, pace_of_account, remember, ring_of_venue
from router.risk.own import judge_duplicate, judge_self_trade
from router.risk.pace import judge_pace
from router.risk.pricing import judge_collars, judge_notional, judge_size, judge_tick, money_price
from router.risk.shorts import judge_short
from router.risk.standing import judge_standing
from router.rows import add, child_row, get, instrument_row
from router.tables import CANCEL, CHILD, HEAD, INSTRUMENT, INTENT, SHORT

TRIES = 16  # tables of limits that may be replaced while one order is judged


@njit(nogil=True)
def judge_order(facts):
    """Reason, seen, allowed: of the order itself, beside the market."""
    verdict = judge_size(facts)
    if verdict[0] == reasons.PASSED:
        verdict = judge_tick(facts)
    if verdict[0] != reasons.PASSED:
        return verdict
    prices = market_prices(facts.router, facts.instrument_number)
    verdict = judge_collars(facts, prices)
    if verdict[0] != reasons.PASSED:
        return verdict
    price = money_price(facts, prices)
    verdict = judge_notional(facts, price)
    if verdict[0] == reasons.PASSED:
        verdict = judge_short(facts, prices)
    if verdict[0] == reasons.PASSED:
        verdict = judge_self_trade(facts)
    if verdict[0] == reasons.PASSED:
        verdict = judge_duplicate(facts)
    if verdict[0] == reasons.PASSED:
        verdict = judge_exposure(facts, price)
    return verdict


@njit(nogil=True)
def judge_under(router, intent, limits, now):
    """Reason, seen, allowed: of a new order or replace under a table of limits."""
    facts = gather(router, intent, limits, now)
    reason = judge_numbers(
        router,
        limits,
        facts.account_number,
        facts.instrument_number,
        facts.venue_number,
        facts.side,
    )
    if reason == reasons.PASSED:
        reason = judge_figures(facts)
    if reason == reasons.PASSED:
        reason = judge_standing(facts)
    if reason != reasons.PASSED:
        return reason, 0, 0
    verdict = judge_order(facts)
    return judge_pace(facts) if verdict[0] == reasons.PASSED else verdict


@njit(nogil=True, forceinline=True)
def settled(address):
    """A word that another thread may be about to change; nothing behind is read before it."""
    return np.int64(load_acquire_u64(np.uint64(address)))


@njit(nogil=True)
def judge_fully(router, intent, now):
    """Whether an intent may be sent, and by which numbers.

    Limits that are replaced meanwhile are no matter: then the new ones judge.

    Returns:
        reason: index in `layout.REASONS`, 0 passed.
        seen, allowed: what was compared, 0 and 0 where nothing is counted; see the README.
    """
    reason = judge_kind(router, intent)
    if reason != reasons.PASSED or get(intent, INTENT.kind) == CANCEL:
        return reason, 0, 0
    for _ in range(TRIES):
        limits = settled(router + HEAD.limits)
        if limits == 0:
            break
        version = settled(limits + LIMITS.version)
        verdict = judge_under(router, intent, limits, now)
        if version & 1 == 0 and settled(limits + LIMITS.version) == version:
            return verdict
    return reasons.NO_LIMITS, 0, 0


@njit(nogil=True)
def judge(router, intent, now):
    """Whether an intent (an address) may be sent: 0, or why not, an index in `layout.REASONS`."""
    return judge_fully(router, intent, now)[0]


@njit(nogil=True)
def memory_of(router):
    """Where the gate remembers; 0 before the first limits."""
    limits = get(router, HEAD.limits)
    return get(limits, LIMITS.memory) if limits != 0 else np.int64(0)


@njit(nogil=True)
def facts_of(router, intent, now):
    """What `count_facts` has to know of an intent that passed, before its order's state changes."""
    return gather(router, intent, get(router, HEAD.limits), now)


@njit(nogil=True)
def count_passed(router, intent, now):
    """Remembers an intent that passed. To be called once, before a child's state changes by it."""
    if memory_of(router) != 0:
        count_facts(router, intent, facts_of(router, intent, now))


@njit(nogil=True)
def count_facts(router, intent, facts):
    """Remembers an intent that passed, by its facts as they were then."""
    memory, kind, now = memory_of(router), get(intent, INTENT.kind), facts.now
    pace = pace_of_account(memory, facts.account_number)
    if kind == CANCEL:
        count_one(pace + PACE.cancels, now // MINUTE_BUCKET_NS)
        add(memory, MEMORY.cancels, 1)
        return
    bucket = now // SECOND_BUCKET_NS
    count_one(pace + PACE.second, bucket)
    count_one(ring_of_venue(memory, facts.venue_number), bucket)
    count_one(memory + MEMORY.second, bucket)
    if facts.side == SELL and facts.flags & SHORT != 0:
        more = max(facts.whole - facts.was_whole, 0)
        use_locates(facts.instrument, more)
        if facts.enters == 0:
            add(child_row(router, get(intent, INTENT.child)), CHILD.located, more)
    if facts.enters == 0:
        add(memory, MEMORY.replaces, 1)
        return
    count_one(pace + PACE.orders, now // MINUTE_BUCKET_NS)
    remember(
        memory,
        facts.account_number,
        facts.instrument_number,
        facts.venue_number,
        facts.side,
        facts.price,
        facts.whole,
        now,
    )


@njit(nogil=True)
def count_rejected(router, intent, reason, now):
    """Counts an intent that did not pass, by its reason. Rates do not know of it."""
    add(router, HEAD.reject_count, 1)
    memory = memory_of(router)
    if memory != 0 and reason > 0 and reason < REASON_ROOM:
        add(memory + MEMORY.refused, 8 * reason, 1)


@njit(nogil=True, forceinline=True)
def use_locates(instrument, shares):
    """Takes shares off the locates of an instrument's row."""
    add(instrument, INSTRUMENT.locates_used, shares)


@njit(nogil=True)
def give_back_locates(router, number):
    """What a short sale left unsold may be sold short again: to be called when the child ends.

    That is all that was located for it: what replaces added, also those that were refused, and
    what they or the venue took off again.
    """
    child = child_row(router, number)
    unsold = get(child, CHILD.located) - get(child, CHILD.cum)
    if get(child, CHILD.side) != SELL or get(child, CHILD.flags) & SHORT == 0 or unsold <= 0:
        return
    use_locates(instrument_row(router, get(child, CHILD.instrument)), -unsold)
