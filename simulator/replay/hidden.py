"""What waits unseen at the midpoint: sizes that come and go, drawn by seed.

Each venue, instrument and side has a process of its own. A size is drawn, stands for a time that is
drawn, and gives way to the next; what we take of it is gone until then. The k-th draw depends on
the seed, the place and k alone. Times are drawn from an exponential distribution, so a process may
begin, or begin again after nobody looked for long, at any moment.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import CROSSED, RECORD_NATIONAL_BID, RECORD_STATE
from nic.raw import load_i64le, load_n8, wrapping_product
from router.orders.midpoints import middle
from router.rows import add, get, put
from router.tables import AT_MIDPOINT
from simulator.matching.speed import next_random
from simulator.replay.answers import fill
from simulator.replay.layout import DRAWS, HEAD, HIDDEN, HIDDEN_BYTES, ORDER, VENUE
from simulator.replay.rows import answer_room

TENTH_OF_A_MIL = 10_000  # wires have four decimals
MOST_SKIPPED = 64  # renewals that are gone through one by one
BY_VENUE, BY_PLACE, BY_COUNT = 0x5851F42D4C957F2D, 0x2545F4914F6CDD1D, 0x1D8E4E27C47D124F


@njit(nogil=True)
def midpoint(sim, instrument):
    """The midpoint of the national best, in tenths of a mil rounded down; 0: there is none."""
    record = record_address(get(sim, HEAD.market), instrument)
    best = record + RECORD_NATIONAL_BID
    if load_n8(record + RECORD_STATE) == CROSSED:
        return np.int64(0)
    between = middle(best)
    return between - between % TENTH_OF_A_MIL


@njit(nogil=True)
def draw(sim, venue, row, place, now_ns):
    """The next size of a process and the time that it stands."""
    count = get(row, HIDDEN.count) + 1
    put(row, HIDDEN.count, count)
    mixed = wrapping_product(get(venue, VENUE.number) + 1, BY_VENUE)
    mixed ^= wrapping_product(place, BY_PLACE) ^ wrapping_product(count, BY_COUNT)
    put(sim, HEAD.draw, mixed ^ get(sim, HEAD.seed))
    random = next_random(sim + HEAD.draw)
    sizes, waits = get(venue, VENUE.sizes), get(venue, VENUE.waits)
    put(row, HIDDEN.size, load_i64le(sizes + 8 * (random & (DRAWS - 1))))
    put(row, HIDDEN.next_ns, now_ns + load_i64le(waits + 8 * ((random // DRAWS) & (DRAWS - 1))))


@njit(nogil=True)
def process_of(sim, venue, instrument, side, now_ns):
    """The process of a side, brought to the time; 0 where the venue has none."""
    rows = get(venue, VENUE.hidden)
    if rows == 0:
        return np.int64(0)
    place = 2 * instrument + side - 1
    row = rows + HIDDEN_BYTES * place
    if get(row, HIDDEN.count) == 0:
        draw(sim, venue, row, place, now_ns)
    skipped = 0
    while get(row, HIDDEN.next_ns) <= now_ns:
        skipped += 1
        from_ns = get(row, HIDDEN.next_ns) if skipped < MOST_SKIPPED else now_ns
        draw(sim, venue, row, place, from_ns)
    return row


@njit(nogil=True)
def take_hidden(sim, order, now_ns):
    """An order meets what waits on the other side, if that is enough and the midpoint in its limit.

    Gives when there will be something new, 0 where that is never.
    """
    venue, side = get(order, ORDER.venue), get(order, ORDER.side)
    instrument, limit = get(order, ORDER.instrument), get(order, ORDER.price)
    row = process_of(sim, venue, instrument, 3 - side, now_ns)
    if row == 0:
        return np.int64(0)
    price = midpoint(sim, instrument)
    over = price > limit if side == 1 else price < limit
    if price == 0 or (limit != 0 and over):
        return get(row, HIDDEN.next_ns)
    shares = min(get(order, ORDER.leaves), get(row, HIDDEN.size))
    least = min(get(order, ORDER.minimum), get(order, ORDER.leaves))
    if shares > 0 and shares >= least:
        if answer_room(get(order, ORDER.session)) < 2:
            add(sim, HEAD.untaken, 1)
        else:
            put(row, HIDDEN.size, get(row, HIDDEN.size) - shares)
            fill(sim, order, shares, price, AT_MIDPOINT, now_ns)
    return get(row, HIDDEN.next_ns)
