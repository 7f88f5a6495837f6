"""Parents: started, suspended, changed, ended.

A parent ends by itself once it is executed in full and nothing is open. Ended before (canceled,
expired, done for day), it is pending cancel as long as children are open, and whoever works on it
cancels them (`want_cancels`); the first reason to end is the one that counts.
"""

from __future__ import annotations

from numba import njit

from router.intents import want_cancel
from router.orders.chains import push_active
from router.orders.children import may_cancel
from router.orders.machine import parent_after, parent_step, settle
from router.orders.midpoints import midpoint
from router.orders.states import EVENT, IMPOSSIBLE, STATE
from router.rows import add, child_row, get, instrument_row, parent_row, put
from router.tables import CHILD, HEAD, INSTRUMENT, PARENT


@njit(nogil=True)
def is_parent(router, number):
    """Whether there is room for a parent of that number."""
    return 0 < number < get(router, HEAD.most_parents)


@njit(nogil=True)
def start_parent(router, number, now):
    """A parent begins to work: arrival price and volume noted, in the chain of its instrument.

    Its row is written before, by whoever placed it. One without shares is rejected. 1 where it
    works now, else 0.
    """
    if not is_parent(router, number):
        return 0
    row = parent_row(router, number)
    if parent_after(get(row, PARENT.state), EVENT.start) == IMPOSSIBLE:
        return parent_step(router, number, EVENT.start, 0, now)
    if get(row, PARENT.quantity) <= 0:
        parent_step(router, number, EVENT.rejected, 0, now)
        return 0
    instrument = get(row, PARENT.instrument)
    traded = instrument_row(router, instrument)
    put(row, PARENT.arrived_ns, now)
    put(row, PARENT.arrival, midpoint(router, instrument))
    put(row, PARENT.arrival_volume, get(traded, INSTRUMENT.volume))
    put(row, PARENT.arrival_notional, get(traded, INSTRUMENT.notional))
    push_active(router, number)
    add(router, HEAD.working_count, 1)
    return parent_step(router, number, EVENT.start, 0, now)


@njit(nogil=True)
def ends(event):
    """Whether an event ends a parent before it is filled."""
    return event == EVENT.canceled or event == EVENT.expired or event == EVENT.done_for_day


@njit(nogil=True)
def parent_event(router, number, event, reason, now):
    """Moves a parent by an event from outside; 1, or 0 where it is impossible.

    `event` is canceled, expired, done for day, rejected, suspended or resumed. The first three wait
    for open children: the parent is pending cancel until then.
    """
    known = ends(event) or event == EVENT.rejected
    known = known or event == EVENT.suspended or event == EVENT.resumed
    if not known or not is_parent(router, number):
        return 0
    row = parent_row(router, number)
    if ends(event) and get(row, PARENT.open_children) != 0:
        if get(row, PARENT.state) == STATE.pending_cancel:
            return 0
        if parent_step(router, number, EVENT.ask_cancel, reason, now) == 0:
            return 0
        put(row, PARENT.ending, event)
        put(row, PARENT.reason, reason)
        return 1
    return parent_step(router, number, event, reason, now)


@njit(nogil=True)
def suspend_parent(router, number, reason, now):
    """No new orders for a parent; 1, or 0 where it does not work. Its children stay as they are."""
    return parent_event(router, number, EVENT.suspended, reason, now)


@njit(nogil=True)
def resume_parent(router, number, now):
    """A suspended parent works again; 1, or 0 where it was not suspended."""
    return parent_event(router, number, EVENT.resumed, 0, now)


@njit(nogil=True)
def cancel_parent(router, number, reason, now):
    """Ends a parent; 1, or 0 where it is over or being ended already."""
    return parent_event(router, number, EVENT.canceled, reason, now)


@njit(nogil=True)
def replace_parent(router, number, quantity, limit, now):
    """Changes a parent's whole quantity and limit; 1, or 0 where that cannot be.

    A quantity of no more than is executed ends it once nothing is open.
    """
    if not is_parent(router, number) or quantity <= 0 or limit < 0:
        return 0
    row = parent_row(router, number)
    if parent_after(get(row, PARENT.state), EVENT.replace_accepted) == IMPOSSIBLE:
        return 0
    put(row, PARENT.quantity, quantity)
    put(row, PARENT.limit, limit)
    parent_step(router, number, EVENT.replace_accepted, 0, now)
    settle(router, number, now)
    return 1


@njit(nogil=True)
def want_cancels(router, number, decision):
    """Intents to cancel each open child of a parent that may be canceled now; how many."""
    child, count = get(parent_row(router, number), PARENT.first_open), 0
    while child != 0:
        row = child_row(router, child)
        if may_cancel(row):
            if want_cancel(router, child, decision) == 0:
                break
            count += 1
        child = get(row, CHILD.next_sibling)
    return count
