"""An order takes what the other side has: by price, then displayed before hidden, then time."""

from __future__ import annotations

from numba import njit

from feedhandler.books.farlevels import far_count, far_key, far_level
from feedhandler.books.ladder import key_of_price, ladder_address
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le
from simulator.matching import records as r
from simulator.matching.layout import (
    INSTRUMENT,
    LEAVES,
    MINIMUM,
    NEXT,
    PRICE,
    REFRESH_AT_ONCE,
    RESERVED,
    RULES,
    SHOWN,
    SIDE,
)
from simulator.matching.rows import marked, order_at, queue_at
from simulator.matching.trading import finish_refresh, prevent, self_trade_mode, trade


@njit(nogil=True, forceinline=True)
def other_ladder(order):
    """Number of the ladder that an order takes from."""
    return 2 * load_n32le(order + INSTRUMENT) + 2 - load_n8(order + SIDE)


@njit(nogil=True, forceinline=True)
def least_of(order):
    """The fewest shares that a resting order gives at once."""
    return min(load_i64le(order + MINIMUM), load_i64le(order + LEAVES))


@njit(nogil=True)
def meet(state, order, resting, shares):
    """Trades, or prevents a self-trade."""
    mode = self_trade_mode(order, resting)
    if mode != r.STP_NONE:
        prevent(state, order, resting, mode)
    else:
        trade(state, order, resting, shares)


@njit(nogil=True)
def take_shown(state, order, queue):
    """Takes from the displayed queue of a level; slices shown anew are met again at its end."""
    number = load_n32le(queue)
    while number != 0 and load_i64le(order + LEAVES) != 0:
        resting = order_at(state, number)
        meet(state, order, resting, min(load_i64le(order + LEAVES), load_i64le(resting + SHOWN)))
        number = load_n32le(queue)


@njit(nogil=True)
def take_hidden(state, order, queue):
    """Takes from the hidden queue of a level, passing by those that want more than is left."""
    number = load_n32le(queue)
    while number != 0 and load_i64le(order + LEAVES) != 0:
        resting = order_at(state, number)
        number = load_n32le(resting + NEXT)
        left = load_i64le(order + LEAVES)
        if least_of(resting) <= left:
            meet(state, order, resting, min(left, load_i64le(resting + LEAVES)))


@njit(nogil=True)
def take_all(state, order):
    """Takes until nothing within the order's price is left for it."""
    ladder = other_ladder(order)
    row = ladder_address(state, ladder)
    place = far_count(row) - 1
    if place < 0:
        return
    limit = key_of_price(load_i64le(order + PRICE), ladder)
    while place >= 0 and load_i64le(order + LEAVES) != 0:
        if far_key(row, place) < limit:
            break
        queue = queue_at(state, far_level(row, place))
        take_shown(state, order, queue)
        take_hidden(state, order, queue + 8)
        place -= 1
    finish_refresh(state)


@njit(nogil=True)
def gives_some(state, order, queue):
    """Whether any order of a level would trade with an order."""
    if load_n32le(queue) != 0:
        return True
    number, leaves = load_n32le(queue + 8), load_i64le(order + LEAVES)
    while number != 0:
        resting = order_at(state, number)
        if least_of(resting) <= leaves:
            return True
        number = load_n32le(resting + NEXT)
    return False


@njit(nogil=True)
def first_price(state, order):
    """The best price at which an order would take; 0: it would take nothing."""
    ladder = other_ladder(order)
    row = ladder_address(state, ladder)
    place, limit = (far_count(row) - 1, key_of_price(load_i64le(order + PRICE), ladder))
    while place >= 0:
        key = far_key(row, place)
        if key < limit:
            return 0
        if gives_some(state, order, queue_at(state, far_level(row, place))):
            return key_of_price(key, ladder)
        place -= 1
    return 0


@njit(nogil=True)
def reach_queue(state, order, number, left, hidden):
    """What an order with `left` shares gets from a queue, counted without taking it.

    Gives (shares got, shares left, reserves passed by, whether its way ends here).
    """
    got, behind = 0, 0
    at_once = load_fixed(state + RULES) & REFRESH_AT_ONCE != 0
    while number != 0 and left > 0:
        resting = order_at(state, number)
        number = load_n32le(resting + NEXT)
        if hidden and least_of(resting) > left:
            continue
        mode, leaves = self_trade_mode(order, resting), load_i64le(resting + LEAVES)
        if mode == r.STP_CANCEL_NEW or mode == r.STP_CANCEL_BOTH:
            return got, left, behind, True
        if mode == r.STP_DECREMENT:
            left -= min(left, leaves)
        elif mode == r.STP_NONE:
            ready = leaves
            if not hidden and not at_once and marked(resting, RESERVED):
                ready = load_i64le(resting + SHOWN)
                behind += leaves - ready
            got += min(left, ready)
            left -= min(left, ready)
    return got, left, behind, False


@njit(nogil=True)
def reach(state, order):
    """How many shares an order would get."""
    ladder = other_ladder(order)
    row = ladder_address(state, ladder)
    place, limit = (far_count(row) - 1, key_of_price(load_i64le(order + PRICE), ladder))
    total, left = 0, load_i64le(order + LEAVES)
    while place >= 0 and left > 0 and far_key(row, place) >= limit:
        queue = queue_at(state, far_level(row, place))
        got, left, behind, ends = reach_queue(state, order, load_n32le(queue), left, False)
        total += got
        if not ends:
            hidden = load_n32le(queue + 8)
            got, left, _, ends = reach_queue(state, order, hidden, left, True)
            total += got
        if ends:
            break
        total += min(left, behind)
        left -= min(left, behind)
        place -= 1
    return total
