"""What venues say: bytes of a session to actions, actions to order state, and what follows."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, CANCEL_REJECTED, REJECTED
from nic.raw import load_n8
from router.entry.layout import SESSION, session_row
from router.loop.acting import ON_PARENT
from router.loop.advance import act_by_address, reach
from router.loop.breaker import note_failure, note_success
from router.loop.endings import follow_end
from router.orders.hear import hear
from router.orders.states import STATE
from router.rows import child_row, get, parent_row, put
from router.tables import CHILD, HEAD, PARENT
from router.tablespace import MOST_ANSWERS


@njit(nogil=True, forceinline=True)
def judge_venue(router, kind, venue, now):
    """What a report says of its venue: orders that are rejected open its breaker."""
    if kind == REJECTED:
        note_failure(router, venue, now)
    elif kind != CANCEL_REJECTED:
        note_success(router, venue, now)


@njit(nogil=True)
def take_action(router, action, now):
    """One report: order state, and what follows from it."""
    child = hear(router, action, now)
    if child == 0:
        return
    judge_venue(router, load_n8(action), get(child_row(router, child), CHILD.venue), now)
    follow_end(router, child, now)
    row = child_row(router, child)
    parent = get(row, CHILD.parent)
    put(parent_row(router, parent), PARENT.posted_ns, 0)
    if get(row, CHILD.state) != STATE.rejected:
        put(parent_row(router, parent), PARENT.refused, 0)
    act_by_address(router, ON_PARENT, parent, now)


@njit(nogil=True)
def take_piece(router, session, data, length, now, receive):
    """Takes a piece of a session's stream, wherever it was cut; how many reports were in it.

    `receive` is the kernel of `router.entry.specialise`.
    """
    answers, row = get(router, HEAD.answers), session_row(router, session)
    at, made = np.int64(0), np.int64(0)
    now = reach(router, now)
    while at < length:
        count = receive(router, session, data + at, length - at, now, answers, MOST_ANSWERS)
        at += get(row, SESSION.consumed)
        for number in range(count):
            take_action(router, answers + ACTION_BYTES * number, now)
        made += count
    return made
