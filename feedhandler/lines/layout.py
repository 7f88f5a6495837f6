"""The tables of arbitration: streams, what is known of each line, and the packets that wait.

A stream is what one sequence counts: a channel, or a unit of it where units count on their own. All
its lines share one row, found through the channel row of each line.

Sequences are kept in 64 bits. Where the wire has 32, the row's count runs on past the wrap-around.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

LINES: Final = 4
LINE_NAMES: Final = ("A", "B", "R", "S")
RECOVERY_LINE: Final = 2  # answers to requests; from here on nothing says where the sequence stands
SNAPSHOT_LINE: Final = 3  # splice packets of the control side, see `lines.splicewire`
FIRSTS: Final = 64  # packets back to which a copy on the other line is compared in time
LEAD_BUCKETS: Final = 32  # bucket n: the first copy was 2^n ns to 2^(n+1) ns ahead

UNKNOWN: Final = 0  # nothing, or not from the beginning
LIVE: Final = 1  # all messages so far were delivered
WAITING: Final = 2  # a hole in the reorder window: what follows is held back, none of it delivered
RECOVERING: Final = 3  # the hole was asked for; what follows is held back
STALE: Final = 4  # messages were lost for good; what comes is delivered, the books are not right
SNAPSHOT: Final = 5  # what comes is held back until an image of the books has been spliced in
STATES: Final = ("unknown", "live", "waiting", "recovering", "stale", "snapshot")

GAP: Final = 1  # words: channel, unit, session, first missing, first not missing, stream number
LOST: Final = 2  # the same: the hole was given up, only an image helps now
RECOVERED: Final = 3  # words: channel, unit, session, next sequence, 0, stream number
BEGUN: Final = 4  # a new session, reset or restart: channel, unit, session, next, 0, stream number
SPLICED: Final = 5  # an image is in the books: channel, unit, session, next, serial, stream number
REFUSED: Final = 6  # hold, image or release: channel, unit, session, why, serial, stream number
FAILED: Final = 7  # a hold or an image came to nothing: the same words
OVERFLOWED: Final = 8  # no room to hold more: channel, unit, session, next, serial, stream number
EVENTS: Final = tuple("none gap lost recovered begun spliced refused failed overflowed".split())

NOT_WANTED: Final = 1  # nothing is missing, or not for longer than the reorder window
NOT_HEARD: Final = 2  # no packet of the stream has come yet
OTHER_SESSION: Final = 3
TOO_OLD: Final = 4  # the image ends before what comes next: a later one will do
TOO_NEW: Final = 5  # further ahead of the stream than anything can be
ABORTED: Final = 6
PART_MISSING: Final = 7
PART_DAMAGED: Final = 8  # it holds what does not decode, is not of the unit or key, or cannot be
HOLE_HELD: Final = 9  # messages are missing among those held, and nobody can be asked for them
REASONS: Final = (
    "none not_wanted not_heard other_session too_old too_new aborted part_missing part_damaged"
    " hole_held"
).split()

TOLD_STALE: Final = 1  # words of `told`
TOLD_PARTLY: Final = 2  # stale, but some of its instruments are live on their own

TELL_STALE: Final = 0  # a hole was declared: books of the channel or unit can not be trusted
TELL_LIVE: Final = 1
TELL_CLEAR: Final = 2  # orders of the channel or unit are gone: a new session or a restart
TELL_AGAIN: Final = 3  # stale all of them, also those that were live on their own in a stale unit
TELL_MARKED: Final = 4  # instruments with a mark are live, though their unit is not
TELL_FORGET: Final = 5  # marks are void: messages were lost behind them
TELL_EMPTY: Final = (
    6  # an image begins: books of the unit or key are emptied, their faults forgotten
)
TELL_MARK: Final = 7  # the image of one instrument is whole
TELL_ASIDE: Final = 8  # what is decoded next waits for one of those below instead of being applied
TELL_IMAGE: Final = 9  # it is part of an image; below 0 when it cannot be
TELL_REPLAY: Final = 10  # it was held: what an instrument's image has already is passed over
TELL_REFRESH: Final = 11  # an instrument that it says everything of is live again
TELL_UNMARKED: Final = 12  # gives the number of instruments of the unit without a mark
TELL_EMPTY_RIGHT: Final = 13  # those without a mark that are empty are right so

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
        ("told", "i8"),  # what the books were told: 0 live, or a TOLD_
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
        # Snapshots.
        ("serial", "i8"),  # of the hold or image in work
        ("imaging", "i8"),  # an image has begun and not ended
        ("keyed", "i8"),  # it is of one instrument
        ("key", "i8"),
        ("image_next", "i8"),  # sequence behind the last message it has
        ("parts", "i8"),  # of it so far
        ("arrivals", "i8"),  # arrival sequences given to its orders, from IMAGE_ARRIVALS on
        ("aside", "i8"),  # TELL_REPLAY or TELL_REFRESH: what messages are delivered for; 0: as ever
        ("marks", "i8"),  # some instruments have marks
        ("catch_up", "i8"),  # all images of instruments end before this sequence
        ("least_next", "i8"),  # no instrument needs what is before it; 0: nobody knows that
        ("releasing", "i8"),  # 1: no more such images come; with flags of the RELEASE
        ("natural", "i8"),  # a message says everything of its instrument
        ("by_image", "i8"),  # see Feed.by_image
        ("aside_book", "i8"),  # what the context holds while decoding for something else
        ("aside_venue", "i8"),
        ("aside_made", "i8"),
        ("aside_faults", "i8"),
        ("images", "i8"),  # spliced in
        ("refused", "i8"),
        ("failed", "i8"),
        ("overflows", "i8"),
        ("refreshes", "i8"),  # packets of the venue's own refreshes, passed over
        ("bad_splices", "i8"),  # splice packets of no use
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
        ("tell", "i8"),  # the function that tells the books; 0: there are none
        ("spare", "i8", (6,)),
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
IMAGE_ARRIVALS: Final = -(1 << 48)  # orders of images came before all others, in the image's order
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
SERIAL: Final = _stream["serial"]
IMAGING: Final = _stream["imaging"]
KEYED: Final = _stream["keyed"]
KEY: Final = _stream["key"]
IMAGE_NEXT: Final = _stream["image_next"]
PARTS: Final = _stream["parts"]
ARRIVALS: Final = _stream["arrivals"]
ASIDE: Final = _stream["aside"]
MARKS: Final = _stream["marks"]
CATCH_UP: Final = _stream["catch_up"]
LEAST_NEXT: Final = _stream["least_next"]
RELEASING: Final = _stream["releasing"]
NATURAL: Final = _stream["natural"]
BY_IMAGE: Final = _stream["by_image"]
ASIDE_BOOK: Final = _stream["aside_book"]
ASIDE_VENUE: Final = _stream["aside_venue"]
ASIDE_MADE: Final = _stream["aside_made"]
ASIDE_FAULTS: Final = _stream["aside_faults"]
IMAGES: Final = _stream["images"]
REFUSED_COUNT: Final = _stream["refused"]
FAILED_COUNT: Final = _stream["failed"]
OVERFLOWS: Final = _stream["overflows"]
REFRESHES: Final = _stream["refreshes"]
BAD_SPLICES: Final = _stream["bad_splices"]
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
TELL: Final = field_offset(ARBITER_DTYPE, "tell")

SLOT_NEXT: Final = field_offset(SLOT_DTYPE, "next")
SLOT_PREVIOUS: Final = field_offset(SLOT_DTYPE, "previous")
SLOT_SEQUENCE: Final = field_offset(SLOT_DTYPE, "sequence")
SLOT_COUNT: Final = field_offset(SLOT_DTYPE, "count")
SLOT_LENGTH: Final = field_offset(SLOT_DTYPE, "length")
SLOT_TIME: Final = field_offset(SLOT_DTYPE, "time_ns")
SLOT_LINE: Final = field_offset(SLOT_DTYPE, "line")
SLOT_CHANNEL: Final = field_offset(SLOT_DTYPE, "channel")
