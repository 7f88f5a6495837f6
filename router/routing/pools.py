"""The cheapest way to take a number of shares from several ladders whose lots differ, exactly.

A *box* says for each place how many shares at least and at most; in it every place's cost is convex
in its shares. Lots form a chain, each a multiple of the one before (1, 10, 100). Then greed is
exact, lot by lot:

1. Taking places of one lot in order of their marginal cost is exact, and what that costs is convex
   in the number of lots: they are one *pool*, as good as one place.
2. What is asked of all must leave a remainder by the next larger lot, and only the pool of the
   smaller ones can give it. It gives its cheapest shares.
3. Beyond that remainder the pool gives whole lots of the next size. A convex function on every
   n-th number is convex, so the pool is a ladder of that lot and joins the places that have it: 1.

At most as many shares as fit are found largest lot first, as with coins each a multiple of the one
before.
"""

from __future__ import annotations

from numba import njit

from router.routing.layout import (
    LEVEL_BYTES,
    MOST_LEVELS,
    MOST_SEGMENTS,
    NODE_BYTES,
    NONE,
    PLACE,
    PLACE_BYTES,
    SCRATCH,
    SEGMENT_BYTES,
    SOURCE,
    SOURCE_BYTES,
    WORK,
)
from router.rows import add, get, put
from router.tables import PLACES

HIGH = NODE_BYTES // 2  # from a place's lower bound in a node to its upper one
POOL = -1  # who a segment is of, where it is no place


@njit(nogil=True, forceinline=True)
def levels_of(scratch, place):
    """Where the levels of a place (its number) begin."""
    return scratch + SCRATCH.levels + LEVEL_BYTES * MOST_LEVELS * place


@njit(nogil=True, forceinline=True)
def source_at(scratch, number):
    """Where a source is; number PLACES is the pool of the smaller lots."""
    return scratch + SCRATCH.heads + SOURCE_BYTES * number


@njit(nogil=True, forceinline=True)
def pool_at(scratch, rank):
    """Where the segments of the pool of a lot begin."""
    return scratch + SCRATCH.pools + SEGMENT_BYTES * MOST_SEGMENTS * rank


@njit(nogil=True)
def pass_by(source, units):
    """Steps over units of a source's entries, that there are; what they cost."""
    at, used, cost = get(source, SOURCE.at), get(source, SOURCE.used), 0
    while units > 0:
        step = min(get(at, 8) - used, units)
        cost += step * get(at, 0)
        used += step
        units -= step
        if used == get(at, 8):
            at += LEVEL_BYTES
            used = 0
    put(source, SOURCE.at, at)
    put(source, SOURCE.used, used)
    return cost


@njit(nogil=True, error_model="numpy")
def refresh(source):
    """Works out what a source's next block costs, and how many after it cost the same."""
    at, end = get(source, SOURCE.at), get(source, SOURCE.end)
    lot, limit = get(source, SOURCE.lot), get(source, SOURCE.limit)
    put(source, SOURCE.key, NONE)
    if limit <= 0 or at == end:
        return
    left = get(at, 8) - get(source, SOURCE.used)
    if left >= lot:
        put(source, SOURCE.key, lot * get(at, 0))
        put(source, SOURCE.run, min(left // lot, limit))
        return
    wanted, cost = lot, 0
    while wanted > 0 and at != end:
        step = min(left, wanted)
        cost += step * get(at, 0)
        wanted -= step
        at += LEVEL_BYTES
        left = get(at, 8) if at != end else 0
    if wanted == 0:
        put(source, SOURCE.key, cost)
        put(source, SOURCE.run, 1)


@njit(nogil=True, error_model="numpy")
def open_box(scratch, node):
    """Readies every place's source behind its lower bound; what the lower bounds cost."""
    cost = 0
    for number in range(get(scratch, WORK.place_count)):
        place, source = scratch + SCRATCH.places + PLACE_BYTES * number, source_at(scratch, number)
        low, high = get(node, 8 * number), get(node, HIGH + 8 * number)
        levels = levels_of(scratch, number)
        put(place, PLACE.attempt, low)
        put(source, SOURCE.at, levels)
        put(source, SOURCE.end, levels + LEVEL_BYTES * get(place, PLACE.count))
        put(source, SOURCE.used, 0)
        put(source, SOURCE.lot, get(place, PLACE.grid))
        put(source, SOURCE.limit, (high - low) // get(place, PLACE.grid))
        put(source, SOURCE.who, number)
        cost += pass_by(source, low)
        refresh(source)
    return cost


@njit(nogil=True, error_model="numpy")
def most_that_fits(scratch, node, room):
    """The most shares up to `room` that places can give beyond their lower bounds."""
    total = 0
    for rank in range(get(scratch, WORK.lot_count) - 1, -1, -1):
        lot, there = get(scratch, WORK.lots + 8 * rank), 0
        for number in range(get(scratch, WORK.place_count)):
            place = scratch + SCRATCH.places + PLACE_BYTES * number
            if get(place, PLACE.grid) == lot:
                there += get(node, HIGH + 8 * number) - get(node, 8 * number)
        total += min(there, (room - total) // lot * lot)
    return total


@njit(nogil=True)
def cheapest_source(scratch, lot, with_pool):
    """The source of a lot whose next block costs least; 0: none has one."""
    best, key = 0, NONE
    for number in range(get(scratch, WORK.place_count)):
        place = scratch + SCRATCH.places + PLACE_BYTES * number
        source = source_at(scratch, number)
        if get(place, PLACE.grid) == lot and get(source, SOURCE.key) < key:
            best, key = source, get(source, SOURCE.key)
    pool = source_at(scratch, PLACES)
    if with_pool and get(pool, SOURCE.key) < key:
        return pool
    return best


@njit(nogil=True)
def merge(scratch, rank, wanted):
    """Makes the pool of a lot: up to `wanted` blocks, cheapest first; its segments, -1: no room."""
    lot, out, count = get(scratch, WORK.lots + 8 * rank), pool_at(scratch, rank), 0
    while wanted > 0:
        source = cheapest_source(scratch, lot, rank > 0)
        if source == 0:
            break
        if count == MOST_SEGMENTS:
            return -1
        blocks = min(get(source, SOURCE.run), wanted)
        at = out + SEGMENT_BYTES * count
        put(at, 0, get(source, SOURCE.key))
        put(at, 8, blocks)
        put(at, 16, get(source, SOURCE.who))
        count += 1
        wanted -= blocks
        pass_by(source, blocks * get(source, SOURCE.lot))
        add(source, SOURCE.limit, -blocks)
        refresh(source)
    return count


@njit(nogil=True, error_model="numpy")
def join_up(scratch, rank, segments, own):
    """Passes by the blocks that a pool gives for itself, `own`; what they cost.

    The rest becomes a source of the next larger lot, if there is one.
    """
    pool, out = source_at(scratch, PLACES), pool_at(scratch, rank)
    put(pool, SOURCE.at, out)
    put(pool, SOURCE.end, out + SEGMENT_BYTES * segments)
    put(pool, SOURCE.used, 0)
    put(pool, SOURCE.who, POOL)
    put(pool, SOURCE.limit, NONE)
    cost = pass_by(pool, own)
    if rank + 1 < get(scratch, WORK.lot_count):
        ratio = get(scratch, WORK.lots + 8 * (rank + 1)) // get(scratch, WORK.lots + 8 * rank)
        put(pool, SOURCE.lot, ratio)
        refresh(pool)
    return cost


@njit(nogil=True, error_model="numpy")
def hand_out(scratch):
    """Gives every place its shares, from the pool of the largest lot down."""
    handed = 0
    for rank in range(get(scratch, WORK.lot_count) - 1, -1, -1):
        lot, at = get(scratch, WORK.lots + 8 * rank), pool_at(scratch, rank)
        blocks = get(scratch, WORK.prefix + 8 * rank) + handed
        handed = 0
        while blocks > 0:
            step = min(get(at, 8), blocks)
            who = get(at, 16)
            if who == POOL:
                handed += step * lot // get(scratch, WORK.lots + 8 * (rank - 1))
            else:
                place = scratch + SCRATCH.places + PLACE_BYTES * who
                add(place, PLACE.attempt, step * lot)
            blocks -= step
            at += SEGMENT_BYTES


@njit(nogil=True, error_model="numpy")
def solve_box(scratch, node, shares):
    """The cheapest way to take `shares`, as many as fit, beyond the lower bounds of a box.

    Returns:
        what all shares cost, lower bounds included, relative to the base; -1: no room to find out.
        Each place's `attempt` is what it gives.
    """
    cost, left = open_box(scratch, node), shares
    for rank in range(get(scratch, WORK.lot_count)):
        lot = get(scratch, WORK.lots + 8 * rank)
        own = left
        if rank + 1 < get(scratch, WORK.lot_count):
            own = left % get(scratch, WORK.lots + 8 * (rank + 1))
        segments = merge(scratch, rank, left // lot)
        if segments < 0:
            return -1
        put(scratch, WORK.prefix + 8 * rank, own // lot)
        cost += join_up(scratch, rank, segments, own // lot)
        left -= own
    hand_out(scratch)
    return cost
