"""The sessions: one row each, what the kernels that write and read order messages work on."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.block import offsets_of
from nic.raw import load_i64le
from router.entry.formlayout import WORDS_DTYPE
from router.tables import HEAD

# Places of a session's forms.
ENTER_FORM, ENTER_FULL, REPLACE_FORM, REPLACE_FULL, CANCEL_FORM = range(5)
FORM_COUNT: Final = 5
LISTED_BYTES: Final = 8  # of the flag in front of an instrument's templates

DOWN: Final = 0  # nothing is sent
UP: Final = 1
BROKEN: Final = 2  # what came could not be read: the connection has to be ended
STATES: Final = ("down", "up", "broken")

# What happens to a live session, as the log has it.
SESSION_EVENTS: Final = (
    "none", "up", "ended by the venue", "the port failed", "the venue is silent",
    "the venue logged us out", "bytes that are no message", "ended by us",
)  # fmt: skip
CAME_UP, ENDED, FAILED, SILENT, LOGGED_OUT, UNREADABLE, ASKED = range(1, len(SESSION_EVENTS))
UNITS: Final = 256  # matching units of a session

SESSION_DTYPE: Final = np.dtype(
    [
        # Written by the control side.
        ("name", "S16"),
        ("venue", "i8"),
        ("protocol", "i8"),  # number in router.entry.protocols.PROTOCOLS
        ("handle", "i8"),  # of the port, and addresses of its functions (nic/port.py)
        ("tx", "i8"),
        ("rx_burst", "i8"),
        ("release", "i8"),
        ("cookie", "i8"),  # of sends: where a datagram port's go; 0 on a connection
        ("forms", "i8", (FORM_COUNT,)),  # addresses
        ("places", "i8", (FORM_COUNT,)),  # of their templates among an instrument's
        ("templates", "i8"),  # address; an instrument's begin with whether it is traded there
        ("template_bytes", "i8"),  # of one instrument
        ("out", "i8"),  # room for a message, out_bytes
        ("out_bytes", "i8"),
        ("held", "i8"),  # room for the beginning of a message that was cut
        ("held_bytes", "i8"),
        ("context", "i8"),  # of the decoder
        ("length_at", "i8"),  # where a message states its length, 2 bytes
        ("length_big", "i8"),  # 1: big-endian
        ("length_plus", "i8"),  # what the length leaves out
        ("length_least", "i8"),  # bytes of the shortest message
        ("request", "i8"),  # in the ids of requests, taken out of answers
        ("shows_all", "i8"),  # 1: orders cannot show a part alone
        ("units", "i8"),  # address of the last sequence heard of each matching unit; 0: none are
        ("beat", "i8"),  # address of a heartbeat
        ("beat_bytes", "i8"),
        ("beat_ns", "i8"),  # of our own silence before one is sent; 0: none are
        ("silence_ns", "i8"),  # of the venue's before the session is lost; 0: it may be silent
        ("rising", "i8"),  # 1: the names of its orders have to rise
        # Written by the loop.
        ("state", "i8"),  # DOWN, UP or BROKEN
        ("sequence", "i8"),  # of the last message sent
        ("held_count", "i8"),  # bytes
        ("consumed", "i8"),  # bytes that the last `receive` took
        ("sent", "i8"),  # messages
        ("sent_bytes", "i8"),
        ("failed", "i8"),  # sends that the port refused
        ("sent_ns", "i8"),  # last
        ("heard_bytes", "i8"),
        ("heard", "i8"),  # messages
        ("heard_ns", "i8"),
        ("cut", "i8"),  # messages that came in pieces
        ("unsaid", "i8"),  # orders that the protocol has no words for
        ("changes", "i8"),  # SESSION actions so far, and of the last of them:
        ("change_code", "i8"),
        ("change_value", "i8"),
        ("words", WORDS_DTYPE),
        ("beats", "i8"),  # sent
        ("downs", "i8"),  # times that it was lost, and why the last time, of SESSION_EVENTS
        ("why", "i8"),
        ("last_token", "i8"),  # the highest that left
        ("unused_loop", "i8", (4,)),
    ]
)
SESSION: Final = offsets_of(SESSION_DTYPE)
SESSION_BYTES: Final = SESSION_DTYPE.itemsize


@njit(nogil=True, forceinline=True)
def session_row(router, number):
    """Where a session is."""
    return load_i64le(router + HEAD.sessions) + SESSION_BYTES * number
