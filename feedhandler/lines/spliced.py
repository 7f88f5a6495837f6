"""What splice packets do to a stream: hold, clear, rebuild from an image, go on behind it.

The order of the inputs decides everything: an image is in the books between its BEGIN and its END,
and no live message is delivered in between.
"""

from __future__ import annotations

from numba import njit

from feedhandler.lines import splicewire as wire
from feedhandler.lines.fields import add, get, put
from feedhandler.lines.gaps import report, tell_stale
from feedhandler.lines.hold import held_until, let_go
from feedhandler.lines.layout import (
    ABORTED,
    ARRIVALS,
    ASIDE,
    BAD_SPLICES,
    BY_IMAGE,
    CATCH_UP,
    CHANNEL,
    DAMAGED,
    DEADLINE,
    EXPECTED,
    FAILED,
    FAILED_COUNT,
    HOLE_HELD,
    IMAGE_ARRIVALS,
    IMAGE_NEXT,
    IMAGES,
    IMAGING,
    KEY,
    KEYED,
    LEAST_NEXT,
    LINE_PACKETS,
    LIVE,
    LOST_BEGIN,
    LOST_END,
    MARKS,
    NEVER,
    NOT_HEARD,
    NOT_WANTED,
    OTHER_SESSION,
    PART_DAMAGED,
    PART_MISSING,
    PARTS,
    REFUSED,
    REFUSED_COUNT,
    RELEASING,
    SERIAL,
    SESSION,
    SNAPSHOT,
    SNAPSHOT_LINE,
    SPLICED,
    STARTED,
    STATE,
    STREAM_BYTES,
    TELL_ASIDE,
    TELL_EMPTY,
    TELL_IMAGE,
    TELL_MARK,
    TOLD,
    TOO_NEW,
    TOO_OLD,
    TOP,
    UNIT,
    UNIT_MASK,
    UNKNOWN,
    WAITING,
)
from feedhandler.lines.linestats import line_row
from feedhandler.lines.settle import settle
from nic.raw import load_n32le

MOST_AHEAD = 1 << 31  # messages
DONE, SETTLE, DECODE, READ = 0, 1, 2, 3  # what is to be done next


@njit(nogil=True)
def refuse(state, stream, why, serial, now):
    """Nothing is done; whoever asked hears why."""
    add(stream, REFUSED_COUNT, 1)
    report(state, stream, REFUSED, now, why, serial)


@njit(nogil=True)
def fail(state, stream, why, now, tell):
    """A hold or an image comes to nothing; gives what is to be done next."""
    add(stream, FAILED_COUNT, 1)
    report(state, stream, FAILED, now, why, get(stream, SERIAL))
    let_go(state, stream, now, tell)
    return SETTLE if get(stream, STARTED) != 0 else DONE


@njit(nogil=True)
def wants_image(stream):
    """Whether messages are missing for longer than the reorder window."""
    state = get(stream, STATE)
    return state == UNKNOWN or state == SNAPSHOT or (state != LIVE and get(stream, TOLD) != 0)


@njit(nogil=True)
def enter(state, stream, serial, now, tell):
    """From now on what comes is held."""
    put(stream, SERIAL, serial)
    put(stream, IMAGING, 0)
    put(stream, RELEASING, 0)
    if get(stream, STATE) != SNAPSHOT:
        tell_stale(state, stream, now, tell)
        put(stream, STATE, SNAPSHOT)
        put(stream, DEADLINE, NEVER)
        put(stream, CATCH_UP, 0)
        put(stream, LEAST_NEXT, NEVER if get(stream, MARKS) == 0 else 0)


@njit(nogil=True)
def empty(state, stream, keyed, key, now, tell):
    """Empties the books of the unit, or of one instrument: they are wrong until an image is in."""
    put(stream, DAMAGED, 1)
    put(stream, KEYED, keyed)
    put(stream, KEY, key)
    put(stream, ARRIVALS, IMAGE_ARRIVALS)
    if keyed == 0:
        put(stream, MARKS, 0)
        put(stream, CATCH_UP, 0)
        put(stream, LEAST_NEXT, NEVER)
    tell(state, get(stream, CHANNEL), stream, TELL_EMPTY, now)


@njit(nogil=True)
def hold(state, stream, serial, flags, now, tell):
    """HOLD."""
    if not wants_image(stream):
        refuse(state, stream, NOT_WANTED, serial, now)
        return
    enter(state, stream, serial, now, tell)
    if flags & wire.EMPTY != 0:
        empty(state, stream, 0, 0, now, tell)


@njit(nogil=True)
def why_not(stream, session, image_next):
    """Why an image can not be spliced in; 0 when it can."""
    if not wants_image(stream):
        return NOT_WANTED
    if get(stream, STARTED) == 0:
        return NOT_HEARD
    if session != 0 and session != get(stream, SESSION):
        return OTHER_SESSION
    if image_next < get(stream, EXPECTED):
        return TOO_OLD
    return TOO_NEW if image_next - get(stream, TOP) > MOST_AHEAD else 0


@njit(nogil=True)
def begin(state, stream, payload, serial, now, tell):
    """BEGIN."""
    image_next = get(payload, wire.SEQUENCE) + 1
    why = why_not(stream, get(payload, wire.SESSION), image_next)
    if why != 0:
        refuse(state, stream, why, serial, now)
        return
    enter(state, stream, serial, now, tell)
    put(stream, IMAGING, 1)
    put(stream, IMAGE_NEXT, image_next)
    put(stream, PARTS, 0)
    keyed = load_n32le(payload + wire.FLAGS) & wire.ONE_KEY
    empty(state, stream, keyed, get(payload, wire.KEY), now, tell)


@njit(nogil=True)
def part(state, stream, payload, now, tell):
    """PART; gives what is to be done next."""
    number = load_n32le(payload + wire.NUMBER)
    if number < get(stream, PARTS):
        add(stream, BAD_SPLICES, 1)
        return DONE
    if number > get(stream, PARTS):
        return fail(state, stream, PART_MISSING, now, tell)
    add(stream, PARTS, 1)
    return DECODE


@njit(nogil=True)
def jump(stream, following):
    """Goes on behind what images have: what is missing before it is not needed any more."""
    put(stream, LOST_BEGIN, get(stream, EXPECTED))
    put(stream, LOST_END, following)
    put(stream, EXPECTED, following)
    put(stream, TOP, max(get(stream, TOP), following))


@njit(nogil=True)
def end(state, stream, payload, now, tell):
    """END; gives what is to be done next."""
    if load_n32le(payload + wire.NUMBER) != get(stream, PARTS):
        return fail(state, stream, PART_MISSING, now, tell)
    put(stream, IMAGING, 0)
    add(stream, IMAGES, 1)
    image_next = get(stream, IMAGE_NEXT)
    report(state, stream, SPLICED, now, image_next, get(stream, SERIAL))
    if get(stream, KEYED) != 0:
        put(stream, MARKS, 1)
        put(stream, CATCH_UP, max(get(stream, CATCH_UP), image_next))
        put(stream, LEAST_NEXT, min(get(stream, LEAST_NEXT), image_next))
        tell(state, get(stream, CHANNEL), stream, TELL_MARK, now)
        return DONE
    jump(stream, image_next)
    for field in (DAMAGED, DEADLINE, SERIAL, ASIDE):
        put(stream, field, 0)
    put(stream, STATE, WAITING)
    return SETTLE


@njit(nogil=True)
def let_follow(state, stream, serial, flags, now, tell):
    """RELEASE; gives what is to be done next.

    A hole that nobody fills must not keep the stream from going on.
    """
    by_image = get(stream, BY_IMAGE) != 0  # its images come when they come, or none in a hold
    if get(stream, IMAGING) != 0 or (get(stream, MARKS) == 0 and not by_image):
        refuse(state, stream, NOT_WANTED, serial, now)
        return DONE
    if by_image and held_until(stream) < min(get(stream, CATCH_UP), get(stream, TOP)):
        return fail(state, stream, HOLE_HELD, now, tell)
    put(stream, RELEASING, 1 | (flags & (wire.COMPLETE | wire.ALL_SAID)))
    least = get(stream, LEAST_NEXT)
    if get(stream, EXPECTED) < least < NEVER:
        jump(stream, least)
    return SETTLE


@njit(nogil=True)
def follow_up(state, stream, payload, kind, now, tell):
    """What only makes sense while something is in work; gives what is to be done next."""
    serial, imaging = get(payload, wire.SERIAL), get(stream, IMAGING) != 0
    if get(stream, STATE) == SNAPSHOT and serial == get(stream, SERIAL):
        if kind == wire.PART and imaging:
            return part(state, stream, payload, now, tell)
        if kind == wire.END and imaging:
            return end(state, stream, payload, now, tell)
        if kind == wire.RELEASE:
            flags = load_n32le(payload + wire.FLAGS)
            return let_follow(state, stream, serial, flags, now, tell)
        if kind == wire.ABORT:
            return fail(state, stream, ABORTED, now, tell)
    add(stream, BAD_SPLICES, 1)
    return DONE


@njit(nogil=True)
def take_splice(state, first, payload, length, now, tell):
    """A splice packet's header; gives (what is to be done next, the stream)."""
    add(line_row(first, SNAPSHOT_LINE), LINE_PACKETS, 1)
    if length < wire.SPLICE_BYTES or get(payload, wire.MAGIC_AT) != wire.MAGIC:
        add(first, BAD_SPLICES, 1)
        return DONE, first
    unit, kind, serial = get(payload, wire.UNIT), get(payload, wire.KIND), get(payload, wire.SERIAL)
    mask = get(first, UNIT_MASK)
    known = unit & mask == unit or (mask == 0 and unit == get(first, UNIT))
    if not known or serial < 1:
        add(first, BAD_SPLICES, 1)
        return DONE, first
    stream = first + STREAM_BYTES * (unit & mask)
    if kind == wire.HOLD:
        hold(state, stream, serial, load_n32le(payload + wire.FLAGS), now, tell)
    elif kind == wire.BEGIN:
        begin(state, stream, payload, serial, now, tell)
    elif kind == wire.ABOUT:
        return READ, stream
    else:
        return follow_up(state, stream, payload, kind, now, tell), stream
    return DONE, stream


@njit(nogil=True)
def spliced(state, channel, first, payload, length, now, deliver, tell):
    """Takes a splice packet of the channel whose stream rows begin at `first`.

    Gives the messages decoded because of it.
    """
    following, stream = take_splice(state, first, payload, length, now, tell)
    messages = 0
    if following == READ:
        inner = payload + wire.SPLICE_BYTES
        messages = deliver(state, channel, inner, length - wire.SPLICE_BYTES, now)
    if following == DECODE:
        tell(state, channel, stream, TELL_ASIDE, now)
        inner = payload + wire.SPLICE_BYTES
        messages = deliver(state, channel, inner, length - wire.SPLICE_BYTES, now)
        if tell(state, channel, stream, TELL_IMAGE, now) < 0:
            following = fail(state, stream, PART_DAMAGED, now, tell)
    if following == SETTLE:
        messages += settle(state, stream, now, deliver, tell)
    return messages
