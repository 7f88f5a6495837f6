"""The states of a stream: what is done about a hole, and when the books are told.

    unknown ----- first message is number 1 ----------------> live
       |                                                       |  ^
       | others first, the window ran out                 hole |  | filled
       v                                                       v  |
    recovering <--- the window ran out, someone asks ------ waiting
       |   |                                                   |
       |   +---- filled whole, nothing was lost before -> live |  nobody asks
       |                                                       v
       |   +------- time or room ran out, messages are lost -> stale <------+
       |                                                       |            |
       | an image was asked for, or has come                   | the same   | given up, damaged,
       +--------------------------> snapshot <-----------------+            | no room to hold more
                                       |  +---------------------------------+
                                       +-- spliced in, nothing missing behind it -> live

                                    a new session, reset or restart, anywhere -> live

Nothing is delivered from behind a hole before it is filled or given up, and nothing at all in the
state snapshot once messages of this life were lost. An image with a hole behind it leads back to
waiting. A stale stream can have instruments that are live on their own, see `books.trust`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.lines.aside import pass_on
from feedhandler.lines.fields import add, get, put
from feedhandler.lines.held import drop_all, drop_head
from feedhandler.lines.layout import (
    ARBITER,
    ASIDE,
    BEGUN,
    CHAINED,
    CHANNEL,
    DAMAGED,
    DEADLINE,
    DELIVERED,
    EARLIEST,
    EXPECTED,
    GAP,
    GAPS,
    HEAD,
    HOLE_END,
    HOLES,
    IMAGING,
    JOINED_AT,
    LIFE,
    LIVE,
    LIVES,
    LOST,
    LOST_BEGIN,
    LOST_COUNT,
    LOST_END,
    MARKS,
    NATURAL,
    NEVER,
    NEXT_WAITING,
    NUMBER,
    RECOVERED,
    RELEASING,
    SERIAL,
    SESSION,
    SLOT_CHANNEL,
    SLOT_COUNT,
    SLOT_HEAD_BYTES,
    SLOT_LENGTH,
    SLOT_SEQUENCE,
    SLOT_TIME,
    SNAPSHOT,
    STALE,
    STATE,
    TELL_AGAIN,
    TELL_FORGET,
    TELL_LIVE,
    TELL_MARKED,
    TELL_REFRESH,
    TELL_REPLAY,
    TELL_STALE,
    TOLD,
    TOLD_PARTLY,
    TOLD_STALE,
    TOP,
    UNIT,
    UNKNOWN,
    WAITING,
    WAITING_CHAIN,
    WINDOW_NS,
)
from feedhandler.state import EVENTS
from nic.ring import ring_claim, ring_publish


@njit(nogil=True)
def report(state, stream, kind, now, begin, end):
    """Writes an event into the loop's ring; a full ring counts what it refuses."""
    record = np.int64(ring_claim(np.uint64(state + EVENTS)))
    if record == 0:
        return
    put(record, 0, kind)
    put(record, 8, now)
    put(record, 16, get(stream, CHANNEL))
    put(record, 24, get(stream, UNIT))
    put(record, 32, get(stream, SESSION))
    put(record, 40, begin)
    put(record, 48, end)
    put(record, 56, get(stream, NUMBER))
    ring_publish(np.uint64(state + EVENTS))


@njit(nogil=True)
def holds_all(stream):
    """Whether even the next packet waits: without an image it would go into books that are wrong.

    As long as nothing was lost for good, an answer that fills the hole is still welcome.
    """
    return get(stream, STATE) == SNAPSHOT and get(stream, DAMAGED) != 0


@njit(nogil=True)
def release(state, stream, deliver, tell):
    """Delivers the waiting packets that are next; gives the messages decoded."""
    arbiter = state + get(stream, ARBITER)
    messages = 0
    if holds_all(stream) and get(stream, ASIDE) != TELL_REPLAY:
        return messages
    while True:
        slot = get(stream, HEAD)
        if slot == 0 or get(slot, SLOT_SEQUENCE) > get(stream, EXPECTED):
            return messages
        sequence, count = get(slot, SLOT_SEQUENCE), get(slot, SLOT_COUNT)
        if sequence + count > get(stream, EXPECTED):
            place, length = slot + SLOT_HEAD_BYTES, get(slot, SLOT_LENGTH)
            channel, time_ns = get(slot, SLOT_CHANNEL), get(slot, SLOT_TIME)
            messages += pass_on(
                state, stream, channel, sequence, count, place, length, time_ns, deliver, tell
            )
        drop_head(arbiter, stream)


@njit(nogil=True)
def set_deadline(state, stream, deadline_ns):
    """Sets when the hole's time is over and sees to it that the loop looks then."""
    arbiter = state + get(stream, ARBITER)
    put(stream, DEADLINE, deadline_ns)
    if get(stream, CHAINED) == 0:
        put(stream, CHAINED, 1)
        put(stream, NEXT_WAITING, get(arbiter, WAITING_CHAIN))
        put(arbiter, WAITING_CHAIN, stream)
    put(arbiter, EARLIEST, min(get(arbiter, EARLIEST), deadline_ns))


@njit(nogil=True)
def first_hole_end(stream, bound):
    """Where the hole at the expected sequence ends, `bound` if nothing waits before it."""
    slot = get(stream, HEAD)
    return min(get(slot, SLOT_SEQUENCE), bound) if slot != 0 else bound


@njit(nogil=True)
def tell_stale(state, stream, now, tell):
    """Sees to it that the books know."""
    told = get(stream, TOLD)
    if told != TOLD_STALE:
        put(stream, TOLD, TOLD_STALE)
        what = TELL_STALE if told == 0 else TELL_AGAIN
        tell(state, get(stream, CHANNEL), stream, what, now)


@njit(nogil=True)
def declare(state, stream, end, now, tell):
    """The window ran out: says so to the books and to whoever asks for missing messages."""
    add(stream, GAPS, 1)
    put(stream, HOLE_END, end)
    tell_stale(state, stream, now, tell)
    report(state, stream, GAP, now, get(stream, EXPECTED), end)


@njit(nogil=True)
def forget(state, stream, now, tell):
    """No instrument is right on its own any more."""
    if get(stream, MARKS) != 0:
        put(stream, MARKS, 0)
        tell(state, get(stream, CHANNEL), stream, TELL_FORGET, now)


@njit(nogil=True)
def give_up(state, stream, end, now, tell):
    """Jumps over the hole: what waited behind it is next, and `release` is to be called."""
    begin = get(stream, EXPECTED)
    if get(stream, DELIVERED) == 0 and get(stream, LIVES) == 0:
        put(stream, JOINED_AT, end)
    else:
        add(stream, LOST_COUNT, end - begin)
    put(stream, LOST_BEGIN, begin)
    put(stream, LOST_END, end)
    put(stream, DAMAGED, 1)
    put(stream, STATE, STALE)
    put(stream, DEADLINE, 0)
    put(stream, EXPECTED, end)
    forget(state, stream, now, tell)
    put(stream, ASIDE, TELL_REFRESH if get(stream, NATURAL) != 0 else 0)
    report(state, stream, LOST, now, begin, end)


@njit(nogil=True)
def closed(state, stream, now, tell):
    """No hole is open: the stream is live, unless messages of its life were lost.

    A deadline that never comes keeps packets off the short way of those that are next.
    """
    put(stream, DEADLINE, NEVER if get(stream, ASIDE) != 0 else 0)
    if get(stream, DAMAGED) != 0:
        put(stream, STATE, STALE)
        if get(stream, MARKS) != 0 and get(stream, TOLD) == TOLD_STALE:
            put(stream, TOLD, TOLD_PARTLY)
            tell(state, get(stream, CHANNEL), stream, TELL_MARKED, now)
        return
    put(stream, STATE, LIVE)
    if get(stream, TOLD) != 0:
        put(stream, TOLD, 0)
        tell(state, get(stream, CHANNEL), stream, TELL_LIVE, now)
        report(state, stream, RECOVERED, now, get(stream, EXPECTED), 0)


@njit(nogil=True)
def open_hole(state, stream, now):
    """Starts the reorder window of a hole: from when the packet behind it came."""
    arbiter = state + get(stream, ARBITER)
    slot = get(stream, HEAD)
    since_ns = get(slot, SLOT_TIME) if slot != 0 else now
    if get(stream, STATE) != UNKNOWN:
        put(stream, STATE, WAITING)
    add(stream, HOLES, 1)
    put(stream, HOLE_END, first_hole_end(stream, get(stream, TOP)))
    set_deadline(state, stream, since_ns + get(arbiter, WINDOW_NS))


@njit(nogil=True)
def begin_life(state, stream, expected, now):
    """The sequence starts again: what waited is of the past."""
    drop_all(state + get(stream, ARBITER), stream)
    put(stream, EXPECTED, expected)
    put(stream, TOP, expected)
    put(stream, DEADLINE, 0)
    put(stream, DAMAGED, 0)
    put(stream, LOST_BEGIN, 0)
    put(stream, LOST_END, 0)
    put(stream, LIFE, now)
    for field in (ASIDE, MARKS, IMAGING, SERIAL, RELEASING):
        put(stream, field, 0)
    put(stream, STATE, LIVE)
    add(stream, LIVES, 1)
    report(state, stream, BEGUN, now, expected, 0)
