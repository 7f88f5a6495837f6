"""Cancels and replaces that nobody answers: some venues say nothing to those that come too late.

A child whose ask is not answered in the time that its venue has for it (`answer_ms` in the file of
venues) becomes unknown. One timer a child does for all its asks: where a later one is under way
when it comes, it is set anew.
"""

from __future__ import annotations

from numba import njit

from router.loop.breaker import note_failure
from router.loop.timers import set_timer
from router.orders.children import move_child
from router.orders.machine import set_mark
from router.orders.states import EVENT, MARK, STATE
from router.rows import add, child_row, get, named_token, put, venue_row
from router.tables import ANSWER_TIMER, CHILD, HEAD, VENUE


@njit(nogil=True)
def watch(router, child, due_ns):
    """Looks then whether the answer to an ask has come, unless a look is due already."""
    row = child_row(router, child)
    if get(row, CHILD.watched) == 0 and set_timer(router, due_ns, ANSWER_TIMER, child) != 0:
        put(row, CHILD.watched, 1)


@njit(nogil=True)
def watch_ask(router, child, now):
    """A cancel or replace has left: its answer is waited for."""
    wait_ns = get(venue_row(router, get(child_row(router, child), CHILD.venue)), VENUE.answer_ns)
    if wait_ns != 0:
        watch(router, child, now + wait_ns)


@njit(nogil=True)
def is_unanswered(router, child, now):
    """The time for an answer is over: 1 where none came, and the child is unknown from now on."""
    row = child_row(router, child)
    put(row, CHILD.watched, 0)
    state, venue = get(row, CHILD.state), get(row, CHILD.venue)
    if state != STATE.pending_cancel and state != STATE.pending_replace:
        return 0
    due_ns = get(row, CHILD.asked_ns) + get(venue_row(router, venue), VENUE.answer_ns)
    if due_ns > now:
        watch(router, child, due_ns)
        return 0
    token = get(row, CHILD.new_token) if state == STATE.pending_replace else named_token(row)
    add(row, CHILD.unanswered, 1)
    add(venue_row(router, venue), VENUE.unanswered, 1)
    add(router, HEAD.unanswered_count, 1)
    set_mark(row, MARK.unanswered)
    move_child(router, child, EVENT.unanswered, token, now)
    note_failure(router, venue, now)
    return 1
