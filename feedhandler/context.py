"""What a decoder knows beside the bytes: dates, clocks, the symbols' price scales, its counters.

One context a channel, in the state block. Offsets are taken from the dtype once, so that kernels
reach the fields by constant offset from the context's address.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.faults import FAULTS
from nic.block import field_offset
from nic.raw import load_i64le, store_u64le

KIND_ROOM: Final = 32  # kinds of actions that are counted
UNITS: Final = 256  # matching units or partitions with a clock of their own

CONTEXT_DTYPE: Final = np.dtype(
    [
        ("midnight_ns", "i8"),  # of the session's date in the venue's zone, epoch; 0 = unknown
        ("unit", "i8"),  # of the packet being decoded
        ("stream_ns", "i8"),  # send time in the packet header, epoch; 0 = none
        ("symbols_address", "i8"),  # of an array of SYMBOL_DTYPE
        ("symbols_count", "i8"),
        ("next_sequence", "i8"),  # what the transport expects after this packet
        ("session", "i8"),  # the transport's session, folded to an integer
        ("packets", "i8"),
        ("messages", "i8"),
        ("heartbeats", "i8"),
        ("feed", "i8"),  # number of the feed among those compiled into the loop
        ("capture_ns", "i8"),  # when the packet being decoded was received, epoch
        ("consumed", "i8"),  # bytes of the stream piece just walked that need not come again
        ("skip", "i8"),  # messages at the start of the packet that were seen before
        ("book", "i8"),  # address of the head of the venue's books; 0 = none are kept
        ("venue", "i8"),  # address of the venue's row in a consolidated book; 0 = none is kept
        ("faults", "i8", (16,)),  # by number, see feedhandler.faults
        ("actions", "i8", (KIND_ROOM,)),  # emitted, by kind, see feedhandler.actions
        ("clock_ns", "i8", (UNITS,)),  # whole second last announced by a unit, epoch; 0 = unknown
        ("filtered", "i8"),  # the books whose filter holds; also while `book` and `venue` are 0
    ],
    align=True,
)
SYMBOL_DTYPE: Final = np.dtype([("price_multiplier", "i8"), ("clock", "i8")])  # by symbol index


MIDNIGHT_NS: Final = field_offset(CONTEXT_DTYPE, "midnight_ns")
UNIT: Final = field_offset(CONTEXT_DTYPE, "unit")
STREAM_NS: Final = field_offset(CONTEXT_DTYPE, "stream_ns")
SYMBOLS_ADDRESS: Final = field_offset(CONTEXT_DTYPE, "symbols_address")
SYMBOLS_COUNT: Final = field_offset(CONTEXT_DTYPE, "symbols_count")
NEXT_SEQUENCE: Final = field_offset(CONTEXT_DTYPE, "next_sequence")
SESSION: Final = field_offset(CONTEXT_DTYPE, "session")
PACKETS: Final = field_offset(CONTEXT_DTYPE, "packets")
MESSAGES: Final = field_offset(CONTEXT_DTYPE, "messages")
HEARTBEATS: Final = field_offset(CONTEXT_DTYPE, "heartbeats")
CONSUMED: Final = field_offset(CONTEXT_DTYPE, "consumed")
FAULT_COUNTS: Final = field_offset(CONTEXT_DTYPE, "faults")
SKIP: Final = field_offset(CONTEXT_DTYPE, "skip")
FEED: Final = field_offset(CONTEXT_DTYPE, "feed")
CAPTURE_NS: Final = field_offset(CONTEXT_DTYPE, "capture_ns")
BOOK: Final = field_offset(CONTEXT_DTYPE, "book")
VENUE: Final = field_offset(CONTEXT_DTYPE, "venue")
ACTION_COUNTS: Final = field_offset(CONTEXT_DTYPE, "actions")
CLOCK_NS: Final = field_offset(CONTEXT_DTYPE, "clock_ns")
FILTERED: Final = field_offset(CONTEXT_DTYPE, "filtered")
SYMBOL_BYTES: Final = SYMBOL_DTYPE.itemsize

assert len(FAULTS) <= 16


@njit(nogil=True)
def get(context, offset):
    """A field of the context."""
    return load_i64le(context + offset)


@njit(nogil=True)
def put(context, offset, value):
    """Sets a field of the context."""
    store_u64le(context + offset, value)


@njit(nogil=True)
def add(context, offset, value):
    """Adds to a field of the context."""
    store_u64le(context + offset, load_i64le(context + offset) + value)


@njit(nogil=True)
def count_fault(context, fault):
    """Counts a fault by its (positive) number."""
    add(context, FAULT_COUNTS + 8 * fault, 1)


@njit(nogil=True)
def since_midnight(context, time_ns):
    """Epoch ns of a time counted from midnight; 0 when the session's date is unknown."""
    midnight_ns = load_i64le(context + MIDNIGHT_NS)
    return midnight_ns + time_ns if midnight_ns != 0 else 0


@njit(nogil=True)
def since_second(context, unit, offset_ns):
    """Epoch ns of an offset to a unit's last whole second; 0 when none was announced yet."""
    second_ns = load_i64le(context + CLOCK_NS + 8 * (unit & 0xFF))
    return second_ns + offset_ns if second_ns != 0 else 0


@njit(nogil=True)
def set_second(context, unit, second_ns):
    """Notes the whole second a unit announced, as epoch ns (0 = unknown)."""
    store_u64le(context + CLOCK_NS + 8 * (unit & 0xFF), second_ns)
