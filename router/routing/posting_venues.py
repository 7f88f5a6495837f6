"""The venues where a parent can stand, each with its price there and what it is known for."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from router.routing.decisions import choice_row, new_choice
from router.routing.hidden import flow_row, hidden_size
from router.routing.learning import CHOICE, FLOW, LEARNING
from router.routing.parameters import HORIZON_NS, OFFSET_TICKS, PEG, PEG_BEHIND, PEG_IMPROVE
from router.routing.posting_costs import clamped, take_cost
from router.routing.posting_flows import midpoint, outflow
from router.routing.posting_prices import best_shown, national, on_tick, tick_of, trades, within
from router.routing.posting_queue import best_of_others, is_usable, queue_ahead
from router.routing.prices import fee_at
from router.rows import get, parent_row, put, venue_row
from router.tables import HEAD, PARENT, PLACES, POST_ONLY, TIER, VENUE


@njit(nogil=True)
def horizon_of(learning, of, now):
    """How long orders are given: the parent's horizon, at most up to its end."""
    horizon = get(of, PARENT.parameters + 8 * HORIZON_NS)
    end = get(of, PARENT.end_ns)
    if horizon <= 0:
        horizon = end - now if end > now else get(learning, LEARNING.horizon_ns)
    elif end > now:
        horizon = min(horizon, end - now)
    return min(horizon, np.int64(1) << 50)


@njit(nogil=True)
def peg_price(of, at, near, wall, limit):
    """Where an order stands at a venue: by the parent's peg, within the limit, never crossing.

    Args:
        of, at: rows of the parent and the venue.
        near: best price of the own side that is not only ours.
        wall: best price of the other side.
    """
    side, peg = get(of, PARENT.side), get(of, PARENT.parameters + 8 * PEG)
    step = tick_of(at, near) * max(get(of, PARENT.parameters + 8 * OFFSET_TICKS), 1)
    towards = step if side == BUY else -step
    price = near
    if peg == PEG_IMPROVE:
        price = near + towards
    elif peg == PEG_BEHIND:
        price = near - towards
    tick = tick_of(at, wall)
    price = within(side, price, wall - tick if side == BUY else wall + tick)
    return on_tick(at, side, within(side, price, limit))


@njit(nogil=True)
def gather_venues(router, learning, parent, limit):
    """Puts the lit venues where the parent can stand into the scratch rows: prices and queues.

    Gives how many there are; none without a national best.
    """
    of = parent_row(router, parent)
    instrument, side = get(of, PARENT.instrument), get(of, PARENT.side)
    market, count = get(router, HEAD.market), np.int64(0)
    if not trades(router, instrument):
        return count
    far = 3 - side
    near = best_of_others(router, parent, instrument, side)
    near = near if near != 0 else national(router, instrument, side)
    wall = within(side, national(router, instrument, far), best_shown(router, instrument, far))
    for venue in range(get(router, HEAD.venue_count)):
        at = venue_row(router, venue)
        number = get(at, VENUE.quotes)
        if number < 0 or get(at, VENUE.dark) != 0 or get(at, VENUE.down) != 0 or count == PLACES:
            continue
        price = peg_price(of, at, near, wall, limit)
        if price <= 0 or not is_usable(market, number, instrument):
            continue
        row = new_choice(learning, count, venue)
        queue = queue_ahead(market, number, instrument, side, price)
        put(row, CHOICE.believed, hidden_size(router, venue, instrument, side))
        put(row, CHOICE.price, price)
        put(row, CHOICE.queue, queue + get(row, CHOICE.believed))
        put(row, CHOICE.flags, POST_ONLY if get(at, VENUE.takes_post_only) == 1 else 0)
        count += 1
    return count


@njit(nogil=True)
def weigh_venues(router, learning, parent, count, now):
    """Puts what executing costs, and how likely it is, into the rows of the venues gathered.

    Gives what taking costs a share. A change of price alone needs none of this.
    """
    of = parent_row(router, parent)
    instrument, side = get(of, PARENT.instrument), get(of, PARENT.side)
    if count == 0:
        return np.int64(0)
    mid, horizon = midpoint(router, instrument), horizon_of(learning, of, now)
    for place in range(count):
        row = choice_row(learning, place)
        venue, price = get(row, CHOICE.venue), get(row, CHOICE.price)
        flow = flow_row(learning, venue, instrument, side)
        fee = fee_at(venue_row(router, venue), TIER.added, price)
        filled = (price - mid if side == BUY else mid - price) + fee + get(flow, FLOW.drift)
        put(row, CHOICE.outflow, outflow(learning, flow, horizon, now))
        put(row, CHOICE.filled, clamped(filled))
    return take_cost(router, instrument, side, mid)
