"""What a person tells the loop about parents, venues, kill switches; each one goes to the log."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le
from router import log
from router.loop.breaker import close_breaker
from router.loop.gate import gate
from router.loop.misfits import want_misfits_back
from router.loop.pulling import KILLED_ONES, pull
from router.loop.work import cancel_all, note_placed, work_on
from router.orders.parents import (
    cancel_parent,
    parent_event,
    replace_parent,
    resume_parent,
    suspend_parent,
)
from router.orders.states import BY_COMMAND, DAY_OVER, EVENT, OVER_BITS, STATE
from router.parentcommands import (
    CANCEL_PARENT,
    END_DAY,
    FIRST_COMMAND,
    KILL,
    KILL_ACCOUNT,
    KILL_ALL,
    KILL_SYMBOL,
    KILL_VENUE,
    NEW_PARENT,
    REPLACE_LIMIT,
    REPLACE_PARENT,
    REPLACE_QUANTITY,
    RESUME_PARENT,
    VENUE_DOWN,
    VENUE_UP,
)
from router.rows import account_row, get, instrument_row, parent_row, put, venue_row
from router.tables import ACCOUNT, DOWN_ASKED, DOWN_KILLED, HEAD, INSTRUMENT, PARENT, VENUE

WORDS_AT = 16  # in a command


@njit(nogil=True)
def word_of(record, number):
    """A word of a command."""
    return load_i64le(record + WORDS_AT + 8 * number)


@njit(nogil=True)
def place_parent(router, number, now):
    """A parent's row was written: it begins now, or when its time comes."""
    if number < 1 or number >= get(router, HEAD.most_parents):
        return 0
    row = parent_row(router, number)
    if get(row, PARENT.state) != STATE.none:
        return 0
    note_placed(router, number)
    work_on(router, number, now)
    return 1


@njit(nogil=True)
def change_parent(router, record, number, now):
    """Quantity, limit or both of a parent are new: orders that fit them stay where they are."""
    row, what = parent_row(router, number), word_of(record, 3)
    quantity = word_of(record, 1) if what & REPLACE_QUANTITY else get(row, PARENT.quantity)
    limit = word_of(record, 2) if what & REPLACE_LIMIT else get(row, PARENT.limit)
    done = replace_parent(router, number, quantity, limit, now)
    if done != 0:
        want_misfits_back(router, row)
        gate(router, now)
        put(row, PARENT.posted_ns, 0)
        work_on(router, number, now)
    return done


@njit(nogil=True)
def about_parent(router, kind, record, now):
    """A command about one parent; 1 where it was taken."""
    number = word_of(record, 0)
    if number < 1 or number > get(router, HEAD.parent_count):
        return 0
    if kind == REPLACE_PARENT:
        return change_parent(router, record, number, now)
    if kind == RESUME_PARENT:
        done = resume_parent(router, number, now)
        put(parent_row(router, number), PARENT.held, 0)
        put(parent_row(router, number), PARENT.refused, 0)
        put(parent_row(router, number), PARENT.posted_ns, 0)
        work_on(router, number, now)
        return done
    if kind == CANCEL_PARENT:
        done = cancel_parent(router, number, BY_COMMAND, now)
    else:
        done = suspend_parent(router, number, BY_COMMAND, now)
    if done != 0:
        cancel_all(router, number, now)
    return done


@njit(nogil=True)
def set_down(row, bit, on):
    """Sets or takes away a reason why orders may not go to a venue."""
    down = get(row, VENUE.down) & ~bit
    put(row, VENUE.down, down | bit if on != 0 else down)


@njit(nogil=True)
def throw_switch(router, record):
    """A kill switch, on or off; 1 where there is such a one."""
    scope, number, on = word_of(record, 0), word_of(record, 1), word_of(record, 2)
    if scope == KILL_ALL:
        put(router, HEAD.killed, on)
    elif scope == KILL_ACCOUNT and 0 < number < get(router, HEAD.account_count):
        put(account_row(router, number), ACCOUNT.killed, on)
    elif scope == KILL_SYMBOL and 0 < number < get(router, HEAD.instrument_count):
        put(instrument_row(router, number), INSTRUMENT.killed, on)
    elif scope == KILL_VENUE and 0 <= number < get(router, HEAD.venue_count):
        set_down(venue_row(router, number), DOWN_KILLED, on)
    else:
        return 0
    return 1


@njit(nogil=True)
def end_day(router, now):
    """Ends all parents as done for the day; those that wait for their time too."""
    for number in range(1, get(router, HEAD.parent_count) + 1):
        state = get(parent_row(router, number), PARENT.state)
        if (OVER_BITS >> state) & 1 == 0 and state != STATE.pending_cancel:
            parent_event(router, number, EVENT.done_for_day, DAY_OVER, now)
            cancel_all(router, number, now)
    return 1


@njit(nogil=True)
def carry_out(router, kind, record, now):
    """Does what a command says; 1, or 0 where it cannot be done."""
    if kind == NEW_PARENT:
        return place_parent(router, word_of(record, 0), now)
    if kind == END_DAY:
        return end_day(router, now)
    if kind == KILL:
        done = throw_switch(router, record)
        pull(router, KILLED_ONES, now)
        return done
    if kind == VENUE_UP or kind == VENUE_DOWN:
        venue = word_of(record, 0)
        if venue < 0 or venue >= get(router, HEAD.venue_count):
            return 0
        set_down(venue_row(router, venue), DOWN_ASKED, kind == VENUE_DOWN)
        if kind == VENUE_UP:
            close_breaker(router, venue, now)
        return 1
    return about_parent(router, kind, record, now)


@njit(nogil=True)
def obey(router, record, now):
    """Takes a command; 1, or 0 for a kind that is not ours. What was done is in the log."""
    kind = load_i64le(record)
    if kind < FIRST_COMMAND or kind > END_DAY:
        return 0
    done = carry_out(router, kind, record, now)
    first, second, third = word_of(record, 0), word_of(record, 1), word_of(record, 2)
    record_of = get(router, HEAD.log)
    log.write(record_of, log.COMMAND, now, kind, done, first, second, third, word_of(record, 3))
    return 1
