"""What venues say: bytes of a session to actions, actions to order state, and what follows."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.state import DESCRIPTOR_ADDRESS, DESCRIPTOR_LENGTH, DESCRIPTOR_TIMESTAMP
from nic.call import call_release, call_rx_burst
from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_n32le
from router.entry.layout import SESSION, session_row
from router.loop.work import work_on
from router.orders.hear import hear
from router.orders.states import OVER_BITS
from router.risk.judge import give_back_locates
from router.routing.dark_first import learn_dark
from router.rows import child_row, get, put
from router.tables import CHILD, DARK, HEAD
from router.tablespace import MOST_ANSWERS, MOST_PIECES


@njit(nogil=True)
def follow_end(router, child, row):
    """What is done once, when an order is over."""
    give_back_locates(router, child)
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
        follow_end(router, child, row)
    work_on(router, get(row, CHILD.parent), now)


@njit(nogil=True)
def take_piece(router, session, data, length, now, receive):
    """Takes a piece of a session's stream, wherever it was cut."""
    answers, row, at = get(router, HEAD.answers), session_row(router, session), np.int64(0)
    while at < length:
        count = receive(router, session, data + at, length - at, now, answers, MOST_ANSWERS)
        at += get(row, SESSION.consumed)
        for number in range(count):
            take_action(router, answers + ACTION_BYTES * number, now)


@njit(nogil=True)
def poll_session(router, session, receive):
    """Takes all that a session's port has; each piece at the time that it came."""
    row, descriptors = session_row(router, session), get(router, HEAD.descriptors)
    port = get(row, SESSION.handle)
    while True:
        count = call_rx_burst(get(row, SESSION.rx_burst), port, descriptors, MOST_PIECES)
        if count <= 0:
            return
        for number in range(count):
            descriptor = descriptors + DESCRIPTOR_BYTES * number
            now = load_i64le(descriptor + DESCRIPTOR_TIMESTAMP)
            data = load_i64le(descriptor + DESCRIPTOR_ADDRESS)
            length = load_n32le(descriptor + DESCRIPTOR_LENGTH)
            take_piece(router, session, data, length, now, receive)
        call_release(get(row, SESSION.release), port, descriptors, count)


@njit(nogil=True)
def poll_sessions(router, ready, receive):
    """Takes what sessions have, in their order: those whose bit is set in `ready`.

    `receive` is the kernel of `router.entry.specialise`.
    """
    for session in range(get(router, HEAD.session_count)):
        if (ready >> session) & 1 != 0:
            poll_session(router, session, receive)
