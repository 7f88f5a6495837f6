"""Behind every packet and every deadline: the state of a stream is brought up to date."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import add, get, put
from feedhandler.lines.gaps import (
    closed,
    declare,
    first_hole_end,
    give_up,
    open_hole,
    release,
    set_deadline,
)
from feedhandler.lines.hold import goes_on_holding, overflow
from feedhandler.lines.layout import (
    ARBITER,
    BUFFER_PACKETS,
    BY_IMAGE,
    CHAINED,
    DEADLINE,
    EARLIEST,
    EXPECTED,
    EXPIRIES,
    HELD,
    HOLE_END,
    NEVER,
    NEXT_WAITING,
    RECOVERED_COUNT,
    RECOVERING,
    RECOVERY_NS,
    SNAPSHOT,
    STATE,
    TOP,
    WAITING_CHAIN,
    WINDOW_PACKETS,
)


@njit(nogil=True)
def settle(state, stream, now, deliver, tell):
    """Brings the state up to date behind every packet; gives the messages decoded meanwhile."""
    arbiter = state + get(stream, ARBITER)
    messages = 0
    while True:
        messages += release(state, stream, deliver, tell)
        if get(stream, STATE) == SNAPSHOT:
            if goes_on_holding(state, stream, now, tell):
                return messages
            continue
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
            if get(arbiter, RECOVERY_NS) > 0 and get(stream, BY_IMAGE) == 0:
                put(stream, STATE, RECOVERING)
                set_deadline(state, stream, now + get(arbiter, RECOVERY_NS))
                continue
        give_up(state, stream, end, now, tell)


@njit(nogil=True)
def make_room(state, stream, bound, now, tell):
    """Gives up the first hole, or the hold, for want of a slot to wait in."""
    if get(stream, STATE) == SNAPSHOT:
        overflow(state, stream, bound, now, tell)
        return
    end = first_hole_end(stream, bound)
    if get(stream, STATE) != RECOVERING:
        declare(state, stream, end, now, tell)
    give_up(state, stream, end, now, tell)


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
