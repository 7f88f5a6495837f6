"""Requests as they come to a venue: orders, replaces, cancels, and why they are refused."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY, SELL
from router.rows import add, get, put
from router.tables import POST_ONLY
from simulator.matching.speed import chance
from simulator.replay.answers import cancel_shares, refuse, say_accepted, say_replaced
from simulator.replay.layout import (
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_SIDE,
    BY_OWNER,
    CANCEL,
    DUPLICATE_TOKEN,
    ENTER,
    ENTERING,
    FULL,
    HEAD,
    NO_REASON,
    ORDER,
    ORDER_BYTES,
    OVER,
    REFUSED,
    REPLACE,
    REQUEST,
    RESTING,
    SESSION,
    SIZE_DOWN_KEEPS,
    SLIDES,
    TOKEN,
    UNKNOWN_INSTRUMENT,
    UNKNOWN_ORDER,
    VENUE,
    WOULD_TAKE,
)
from simulator.replay.resting import is_pegged, unchain
from simulator.replay.rows import (
    answer_room,
    has_rule,
    name_order,
    order_of_token,
    order_row,
    token_slot,
)
from simulator.replay.shown import best_open, own_number, why_no_trading
from simulator.replay.working import work

LEAST_ROOM = 2  # answers: that it is accepted, and its end


@njit(nogil=True)
def tick_at(venue, price):
    """The least step of prices at a price."""
    tick = np.int64(1)
    for number in range(get(venue, VENUE.tick_count)):
        band = venue + VENUE.ticks + 16 * number
        if price >= get(band, 0):
            tick = get(band, 8)
    return tick


@njit(nogil=True)
def why_bad_terms(venue, side, price, quantity, pegged):
    """What is wrong with price, side or size of an order."""
    if side != BUY and side != SELL:
        return BAD_SIDE
    if quantity <= 0 or quantity > get(venue, VENUE.most_shares):
        return BAD_QUANTITY
    if price < 0 or (price != 0 and not pegged and price % tick_at(venue, price) != 0):
        return BAD_PRICE
    return NO_REASON


@njit(nogil=True)
def knows_instrument(sim, venue, instrument):
    """Whether a venue trades an instrument: one without a feed all, another what it spoke of."""
    if instrument <= 0 or instrument >= get(sim, HEAD.instrument_count):
        return False
    return get(venue, VENUE.quotes) < 0 or own_number(sim, venue, instrument) != 0


@njit(nogil=True)
def posted_price(sim, order, now_ns):
    """The price at which a post-only order takes nothing; -1 where it is refused instead."""
    price, side = get(order, ORDER.price), get(order, ORDER.side)
    venue, instrument = get(order, ORDER.venue), get(order, ORDER.instrument)
    if get(order, ORDER.flags) & POST_ONLY == 0 or is_pegged(order):
        return price
    best = best_open(sim, venue, instrument, 3 - side, now_ns)
    if best == 0 or (price != 0 and (price < best if side == BUY else price > best)):
        return price
    if not has_rule(venue, SLIDES):
        return np.int64(-1)
    slid = best + tick_at(venue, best)
    if side == BUY:
        slid = best - tick_at(venue, best - 1)
    return slid if slid > 0 else np.int64(-1)


@njit(nogil=True)
def why_refused(sim, session, order, now_ns):
    """Why a venue does not take an order whose row is filled in; its price may be moved."""
    venue, instrument = get(order, ORDER.venue), get(order, ORDER.instrument)
    if chance(get(venue, VENUE.troubles), get(venue, VENUE.reject_chance)):
        return REFUSED
    if not knows_instrument(sim, venue, instrument):
        return UNKNOWN_INSTRUMENT
    side, price, leaves = get(order, ORDER.side), get(order, ORDER.price), get(order, ORDER.leaves)
    reason = why_bad_terms(venue, side, price, leaves, is_pegged(order))
    if reason == NO_REASON:
        reason = why_no_trading(sim, venue, instrument)
    if reason != NO_REASON:
        return reason
    price = posted_price(sim, order, now_ns)
    if price < 0:
        return WOULD_TAKE
    put(order, ORDER.price, price)
    return NO_REASON


@njit(nogil=True)
def set_terms(session, request, order, number):
    """A blank order with what a request says of it."""
    for offset in range(0, ORDER_BYTES, 8):
        put(order, offset, 0)
    put(order, ORDER.session, session)
    put(order, ORDER.venue, get(session, SESSION.venue))
    put(order, ORDER.number, number)
    put(order, ORDER.token, get(request, REQUEST.token))
    put(order, ORDER.instrument, get(request, REQUEST.instrument))
    put(order, ORDER.side, get(request, REQUEST.side))
    put(order, ORDER.quantity, get(request, REQUEST.quantity))
    put(order, ORDER.leaves, get(request, REQUEST.quantity))
    put(order, ORDER.price, get(request, REQUEST.price))
    put(order, ORDER.tif, get(request, REQUEST.tif))
    put(order, ORDER.flags, get(request, REQUEST.flags))
    put(order, ORDER.minimum, max(np.int64(0), get(request, REQUEST.minimum)))
    put(order, ORDER.shown, max(np.int64(0), get(request, REQUEST.shown)))
    put(order, ORDER.state, ENTERING)


@njit(nogil=True)
def has_room(sim, session):
    """Whether there is room for the token and the answers of an order or a replace."""
    tokens = get(sim, HEAD.token_count) < get(sim, HEAD.most_tokens)
    return tokens and answer_room(session) >= LEAST_ROOM


@njit(nogil=True)
def enter(sim, session, now_ns):
    """A new order."""
    request, number = sim + HEAD.request, get(sim, HEAD.order_count) + 1
    if number >= get(sim, HEAD.most_orders) or not has_room(sim, session):
        add(sim, HEAD.full, 1)
        refuse(sim, session, FULL, now_ns)
        return
    token = get(request, REQUEST.token)
    if get(token_slot(sim, session, token), TOKEN.session) != 0:
        add(sim, HEAD.ignored, 1)
        return
    order = order_row(sim, number)
    set_terms(session, request, order, number)
    reason = why_refused(sim, session, order, now_ns)
    if reason != NO_REASON:
        refuse(sim, session, reason, now_ns)
        return
    put(sim, HEAD.order_count, number)
    name_order(sim, session, token, number)
    say_accepted(sim, order, now_ns)
    work(sim, order, now_ns)


@njit(nogil=True)
def standing(sim, session, token):
    """The order that a token names and that is not over; 0: none."""
    order = order_of_token(sim, session, token)
    if order == 0 or get(order, ORDER.token) != token or get(order, ORDER.state) != RESTING:
        return np.int64(0)
    return order


@njit(nogil=True)
def cancel(sim, session, now_ns):
    """An order is to go, or to come down to a whole size."""
    request = sim + HEAD.request
    order = standing(sim, session, get(request, REQUEST.token))
    if order == 0:
        refuse(sim, session, UNKNOWN_ORDER, now_ns)
        return
    left = max(np.int64(0), get(request, REQUEST.quantity) - get(order, ORDER.executed))
    if get(request, REQUEST.quantity) == 0:
        left = np.int64(0)
    shares = get(order, ORDER.leaves) - left
    if shares <= 0:
        refuse(sim, session, BAD_QUANTITY, now_ns)
        return
    put(order, ORDER.slice, min(get(order, ORDER.slice), left))
    cancel_shares(sim, order, shares, BY_OWNER, now_ns)
    if get(order, ORDER.state) == OVER:
        unchain(sim, order)


@njit(nogil=True)
def trial(sim, session, order):
    """A row behind the last order with the terms that a replace would give one; its address."""
    request, made = sim + HEAD.request, order_row(sim, get(sim, HEAD.order_count) + 1)
    set_terms(session, request, made, get(order, ORDER.number))
    put(made, ORDER.instrument, get(order, ORDER.instrument))
    put(made, ORDER.side, get(order, ORDER.side))
    put(made, ORDER.tif, get(order, ORDER.tif))
    put(made, ORDER.flags, get(order, ORDER.flags))
    left = get(request, REQUEST.quantity) - get(order, ORDER.executed)
    put(made, ORDER.leaves, left)
    return made


@njit(nogil=True)
def apply_replace(sim, session, order, price, left, now_ns):
    """An order has new terms: in its place where the venue leaves it there, else as a new one."""
    request, old_token = sim + HEAD.request, get(order, ORDER.token)
    same = get(order, ORDER.price) == price and left <= get(order, ORDER.leaves)
    keeps = same and has_rule(get(order, ORDER.venue), SIZE_DOWN_KEEPS)
    token = get(request, REQUEST.token)
    name_order(sim, session, token, get(order, ORDER.number))
    put(order, ORDER.token, token)
    put(order, ORDER.quantity, get(request, REQUEST.quantity))
    put(order, ORDER.leaves, left)
    put(order, ORDER.price, price)
    if keeps:
        put(order, ORDER.slice, min(get(order, ORDER.slice), left))
        say_replaced(sim, order, old_token, now_ns)
        return
    unchain(sim, order)
    say_replaced(sim, order, old_token, now_ns)
    work(sim, order, now_ns)


@njit(nogil=True)
def replace(sim, session, now_ns):
    """An order is to have another size or price, under another token."""
    request = sim + HEAD.request
    order = standing(sim, session, get(request, REQUEST.old_token))
    if order == 0:
        refuse(sim, session, UNKNOWN_ORDER, now_ns)
        return
    if not has_room(sim, session):
        add(sim, HEAD.full, 1)
        refuse(sim, session, FULL, now_ns)
        return
    if get(token_slot(sim, session, get(request, REQUEST.token)), TOKEN.session) != 0:
        refuse(sim, session, DUPLICATE_TOKEN, now_ns)
        return
    if 0 < get(request, REQUEST.quantity) <= get(order, ORDER.executed):
        cancel_shares(sim, order, get(order, ORDER.leaves), BY_OWNER, now_ns)
        unchain(sim, order)
        return
    made = trial(sim, session, order)
    reason = why_refused(sim, session, made, now_ns)
    if reason != NO_REASON:
        refuse(sim, session, reason, now_ns)
        return
    left = get(made, ORDER.leaves)
    apply_replace(sim, session, order, get(made, ORDER.price), left, now_ns)


@njit(nogil=True)
def hear(sim, session, now_ns):
    """What the head's request asks for."""
    kind = get(sim + HEAD.request, REQUEST.kind)
    add(get(session, SESSION.venue), VENUE.arrived, 1)
    if answer_room(session) == 0:
        add(sim, HEAD.full, 1)
        return
    if kind == ENTER:
        enter(sim, session, now_ns)
    elif kind == REPLACE:
        replace(sim, session, now_ns)
    elif kind == CANCEL:
        cancel(sim, session, now_ns)
    else:
        add(sim, HEAD.unread, 1)
