"""The states of a stream: what is done about a hole, and when the books are told.

    unknown ----- first message is number 1 ----------------> live
       |                                                       |  ^
       | others first, the window ran out                 hole |  | filled
       v                                                       v  |
    recovering <--- the window ran out, someone asks ------ waiting
       |   |                                                   |
       |   +---- filled whole, nothing was lost before -> live |  nobody asks
       |                                                       v
       +------- time or room ran out, messages are lost ---> stale
                                   a new session, reset or restart -> live

Nothing is delivered from behind a hole before it is filled or given up.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.context import SKIP
from feedhandler.lines.fields import add, get, put
from feedhandler.lines.held import drop_all, drop_head
from feedhandler.lines.layout import (
    ARBITER,
    BEGUN,
    BUFFER_PACKETS,
    CHAINED,
    CHANNEL,
    DAMAGED,
    DEADLINE,
    DELIVERED,
    EARLIEST,
    EXPECTED,
    EXPIRIES,
    GAP,
    GAPS,
    HEAD,
    HELD,
    HOLE_END,
    HOLES,
    JOINED_AT,
    LIFE,
    LIVE,
    LIVES,
    LOST,
    LOST_BEGIN,
    LOST_COUNT,
    LOST_END,
    NEVER,
    NEXT_WAITING,
    NUMBER,
    OVERLAPS,
    RECOVERED,
    RECOVERED_COUNT,
    RECOVERING,
    RECOVERY_NS,
    SESSION,
    SLOT_CHANNEL,
    SLOT_COUNT,
    SLOT_HEAD_BYTES,
    SLOT_LENGTH,
    SLOT_SEQUENCE,
    SLOT_TIME,
    STALE,
    STATE,
    TELL_LIVE,
    TELL_STALE,
    TOLD,
    TOP,
    UNIT,
    UNKNOWN,
    WAITING,
    WAITING_CHAIN,
    WINDOW_NS,
    WINDOW_PACKETS,
)
from feedhandler.state import CHANNEL_BYTES, CHANNEL_HANDLER_STATE, CHANNELS_OFFSET, EVENTS
from nic.raw import load_i64le
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
def set_skip(state, channel, skip):
    """Says how many messages of the next packet were seen before."""
    row = state + load_i64le(state + CHANNELS_OFFSET) + CHANNEL_BYTES * channel
    put(state + load_i64le(row + CHANNEL_HANDLER_STATE), SKIP, skip)


@njit(nogil=True)
def pass_on(state, stream, channel, sequence, count, payload, length, now, deliver):
    """Delivers a packet from its first new message on; gives the messages decoded."""
    skip = get(stream, EXPECTED) - sequence
    put(stream, EXPECTED, sequence + count)
    add(stream, DELIVERED, count - skip)
    if skip == 0:
        return deliver(state, channel, payload, length, now)
    add(stream, OVERLAPS, 1)
    set_skip(state, channel, skip)
    messages = deliver(state, channel, payload, length, now)
    set_skip(state, channel, 0)
    return messages


@njit(nogil=True)
def release(state, stream, deliver):
    """Delivers the waiting packets that are next; gives the messages decoded."""
    arbiter = state + get(stream, ARBITER)
    messages = 0
    while True:
        slot = get(stream, HEAD)
        if slot == 0 or get(slot, SLOT_SEQUENCE) > get(stream, EXPECTED):
            return messages
        sequence, count = get(slot, SLOT_SEQUENCE), get(slot, SLOT_COUNT)
        if sequence + count > get(stream, EXPECTED):
            place, length = slot + SLOT_HEAD_BYTES, get(slot, SLOT_LENGTH)
            channel, time_ns = get(slot, SLOT_CHANNEL), get(slot, SLOT_TIME)
            messages += pass_on(
                state, stream, channel, sequence, count, place, length, time_ns, deliver
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
def declare(state, stream, end, now, tell):
    """The window ran out: says so to the books and to whoever asks for missing messages."""
    add(stream, GAPS, 1)
    put(stream, HOLE_END, end)
    if get(stream, TOLD) == 0:
        put(stream, TOLD, 1)
        tell(state, get(stream, CHANNEL), get(stream, UNIT), TELL_STALE, now)
    report(state, stream, GAP, now, get(stream, EXPECTED), end)


@njit(nogil=True)
def give_up(state, stream, end, now, deliver):
    """Jumps over the hole; gives the messages decoded of what waited behind it."""
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
    report(state, stream, LOST, now, begin, end)
    return release(state, stream, deliver)


@njit(nogil=True)
def closed(state, stream, now, tell):
    """No hole is open: the stream is live, unless messages of its life were lost."""
    put(stream, DEADLINE, 0)
    if get(stream, DAMAGED) != 0:
        put(stream, STATE, STALE)
        return
    put(stream, STATE, LIVE)
    if get(stream, TOLD) != 0:
        put(stream, TOLD, 0)
        tell(state, get(stream, CHANNEL), get(stream, UNIT), TELL_LIVE, now)
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
def settle(state, stream, now, deliver, tell):
    """Brings the state up to date behind every packet; gives the messages decoded meanwhile."""
    arbiter = state + get(stream, ARBITER)
    messages = 0
    while True:
        if get(stream, DEADLINE) != 0 and get(stream, EXPECTED) >= get(stream, HOLE_END):
            put(stream, DEADLINE, 0)
            add(stream, RECOVERED_COUNT, get(stream, STATE) == RECOVERING)
        if get(stream, TOP) <= get(stream, EXPECTED):
            closed(state, stream, now, tell)
            return messages
        if get(stream, DEADLINE) == 0:
            open_hole(state, stream, now)
        asked = get(stream, STATE) == RECOVERING
        room = get(arbiter, BUFFER_PACKETS if asked else WINDOW_PACKETS)
        if now < get(stream, DEADLINE) and get(stream, HELD) <= room:
            return messages
        end = first_hole_end(stream, get(stream, TOP))
        if not asked:
            declare(state, stream, end, now, tell)
            if get(arbiter, RECOVERY_NS) > 0:
                put(stream, STATE, RECOVERING)
                set_deadline(state, stream, now + get(arbiter, RECOVERY_NS))
                continue
        messages += give_up(state, stream, end, now, deliver)


@njit(nogil=True)
def make_room(state, stream, bound, now, deliver, tell):
    """Gives up the first hole because there is no slot to wait in; the messages decoded."""
    end = first_hole_end(stream, bound)
    if get(stream, STATE) != RECOVERING:
        declare(state, stream, end, now, tell)
    return give_up(state, stream, end, now, deliver)


@njit(nogil=True)
def expire(state, arbiter, now, deliver, tell):
    """Sees to the streams whose time is over; gives the messages decoded."""
    add(arbiter, EXPIRIES, 1)
    stream = get(arbiter, WAITING_CHAIN)
    put(arbiter, WAITING_CHAIN, 0)
    put(arbiter, EARLIEST, NEVER)
    messages = 0
    while stream != 0:
        after = get(stream, NEXT_WAITING)
        put(stream, CHAINED, 0)
        deadline_ns = get(stream, DEADLINE)
        if deadline_ns != 0:
            set_deadline(state, stream, deadline_ns)
            if now >= deadline_ns:
                messages += settle(state, stream, now, deliver, tell)
        stream = after
    return messages


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
    put(stream, STATE, LIVE)
    add(stream, LIVES, 1)
    report(state, stream, BEGUN, now, expected, 0)
