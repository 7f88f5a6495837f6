"""Live sessions: their ports are polled once a round, heartbeats leave and are missed by ticks.

What a session's port brings has its own time, which never goes back behind that of the loop. A
session that ended, failed, fell silent or cannot be read any more is given up at once; the control
side sees that in its row and in the log, and logs in anew.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.state import DESCRIPTOR_ADDRESS, DESCRIPTOR_LENGTH, DESCRIPTOR_TIMESTAMP
from nic.call import call_kernel, call_release, call_rx_burst, call_tx
from nic.layout import DESCRIPTOR_BYTES, RX_END
from nic.raw import load_i64le, load_n32le
from router.entry.layout import (
    BROKEN,
    ENDED,
    FAILED,
    LOGGED_OUT,
    SESSION,
    SILENT,
    UNREADABLE,
    UP,
    session_row,
)
from router.loop.acting import ON_SESSION_LOST
from router.loop.advance import advance
from router.loop.sink import router_of, time_comes
from router.loop.stages import begin_other
from router.rows import add, get, put
from router.tables import HEAD
from router.tablespace import MOST_PIECES

AGAIN = -11  # -EAGAIN: no room just now


@njit(nogil=True)
def give_up(router, session, why, now):
    """A session is lost: `router.loop.lostsessions.lose`."""
    call_kernel(get(router, HEAD.act), router, np.int64(ON_SESSION_LOST), session, now, why)


@njit(nogil=True)
def take_descriptor(router, session, descriptor):
    """One piece of a session's stream, at the time that it came."""
    now = max(load_i64le(descriptor + DESCRIPTOR_TIMESTAMP), get(router, HEAD.now_ns))
    data = load_i64le(descriptor + DESCRIPTOR_ADDRESS)
    length = load_n32le(descriptor + DESCRIPTOR_LENGTH)
    advance(router, now)
    begin_other(get(router, HEAD.stages))
    call_kernel(get(router, HEAD.take_answers), router, session, data, length, now)


@njit(nogil=True)
def poll_live(router, session, row):
    """One burst of a session that is up; pieces taken."""
    descriptors, port = get(router, HEAD.descriptors), get(row, SESSION.handle)
    count = call_rx_burst(get(row, SESSION.rx_burst), port, descriptors, MOST_PIECES)
    if count < 0:
        why = ENDED if count == RX_END else FAILED
        give_up(router, session, np.int64(why), get(router, HEAD.now_ns))
    if count <= 0:
        return np.int64(0)
    for number in range(count):
        take_descriptor(router, session, descriptors + DESCRIPTOR_BYTES * number)
    call_release(get(row, SESSION.release), port, descriptors, count)
    state = get(row, SESSION.state)
    if state != UP:
        why = UNREADABLE if state == BROKEN else LOGGED_OUT
        give_up(router, session, np.int64(why), get(router, HEAD.now_ns))
    return np.int64(count)


@njit(nogil=True)
def between_rounds(state):
    """Takes what live sessions have; pieces taken. In a replay there are none."""
    router, taken = router_of(np.int64(state)), np.int64(0)
    if get(router, HEAD.live) == 0:
        return taken
    for session in range(get(router, HEAD.session_count)):
        row = session_row(router, session)
        if get(row, SESSION.state) == UP:
            taken += poll_live(router, np.int64(session), row)
    return taken


@njit(nogil=True)
def beat(row, now):
    """Sends a heartbeat where we were silent too long; one that finds no room waits for a tick."""
    pace = get(row, SESSION.beat_ns)
    if pace == 0 or now - get(row, SESSION.sent_ns) < pace:
        return np.int64(0)
    data, length = get(row, SESSION.beat), get(row, SESSION.beat_bytes)
    function, port, cookie = (
        get(row, SESSION.tx),
        get(row, SESSION.handle),
        get(row, SESSION.cookie),
    )
    error = call_tx(function, port, data, length, cookie)
    if error == 0:
        put(row, SESSION.sent_ns, now)
        add(row, SESSION.beats, 1)
    return np.int64(error)


@njit(nogil=True)
def watch(router, session, now):
    """A session's heartbeats: ours, and whether the venue's came."""
    row = session_row(router, session)
    if get(row, SESSION.state) != UP:
        return
    silence, heard_ns = get(row, SESSION.silence_ns), get(row, SESSION.heard_ns)
    if silence != 0 and now - heard_ns >= silence:
        give_up(router, session, np.int64(SILENT), now)
        return
    error = beat(row, now)
    if error != 0 and error != AGAIN:
        give_up(router, session, np.int64(FAILED), now)


@njit(nogil=True)
def tick_comes(state, timestamp_ns):
    """It is that late: what is due happens, then heartbeats."""
    router, now = router_of(state), time_comes(state, np.int64(timestamp_ns))
    if get(router, HEAD.live) != 0:
        for session in range(get(router, HEAD.session_count)):
            watch(router, np.int64(session), now)
