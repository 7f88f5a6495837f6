"""The state snapshot: what comes is held until an image has been spliced in."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import add, get, put
from feedhandler.lines.gaps import closed, first_hole_end, forget, give_up, release, report
from feedhandler.lines.layout import (
    ARBITER,
    ASIDE,
    BUFFER_PACKETS,
    CATCH_UP,
    CHANNEL,
    DAMAGED,
    DEADLINE,
    EXPECTED,
    HEAD,
    HELD,
    IMAGING,
    OVERFLOWED,
    OVERFLOWS,
    RELEASING,
    SERIAL,
    SLOT_COUNT,
    SLOT_NEXT,
    SLOT_SEQUENCE,
    SNAPSHOT,
    STALE,
    STARTED,
    STATE,
    TELL_REPLAY,
    TELL_UNMARKED,
    TOP,
    UNKNOWN,
    WAITING,
)
from feedhandler.lines.splicewire import COMPLETE


@njit(nogil=True)
def holds_all(stream):
    """Whether even the next packet waits: without an image it would go into books that are wrong.

    As long as nothing was lost for good, an answer that fills the hole is still welcome.
    """
    return get(stream, STATE) == SNAPSHOT and get(stream, DAMAGED) != 0


@njit(nogil=True)
def let_go(state, stream, now, deliver, tell):
    """Ends a hold without an image: what was held is delivered up to the next hole.

    Gives the messages decoded. Images of single instruments are void, as what they have already
    is delivered again.
    """
    put(stream, IMAGING, 0)
    put(stream, SERIAL, 0)
    put(stream, RELEASING, 0)
    put(stream, DEADLINE, 0)
    forget(state, stream, now, tell)
    if get(stream, STARTED) == 0:
        put(stream, STATE, UNKNOWN)
        return 0
    put(stream, STATE, STALE if get(stream, DAMAGED) != 0 else WAITING)
    return release(state, stream, deliver, tell)


@njit(nogil=True)
def overflow(state, stream, bound, now, deliver, tell):
    """There is no room to hold more; gives the messages decoded of what was held."""
    add(stream, OVERFLOWS, 1)
    report(state, stream, OVERFLOWED, now, get(stream, EXPECTED), get(stream, SERIAL))
    end = first_hole_end(stream, bound)
    messages = let_go(state, stream, now, deliver, tell)
    if get(stream, DAMAGED) == 0:
        messages += give_up(state, stream, end, now, deliver, tell)
    return messages


@njit(nogil=True)
def held_until(stream):
    """The sequence behind what is held without a hole from the next message on."""
    end = get(stream, EXPECTED)
    slot = get(stream, HEAD)
    while slot != 0 and get(slot, SLOT_SEQUENCE) <= end:
        end = max(end, get(slot, SLOT_SEQUENCE) + get(slot, SLOT_COUNT))
        slot = get(slot, SLOT_NEXT)
    return end


@njit(nogil=True)
def replay(state, stream, now, deliver, tell):
    """Delivers what was held behind images of single instruments; gives the messages decoded.

    Each instrument takes what its image does not have. The unit is live with all of them.
    """
    whole = get(stream, RELEASING) & COMPLETE != 0
    if tell(state, get(stream, CHANNEL), stream, TELL_UNMARKED, now) != 0:
        whole = False
    before = get(stream, ASIDE)
    put(stream, ASIDE, TELL_REPLAY)
    messages = release(state, stream, deliver, tell)
    put(stream, ASIDE, 0 if whole else before)
    put(stream, RELEASING, 0)
    put(stream, SERIAL, 0)
    put(stream, CATCH_UP, 0)
    put(stream, DEADLINE, 0)
    put(stream, STATE, STALE)
    if whole:
        put(stream, DAMAGED, 0)
        put(stream, STATE, WAITING)
        forget(state, stream, now, tell)
    return messages


@njit(nogil=True)
def settle_hold(state, stream, now, deliver, tell):
    """Brings a stream in the state snapshot up to date; gives the messages decoded meanwhile."""
    arbiter = state + get(stream, ARBITER)
    if get(stream, DAMAGED) == 0 and get(stream, TOP) <= get(stream, EXPECTED):
        put(stream, SERIAL, 0)
        closed(state, stream, now, tell)
        return 0
    if get(stream, RELEASING) != 0 and held_until(stream) >= get(stream, CATCH_UP):
        return replay(state, stream, now, deliver, tell)
    if get(stream, HELD) > get(arbiter, BUFFER_PACKETS):
        return overflow(state, stream, get(stream, TOP), now, deliver, tell)
    return 0
