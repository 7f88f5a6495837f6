"""The state snapshot: what comes is held until an image has been spliced in."""

from __future__ import annotations

from numba import njit

from feedhandler.lines.fields import add, get, put
from feedhandler.lines.gaps import closed, first_hole_end, forget, give_up, report
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
    NATURAL,
    OVERFLOWED,
    OVERFLOWS,
    RELEASING,
    SERIAL,
    SLOT_COUNT,
    SLOT_NEXT,
    SLOT_SEQUENCE,
    STALE,
    STARTED,
    STATE,
    TELL_EMPTY_RIGHT,
    TELL_REFRESH,
    TELL_REPLAY,
    TELL_UNMARKED,
    TOP,
    UNKNOWN,
    WAITING,
)
from feedhandler.lines.splicewire import ALL_SAID, COMPLETE


@njit(nogil=True)
def let_go(state, stream, now, tell):
    """Ends a hold without an image: what was held follows up to the next hole.

    Images of single instruments are void, as what they have already is delivered again.
    """
    put(stream, IMAGING, 0)
    put(stream, SERIAL, 0)
    put(stream, RELEASING, 0)
    put(stream, DEADLINE, 0)
    forget(state, stream, now, tell)
    if get(stream, STARTED) == 0:
        put(stream, STATE, UNKNOWN)
    else:
        put(stream, STATE, STALE if get(stream, DAMAGED) != 0 else WAITING)


@njit(nogil=True)
def overflow(state, stream, bound, now, tell):
    """There is no room to hold more."""
    add(stream, OVERFLOWS, 1)
    report(state, stream, OVERFLOWED, now, get(stream, EXPECTED), get(stream, SERIAL))
    let_go(state, stream, now, tell)
    if get(stream, DAMAGED) == 0:
        give_up(state, stream, first_hole_end(stream, bound), now, tell)


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
def replay(state, stream, now, tell):
    """What is held follows behind images of single instruments: each takes what its image lacks.

    An instrument without an image keeps the unit from being live as a whole.
    """
    channel = get(stream, CHANNEL)
    if get(stream, RELEASING) & ALL_SAID != 0:
        tell(state, channel, stream, TELL_EMPTY_RIGHT, now)
    if tell(state, channel, stream, TELL_UNMARKED, now) != 0:
        put(stream, RELEASING, 1)
    put(stream, ASIDE, TELL_REPLAY)


@njit(nogil=True)
def replayed(state, stream, now, tell):
    """All that was held is delivered: the unit is live, or those of its books that had an image."""
    put(stream, ASIDE, TELL_REFRESH if get(stream, NATURAL) != 0 else 0)
    put(stream, STATE, STALE)
    if get(stream, RELEASING) & COMPLETE != 0:
        put(stream, ASIDE, 0)
        put(stream, DAMAGED, 0)
        put(stream, STATE, WAITING)
        forget(state, stream, now, tell)
    for field in (RELEASING, SERIAL, CATCH_UP, DEADLINE):
        put(stream, field, 0)


@njit(nogil=True)
def goes_on_holding(state, stream, now, tell):
    """Brings a stream in the state snapshot up to date; whether there is nothing more to do."""
    if get(stream, ASIDE) == TELL_REPLAY:
        replayed(state, stream, now, tell)
    elif get(stream, DAMAGED) == 0 and get(stream, TOP) <= get(stream, EXPECTED):
        put(stream, SERIAL, 0)
        closed(state, stream, now, tell)
    elif get(stream, RELEASING) != 0 and held_until(stream) >= get(stream, CATCH_UP):
        replay(state, stream, now, tell)
    elif get(stream, HELD) > get(state + get(stream, ARBITER), BUFFER_PACKETS):
        overflow(state, stream, get(stream, TOP), now, tell)
    else:
        return True
    return False
