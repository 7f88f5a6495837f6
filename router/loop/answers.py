"""What venues say: bytes of a session to actions, actions to order state, and what follows."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from router.entry.layout import SESSION, session_row
from router.loop.acting import ON_PARENT
from router.loop.advance import act_by_address
from router.orders.hear import hear
from router.orders.states import OVER_BITS
from router.risk.judge import give_back_locates
from router.routing.dark_first import learn_dark
from router.routing.gone import note_gone
from router.rows import child_row, get, parent_row, put
from router.tables import CHILD, DARK, HEAD, PARENT
from router.tablespace import MOST_ANSWERS


@njit(nogil=True)
def follow_end(router, child, row, now):
    """What is done once, when an order is over."""
    give_back_locates(router, child)
    note_gone(router, child, now)
    if get(row, CHILD.flags) & DARK:
        learn_dark(router, child)


@njit(nogil=True)
def take_action(router, action, now):
    """One report: order state, and what follows from it."""
    child = hear(router, action, now)
    if child == 0:
        return
    row = child_row(router, child)
    if (OVER_BITS >> get(row, CHILD.state)) & 1 != 0 and get(row, CHILD.followed) == 0:
        put(row, CHILD.followed, 1)
        follow_end(router, child, row, now)
    put(parent_row(router, get(row, CHILD.parent)), PARENT.posted_ns, 0)
    act_by_address(router, ON_PARENT, get(row, CHILD.parent), now)


@njit(nogil=True)
def take_piece(router, session, data, length, now, receive):
    """Takes a piece of a session's stream, wherever it was cut; how many reports were in it.

    `receive` is the kernel of `router.entry.specialise`.
    """
    answers, row = get(router, HEAD.answers), session_row(router, session)
    at, made = np.int64(0), np.int64(0)
    put(router, HEAD.now_ns, now)
    while at < length:
        count = receive(router, session, data + at, length - at, now, answers, MOST_ANSWERS)
        at += get(row, SESSION.consumed)
        for number in range(count):
            take_action(router, answers + ACTION_BYTES * number, now)
        made += count
    return made
