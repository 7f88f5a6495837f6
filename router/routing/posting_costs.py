"""What posting at a venue is expected to cost, against the midpoint, beside taking now.

After Cont and Kukanov, "Optimal order placement in limit order markets" (2017): a limit order of L
shares behind a queue of Q executes min(max(X - Q, 0), L) of them, X being the shares executed (and
hidden ones before ours) within the horizon; what is not executed is taken at the end. X is taken to
be exponential with mean m, the rate of executions times the horizon, so that the shares from a to b
of an order have the chance

    P = m / (b - a) x (exp(-(Q + a) / m) - exp(-(Q + b) / m))

and a share costs  P x filled + (1 - P) x take,  where

    filled = price against the midpoint + the fee for adding (a rebate is below 0) + drift
    take   = far side against the midpoint + the least fee for taking it
    drift  = how far the midpoint has moved against executed orders of the venue and side

Chances are in PART, money in 1e-8 units a share, always from the buyer's or seller's own side: more
is worse.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.layout import QUOTE_PROTECTED
from router.routing.hidden import halved
from router.routing.learning import CHOICE
from router.routing.posting_prices import national
from router.routing.posting_queue import quote_row
from router.routing.prices import fee_at
from router.rows import get, venue_row
from router.tables import HEAD, PART, TIER, VENUE

LOG2E_MILLIONTHS = 1_442_695
SMALL = 32
MOST_QUEUE = 1_000_000_000  # shares
MOST_COST = 1 << 42
CHANCE_STEP = 1000  # costs are weighed in 1e-6
CHANCES = PART // CHANCE_STEP


@njit(nogil=True, error_model="numpy")
def survival(shares, outflow):
    """exp(-shares / outflow) in PART; `outflow` in 1/1000 of a share, at least 1."""
    return halved(np.int64(PART), min(shares, MOST_QUEUE) * LOG2E_MILLIONTHS // 1000, outflow)


@njit(nogil=True, error_model="numpy")
def fill_chance(outflow, queue, size):
    """Expected part of `size` shares behind a queue that executes, in PART."""
    if outflow <= 0 or size <= 0:
        return np.int64(0)
    if size * 1000 * SMALL < outflow:  # two terms of the series, where differences lose digits
        return survival(queue, outflow) * (2 * outflow - size * 1000) // (2 * outflow)
    gone = survival(queue, outflow) - survival(queue + size, outflow)
    return min(max(outflow * gone // (size * 1000), 0), PART)


@njit(nogil=True)
def clamped(cost):
    """A cost that products have room for."""
    return min(max(cost, -MOST_COST), MOST_COST)


@njit(nogil=True, error_model="numpy")
def share_cost(chance, filled, take):
    """Expected cost of a share that executes with a chance and is taken otherwise."""
    return take + (filled - take) * (chance // CHANCE_STEP) // CHANCES


@njit(nogil=True)
def part_cost(row, begin, size, take):
    """Expected cost of a share of the part of an order that begins so many shares behind its front.

    `row` is the venue's in the scratch of the decision.
    """
    chance = fill_chance(get(row, CHOICE.outflow), get(row, CHOICE.queue) + begin, size)
    return share_cost(chance, get(row, CHOICE.filled), take)


@njit(nogil=True)
def take_cost(router, instrument, side, mid):
    """What taking the far side costs a share: half the spread and the least fee of who is there."""
    market, far_side = get(router, HEAD.market), 3 - side
    far = national(router, instrument, far_side)
    fee, found = np.int64(0), False
    for venue in range(get(router, HEAD.venue_count)):
        at = venue_row(router, venue)
        number = get(at, VENUE.quotes)
        if number < 0 or get(at, VENUE.dark) != 0 or get(at, VENUE.down) != 0:
            continue
        quote = quote_row(market, number, instrument) + QUOTE_PROTECTED + 16 * (far_side - 1)
        if get(quote, 8) == 0 or get(quote, 0) != far:
            continue
        removed = fee_at(at, TIER.removed, far)
        fee = removed if not found else min(fee, removed)
        found = True
    return clamped((far - mid if side == BUY else mid - far) + fee)
