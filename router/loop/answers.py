"""What venues say: bytes of a session to actions, actions to order state, and what follows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, SESSION
from nic.call import call_release, call_rx_burst
from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_n8, load_u32le
from feedhandler.state import DESCRIPTOR_ADDRESS, DESCRIPTOR_LENGTH, DESCRIPTOR_TIMESTAMP
from router.entry.receive import receive
from router.entry.rows import session_row
from router.entry.layout import SESSION as SESSION_AT
from router.loop.work import work_on
from router.orders.reports import hear
from router.orders.states import is_over
from router.routing.darkfirst import learn_dark
from router.rows import child_row, get
from router.tables import CHILD, DARK, HEAD
from router.tablespace import MOST_ANSWERS, MOST_PIECES


@njit(nogil=True)
def follow_report(router, child, now):
    """What is done when something was heard of a child."""
    row = child_row(router, child)
    if get(row, CHILD.flags) & DARK and is_over(get(row, CHILD.state)):
        learn_dark(router, child)
    work_on(router, get(row, CHILD.parent), now)


@njit(nogil=True)
def take_piece(router, session, data, length, now):
    """Takes a piece of a session's stream, wherever it was cut."""
    answers = get(router, HEAD.answers)
    count = receive(router, session, data, length, now, answers, MOST_ANSWERS)
    for number in range(count):
        action = answers + ACTION_BYTES * number
        if load_n8(action) == SESSION:
            continue
        child = hear(router, action, now)
        if child != 0:
            follow_report(router, child, now)


@njit(nogil=True)
def poll_session(router, session):
    """Takes all that a session's port has; each piece at the time that it came."""
    row, descriptors = session_row(router, session), get(router, HEAD.descriptors)
    port = get(row, SESSION_AT.port)
    while True:
        count = call_rx_burst(get(row, SESSION_AT.rx_burst), port, descriptors, MOST_PIECES)
        if count <= 0:
            return
        for number in range(count):
            descriptor = descriptors + DESCRIPTOR_BYTES * number
            now = load_i64le(descriptor + DESCRIPTOR_TIMESTAMP)
            length = np.int64(load_u32le(descriptor + DESCRIPTOR_LENGTH))
            take_piece(router, session, load_i64le(descriptor + DESCRIPTOR_ADDRESS), length, now)
        call_release(get(row, SESSION_AT.release), port, descriptors, count)


@njit(nogil=True)
def poll_sessions(router):
    """Takes what all sessions have, in their order."""
    for session in range(get(router, HEAD.session_count)):
        poll_session(router, session)
