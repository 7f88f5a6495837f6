"""Orders of ours that rest: chained by venue, in a queue behind what is displayed, or unseen."""

from __future__ import annotations

import numpy as np
from numba import njit

from router.rows import add, get, put
from router.tables import ADDED, ADDED_HIDDEN, MIDPOINT, NOT_SHOWN
from simulator.replay.answers import cancel_shares, fill
from simulator.replay.hidden import process_of, take_hidden
from simulator.replay.layout import DARK, FULL, HEAD, HIDDEN, ORDER, OVER, RENEWAL, RESTING, VENUE
from simulator.replay.rows import answer_room, has_rule, push_event
from simulator.replay.shown import is_better, refresh_watch, shown_at


@njit(nogil=True, forceinline=True)
def is_pegged(order):
    """Whether an order trades at the midpoint alone."""
    dark = has_rule(get(order, ORDER.venue), DARK)
    return dark or get(order, ORDER.flags) & MIDPOINT != 0


@njit(nogil=True, forceinline=True)
def same_side(order, instrument, side):
    """Whether an order is on a side of an instrument."""
    return get(order, ORDER.instrument) == instrument and get(order, ORDER.side) == side


@njit(nogil=True)
def chain(sim, order):
    """Puts an order among the venue's resting ones: in front of the first with a worse price."""
    venue = get(order, ORDER.venue)
    instrument, side = get(order, ORDER.instrument), get(order, ORDER.side)
    price = get(order, ORDER.price)
    last, place = np.int64(0), get(venue, VENUE.first)
    while place != 0:
        if same_side(place, instrument, side) and is_better(side, price, get(place, ORDER.price)):
            break
        last, place = place, get(place, ORDER.next)
    put(order, ORDER.next, place)
    put(order, ORDER.last, last)
    if place != 0:
        put(place, ORDER.last, order)
    if last != 0:
        put(last, ORDER.next, order)
    else:
        put(venue, VENUE.first, order)
    put(order, ORDER.chained, 1)
    add(venue, VENUE.resting, 1)
    refresh_watch(sim, venue)


@njit(nogil=True)
def unchain(sim, order):
    """Takes an order out of the venue's resting ones, if it is one."""
    if get(order, ORDER.chained) == 0:
        return
    venue, place, last = get(order, ORDER.venue), get(order, ORDER.next), get(order, ORDER.last)
    if place != 0:
        put(place, ORDER.last, last)
    if last != 0:
        put(last, ORDER.next, place)
    else:
        put(venue, VENUE.first, place)
    put(order, ORDER.chained, 0)
    add(venue, VENUE.resting, -1)
    refresh_watch(sim, venue)


@njit(nogil=True)
def queue(sim, order, shown):
    """An order, or the next slice of it, goes to the end of what is displayed at its price."""
    leaves, slice_shares = get(order, ORDER.leaves), get(order, ORDER.shown)
    put(order, ORDER.slice, min(leaves, slice_shares) if slice_shares != 0 else leaves)
    put(order, ORDER.ahead, shown)


@njit(nogil=True)
def rest_lit(sim, order):
    """What is left of an order rests at its price."""
    venue, shown = get(order, ORDER.venue), np.int64(0)
    instrument, side = get(order, ORDER.instrument), get(order, ORDER.side)
    price = get(order, ORDER.price)
    if get(order, ORDER.flags) & NOT_SHOWN == 0:
        shown = shown_at(sim, venue, instrument, side, price)
    queue(sim, order, shown)
    put(order, ORDER.packet, 0)
    put(order, ORDER.state, RESTING)
    chain(sim, order)


@njit(nogil=True)
def rest_pegged(sim, order, next_ns, now_ns):
    """What is left of an order waits for the next hidden size; canceled where no event has room."""
    put(order, ORDER.state, RESTING)
    if next_ns == 0 or get(order, ORDER.timer) != 0:
        return
    if push_event(sim, next_ns, RENEWAL, get(order, ORDER.number)):
        put(order, ORDER.timer, 1)
    else:
        cancel_shares(sim, order, get(order, ORDER.leaves), FULL, now_ns)


@njit(nogil=True)
def next_renewal(sim, order, now_ns):
    """When the hidden size on the other side of an order is drawn anew; 0: never."""
    venue, contra = get(order, ORDER.venue), 3 - get(order, ORDER.side)
    row = process_of(sim, venue, get(order, ORDER.instrument), contra, now_ns)
    return get(row, HIDDEN.next_ns) if row != 0 else np.int64(0)


@njit(nogil=True)
def renewed(sim, order, trades, now_ns):
    """The hidden size that a resting order waited for has come."""
    put(order, ORDER.timer, 0)
    if get(order, ORDER.state) != RESTING:
        return
    next_ns = take_hidden(sim, order, now_ns) if trades else next_renewal(sim, order, now_ns)
    if get(order, ORDER.state) == RESTING:
        rest_pegged(sim, order, next_ns, now_ns)


@njit(nogil=True)
def trade_resting(sim, order, shares, now_ns):
    """Up to so many shares of a resting order trade at its price; gives how many."""
    hidden = get(order, ORDER.flags) & NOT_SHOWN != 0
    traded = np.int64(0)
    while traded < shares and get(order, ORDER.leaves) > 0:
        if answer_room(get(order, ORDER.session)) < 2:
            add(sim, HEAD.untaken, 1)
            break
        part = min(shares - traded, get(order, ORDER.slice))
        put(order, ORDER.slice, get(order, ORDER.slice) - part)
        price = get(order, ORDER.price)
        fill(sim, order, part, price, ADDED_HIDDEN if hidden else ADDED, now_ns)
        traded += part
        if get(order, ORDER.slice) == 0 and get(order, ORDER.leaves) > 0:
            queue(sim, order, shown_of(sim, order))
            if get(order, ORDER.ahead) > 0:
                break
    if get(order, ORDER.state) == OVER:
        unchain(sim, order)
    return traded


@njit(nogil=True)
def shown_of(sim, order):
    """Displayed shares at the order's price, less those that left in this packet."""
    if get(order, ORDER.flags) & NOT_SHOWN != 0:
        return np.int64(0)
    venue, side = get(order, ORDER.venue), get(order, ORDER.side)
    instrument, price = get(order, ORDER.instrument), get(order, ORDER.price)
    gone = np.int64(0)
    if get(order, ORDER.packet) == get(sim, HEAD.packet):
        gone = get(order, ORDER.gone)
    return max(np.int64(0), shown_at(sim, venue, instrument, side, price) - gone)
