"""Small steps on the tables of replayed venues: rows, the heap of events, tokens."""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.dueheap import DUE, heap_drop, heap_push
from nic.raw import wrapping_product
from router.rows import add, get, put
from simulator.replay.layout import (
    HEAD,
    MESSAGE,
    MESSAGE_SLOT_BYTES,
    NEVER,
    ORDER_BYTES,
    SENT,
    SENT_BYTES,
    SESSION,
    SESSION_BYTES,
    TOKEN,
    TOKEN_BYTES,
    VENUE,
    VENUE_BYTES,
)

SCATTER = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT = 20


@njit(nogil=True, forceinline=True)
def order_row(sim, number):
    """Where an order is."""
    return get(sim, HEAD.orders) + ORDER_BYTES * number


@njit(nogil=True, forceinline=True)
def venue_of(sim, number):
    """Where a venue is."""
    return get(sim, HEAD.venues) + VENUE_BYTES * number


@njit(nogil=True, forceinline=True)
def session_of(sim, number):
    """Where a session is."""
    return get(sim, HEAD.sessions) + SESSION_BYTES * number


@njit(nogil=True, forceinline=True)
def has_rule(venue, rule):
    """Whether a venue has a rule."""
    return get(venue, VENUE.rules) & rule != 0


@njit(nogil=True)
def token_slot(sim, session, token):
    """The slot of a token of a session: its own, or the free one where it would go."""
    mask, table = get(sim, HEAD.token_mask), get(sim, HEAD.tokens)
    number = get(session, SESSION.number) + 1
    hashed = wrapping_product(token ^ (number << 48), SCATTER)
    slot = (hashed >> SCATTER_SHIFT) & mask
    while True:
        row = table + TOKEN_BYTES * slot
        if get(row, TOKEN.session) == 0:
            return row
        if get(row, TOKEN.session) == number and get(row, TOKEN.token) == token:
            return row
        slot = (slot + 1) & mask


@njit(nogil=True)
def order_of_token(sim, session, token):
    """The address of the order that a token of a session ever named; 0: none."""
    row = token_slot(sim, session, token)
    if get(row, TOKEN.session) == 0:
        return np.int64(0)
    return order_row(sim, get(row, TOKEN.order))


@njit(nogil=True)
def name_order(sim, session, token, number):
    """Notes which order a token is for."""
    row = token_slot(sim, session, token)
    put(row, TOKEN.session, get(session, SESSION.number) + 1)
    put(row, TOKEN.token, token)
    put(row, TOKEN.order, number)
    add(sim, HEAD.token_count, 1)


@njit(nogil=True)
def push_event(sim, time_ns, kind, who):
    """A new event; 1, or 0 where there is no room (counted)."""
    place = get(sim, HEAD.event_count)
    if place == get(sim, HEAD.most_events):
        add(sim, HEAD.full, 1)
        return 0
    heap_push(get(sim, HEAD.events), place, time_ns, get(sim, HEAD.event_number), kind, who)
    put(sim, HEAD.event_count, place + 1)
    add(sim, HEAD.event_number, 1)
    return 1


@njit(nogil=True)
def drop_event(sim):
    """Takes the first event off the heap."""
    count = get(sim, HEAD.event_count)
    heap_drop(get(sim, HEAD.events), count)
    put(sim, HEAD.event_count, count - 1)


@njit(nogil=True, forceinline=True)
def next_event_ns(sim):
    """When the first event is; NEVER."""
    if get(sim, HEAD.event_count) == 0:
        return NEVER
    return get(get(sim, HEAD.events), DUE.due_ns)


@njit(nogil=True, forceinline=True)
def message_row(sim, number):
    """Where the slot of a message is."""
    return get(sim, HEAD.messages) + MESSAGE_SLOT_BYTES * number


@njit(nogil=True)
def free_message(sim, number):
    """Gives a slot back."""
    put(message_row(sim, number), MESSAGE.next, get(sim, HEAD.free_message))
    put(sim, HEAD.free_message, number)


@njit(nogil=True, forceinline=True)
def answer_row(session, count):
    """Where the answer with a count is."""
    place = count & get(session, SESSION.answer_mask)
    return get(session, SESSION.answers) + SENT_BYTES * place


@njit(nogil=True, forceinline=True)
def answer_room(session):
    """How many more answers a session has room for."""
    waiting = get(session, SESSION.put) - get(session, SESSION.given)
    return get(session, SESSION.answer_mask) + 1 - waiting


@njit(nogil=True, forceinline=True)
def next_answer_of(session):
    """When the next answer is at the router; NEVER."""
    given = get(session, SESSION.given)
    if given == get(session, SESSION.put):
        return NEVER
    return get(answer_row(session, given), SENT.time_ns)


@njit(nogil=True)
def next_answer_ns(sim):
    """When the next answer of any session is at the router; NEVER."""
    first = NEVER
    for number in range(get(sim, HEAD.session_count)):
        first = min(first, next_answer_of(session_of(sim, number)))
    return first


@njit(nogil=True)
def refresh_due(sim):
    """Notes when the next thing happens."""
    put(sim, HEAD.due_ns, min(next_event_ns(sim), next_answer_ns(sim)))
