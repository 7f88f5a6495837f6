"""What happened, in order, for whoever wants to know: a ring of 64-byte lines, written by the loop.

A record is one line or several beside each other; the first has kind, lines, time and six words.
One producer, one consumer; the producer never waits: what finds no room is counted in `lost`, and a
record of kind LOST says so as soon as there is room again. Counts of lines run on without wrapping;
where a record does not fit before the end of the memory, a PAD record fills it up.

    kind      words                                                       more lines
    SENT      session, child, kind of intent, bytes, token, venue         the bytes
    CHILD     child, event, before << 8 | after, quantity, price, code
    FILL      child, shares, price, fee, execution id, liquidity
    GATE      parent, child, reason, quantity, price, venue | kind << 8   one: seen, allowed
    DECISION  number, parent, style, quantity, limit, candidates          a line a candidate
    PARENT    parent, event, before << 8 | after, executed, open, reason
    LOST      records
    COMMAND   kind, 1 taken or 0 refused, parent or account or venue, words of the command
    VENUE     venue, event of its breaker, failures, window in ns, times it opened, DOWN_ bits
    SESSION   session, event, orders that it concerns, our sequence

A candidate: venue, price, shares there, effective price, shares chosen, flags, and two words that
depend on the style, see router.routing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.block import field_offset
from nic.raw import load_acquire_u64, load_i64le, prefetch, store_release_u64, store_u64le

LINE_BYTES: Final = 64
PAD, SENT, CHILD, FILL, GATE, DECISION, PARENT, LOST, COMMAND, VENUE, SESSION = range(11)
KINDS: Final = (
    "pad", "sent", "child", "fill", "gate", "decision", "parent", "lost", "command", "venue",
    "session",
)  # fmt: skip

LOG_DTYPE: Final = np.dtype(
    [
        ("lines", "i8"),  # address of the lines
        ("line_count", "i8"),  # a power of two
        ("unused", "i8", (6,)),
        ("read", "i8"),  # lines, by the consumer
        ("unused_read", "i8", (7,)),
        ("written", "i8"),  # lines, by the producer
        ("read_seen", "i8"),
        ("lost", "i8"),  # records that found no room
        ("told", "i8"),  # of those, told in LOST records
        ("records", "i8"),
        ("unused_written", "i8", (3,)),
    ]
)
FIRST_DTYPE: Final = np.dtype(
    [("kind", "u2"), ("lines", "u2"), ("spare", "u4"), ("time_ns", "i8"), ("words", "i8", (6,))]
)
CANDIDATE_DTYPE: Final = np.dtype(
    [
        ("venue", "i8"),
        ("price", "i8"),
        ("shares", "i8"),  # shown, or believed to be there
        ("effective", "i8"),  # price with the fee; of posting: expected cost a share
        ("chosen", "i8"),
        ("flags", "i8"),
        ("first", "i8"),
        ("second", "i8"),
    ]
)
AHEAD: Final = 8  # lines: their memory is asked for before a record comes to them
assert FIRST_DTYPE.itemsize == LINE_BYTES == CANDIDATE_DTYPE.itemsize

LINES_AT: Final = field_offset(LOG_DTYPE, "lines")
LINE_COUNT: Final = field_offset(LOG_DTYPE, "line_count")
READ: Final = field_offset(LOG_DTYPE, "read")
WRITTEN: Final = field_offset(LOG_DTYPE, "written")
READ_SEEN: Final = field_offset(LOG_DTYPE, "read_seen")
LOST_COUNT: Final = field_offset(LOG_DTYPE, "lost")
TOLD: Final = field_offset(LOG_DTYPE, "told")
RECORDS: Final = field_offset(LOG_DTYPE, "records")


@njit(nogil=True)
def line_address(log, count):
    """Where the line that a count of lines falls on is."""
    mask = load_i64le(log + LINE_COUNT) - 1
    return load_i64le(log + LINES_AT) + LINE_BYTES * (count & mask)


@njit(nogil=True)
def room_for(log, written, lines):
    """Whether so many lines are free behind `written`."""
    count = load_i64le(log + LINE_COUNT)
    if written + lines - load_i64le(log + READ_SEEN) <= count:
        return True
    store_u64le(log + READ_SEEN, load_acquire_u64(np.uint64(log + READ)))
    return written + lines - load_i64le(log + READ_SEEN) <= count


@njit(nogil=True)
def head_line(address, kind, lines, time_ns):
    """The first two words of a record."""
    store_u64le(address, kind | lines << 16)
    store_u64le(address + 8, time_ns)


@njit(nogil=True)
def advance(log, written, lines):
    """Makes what stands up to there visible."""
    store_release_u64(np.uint64(log + WRITTEN), np.uint64(written + lines))
    store_u64le(log + RECORDS, load_i64le(log + RECORDS) + 1)


@njit(nogil=True)
def tell_lost(log, time_ns):
    """Says how many records found no room, if there is room to say so."""
    lost, told = load_i64le(log + LOST_COUNT), load_i64le(log + TOLD)
    written = load_i64le(log + WRITTEN)
    if lost == told or not room_for(log, written, 1):
        return
    address = line_address(log, written)
    head_line(address, LOST, 1, time_ns)
    store_u64le(address + 16, lost - told)
    for word in range(3, 8):
        store_u64le(address + 8 * word, 0)
    store_u64le(log + TOLD, lost)
    advance(log, written, 1)


@njit(nogil=True)
def claim(log, kind, lines, time_ns):
    """Address of a new record of `lines` lines, its first two words written; 0: no room.

    Nothing is visible before `publish` with the same number of lines.
    """
    if load_i64le(log + LOST_COUNT) != load_i64le(log + TOLD):
        tell_lost(log, time_ns)
    written, count = load_i64le(log + WRITTEN), load_i64le(log + LINE_COUNT)
    for line in range(AHEAD, AHEAD + lines):
        prefetch(line_address(log, written + line))
    left = count - (written & (count - 1))
    pad = left if left < lines else np.int64(0)
    if lines > count or not room_for(log, written, pad + lines):
        store_u64le(log + LOST_COUNT, load_i64le(log + LOST_COUNT) + 1)
        return np.int64(0)
    if pad != 0:
        head_line(line_address(log, written), PAD, pad, time_ns)
        advance(log, written, pad)
        written += pad
    address = line_address(log, written)
    head_line(address, kind, lines, time_ns)
    return address


@njit(nogil=True)
def publish(log, lines):
    """Makes the claimed record visible."""
    advance(log, load_i64le(log + WRITTEN), lines)


@njit(nogil=True)
def begin(log, kind, lines, time_ns, a, b, c, d, e, f):
    """As `claim`, with the six words of the first line written."""
    address = claim(log, kind, lines, time_ns)
    if address == 0:
        return address
    store_u64le(address + 16, a)
    store_u64le(address + 24, b)
    store_u64le(address + 32, c)
    store_u64le(address + 40, d)
    store_u64le(address + 48, e)
    store_u64le(address + 56, f)
    return address


@njit(nogil=True)
def write(log, kind, time_ns, a, b, c, d, e, f):
    """A record of one line."""
    if begin(log, kind, 1, time_ns, a, b, c, d, e, f) != 0:
        publish(log, 1)
