"""What the router's loop calls by address: a port's functions, the next step, a look at packets."""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit, types

from nic.dueheap import DUE
from nic.layout import DESCRIPTOR_BYTES
from nic.move import move_bytes
from router.rows import add, get, put
from simulator.matching.speed import pass_through
from simulator.replay.arriving import hear
from simulator.replay.layout import (
    ARRIVAL,
    HEAD,
    MARKET_VENUES,
    MESSAGE,
    MESSAGE_BYTES,
    NO_REASON,
    ORDER,
    SENT,
    SESSION,
    VENUE,
)
from simulator.replay.resting import renewed
from simulator.replay.rows import (
    answer_row,
    drop_event,
    free_message,
    message_row,
    next_answer_ns,
    next_answer_of,
    next_event_ns,
    order_row,
    push_event,
    refresh_due,
    session_of,
    venue_of,
)
from simulator.replay.shown import why_no_trading
from simulator.replay.watching import note_packet
from simulator.replay.wires import read_message

TOO_LONG, NO_ROOM = -90, -105  # -EMSGSIZE, -ENOBUFS


@njit(nogil=True)
def send_message(session, data, length):
    """A message leaves the router at the loop's time: 0 or -errno."""
    sim = get(session, SESSION.sim)
    if length > MESSAGE_BYTES or length <= 0:
        add(sim, HEAD.unsent, 1)
        return TOO_LONG
    number = get(sim, HEAD.free_message)
    if number == 0 or get(sim, HEAD.event_count) == get(sim, HEAD.most_events):
        add(sim, HEAD.unsent, 1)
        return NO_ROOM
    row = message_row(sim, number)
    put(sim, HEAD.free_message, get(row, MESSAGE.next))
    put(row, MESSAGE.session, session)
    put(row, MESSAGE.length, length)
    move_bytes(row + MESSAGE.data, data, length)
    inbound = get(get(session, SESSION.venue), VENUE.inbound)
    at_ns = pass_through(inbound, get(sim, HEAD.now_ns))
    push_event(sim, at_ns, ARRIVAL, number)
    put(sim, HEAD.due_ns, min(get(sim, HEAD.due_ns), at_ns))
    return 0


@njit(nogil=True)
def arrive(sim, number, now_ns):
    """A message is at its venue."""
    row = message_row(sim, number)
    session = get(row, MESSAGE.session)
    add(sim, HEAD.arrived, 1)
    add(session, SESSION.received, 1)
    request = sim + HEAD.request
    if read_message(session, row + MESSAGE.data, get(row, MESSAGE.length), request):
        hear(sim, session, now_ns)
    else:
        add(sim, HEAD.unread, 1)
    free_message(sim, number)


@njit(nogil=True)
def happen(sim):
    """The first of the events."""
    row = get(sim, HEAD.events)
    now_ns, kind, who = get(row, DUE.due_ns), get(row, DUE.kind), get(row, DUE.who)
    drop_event(sim)
    if kind == ARRIVAL:
        arrive(sim, who, now_ns)
        return
    order = order_row(sim, who)
    venue, instrument = get(order, ORDER.venue), get(order, ORDER.instrument)
    renewed(sim, order, why_no_trading(sim, venue, instrument) == NO_REASON, now_ns)


@njit(nogil=True)
def ports_ready(sim, until_ns):
    """The sessions with answers up to a time, as bits."""
    found = np.int64(0)
    for number in range(get(sim, HEAD.session_count)):
        if next_answer_of(session_of(sim, number)) <= until_ns:
            found |= np.int64(1) << number
    return found


@njit(nogil=True)
def step_to(sim, until_ns):
    """What happens up to a time, but no further than to the next answer to the router.

    Gives the sessions that have answers to be read now, as bits; 0: nothing is due up to the time.
    """
    while True:
        event_ns, answer_ns = next_event_ns(sim), next_answer_ns(sim)
        if event_ns <= answer_ns and event_ns <= until_ns:
            happen(sim)
            continue
        if answer_ns > until_ns:
            put(sim, HEAD.due_ns, min(event_ns, answer_ns))
            return np.int64(0)
        put(sim, HEAD.ready_ns, answer_ns)
        put(sim, HEAD.due_ns, answer_ns)
        return ports_ready(sim, answer_ns)


@njit(nogil=True)
def give_answers(session, out, most):
    """Descriptors of the answers that are at the router, oldest first; their number."""
    sim, count = get(session, SESSION.sim), np.int64(0)
    ready_ns = get(sim, HEAD.ready_ns)
    while count < most and next_answer_of(session) <= ready_ns:
        row = answer_row(session, get(session, SESSION.given))
        place = out + DESCRIPTOR_BYTES * count
        put(place, 0, row + SENT.data)
        put(place, 8, get(row, SENT.length))
        put(place, 16, get(row, SENT.time_ns))
        put(place, 24, 0)
        add(session, SESSION.given, 1)
        count += 1
    if count > 0:
        refresh_due(sim)
    return count


@cfunc(types.int32(types.int64, types.int64, types.uint32, types.uint64), cache=True)
def venue_tx(port, data, length, _cookie):
    """`tx` of a session: the message is on its way to the venue."""
    return np.int32(send_message(port, data, np.int64(length)))


@cfunc(types.int64(types.int64, types.int64, types.int64), cache=True)
def venue_rx_burst(port, out, most):
    """`rx_burst` of a session: answers up to the time that the last step came to."""
    return give_answers(port, out, most)


@cfunc(types.void(types.int64, types.int64, types.int64), cache=True)
def venue_release(_port, _frames, _count):
    """`release` of a session: answers stay until their slots are written again."""


@cfunc(types.int32(types.int64), cache=True)
def venue_thread_init(_port):
    """`thread_init` of a session."""
    return np.int32(0)


@cfunc(types.int64(*[types.int64] * 5), cache=True)
def venue_step(sim, until_ns, _third, _fourth, _fifth):
    """What happens up to `until_ns`, no further than the next answer; bits of sessions with some.

    With five arguments, for `nic.call.call_kernel`; the last three mean nothing.
    """
    return step_to(sim, until_ns)


@cfunc(types.int64(*[types.int64] * 5), cache=True)
def venue_note(sim, venue, actions, count, now_ns):
    """A packet of a market venue, before its books have it; 1 where a venue of ours is there."""
    if venue < 0 or venue >= MARKET_VENUES:
        return np.int64(0)
    number = get(sim + 8 * venue, HEAD.market_to_venue)
    if number < 0:
        return np.int64(0)
    note_packet(sim, venue_of(sim, number), actions, count, now_ns)
    put(sim, HEAD.due_ns, min(next_event_ns(sim), next_answer_ns(sim)))
    return np.int64(1)
