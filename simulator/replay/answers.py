"""What a venue tells the router: in words, then in bytes, on their way for as long as they take."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACCEPTED, CANCEL_REJECTED, CANCELED, EXECUTED, REJECTED, REPLACED
from router.rows import add, get, put
from simulator.matching.speed import pass_through
from simulator.replay.layout import (
    ANSWER,
    ANSWER_BYTES,
    CANCEL,
    ENTER,
    HEAD,
    NO_REASON,
    ORDER,
    OVER,
    REQUEST,
    SENT,
    SESSION,
    SILENT,
    UNKNOWN_ORDER,
    VENUE,
)
from simulator.replay.rows import answer_room, answer_row, has_rule
from simulator.replay.wires import write_answer


@njit(nogil=True)
def blank(sim, kind, now_ns):
    """The answer's words, all zero but its kind and time; their address."""
    answer = sim + HEAD.answer
    for offset in range(0, ANSWER_BYTES, 8):
        put(answer, offset, 0)
    put(answer, ANSWER.kind, kind)
    put(answer, ANSWER.time_ns, now_ns)
    return answer


@njit(nogil=True)
def send(sim, session):
    """The answer in the head's words leaves its venue. There is room for it."""
    answer = sim + HEAD.answer
    time_ns = get(answer, ANSWER.time_ns)
    put(answer, ANSWER.since_midnight, time_ns - get(session, SESSION.midnight_ns))
    row = answer_row(session, get(session, SESSION.put))
    length = write_answer(session, answer, row + SENT.data)
    if length <= 0:
        return
    outbound = get(get(session, SESSION.venue), VENUE.outbound)
    put(row, SENT.length, length)
    put(row, SENT.time_ns, pass_through(outbound, time_ns))
    add(session, SESSION.put, 1)
    add(sim, HEAD.answered, 1)


@njit(nogil=True)
def about_order(sim, order, kind, now_ns):
    """The answer's words on an order as it stands; their address."""
    answer = blank(sim, kind, now_ns)
    put(answer, ANSWER.token, get(order, ORDER.token))
    put(answer, ANSWER.instrument, get(order, ORDER.instrument))
    put(answer, ANSWER.side, get(order, ORDER.side))
    put(answer, ANSWER.quantity, get(order, ORDER.leaves))
    put(answer, ANSWER.price, get(order, ORDER.price))
    put(answer, ANSWER.leaves, get(order, ORDER.leaves))
    put(answer, ANSWER.executed, get(order, ORDER.executed))
    put(answer, ANSWER.order, get(order, ORDER.number))
    put(answer, ANSWER.whole, get(order, ORDER.quantity))
    put(answer, ANSWER.limit, get(order, ORDER.price))
    put(answer, ANSWER.tif, get(order, ORDER.tif))
    put(answer, ANSWER.flags, get(order, ORDER.flags))
    put(answer, ANSWER.minimum, get(order, ORDER.minimum))
    put(answer, ANSWER.shown, get(order, ORDER.shown))
    return answer


@njit(nogil=True)
def say_accepted(sim, order, now_ns):
    """An order stands."""
    about_order(sim, order, ACCEPTED, now_ns)
    send(sim, get(order, ORDER.session))


@njit(nogil=True)
def say_replaced(sim, order, old_token, now_ns):
    """An order stands with other terms under another token."""
    answer = about_order(sim, order, REPLACED, now_ns)
    put(answer, ANSWER.old_token, old_token)
    send(sim, get(order, ORDER.session))


@njit(nogil=True)
def fill(sim, order, shares, price, liquidity, now_ns):
    """Shares of an order are executed and told; it is over with the last of them."""
    venue = get(order, ORDER.venue)
    put(order, ORDER.leaves, get(order, ORDER.leaves) - shares)
    add(order, ORDER.executed, shares)
    add(venue, VENUE.fills, 1)
    add(venue, VENUE.executed, shares)
    add(sim, HEAD.executed, shares)
    add(sim, HEAD.execution_count, 1)
    if get(order, ORDER.leaves) == 0:
        put(order, ORDER.state, OVER)
    answer = about_order(sim, order, EXECUTED, now_ns)
    put(answer, ANSWER.quantity, shares)
    put(answer, ANSWER.price, price)
    put(answer, ANSWER.execution, get(sim, HEAD.execution_count))
    put(answer, ANSWER.liquidity, liquidity)
    send(sim, get(order, ORDER.session))


@njit(nogil=True)
def cancel_shares(sim, order, shares, reason, now_ns):
    """Open shares of an order are canceled and told; it is over with the last of them."""
    put(order, ORDER.leaves, get(order, ORDER.leaves) - shares)
    if get(order, ORDER.leaves) == 0:
        put(order, ORDER.state, OVER)
    answer = about_order(sim, order, CANCELED, now_ns)
    put(answer, ANSWER.quantity, shares)
    put(answer, ANSWER.reason, reason)
    send(sim, get(order, ORDER.session))


@njit(nogil=True)
def refuse(sim, session, reason, now_ns):
    """Refuses what the head's request asks for: an order, a replace or a cancel."""
    venue, request = get(session, SESSION.venue), sim + HEAD.request
    asked = get(request, REQUEST.kind)
    if reason == UNKNOWN_ORDER and asked == CANCEL and has_rule(venue, SILENT):
        add(sim, HEAD.ignored, 1)
        return
    if reason == NO_REASON or answer_room(session) == 0:
        add(sim, HEAD.ignored, 1)
        return
    answer = blank(sim, REJECTED if asked == ENTER else CANCEL_REJECTED, now_ns)
    put(answer, ANSWER.token, get(request, REQUEST.token))
    put(answer, ANSWER.old_token, get(request, REQUEST.old_token))
    put(answer, ANSWER.instrument, get(request, REQUEST.instrument))
    put(answer, ANSWER.side, get(request, REQUEST.side))
    put(answer, ANSWER.whole, get(request, REQUEST.quantity))
    put(answer, ANSWER.limit, get(request, REQUEST.price))
    put(answer, ANSWER.request, asked)
    put(answer, ANSWER.reason, reason)
    add(venue, VENUE.refused, 1)
    send(sim, session)
