"""Where the actions of packets wait for the books: a row behind the batch in the state block."""

from __future__ import annotations

from typing import Final

import numpy as np

from feedhandler.actions import ACTION_BYTES
from feedhandler.books.staged import TOGETHER
from feedhandler.wire.walk import BATCH
from nic.block import field_offset

SINK_DTYPE: Final = np.dtype(
    [
        ("waiting", "i8"),  # actions at the start of the batch, all for the same books
        ("book", "i8"),  # those books: address of their head
        ("applied", "i8"),  # actions since the start
        ("faults", "i8"),  # of all books when a strict loop last looked
        ("unused", "i8", (4,)),
    ]
)
WAITING: Final = field_offset(SINK_DTYPE, "waiting")
WAITING_BOOK: Final = field_offset(SINK_DTYPE, "book")
APPLIED: Final = field_offset(SINK_DTYPE, "applied")
FAULTS_SEEN: Final = field_offset(SINK_DTYPE, "faults")
ROOM: Final = BATCH + TOGETHER  # actions of one packet behind those that wait
SINK_AT: Final = ACTION_BYTES * ROOM
