"""What venues answer: the bytes of a session as actions on orders, wherever they were cut."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.actions import SESSION as SESSION_KIND
from feedhandler.context import CAPTURE_NS, FAULT_COUNTS, NEXT_SEQUENCE, UNIT
from feedhandler.faults import BAD_LENGTH
from feedhandler.wire.walk import ROOM
from nic.move import move_bytes
from nic.raw import load_i64le, load_n8, store_u64le
from router.entry.layout import BROKEN, DOWN, SESSION, UP, session_row
from router.rows import add, get, put, venue_row
from router.tables import DOWN_SESSION, VENUE

SOUP_REJECTED, SOUP_END, BOE_LOGOUT, MEO_GOODBYE = ord("J"), ord("Z"), 0x08, ord("G")
ORDER_AT, AUX_AT = 16, 40  # in an action
IMPOSSIBLE = -1
LOST_PLACE = FAULT_COUNTS + 8 * BAD_LENGTH  # in a decoder's context


@njit(nogil=True)
def set_state(router, session, state):
    """Lets orders go to a session's venue, or no longer."""
    put(session, SESSION.state, state)
    venue = venue_row(router, get(session, SESSION.venue))
    down = get(venue, VENUE.down) & ~DOWN_SESSION
    put(venue, VENUE.down, down if state == UP else down | DOWN_SESSION)


@njit(nogil=True, forceinline=True)
def header_bytes(session):
    """Bytes of a message that say how long it is."""
    return get(session, SESSION.length_at) + 2


@njit(nogil=True, forceinline=True)
def stated_length(session, data):
    """Bytes of the message that starts there, IMPOSSIBLE where it can be none."""
    place = data + get(session, SESSION.length_at)
    first, second = load_n8(place), load_n8(place + 1)
    big = get(session, SESSION.length_big) != 0
    length = (first << 8 | second) if big else (second << 8 | first)
    length += get(session, SESSION.length_plus)
    if length < get(session, SESSION.length_least) or length > get(session, SESSION.held_bytes):
        return IMPOSSIBLE
    return length


@njit(nogil=True)
def hold(session, data, count):
    """Keeps bytes of a message that is not whole."""
    held = get(session, SESSION.held_count)
    move_bytes(get(session, SESSION.held) + held, data, count)
    put(session, SESSION.held_count, held + count)


@njit(nogil=True)
def complete_held(session, data, length):
    """Takes bytes until the held message is whole; how many, IMPOSSIBLE where it can be none.

    With an impossible length what is held is for the decoder to count.
    """
    taken, head = np.int64(0), header_bytes(session)
    missing = head - get(session, SESSION.held_count)
    if missing > 0:
        taken = min(missing, length)
        hold(session, data, taken)
        if taken < missing:
            return taken
    stated = stated_length(session, get(session, SESSION.held))
    if stated == IMPOSSIBLE:
        return np.int64(IMPOSSIBLE)
    more = min(stated - get(session, SESSION.held_count), length - taken)
    hold(session, data + taken, more)
    return taken + more


@njit(nogil=True)
def is_whole(session):
    """Whether the held message is."""
    held = get(session, SESSION.held_count)
    if held < header_bytes(session):
        return False
    return stated_length(session, get(session, SESSION.held)) == held


@njit(nogil=True)
def note_session(router, session, action):
    """What the venue said of the session itself."""
    code = load_i64le(action + AUX_AT)
    add(session, SESSION.changes, 1)
    put(session, SESSION.change_code, code)
    put(session, SESSION.change_value, load_i64le(action + ORDER_AT))
    if code in (SOUP_REJECTED, SOUP_END, BOE_LOGOUT, MEO_GOODBYE):
        set_state(router, session, DOWN)


@njit(nogil=True, forceinline=True)
def settle(router, session, out, made):
    """Looks over new actions: ids of requests become those of their orders."""
    request = get(session, SESSION.request)
    for number in range(made):
        action = out + ACTION_BYTES * number
        if load_n8(action) == SESSION_KIND:
            note_session(router, session, action)
        elif request != 0:
            store_u64le(action + ORDER_AT, load_i64le(action + ORDER_AT) & ~request)


@njit(nogil=True, forceinline=True)
def note_unit(session, context):
    """How far a matching unit has told us; what has no unit is not told again."""
    unit, behind = get(context, UNIT), get(context, NEXT_SEQUENCE)
    if unit != 0 and behind != 0:
        put(get(session, SESSION.units), 8 * unit, behind - 1)


@njit(nogil=True, forceinline=True)
def one_message(router, session, data, length, out, decode):
    """Decodes one whole message; the actions made."""
    protocol, context = get(session, SESSION.protocol), get(session, SESSION.context)
    add(session, SESSION.heard, 1)
    lost = get(context, LOST_PLACE)
    made = decode(protocol, data, length, context, out)
    if get(session, SESSION.units) != 0:
        note_unit(session, context)
    if get(context, LOST_PLACE) != lost:
        put(session, SESSION.held_count, 0)
        set_state(router, session, BROKEN)
    settle(router, session, out, made)
    return made


@njit(nogil=True)
def next_message(session, data, length):
    """The first message of what is held and `length` (1 or more) bytes behind it.

    Returns:
        Where it lies, its bytes (0: it is not whole, and held), and how many of `length` it took.
    """
    held, step = get(session, SESSION.held), np.int64(0)
    if get(session, SESSION.held_count) != 0:
        taken = complete_held(session, data, length)
        if taken != IMPOSSIBLE and not is_whole(session):
            return held, step, taken
        step = get(session, SESSION.held_count)
        put(session, SESSION.held_count, 0)
        return held, step, max(taken, np.int64(0))
    if length >= header_bytes(session):
        step = stated_length(session, data)
    if step == IMPOSSIBLE:
        return data, length, length
    if step == 0 or step > length:
        add(session, SESSION.cut, 1)
        hold(session, data, length)
        return held, np.int64(0), length
    return data, step, step


@njit(nogil=True)
def receive_by(router, number, data, length, now, out, most, decode):
    """Reads bytes of a session; the number of actions written at `out`.

    The beginning of a message that is cut is kept until the rest comes. `consumed` of the session
    says how many bytes were taken: fewer than `length` only where there was no room for more
    actions, then call again with the rest. A session whose bytes make no sense is BROKEN: it takes
    all and says nothing more until it is connected anew.

    Args:
        number: of the session.
        data: address of the bytes.
        now: when they came, ns since the epoch.
        out: room for `most` actions, 4 or more.
        decode: kernel `(protocol, data, length, context, out) -> actions` for one whole message.
    """
    session = session_row(router, number)
    put(session, SESSION.heard_ns, now)
    put(get(session, SESSION.context), CAPTURE_NS, now)
    made, at = np.int64(0), np.int64(0)
    while at < length and made + ROOM <= most and get(session, SESSION.state) != BROKEN:
        place, step, taken = next_message(session, data + at, length - at)
        at += taken
        if step != 0:
            here = out + ACTION_BYTES * made
            made += one_message(router, session, place, step, here, decode)
    if get(session, SESSION.state) == BROKEN:
        at = length
    put(session, SESSION.consumed, at)
    add(session, SESSION.heard_bytes, at)
    return made
