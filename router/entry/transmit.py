"""The one place where order messages leave."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.call import call_tx
from nic.raw import load_i64le, store_u64le
from router.entry.layout import SESSION, UP, session_row
from router.log import LINE_BYTES, SENT, begin, publish
from router.rows import add, get, put
from router.tables import HEAD

NOT_CONNECTED: Final = -107  # -ENOTCONN: the session is down
TOO_LONG: Final = -90  # -EMSGSIZE: longer than the session's room


@njit(nogil=True, forceinline=True)
def note_sent(router, number, child, kind, token, data, length):
    """The message in the log, bytes and all; those behind its end are 0."""
    lines = 1 + (length + LINE_BYTES - 1) // LINE_BYTES
    log, session = get(router, HEAD.log), session_row(router, number)
    now, venue = get(router, HEAD.now_ns), get(session, SESSION.venue)
    line = begin(log, SENT, lines, now, number, child, kind, length, token, venue)
    if line == 0:
        return
    bytes_at = line + LINE_BYTES
    for at in range(0, LINE_BYTES * (lines - 1), 8):
        left, word = length - at, np.int64(0)
        if left > 0:
            word = load_i64le(data + at)
        if left > 0 and left < 8:
            word &= (1 << 8 * left) - 1
        store_u64le(bytes_at + at, word)
    publish(log, lines)


@njit(nogil=True)
def transmit(router, number, child, kind, token, data, length):
    """Sends a message on a session and puts it in the log: 0, or -errno where nothing was sent.

    A message that a form has written may be sent once: the session's sequence number goes on.

    Args:
        number: of the session.
        child: number of the order that it is about.
        kind: of the intent: ENTER, REPLACE or CANCEL.
        token: that the venue will answer to.
        data: its address, with 7 readable bytes behind the message; `length` bytes.
    """
    session = session_row(router, number)
    if get(session, SESSION.state) != UP:
        return NOT_CONNECTED
    if length > get(session, SESSION.out_bytes):
        return TOO_LONG
    far_now = get(router, HEAD.far_now)
    if far_now != 0:
        store_u64le(far_now, get(router, HEAD.now_ns))
    function, port = get(session, SESSION.tx), get(session, SESSION.handle)
    error = call_tx(function, port, data, length, get(session, SESSION.cookie))
    if error != 0:
        add(session, SESSION.failed, 1)
        return error
    add(session, SESSION.sequence, 1)
    add(session, SESSION.sent, 1)
    add(session, SESSION.sent_bytes, length)
    put(session, SESSION.sent_ns, get(router, HEAD.now_ns))
    note_sent(router, number, child, kind, token, data, length)
    return 0
