"""What goes into the loop beside packets, and what it says beside books: commands and events.

Both are records of 64 bytes in the rings of the state block: kind, timestamp_ns, six words.
Arbitration's events have the numbers below FIRST_EVENT, see `feedhandler.lines.layout`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.state import EVENTS
from nic.raw import store_u64le
from nic.ring import ring_claim, ring_publish

TICK: Final = 1  # it is that late: what waits for a time that has come does not wait for a packet
GROW: Final = 2  # words: function, book, plan, generation, orders, levels; see books.growth
COMMANDS: Final = ("none", "tick", "grow")

FIRST_EVENT: Final = 16
UNKNOWN_COMMAND: Final = 16  # words: its kind
GROWN: Final = 17  # words: book, generation, orders, levels: the books stand in the new tables
GROW_REFUSED: Final = 18  # the same: the command was for tables that are not those in use
LOOP_EVENTS: Final = ("unknown_command", "grown", "grow_refused")


@njit(nogil=True)
def publish_event(state, kind, timestamp_ns, first, second, third, fourth):
    """Writes an event into the loop's ring; a full ring counts what it refuses."""
    record = np.int64(ring_claim(np.uint64(state + EVENTS)))
    if record == 0:
        return
    store_u64le(record, kind)
    store_u64le(record + 8, timestamp_ns)
    store_u64le(record + 16, first)
    store_u64le(record + 24, second)
    store_u64le(record + 32, third)
    store_u64le(record + 40, fourth)
    store_u64le(record + 48, 0)
    store_u64le(record + 56, 0)
    ring_publish(np.uint64(state + EVENTS))
