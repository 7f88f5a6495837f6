"""What each line is worth: who was first and by how much, what it lost, repeated, reordered."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.lines.fields import add, get, put
from feedhandler.lines.layout import (
    FIRST_BYTES,
    FIRSTS,
    FIRSTS_AT,
    LEAD_BUCKETS,
    LINE_BYTES,
    LINE_DUPLICATES,
    LINE_FIRST,
    LINE_GAPS,
    LINE_HISTOGRAM,
    LINE_LEAD,
    LINE_LEADS,
    LINE_MISSING,
    LINE_NEXT,
    LINE_PACKETS,
    LINE_REORDERED,
    LINES_AT,
)
from nic.raw import count_leading_zeros


@njit(nogil=True, forceinline=True)
def line_row(stream, line):
    """Address of a line's row."""
    return stream + LINES_AT + LINE_BYTES * line


@njit(nogil=True, forceinline=True)
def note_packet(row, sequence, end):
    """Counts a packet of a line and follows the line's own sequence."""
    add(row, LINE_PACKETS, 1)
    expected = get(row, LINE_NEXT)
    if expected == 0:  # its first packet of this life
        put(row, LINE_NEXT, end)
    elif end > expected:
        if sequence > expected:
            add(row, LINE_GAPS, 1)
            add(row, LINE_MISSING, sequence - expected)
        put(row, LINE_NEXT, end)
    elif sequence < expected:
        missing = get(row, LINE_MISSING)
        if missing > 0 and end > sequence:
            add(row, LINE_REORDERED, 1)
            put(row, LINE_MISSING, max(0, missing - (end - sequence)))


@njit(nogil=True, forceinline=True)
def note_first(stream, row, line, sequence, now):
    """A packet that brought something new: remembered, to be compared with its copy."""
    add(row, LINE_FIRST, 1)
    entry = stream + FIRSTS_AT + FIRST_BYTES * (sequence & (FIRSTS - 1))
    put(entry, 0, sequence)
    put(entry, 8, now)
    put(entry, 16, line)


@njit(nogil=True)
def note_duplicate(stream, row, line, sequence, now):
    """A packet with nothing new: the line that was first gets the time it was ahead."""
    add(row, LINE_DUPLICATES, 1)
    entry = stream + FIRSTS_AT + FIRST_BYTES * (sequence & (FIRSTS - 1))
    if get(entry, 0) != sequence or get(entry, 16) == line:
        return
    winner = line_row(stream, get(entry, 16))
    lead = max(np.int64(0), now - get(entry, 8))
    bucket = np.int64(0)
    if lead > 0:
        bucket = np.int64(63) - np.int64(count_leading_zeros(lead))
        bucket = min(bucket, np.int64(LEAD_BUCKETS - 1))
    add(winner, LINE_LEADS, 1)
    add(winner, LINE_LEAD, lead)
    add(winner, LINE_HISTOGRAM + 8 * bucket, 1)
