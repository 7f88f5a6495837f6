"""An order that a venue has accepted trades with what is there, then rests or ends."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from feedhandler.books.farlevels import far_count
from feedhandler.books.ladder import better, ladder_address, level_address, window_bits
from feedhandler.books.layout import LEVEL_QUANTITY
from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import RECORD_NATIONAL_BID, RECORD_NATIONAL_OFFER
from nic.raw import load_i64le
from router.rows import get, put
from router.tables import FOK, IOC, ISO, POST_ONLY, REMOVED
from simulator.replay.answers import cancel_shares, fill
from simulator.replay.hidden import midpoint, take_hidden
from simulator.replay.layout import (
    ENTERING,
    FOK_NOT_FILLED,
    HEAD,
    IOC_REMAINDER,
    MOST_TAKEN,
    NO_REFERENCE,
    ORDER,
    PROTECTS,
    VENUE,
)
from simulator.replay.resting import is_pegged, next_renewal, rest_lit, rest_pegged
from simulator.replay.rows import answer_room, has_rule
from simulator.replay.shown import (
    book_of,
    is_live,
    limit_key,
    open_at,
    own_number,
    reachable,
    remember,
)


@njit(nogil=True)
def taking_limit(sim, order):
    """The worst price that an order may take here: its own, or the national best elsewhere."""
    price, side = get(order, ORDER.price), get(order, ORDER.side)
    venue = get(order, ORDER.venue)
    if not has_rule(venue, PROTECTS) or get(order, ORDER.flags) & ISO != 0:
        return price
    record = record_address(get(sim, HEAD.market), get(order, ORDER.instrument))
    best = record + (RECORD_NATIONAL_OFFER if side == BUY else RECORD_NATIONAL_BID)
    national = load_i64le(best)
    if load_i64le(best + 8) == 0:
        return price
    if price == 0:
        return national
    return min(price, national) if side == BUY else max(price, national)


@njit(nogil=True)
def levels_allowed(order):
    """How many levels an order can take, by the answers and memories there is room for.

    An answer is kept for what ends it.
    """
    free = MOST_TAKEN - get(get(order, ORDER.venue), VENUE.taken_count)
    return min(answer_room(get(order, ORDER.session)) - 1, free)


@njit(nogil=True)
def take_levels(sim, order, limit, levels, now_ns):
    """Takes what is displayed up to a price, best first, from up to so many levels."""
    venue, instrument = get(order, ORDER.venue), get(order, ORDER.instrument)
    number = own_number(sim, venue, instrument)
    if number == 0 or not is_live(sim, venue, instrument):
        return
    side = get(order, ORDER.side)
    contra, worst = 3 - side, limit_key(limit, side)
    book = book_of(sim, venue)
    row = ladder_address(book, 2 * number + contra - 1)
    level, key, bits, far = better(row, window_bits(row), far_count(row))
    while level != 0 and key >= worst and get(order, ORDER.leaves) > 0 and levels > 0:
        address = level_address(book, level)
        price, shown = load_i64le(address), load_i64le(address + LEVEL_QUANTITY)
        there = open_at(sim, venue, instrument, contra, price, shown, now_ns)
        shares = min(there, get(order, ORDER.leaves))
        if shares > 0 and remember(sim, venue, instrument, contra, price, shares, now_ns):
            fill(sim, order, shares, price, REMOVED, now_ns)
            levels -= 1
        level, key, bits, far = better(row, bits, far)


@njit(nogil=True)
def least_taken(order):
    """How many shares an order must be able to take to take any."""
    leaves = get(order, ORDER.leaves)
    if get(order, ORDER.tif) == FOK:
        return leaves
    if get(order, ORDER.tif) == IOC:
        return min(get(order, ORDER.minimum), leaves)
    return np.int64(0)


@njit(nogil=True)
def take_shown(sim, order, now_ns):
    """An order trades with what is displayed."""
    limit, levels, least = taking_limit(sim, order), levels_allowed(order), least_taken(order)
    if least > 0:
        venue, instrument = get(order, ORDER.venue), get(order, ORDER.instrument)
        side = get(order, ORDER.side)
        if reachable(sim, venue, instrument, side, limit, least, levels, now_ns) < least:
            return
    take_levels(sim, order, limit, levels, now_ns)


@njit(nogil=True)
def meet_hidden(sim, order, now_ns):
    """A midpoint order trades with what waits unseen; gives when to look again."""
    waits = get(order, ORDER.flags) & POST_ONLY != 0
    if waits:
        return next_renewal(sim, order, now_ns)
    if get(order, ORDER.tif) == FOK:
        put(order, ORDER.minimum, get(order, ORDER.leaves))
    return take_hidden(sim, order, now_ns)


@njit(nogil=True)
def end_rest(sim, order, pegged, now_ns):
    """What an order that must not rest could not trade is canceled."""
    reason = FOK_NOT_FILLED if get(order, ORDER.tif) == FOK else IOC_REMAINDER
    if pegged and midpoint(sim, get(order, ORDER.instrument)) == 0:
        reason = NO_REFERENCE
    cancel_shares(sim, order, get(order, ORDER.leaves), reason, now_ns)


@njit(nogil=True)
def work(sim, order, now_ns):
    """An order trades with what is there; the rest of it rests or is canceled.

    There is room for two answers at least.
    """
    put(order, ORDER.state, ENTERING)
    put(order, ORDER.entered_ns, now_ns)
    pegged, next_ns = is_pegged(order), np.int64(0)
    if pegged:
        next_ns = meet_hidden(sim, order, now_ns)
    else:
        take_shown(sim, order, now_ns)
    if get(order, ORDER.leaves) == 0:
        return
    tif = get(order, ORDER.tif)
    if tif == IOC or tif == FOK or (get(order, ORDER.price) == 0 and not pegged):
        end_rest(sim, order, pegged, now_ns)
    elif pegged:
        rest_pegged(sim, order, next_ns, now_ns)
    else:
        rest_lit(sim, order)
