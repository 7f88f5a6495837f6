"""Time goes on: what is due happens, one thing after the other, each at its own time.

Timers are of parents (look again) and of orders (leave now). In a replay those who stand at the
other end have a time for the next thing that happens there; with a live port there is none, and
sessions are polled once a round.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.state import DESCRIPTOR_ADDRESS, DESCRIPTOR_LENGTH, DESCRIPTOR_TIMESTAMP
from nic.call import call_kernel, call_release, call_rx_burst
from nic.layout import DESCRIPTOR_BYTES
from nic.raw import load_i64le, load_n32le
from router.entry.layout import SESSION, session_row
from router.loop.acting import ON_TIMER
from router.loop.stages import begin_other
from router.loop.timers import NEVER
from router.rows import get, put
from router.tables import HEAD
from router.tablespace import MOST_PIECES


@njit(nogil=True, forceinline=True)
def act_by_address(router, what, subject, now):
    """`router.loop.acting.act`."""
    return call_kernel(get(router, HEAD.act), router, what, subject, now, np.int64(0))


@njit(nogil=True, forceinline=True)
def far_due(router):
    """When something happens at the other end next; NEVER without one."""
    place = get(router, HEAD.far_due)
    return get(place, 0) if place != 0 else NEVER


@njit(nogil=True, forceinline=True)
def reach(router, time_ns):
    """It is that late, or as late as it was: time never goes back. Gives the time."""
    now = max(time_ns, get(router, HEAD.now_ns))
    put(router, HEAD.now_ns, now)
    return now


@njit(nogil=True)
def poll_session(router, session):
    """Takes all that a session's port has; each piece at the time that it came."""
    row, descriptors = session_row(router, session), get(router, HEAD.descriptors)
    port, take = get(row, SESSION.handle), get(router, HEAD.take_answers)
    while True:
        count = call_rx_burst(get(row, SESSION.rx_burst), port, descriptors, MOST_PIECES)
        if count <= 0:
            return
        for number in range(count):
            descriptor = descriptors + DESCRIPTOR_BYTES * number
            now = reach(router, load_i64le(descriptor + DESCRIPTOR_TIMESTAMP))
            data = load_i64le(descriptor + DESCRIPTOR_ADDRESS)
            length = load_n32le(descriptor + DESCRIPTOR_LENGTH)
            call_kernel(take, router, session, data, length, now)
        call_release(get(row, SESSION.release), port, descriptors, count)


@njit(nogil=True)
def poll_sessions(router, ready):
    """Takes what sessions have, in their order: those whose bit is set in `ready`."""
    for session in range(get(router, HEAD.session_count)):
        if (ready >> session) & 1 != 0:
            poll_session(router, session)


@njit(nogil=True)
def happen(router, until_ns):
    """Lets all that is due by then happen."""
    while True:
        due, far = get(router, HEAD.due_ns), far_due(router)
        if min(due, far) > until_ns:
            return
        begin_other(get(router, HEAD.stages))
        if due <= far:
            act_by_address(router, ON_TIMER, np.int64(0), reach(router, due))
        else:
            reach(router, far)
            zero, step = np.int64(0), get(router, HEAD.far_step)
            ready = call_kernel(step, get(router, HEAD.far), far, zero, zero, zero)
            poll_sessions(router, ready)


@njit(nogil=True, forceinline=True)
def advance(router, until_ns):
    """As `happen`; nothing but two looks where nothing is due."""
    if min(get(router, HEAD.due_ns), far_due(router)) <= until_ns:
        happen(router, until_ns)
