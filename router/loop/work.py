"""The work on one parent: what is due by its strategy, where to send it, through the gate.

A parent is looked at when its instrument's quotes change, when something is heard of a child, when
its time has come and when someone says so. All of it is one pass; nothing in it waits.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from nic.raw import load_i64le, load_n32le
from router.intents import want_cancel
from router.loop.gate import gate
from router.loop.timers import set_timer
from router.orders.chains import first_active
from router.orders.children import may_cancel
from router.orders.midpoints import OFFER, national_best
from router.orders.parents import cancel_parent, start_parent, suspend_parent, want_cancels
from router.orders.states import GIVEN_UP, REFUSED_TOO_OFTEN, STATE
from router.risk.collar import within_collars
from router.routing.dark_first import dark_first
from router.routing.posting import post
from router.routing.sweep import take
from router.rows import child_row, get, parent_row, put
from router.strategies.dark_then_lit import DRY
from router.strategies.plan import plan
from router.tables import (
    CHILD,
    DARK,
    DARK_FIRST,
    DAY,
    HEAD,
    PARENT,
    PARENT_TIMER,
    PASSIVE,
    PLAN,
    POV,
    TAKE,
    TAKES,
)

SUSPENDING_REFUSALS: Final = 20  # of a parent's orders by the gate or by venues, in a row
POST_AGAIN_NS: Final = 20_000_000  # how soon passive orders are looked at for queues alone
PASSES: Final = 4  # through a strategy in one go: a phase may lead on to the next at once


@njit(nogil=True)
def remind(router, parent, due_ns):
    """Looks at a parent again then, unless it is looked at sooner anyway."""
    row = parent_row(router, parent)
    set_for = get(row, PARENT.next_ns)
    sooner = due_ns != 0 and (set_for == 0 or due_ns < set_for)
    if sooner and set_timer(router, due_ns, PARENT_TIMER, parent) != 0:
        put(row, PARENT.next_ns, due_ns)


@njit(nogil=True)
def note_placed(router, parent):
    """A parent's row was written: it is new, and counted."""
    put(parent_row(router, parent), PARENT.state, STATE.new)
    put(router, HEAD.parent_count, max(get(router, HEAD.parent_count), parent))


@njit(nogil=True)
def cancel_all(router, parent, now):
    """Cancels what a parent has open."""
    want_cancels(router, parent, get(parent_row(router, parent), PARENT.last_decision))
    gate(router, now)


@njit(nogil=True)
def is_passive(row):
    """Whether a child rests: in the market, or with patience at a dark venue."""
    if get(row, CHILD.flags) & DARK != 0:
        return get(row, CHILD.tif) == DAY
    return get(row, CHILD.flags) & TAKES == 0


@njit(nogil=True)
def resting_shares(router, parent):
    """Shares that a parent has resting."""
    child, shares = get(parent_row(router, parent), PARENT.first_open), 0
    while child != 0:
        row = child_row(router, child)
        if is_passive(row):
            shares += get(row, CHILD.leaves)
        child = get(row, CHILD.next_sibling)
    return shares


@njit(nogil=True)
def leave(router, parent, shares):
    """Wants resting children canceled until no more than so many shares rest."""
    child, decision = get(parent_row(router, parent), PARENT.first_open), 0
    resting = resting_shares(router, parent)
    while child != 0 and resting > shares:
        row = child_row(router, child)
        decision = get(row, CHILD.decision)
        if is_passive(row):
            resting -= get(row, CHILD.leaves)
            if may_cancel(row):
                want_cancel(router, child, decision)
        child = get(row, CHILD.next_sibling)


@njit(nogil=True)
def take_now(router, parent, row, place, now):
    """Sweeps what is due beyond what is taking already; what rests makes room where it must."""
    resting, open_shares = resting_shares(router, parent), get(row, PARENT.open)
    free = get(row, PARENT.quantity) - get(row, PARENT.cum) - open_shares
    due = get(place, PLAN.quantity) - (open_shares - resting)
    if due > free:
        leave(router, parent, 0)
    account, instrument = get(row, PARENT.account), get(row, PARENT.instrument)
    limit = get(place, PLAN.limit)
    limit = within_collars(router, account, instrument, get(row, PARENT.side), limit)
    take(router, parent, min(due, free), limit, now)


@njit(nogil=True)
def ask_dark(router, parent, row, place, now):
    """Asks dark venues; 1 where they have nothing more to give."""
    due = get(place, PLAN.quantity) - get(row, PARENT.open)
    asked = dark_first(router, parent, due, get(place, PLAN.limit), now)
    if asked != 0 or get(row, PARENT.open_children) != 0:
        return 0
    put(row, PARENT.phase, DRY)
    return 1


@njit(nogil=True)
def is_same_market(router, row):
    """Whether the national best is what it was when a parent's passive orders were looked at."""
    best = national_best(router, get(row, PARENT.instrument))
    bid, offer = load_i64le(best), load_i64le(best + OFFER)
    return bid == get(row, PARENT.posted_bid) and offer == get(row, PARENT.posted_offer)


@njit(nogil=True)
def is_fresh(row, now):
    """Whether a parent's passive orders were looked at lately, and nothing was heard since."""
    since = get(row, PARENT.posted_ns)
    return since != 0 and now - since < POST_AGAIN_NS


@njit(nogil=True)
def is_quiet(router, row, now):
    """Whether a parent that rests would plan what it planned: by time, executions and market.

    What follows a volume (POV) plans anew each time.
    """
    if get(row, PARENT.planned) != PASSIVE or get(row, PARENT.strategy) == POV:
        return False
    due = get(row, PARENT.planned_ns)
    same = get(row, PARENT.planned_cum) == get(row, PARENT.cum) and (due == 0 or now < due)
    return same and is_fresh(row, now) and is_same_market(router, row)


@njit(nogil=True)
def keep_posted(router, parent, row, place, now):
    """Looks after passive orders: at once where national best or orders are others, else seldom.

    Queues alone move with nearly every packet; what they change in a few milliseconds is little.
    """
    wanted = get(place, PLAN.quantity)
    same = get(row, PARENT.posted_open) == get(row, PARENT.open) - wanted
    if same and is_same_market(router, row) and is_fresh(row, now):
        return
    best = national_best(router, get(row, PARENT.instrument))
    bid, offer = load_i64le(best), load_i64le(best + OFFER)
    post(router, parent, wanted, get(place, PLAN.limit), get(place, PLAN.shown), now)
    put(row, PARENT.posted_bid, bid)
    put(row, PARENT.posted_offer, offer)
    put(row, PARENT.posted_ns, now)
    put(row, PARENT.posted_open, get(row, PARENT.open) - wanted)


@njit(nogil=True)
def act_on(router, parent, row, place, now):
    """Does what the plan says; 1 where the strategy has to be asked again at once."""
    style, quantity = get(place, PLAN.style), get(place, PLAN.quantity)
    if style == TAKE:
        take_now(router, parent, row, place, now)
    elif style == DARK_FIRST:
        return ask_dark(router, parent, row, place, now)
    elif style == PASSIVE:
        keep_posted(router, parent, row, place, now)
    else:
        leave(router, parent, quantity)
    return 0


@njit(nogil=True)
def is_waiting(router, parent, row, now):
    """Whether nothing may be sent for a parent now: it was refused lately, or too often.

    Its end comes all the same.
    """
    if max(get(row, PARENT.held), get(row, PARENT.refused)) >= SUSPENDING_REFUSALS:
        suspend_parent(router, parent, REFUSED_TOO_OFTEN, now)
        return True
    until, end = get(row, PARENT.hold_ns), get(row, PARENT.end_ns)
    until = min(until, end) if end != 0 else until
    if now < until:
        remind(router, parent, until)
        return True
    return False


@njit(nogil=True)
def begin_or_end(router, parent, row, now):
    """What is done for a parent that does not work: started, or its children canceled."""
    state = get(row, PARENT.state)
    if state == STATE.new and now >= get(row, PARENT.start_ns):
        return start_parent(router, parent, now)
    if state == STATE.new:
        remind(router, parent, get(row, PARENT.start_ns))
    if state == STATE.pending_cancel:
        cancel_all(router, parent, now)
    return 0


@njit(nogil=True)
def work_on(router, parent, now):
    """Looks at a parent, by its number."""
    row, place = parent_row(router, parent), get(router, HEAD.plan)
    if get(row, PARENT.state) != STATE.working and begin_or_end(router, parent, row, now) == 0:
        return
    if is_quiet(router, row, now):
        return
    for _ in range(PASSES):
        if get(row, PARENT.state) != STATE.working or is_waiting(router, parent, row, now):
            return
        plan(router, parent, now, place)
        due_ns = get(place, PLAN.next_ns)
        put(row, PARENT.planned, get(place, PLAN.style))
        put(row, PARENT.planned_ns, due_ns)
        put(row, PARENT.planned_cum, get(row, PARENT.cum))
        if get(place, PLAN.done) != 0:
            cancel_parent(router, parent, GIVEN_UP, now)
            cancel_all(router, parent, now)
            return
        again = act_on(router, parent, row, place, now)
        gate(router, now)
        if get(row, PARENT.hold_ns) > now:
            remind(router, parent, get(row, PARENT.hold_ns))
        if due_ns > now:
            remind(router, parent, due_ns)
        if again == 0 and (due_ns == 0 or due_ns > now):
            return


@njit(nogil=True)
def work_on_instrument(router, instrument, now):
    """Looks at the working parents of an instrument, the one that came last first."""
    parent = load_n32le(first_active(router, instrument))
    while parent != 0:
        following = get(parent_row(router, parent), PARENT.next_active)
        work_on(router, parent, now)
        parent = following


@njit(nogil=True)
def work_on_all(router, now):
    """Looks at all working parents."""
    for instrument in range(get(router, HEAD.instrument_count)):
        work_on_instrument(router, instrument, now)
