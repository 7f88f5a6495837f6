"""The tables of arbitration: streams, what is known of each line, and the packets that wait.

A stream is what one sequence counts: a channel, or a unit of it where units count on their own. All
its lines share one row, found through the channel row of each line.

Sequences are kept in 64 bits. Where the wire has 32, the row's count runs on past the wrap-around.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

LINES: Final = 3
LINE_NAMES: Final = ("A", "B", "R")
RECOVERY_LINE: Final = 2  # answers to requests; from here on nothing says where the sequence stands
FIRSTS: Final = 64  # packets back to which a copy on the other line is compared in time
LEAD_BUCKETS: Final = 32  # bucket n: the first copy was 2^n ns to 2^(n+1) ns ahead

UNKNOWN: Final = 0  # nothing, or not from the beginning
LIVE: Final = 1  # all messages so far were delivered
WAITING: Final = 2  # a hole in the reorder window: what follows is held back, none of it delivered
RECOVERING: Final = 3  # the hole was asked for; what follows is held back
STALE: Final = 4  # messages were lost for good; what comes is delivered, the books are not right
STATES: Final = ("unknown", "live", "waiting", "recovering", "stale")

GAP: Final = 1  # words: channel, unit, session, first missing, first not missing, stream number
LOST: Final = 2  # the same: the hole was given up
RECOVERED: Final = 3  # words: channel, unit, session, next sequence, 0, stream number
BEGUN: Final = 4  # a new session, reset or restart: channel, unit, session, next, 0, stream number
EVENTS: Final = ("none", "gap", "lost", "recovered", "begun")

TELL_STALE: Final = 0  # a hole was declared: books of the channel or unit can not be trusted
TELL_LIVE: Final = 1
TELL_CLEAR: Final = 2  # orders of the channel or unit are gone: a new session or a restart

LINE_DTYPE: Final = np.dtype(
    [
        ("packets", "i8"),
        ("first", "i8"),  # packets that brought something new
        ("duplicates", "i8"),  # packets with nothing new
        ("next", "i8"),  # sequence behind the highest this line has shown
        ("gaps", "i8"),  # times the line jumped over messages
        ("missing", "i8"),  # messages it jumped over that have not come on it since
        ("reordered", "i8"),  # packets that came behind a later one, while some were missing
        ("lead_ns", "i8"),  # sum of the times it was ahead of the other copy
        ("leads", "i8"),
        ("spare", "i8", (3,)),
        ("lead_histogram", "i8", (LEAD_BUCKETS,)),
    ]
)
FIRST_DTYPE: Final = np.dtype([("sequence", "i8"), ("time_ns", "i8"), ("line", "i8")])
STREAM_DTYPE: Final = np.dtype(
    [
        ("arbiter", "i8"),  # bytes from the block's start to the arbiter's row
        ("unit_mask", "i8"),  # of the channel's first row: which bits of the unit choose the row
        ("wraps", "i8"),  # 1: 32-bit sequences
        ("restarts", "i8"),  # 1: see Transport.restarts
        ("number", "i8"),  # of the stream
        ("state", "i8"),
        ("expected", "i8"),  # the next sequence to deliver
        ("top", "i8"),  # behind the highest sequence any packet has shown
        ("deadline_ns", "i8"),  # when the open hole is declared, or given up; 0 = no hole
        ("hole_end", "i8"),  # first sequence behind the hole that the deadline is for
        ("damaged", "i8"),  # messages of this life were lost for good
        ("told", "i8"),  # the books were told that they are stale
        ("held", "i8"),  # packets that wait
        ("head", "i8"),  # address of the first that waits; 0 = none
        ("tail", "i8"),
        ("session", "i8"),
        ("previous_session", "i8"),
        ("unit", "i8"),
        ("channel", "i8"),  # of the packet that came last
        ("started", "i8"),  # a packet was seen
        ("life_sent_ns", "i8"),  # send time of the reset or restart that began this life
        ("life_ns", "i8"),  # when it came
        ("newest_sent_ns", "i8"),
        ("newest_sequence", "i8"),
        ("next_waiting", "i8"),  # chain of the streams that have a deadline
        ("chained", "i8"),
        # Counters.
        ("packets", "i8"),
        ("delivered", "i8"),  # messages
        ("duplicates", "i8"),  # packets with nothing new
        ("overlaps", "i8"),  # packets with something new behind what was seen
        ("old", "i8"),  # packets of an earlier session or life
        ("late", "i8"),  # packets of a hole that was given up
        ("holes", "i8"),  # opened, most of them filled by the other line or by waiting
        ("gaps", "i8"),  # declared
        ("recovered", "i8"),  # gaps filled whole
        ("lost", "i8"),  # messages given up
        ("joined_at", "i8"),  # first sequence when it was not 1, and what came before was lost
        ("lives", "i8"),  # sessions, resets and restarts after the first
        ("full", "i8"),  # times there was no room to wait
        ("ended", "i8"),  # the end of the session was announced
        ("lost_begin", "i8"),  # the last hole given up
        ("lost_end", "i8"),
        ("firsts", FIRST_DTYPE, (FIRSTS,)),
        ("lines", LINE_DTYPE, (LINES,)),
    ]
)
ARBITER_DTYPE: Final = np.dtype(
    [
        ("window_ns", "i8"),
        ("window_packets", "i8"),
        ("recovery_ns", "i8"),  # 0: nobody asks for what is missing
        ("buffer_packets", "i8"),
        ("slot_bytes", "i8"),
        ("earliest_ns", "i8"),  # no stream has a deadline before it
        ("waiting", "i8"),  # first of the chain of streams with a deadline
        ("free", "i8"),  # first free slot
        ("expiries", "i8"),
        ("spare", "i8", (7,)),
    ]
)
SLOT_DTYPE: Final = np.dtype(  # in front of the packet's bytes
    [
        ("next", "i8"),
        ("previous", "i8"),
        ("sequence", "i8"),
        ("count", "i8"),
        ("length", "i8"),
        ("time_ns", "i8"),
        ("line", "i8"),
        ("channel", "i8"),
    ]
)
NEVER: Final = (1 << 63) - 1
STREAM_BYTES: Final = STREAM_DTYPE.itemsize
LINE_BYTES: Final = LINE_DTYPE.itemsize
FIRST_BYTES: Final = FIRST_DTYPE.itemsize
SLOT_HEAD_BYTES: Final = SLOT_DTYPE.itemsize

_stream = {name: field_offset(STREAM_DTYPE, name) for name in STREAM_DTYPE.names or ()}
ARBITER: Final = _stream["arbiter"]
UNIT_MASK: Final = _stream["unit_mask"]
WRAPS: Final = _stream["wraps"]
RESTARTS: Final = _stream["restarts"]
NUMBER: Final = _stream["number"]
STATE: Final = _stream["state"]
EXPECTED: Final = _stream["expected"]
TOP: Final = _stream["top"]
DEADLINE: Final = _stream["deadline_ns"]
HOLE_END: Final = _stream["hole_end"]
DAMAGED: Final = _stream["damaged"]
TOLD: Final = _stream["told"]
HELD: Final = _stream["held"]
HEAD: Final = _stream["head"]
TAIL: Final = _stream["tail"]
SESSION: Final = _stream["session"]
PREVIOUS_SESSION: Final = _stream["previous_session"]
UNIT: Final = _stream["unit"]
CHANNEL: Final = _stream["channel"]
STARTED: Final = _stream["started"]
LIFE_SENT: Final = _stream["life_sent_ns"]
LIFE: Final = _stream["life_ns"]
NEWEST_SENT: Final = _stream["newest_sent_ns"]
NEWEST_SEQUENCE: Final = _stream["newest_sequence"]
NEXT_WAITING: Final = _stream["next_waiting"]
CHAINED: Final = _stream["chained"]
PACKETS: Final = _stream["packets"]
DELIVERED: Final = _stream["delivered"]
DUPLICATES: Final = _stream["duplicates"]
OVERLAPS: Final = _stream["overlaps"]
OLD: Final = _stream["old"]
LATE: Final = _stream["late"]
HOLES: Final = _stream["holes"]
GAPS: Final = _stream["gaps"]
RECOVERED_COUNT: Final = _stream["recovered"]
LOST_COUNT: Final = _stream["lost"]
JOINED_AT: Final = _stream["joined_at"]
LIVES: Final = _stream["lives"]
FULL: Final = _stream["full"]
ENDED: Final = _stream["ended"]
LOST_BEGIN: Final = _stream["lost_begin"]
LOST_END: Final = _stream["lost_end"]
FIRSTS_AT: Final = _stream["firsts"]
LINES_AT: Final = _stream["lines"]

LINE_PACKETS: Final = field_offset(LINE_DTYPE, "packets")
LINE_FIRST: Final = field_offset(LINE_DTYPE, "first")
LINE_DUPLICATES: Final = field_offset(LINE_DTYPE, "duplicates")
LINE_NEXT: Final = field_offset(LINE_DTYPE, "next")
LINE_GAPS: Final = field_offset(LINE_DTYPE, "gaps")
LINE_MISSING: Final = field_offset(LINE_DTYPE, "missing")
LINE_REORDERED: Final = field_offset(LINE_DTYPE, "reordered")
LINE_LEAD: Final = field_offset(LINE_DTYPE, "lead_ns")
LINE_LEADS: Final = field_offset(LINE_DTYPE, "leads")
LINE_HISTOGRAM: Final = field_offset(LINE_DTYPE, "lead_histogram")

WINDOW_NS: Final = field_offset(ARBITER_DTYPE, "window_ns")
WINDOW_PACKETS: Final = field_offset(ARBITER_DTYPE, "window_packets")
RECOVERY_NS: Final = field_offset(ARBITER_DTYPE, "recovery_ns")
BUFFER_PACKETS: Final = field_offset(ARBITER_DTYPE, "buffer_packets")
SLOT_ROOM: Final = field_offset(ARBITER_DTYPE, "slot_bytes")
EARLIEST: Final = field_offset(ARBITER_DTYPE, "earliest_ns")
WAITING_CHAIN: Final = field_offset(ARBITER_DTYPE, "waiting")
FREE: Final = field_offset(ARBITER_DTYPE, "free")
EXPIRIES: Final = field_offset(ARBITER_DTYPE, "expiries")

SLOT_NEXT: Final = field_offset(SLOT_DTYPE, "next")
SLOT_PREVIOUS: Final = field_offset(SLOT_DTYPE, "previous")
SLOT_SEQUENCE: Final = field_offset(SLOT_DTYPE, "sequence")
SLOT_COUNT: Final = field_offset(SLOT_DTYPE, "count")
SLOT_LENGTH: Final = field_offset(SLOT_DTYPE, "length")
SLOT_TIME: Final = field_offset(SLOT_DTYPE, "time_ns")
SLOT_LINE: Final = field_offset(SLOT_DTYPE, "line")
SLOT_CHANNEL: Final = field_offset(SLOT_DTYPE, "channel")
