"""The step of a child or parent from one state to the next: by the table, logged, counted."""

from __future__ import annotations

from numba import njit

from feedhandler.wire.constants import constant_i64, constant_table
from router import log
from router.orders.chains import pull, pull_active, pull_sibling
from router.orders.midpoints import midpoint
from router.orders.reserve import is_over
from router.orders.states import (
    BACK,
    CHILD_TABLE,
    COLUMNS,
    EVENT,
    IMPOSSIBLE,
    MARK,
    PARENT_TABLE,
    STATE,
)
from router.rows import (
    account_row,
    add,
    child_row,
    get,
    instrument_row,
    parent_row,
    position_row,
    put,
    venue_row,
)
from router.tables import ACCOUNT, CHILD, HEAD, INSTRUMENT, PARENT, POSITION, VENUE

child_table = constant_table(CHILD_TABLE)
parent_table = constant_table(PARENT_TABLE)


@njit(nogil=True)
def child_after(state, event):
    """What follows for a child: a state, IMPOSSIBLE, OPEN or BACK."""
    return constant_i64(child_table() + 8 * (COLUMNS * state + event))


@njit(nogil=True)
def parent_after(state, event):
    """What follows for a parent: a state or IMPOSSIBLE."""
    return constant_i64(parent_table() + 8 * (COLUMNS * state + event))


@njit(nogil=True)
def settled(row, way):
    """The state that OPEN or BACK stands for, by what is known of the child."""
    if way == BACK and get(row, CHILD.new_token) != 0:
        return STATE.pending_replace
    if way == BACK and get(row, CHILD.before) == STATE.suspended:
        return STATE.suspended
    if get(row, CHILD.cum) != 0:
        return STATE.partially_filled
    return STATE.new if get(row, CHILD.heard_ns) != 0 else STATE.pending_new


@njit(nogil=True)
def set_mark(row, bit):
    """Sets a bit of a child's marks."""
    put(row, CHILD.marks, get(row, CHILD.marks) | bit)


@njit(nogil=True)
def tell_child(router, number, event, states, quantity, price, code, now):
    """A CHILD record; `states` is before << 8 | after."""
    log.write(get(router, HEAD.log), log.CHILD, now, number, event, states, quantity, price, code)


@njit(nogil=True)
def flag(router, number, event, quantity, price, now):
    """An event that the child's state does not know: marked, counted, logged, nothing else."""
    row = child_row(router, number)
    set_mark(row, MARK.impossible_event)
    add(router, HEAD.impossible_count, 1)
    state = get(row, CHILD.state)
    tell_child(router, number, EVENT.impossible, state << 8 | state, quantity, price, event, now)


@njit(nogil=True)
def close(router, number, row):
    """A child is over: out of its chains, nothing is left of it."""
    put(row, CHILD.leaves, 0)
    account = get(row, CHILD.account)
    position = position_row(router, account, get(row, CHILD.instrument))
    pull(router, number, position, POSITION.first_open, CHILD.next_open, CHILD.last_open)
    add(account_row(router, account), ACCOUNT.open_orders, -1)
    add(venue_row(router, get(row, CHILD.venue)), VENUE.open_orders, -1)
    add(router, HEAD.open_count, -1)
    parent = get(row, CHILD.parent)
    if parent != 0:
        pull_sibling(router, number, parent_row(router, parent))
        add(parent_row(router, parent), PARENT.open_children, -1)


@njit(nogil=True)
def step(router, number, event, quantity, price, code, now):
    """Moves a released child by an event; 0 where it is impossible (flagged), else 1."""
    row = child_row(router, number)
    before = get(row, CHILD.state)
    after = child_after(before, event)
    if after == IMPOSSIBLE:
        flag(router, number, event, quantity, price, now)
        return 0
    if after < 0:
        after = settled(row, after)
    put(row, CHILD.state, after)
    put(row, CHILD.last_ns, now)
    tell_child(router, number, event, before << 8 | after, quantity, price, code, now)
    if is_over(after) != 0 and is_over(before) == 0:
        close(router, number, row)
    return 1


@njit(nogil=True)
def note_closing(router, row):
    """What the market is when a parent ends, as it was noted when it came."""
    instrument = get(row, PARENT.instrument)
    traded = instrument_row(router, instrument)
    put(row, PARENT.closing, midpoint(router, instrument))
    put(row, PARENT.closing_volume, get(traded, INSTRUMENT.volume))
    put(row, PARENT.closing_notional, get(traded, INSTRUMENT.notional))


@njit(nogil=True)
def parent_step(router, number, event, reason, now):
    """Moves a parent by an event; 0 where it is impossible (counted, logged), else 1."""
    row, record = parent_row(router, number), get(router, HEAD.log)
    before = get(row, PARENT.state)
    after, told, why = parent_after(before, event), event, reason
    if after == IMPOSSIBLE:
        add(router, HEAD.impossible_count, 1)
        after, told, why = before, EVENT.impossible, event
    put(row, PARENT.state, after)
    cum, left = get(row, PARENT.cum), get(row, PARENT.open)
    log.write(record, log.PARENT, now, number, told, before << 8 | after, cum, left, why)
    if is_over(after) != 0 and is_over(before) == 0:
        put(row, PARENT.ended_ns, now)
        put(row, PARENT.reason, reason)
        note_closing(router, row)
        if before != STATE.none and before != STATE.new:
            pull_active(router, number)
            add(router, HEAD.working_count, -1)
    return 0 if told == EVENT.impossible else 1


@njit(nogil=True)
def settle(router, number, now):
    """Ends a parent of which nothing is open any more, if it is filled or is being ended."""
    row = parent_row(router, number)
    state = get(row, PARENT.state)
    if get(row, PARENT.open_children) != 0 or parent_after(state, EVENT.full_fill) == IMPOSSIBLE:
        return
    if get(row, PARENT.cum) >= get(row, PARENT.quantity):
        parent_step(router, number, EVENT.full_fill, 0, now)
    elif state == STATE.pending_cancel:
        parent_step(router, number, get(row, PARENT.ending), get(row, PARENT.reason), now)
