"""The router's own work behind one door: all that decides and sends, as a library of its own.

The packet loop and the decoders of answers call it by address (`HEAD.act`), so that each is
compiled once and on its own, and a loop for other feeds compiles no routing again.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import load_i64le
from router.intents import want_cancel
from router.loop.commands import obey
from router.loop.gate import gate, is_held_back, send_held
from router.loop.lostsessions import lose, obey_session
from router.loop.pulling import look_at_breaker
from router.loop.timers import take_timer
from router.loop.watch import is_unanswered
from router.loop.work import work_on, work_on_all, work_on_instrument
from router.orders.states import STATE
from router.rows import child_row, get, parent_row, put
from router.sessioncommands import FEED_SPEAKS, SESSION_HEARD
from router.tables import ANSWER_TIMER, CHILD, INTENT_TIMER, PARENT, VENUE_TIMER

ON_PARENT, ON_INSTRUMENT, ON_ALL, ON_TIMER, ON_COMMAND, ON_SESSION_LOST = range(6)


@njit(nogil=True)
def let_go(router, child, now):
    """An order's time to leave has come; where it may not, its parent sees to its shares at once.

    Not where its port refused it: the next order would fare no better.
    """
    send_held(router, child, now)
    row = child_row(router, child)
    if get(row, CHILD.state) == STATE.rejected and is_held_back(router, row) != 0:
        work_on(router, get(row, CHILD.parent), now)


@njit(nogil=True)
def wait_no_longer(router, child, now):
    """Takes an order back of which nobody knows how it stands, and looks at its parent."""
    if is_unanswered(router, child, now) == 0:
        return
    row = child_row(router, child)
    want_cancel(router, child, get(row, CHILD.decision))
    gate(router, now)
    parent = get(row, CHILD.parent)
    if parent != 0:
        put(parent_row(router, parent), PARENT.posted_ns, 0)
        work_on(router, parent, now)


@njit(nogil=True)
def fire(router, now):
    """The earliest timer's time has come."""
    kind, who = take_timer(router)
    if kind == INTENT_TIMER:
        let_go(router, who, now)
        return
    if kind == ANSWER_TIMER:
        wait_no_longer(router, who, now)
        return
    if kind == VENUE_TIMER:
        look_at_breaker(router, who, now)
        return
    row = parent_row(router, who)
    if get(row, PARENT.next_ns) <= now:
        put(row, PARENT.next_ns, 0)
    work_on(router, who, now)


@njit(nogil=True, cache=True)
def act(router, what, subject, now, why):
    """What is to be done: ON_PARENT (number), ON_INSTRUMENT (number), ON_ALL, ON_TIMER (the first
    one), ON_COMMAND (its record), ON_SESSION_LOST (number, why). 1, or 0 for a command that is not
    the router's.
    """
    if what == ON_INSTRUMENT:
        work_on_instrument(router, subject, now)
    elif what == ON_PARENT:
        work_on(router, subject, now)
    elif what == ON_TIMER:
        fire(router, now)
    elif what == ON_COMMAND:
        if SESSION_HEARD <= load_i64le(subject) <= FEED_SPEAKS:
            return np.int64(obey_session(router, subject, now))
        return np.int64(obey(router, subject, now))
    elif what == ON_SESSION_LOST:
        lose(router, subject, why, now)
    else:
        work_on_all(router, now)
    return np.int64(1)
