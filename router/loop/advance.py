"""Time goes on: what is due happens, one thing after the other, each at its own time.

Timers are of parents (look again) and of orders (leave now). In a replay those who stand at the
other end have a time for the next thing that happens there; with a live port there is none, and
sessions are polled once a round.
"""

from __future__ import annotations

from numba import njit

from nic.call import call_kernel
from router.loop.answers import poll_sessions
from router.loop.gate import send_held
from router.loop.stages import begin_other
from router.loop.timers import NEVER, take_timer
from router.loop.work import work_on
from router.rows import get, parent_row, put
from router.tables import HEAD, INTENT_TIMER, PARENT


@njit(nogil=True, forceinline=True)
def far_due(router):
    """When something happens at the other end next; NEVER without one."""
    place = get(router, HEAD.far_due)
    return get(place, 0) if place != 0 else NEVER


@njit(nogil=True)
def fire(router, now):
    """The earliest timer's time has come."""
    kind, who = take_timer(router)
    if kind == INTENT_TIMER:
        send_held(router, who, now)
        return
    row = parent_row(router, who)
    if get(row, PARENT.next_ns) == now:
        put(row, PARENT.next_ns, 0)
    work_on(router, who, now)


@njit(nogil=True)
def happen(router, until_ns, receive):
    """Lets all that is due by then happen."""
    while True:
        due, far = get(router, HEAD.due_ns), far_due(router)
        if min(due, far) > until_ns:
            return
        begin_other(get(router, HEAD.stages))
        if due <= far:
            put(router, HEAD.now_ns, due)
            fire(router, due)
        else:
            put(router, HEAD.now_ns, far)
            ready = call_kernel(get(router, HEAD.far_step), get(router, HEAD.far), far, 0, 0, 0)
            poll_sessions(router, ready, receive)


@njit(nogil=True, forceinline=True)
def advance(router, until_ns, receive):
    """As `happen`; nothing but two looks where nothing is due."""
    if min(get(router, HEAD.due_ns), far_due(router)) <= until_ns:
        happen(router, until_ns, receive)
