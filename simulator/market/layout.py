"""The tables of a market's driver.

    head    one row: addresses, how far the market is
    venues  one row a venue: its matching, its buffers, the commands on their way to it

Commands wait in a row of `pending_room` a venue, in the order of their times; those from `taken`
up to `waiting` have not been worked on. What the flow has not heard yet begins at `heard`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

SLICE_NS: Final = 200_000  # how often the flow hears of the venues; none is nearer than 40 us

# How far a run got.
ARRIVED: Final = 0  # at its end
CROWDED: Final = 1  # between two slices; the buffers have to be emptied
FULL: Final = 2  # within a slice; as before, once the flow was told
SWAMPED: Final = 3  # more commands are on their way than there is room for

HEAD_DTYPE: Final = np.dtype(
    [
        ("flow", "i8"),  # address of the order flow
        ("slots", "i8"),  # rows of its order table
        ("commands", "i8"),  # COMMAND_DTYPE [venue, capacity] of one step
        ("counts", "i8"),  # an i64 a venue
        ("capacity", "i8"),
        ("pending_room", "i8"),  # commands
        ("venue_count", "i8"),
        ("venues", "i8"),
        ("slice_ns", "i8"),
        ("first_outside", "i8"),  # owners from here on are not the flow's
        ("roomy", "i8"),  # records in a buffer up to which it has room for a slice
        ("reached_ns", "i8"),  # up to which the flow has decided
        ("now_ns", "i8"),  # up to which all venues have worked
        ("spare", "i8", (3,)),
    ]
)
VENUE_DTYPE: Final = np.dtype(
    [
        ("exchange", "i8"),  # address of its matching
        ("public", "i8"),  # where its buffers begin
        ("reports", "i8"),
        ("pending", "i8"),  # where its commands wait
        ("taken", "i8"),
        ("waiting", "i8"),
        ("dark", "i8"),  # nothing of it is displayed
        ("heard_public", "i8"),
        ("heard_reports", "i8"),
        ("spare", "i8", (7,)),
    ]
)
VENUE_BYTES: Final = VENUE_DTYPE.itemsize
assert VENUE_BYTES == 128

_head = {name: field_offset(HEAD_DTYPE, name) for name in HEAD_DTYPE.names or ()}
H_FLOW: Final = _head["flow"]
H_SLOTS: Final = _head["slots"]
H_COMMANDS: Final = _head["commands"]
H_COUNTS: Final = _head["counts"]
H_CAPACITY: Final = _head["capacity"]
H_PENDING_ROOM: Final = _head["pending_room"]
H_VENUE_COUNT: Final = _head["venue_count"]
H_VENUES: Final = _head["venues"]
H_SLICE_NS: Final = _head["slice_ns"]
H_FIRST_OUTSIDE: Final = _head["first_outside"]
H_ROOMY: Final = _head["roomy"]
H_REACHED_NS: Final = _head["reached_ns"]
H_NOW_NS: Final = _head["now_ns"]

_venue = {name: field_offset(VENUE_DTYPE, name) for name in VENUE_DTYPE.names or ()}
V_EXCHANGE: Final = _venue["exchange"]
V_PUBLIC: Final = _venue["public"]
V_REPORTS: Final = _venue["reports"]
V_PENDING: Final = _venue["pending"]
V_TAKEN: Final = _venue["taken"]
V_WAITING: Final = _venue["waiting"]
V_DARK: Final = _venue["dark"]
V_HEARD_PUBLIC: Final = _venue["heard_public"]
V_HEARD_REPORTS: Final = _venue["heard_reports"]
