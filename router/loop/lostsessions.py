"""A live session comes and goes: what becomes of the orders that went over it.

While it is gone nobody knows how they stand: they are unknown, and keep the shares they reserve.
The next login replays what was missed, and says which of our messages the venue never had. What is
then still unknown stands as it did before.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import CANCEL_REJECTED, REJECTED
from nic.call import call_kernel
from router import log
from router.entry.inbound import set_state
from router.entry.layout import ASKED, CAME_UP, DOWN, SESSION, UP, session_row
from router.loop.commands import set_down, word_of
from router.loop.gate import answer_locally
from router.loop.pulling import KILLED_ONES, pull
from router.loop.work import work_on, work_on_all
from router.orders.children import child_event
from router.orders.states import EVENT, OVER_BITS, STATE
from router.rows import add, child_row, get, parent_row, put, venue_row
from router.sessioncommands import (
    FEED_SILENT,
    FEED_SPEAKS,
    MESSAGE_LOST,
    SESSION_DOWN,
    SESSION_HEARD,
    SESSION_UP,
)
from router.tables import CHILD, DOWN_FEED, ENTER, HEAD, PARENT


@njit(nogil=True)
def concerns(router, venue, row):
    """Whether a child has left for a venue and is not over."""
    if get(row, CHILD.venue) != venue or get(row, CHILD.sent_ns) == 0:
        return False
    return (OVER_BITS >> get(row, CHILD.state)) & 1 == 0


@njit(nogil=True)
def move_all(router, venue, event, now):
    """Moves the open orders of a venue that left by one event; how many."""
    moved = np.int64(0)
    for number in range(1, get(router, HEAD.child_count) + 1):
        row = child_row(router, number)
        if not concerns(router, venue, row):
            continue
        if (get(row, CHILD.state) == STATE.unknown) == (event == EVENT.resumed):
            moved += child_event(router, number, event, 0, now)
    return moved


@njit(nogil=True)
def tell(router, session, event, orders, now):
    """A SESSION record."""
    sequence = get(session_row(router, session), SESSION.sequence)
    zero = np.int64(0)
    log.write(get(router, HEAD.log), log.SESSION, now, session, event, orders, sequence, zero, zero)


@njit(nogil=True)
def lose(router, session, why, now):
    """A session is gone: the loop lets go of its port, its orders are unknown."""
    row = session_row(router, session)
    put(router, HEAD.now_ns, max(now, get(router, HEAD.now_ns)))
    set_state(router, row, DOWN)
    add(row, SESSION.downs, 1)
    put(row, SESSION.why, why)
    orders = move_all(router, get(row, SESSION.venue), EVENT.lost, now)
    tell(router, session, why, orders, now)
    put(row, SESSION.handle, 0)


@njit(nogil=True)
def come_up(router, session, record, now):
    """The session has a port and has told all that was missed."""
    row = session_row(router, session)
    put(row, SESSION.tx, word_of(record, 2))
    put(row, SESSION.rx_burst, word_of(record, 3))
    put(row, SESSION.release, word_of(record, 4))
    put(row, SESSION.sequence, word_of(record, 5))
    put(row, SESSION.handle, word_of(record, 1))
    put(row, SESSION.sent_ns, now)
    put(row, SESSION.heard_ns, now)
    set_state(router, row, UP)
    orders = move_all(router, get(row, SESSION.venue), EVENT.resumed, now)
    tell(router, session, CAME_UP, orders, now)
    pull(router, KILLED_ONES, now)
    for number in range(1, get(router, HEAD.parent_count) + 1):
        if get(parent_row(router, number), PARENT.state) == STATE.pending_cancel:
            work_on(router, number, now)
    work_on_all(router, now)


@njit(nogil=True)
def hear_early(router, session, record, now):
    """What the venue said while it was logged in to."""
    row, length = session_row(router, session), word_of(record, 2)
    if word_of(record, 3) != 0:
        put(row, SESSION.held_count, 0)
        set_state(router, row, DOWN)
    if length > 0:
        take = get(router, HEAD.take_answers)
        call_kernel(take, router, session, word_of(record, 1), length, now)


@njit(nogil=True)
def obey_session(router, record, now):
    """Takes a command about a session, or a venue's feed; 1, or 0 for one that there is not."""
    kind, session = word_of(record, -2), word_of(record, 0)
    if session < 0 or session >= get(router, HEAD.session_count):
        return 0
    if kind == FEED_SILENT or kind == FEED_SPEAKS:
        venue = get(session_row(router, session), SESSION.venue)
        set_down(venue_row(router, venue), DOWN_FEED, kind == FEED_SILENT)
    elif kind == SESSION_HEARD:
        hear_early(router, session, record, now)
    elif kind == MESSAGE_LOST:
        refused = REJECTED if word_of(record, 2) == ENTER else CANCEL_REJECTED
        answer_locally(router, refused, word_of(record, 1), 0, now)
    elif kind == SESSION_UP:
        come_up(router, session, record, now)
    elif kind == SESSION_DOWN:
        lose(router, session, np.int64(ASKED), now)
    return 1
