"""The exact search, for sweeps where greed may be wrong: mixed lots, smallest orders, protection.

Let P be the key of the worst displayed price executed. Every protected quote better than P has to
be swept, so only P's place among the protected keys matters, and the loosest P with the same quotes
to sweep is the next protected key: there are at most as many cases as protected quotes, and one.
Each case is a box: at each place at least what must be swept there, at most what is displayed up to
P. A solution of a case whose worst price is better than P has swept more than it must: it is one of
another case too, so that the best over all cases is the best there is.

What is not convex splits a box in two: an order between nothing and the venue's smallest; a level
behind which effective prices get better (fees change at a dollar); a lot that does not fit into the
chain of lots, which the box relaxed to a smaller one. Boxes are looked at depth first; one whose
relaxation gives fewer shares than the best found so far, or as many and not cheaper, is dropped. So
it is branch and bound, exact unless it runs into MOST_NODES: then the best so far stands, at least
what plain greed takes without passing any protected quote, and the decision is marked BOUNDED.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from router.routing.ladders import next_level, place_at
from router.routing.layout import (
    LEVEL_BYTES,
    LINE,
    LINE_BYTES,
    MOST_LOTS,
    MOST_NODES,
    NO_ISO,
    NODE_BYTES,
    NONE,
    PLACE,
    PROTECTED,
    SCRATCH,
    STACK,
    WORK,
)
from router.routing.pools import HIGH, levels_of, most_that_fits, solve_box
from router.rows import add, get, put


@njit(nogil=True, forceinline=True)
def node_at(scratch, number):
    """Where a box on the stack is."""
    return scratch + SCRATCH.nodes + NODE_BYTES * number


@njit(nogil=True, forceinline=True)
def other_protected(scratch, place):
    """Key of the best protected quote of all other venues; NONE."""
    if get(scratch, WORK.first_place) == place:
        return get(scratch, WORK.second_protected)
    return get(scratch, WORK.first_protected)


@njit(nogil=True, forceinline=True)
def rounded_up(shares, lot):
    """The least multiple of a lot that is not below."""
    return (shares + lot - 1) // lot * lot


@njit(nogil=True)
def see_more(scratch, quantity):
    """Looks at further levels of every place until it alone could give the quantity."""
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        put(place, PLACE.taken, 0)
        put(place, PLACE.worst, -NONE)
        put(place, PLACE.count, 0)
        put(place, PLACE.best, 0)
        put(place, PLACE.iso, 0)
        while get(place, PLACE.key) != NONE and get(place, PLACE.reach) < quantity:
            next_level(scratch, place)


@njit(nogil=True)
def keep_levels(scratch):
    """Sorts the candidates that can be taken into their places' levels."""
    sign, base = get(scratch, WORK.sign), NONE
    for number in range(get(scratch, WORK.line_count)):
        line = scratch + SCRATCH.lines + LINE_BYTES * number
        place = get(line, LINE.first)
        put(line, LINE.chosen, 0)
        if place == 0 or get(line, LINE.flags) & ~PROTECTED:
            continue
        shown = sign * get(line, LINE.price)
        if get(place, PLACE.takes_iso) == 0 and shown > other_protected(scratch, place):
            put(line, LINE.flags, get(line, LINE.flags) | NO_ISO)
            continue
        rank = (place - place_at(scratch, 0)) // (place_at(scratch, 1) - place_at(scratch, 0))
        at = levels_of(scratch, rank) + LEVEL_BYTES * get(place, PLACE.count)
        key = sign * get(line, LINE.effective)
        put(at, 0, key)
        put(at, 8, get(line, LINE.shares) - get(line, LINE.second))
        put(at, 16, shown)
        add(place, PLACE.count, 1)
        base = min(base, key)
    put(scratch, WORK.base, base)
    for rank in range(get(scratch, WORK.place_count)):
        for level in range(get(place_at(scratch, rank), PLACE.count)):
            add(levels_of(scratch, rank) + LEVEL_BYTES * level, 0, -base)


@njit(nogil=True, error_model="numpy")
def chain_lots(scratch):
    """Chooses the chain of lots, and the one of them that each place is solved with."""
    count, common = get(scratch, WORK.place_count), 0
    for number in range(count):
        a, b = get(place_at(scratch, number), PLACE.lot), common
        while b != 0:
            a, b = b, a % b
        common = a
    length, last = 0, max(common, 1)
    while last != NONE and length < MOST_LOTS:
        put(scratch, WORK.lots + 8 * length, last)
        length += 1
        following = NONE
        for number in range(count):
            place = place_at(scratch, number)
            lot = get(place, PLACE.lot)
            if lot % last == 0:
                put(place, PLACE.grid, last)
                if last < lot < following:
                    following = lot
        last = following
    put(scratch, WORK.lot_count, length)


@njit(nogil=True)
def cost_of(scratch, number, shares):
    """What the first shares of a place cost, relative to the base; there are as many."""
    at, cost = levels_of(scratch, number), 0
    while shares > 0:
        step = min(get(at, 8), shares)
        cost += step * get(at, 0)
        shares -= step
        at += LEVEL_BYTES
    return cost


@njit(nogil=True)
def displayed(scratch, number, worst):
    """Shares of a place at displayed prices not beyond a key."""
    at, total = levels_of(scratch, number), 0
    for _ in range(get(place_at(scratch, number), PLACE.count)):
        if get(at, 16) <= worst:
            total += get(at, 8)
        at += LEVEL_BYTES
    return total


@njit(nogil=True, error_model="numpy")
def start_with_greed(scratch, quantity):
    """The first allocation: venue by venue, cheapest first, up to the best protected price."""
    rest, cost, count = quantity, 0, get(scratch, WORK.place_count)
    for number in range(count):
        put(place_at(scratch, number), PLACE.attempt, 0)
    for _ in range(count):
        best, key = -1, np.int64(NONE)
        for number in range(count):
            place, at = place_at(scratch, number), levels_of(scratch, number)
            fresh = get(place, PLACE.attempt) == 0 and get(place, PLACE.count) != 0
            if fresh and get(at, 0) < key:
                best, key = number, get(at, 0)
        if best < 0:
            break
        place = place_at(scratch, best)
        put(place, PLACE.attempt, 1)
        shares = min(displayed(scratch, best, get(scratch, WORK.first_protected)), rest)
        shares -= shares % get(place, PLACE.lot)
        if shares >= get(place, PLACE.least):
            put(place, PLACE.best, shares)
            rest -= shares
            cost += cost_of(scratch, best, shares)
    put(scratch, WORK.best_shares, quantity - rest)
    put(scratch, WORK.best_cost, cost)


@njit(nogil=True, error_model="numpy")
def first_box(scratch, quantity, worst):
    """Puts the box of a worst displayed key on the stack; false where it is empty."""
    node, fits = node_at(scratch, 0), True
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        lot, least = get(place, PLACE.lot), get(place, PLACE.least)
        low, high = 0, min(displayed(scratch, number, worst), quantity)
        if get(place, PLACE.protected) < worst and get(place, PLACE.need) > 0:
            low = rounded_up(max(get(place, PLACE.need), least), lot)
            fits &= get(place, PLACE.takes_iso) != 0
        high -= high % lot
        high = 0 if high < least else high
        fits &= low <= high
        put(node, 8 * number, low)
        put(node, HIGH + 8 * number, high)
    put(scratch, WORK.waiting, 1)
    return fits


@njit(nogil=True)
def split(scratch, node, number, below, above):
    """Splits the box on top of the stack: a place gives at most `below`, or at least `above`."""
    waiting = get(scratch, WORK.waiting)
    if waiting == STACK:
        put(scratch, WORK.bounded, 1)
        put(scratch, WORK.waiting, waiting - 1)
        return
    twin = node_at(scratch, waiting)
    for offset in range(0, NODE_BYTES, 8):
        put(twin, offset, get(node, offset))
    put(node, HIGH + 8 * number, below)
    put(twin, 8 * number, above)
    put(scratch, WORK.waiting, waiting + 1)


@njit(nogil=True, error_model="numpy")
def split_at_turn(scratch, node):
    """Splits a box where a place's effective prices get better; whether there was such a place."""
    for number in range(get(scratch, WORK.place_count)):
        place, at = place_at(scratch, number), levels_of(scratch, number)
        lot, sum_before = get(place, PLACE.lot), 0
        for _ in range(1, get(place, PLACE.count)):
            sum_before += get(at, 8)
            at += LEVEL_BYTES
            if get(at, 0) >= get(at - LEVEL_BYTES, 0):
                continue
            below, above = sum_before - sum_before % lot, rounded_up(sum_before, lot)
            if get(node, 8 * number) < above and get(node, HIGH + 8 * number) > below:
                split(scratch, node, number, below, above)
                return True
    return False


@njit(nogil=True, error_model="numpy")
def split_at_order(scratch, node):
    """Splits a box where an attempt is no order that its venue takes; whether there was one."""
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        shares, lot = get(place, PLACE.attempt), get(place, PLACE.lot)
        least = rounded_up(get(place, PLACE.least), lot)
        if 0 < shares < least:
            split(scratch, node, number, np.int64(0), least)
            return True
        if shares % lot != 0:
            split(scratch, node, number, shares - shares % lot, rounded_up(shares, lot))
            return True
    return False


@njit(nogil=True)
def shares_of_box(scratch, node, quantity):
    """Shares that a box demands at least; -1 when it is empty."""
    total = 0
    for number in range(get(scratch, WORK.place_count)):
        low = get(node, 8 * number)
        if low > get(node, HIGH + 8 * number):
            return -1
        total += low
    return total if total <= quantity else -1


@njit(nogil=True)
def look_into(scratch, quantity):
    """Looks at the box on top of the stack: splits it, takes its solution, or drops it."""
    waiting = get(scratch, WORK.waiting)
    node = node_at(scratch, waiting - 1)
    add(scratch, WORK.node_count, 1)
    low = shares_of_box(scratch, node, quantity)
    if low >= 0 and split_at_turn(scratch, node):
        return
    put(scratch, WORK.waiting, waiting - 1)
    if low < 0:
        return
    more = most_that_fits(scratch, node, quantity - low)
    if low + more < get(scratch, WORK.best_shares):
        return
    cost = solve_box(scratch, node, more)
    if cost < 0:
        put(scratch, WORK.bounded, 1)
        return
    if low + more == get(scratch, WORK.best_shares) and cost >= get(scratch, WORK.best_cost):
        return
    put(scratch, WORK.waiting, waiting)
    if split_at_order(scratch, node):
        return
    put(scratch, WORK.waiting, waiting - 1)
    put(scratch, WORK.best_shares, low + more)
    put(scratch, WORK.best_cost, cost)
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        put(place, PLACE.best, get(place, PLACE.attempt))


@njit(nogil=True)
def next_case(scratch, worst):
    """The worst protected key that is better than `worst`; -NONE: there is none."""
    key = -NONE
    for number in range(get(scratch, WORK.place_count)):
        protected = get(place_at(scratch, number), PLACE.protected)
        if key < protected < worst:
            key = protected
    return key


@njit(nogil=True)
def choose(scratch):
    """Writes the best allocation into candidates and places; its shares."""
    sign, total = get(scratch, WORK.sign), 0
    for number in range(get(scratch, WORK.line_count)):
        line = scratch + SCRATCH.lines + LINE_BYTES * number
        place = get(line, LINE.first)
        if place == 0 or get(line, LINE.flags) & ~PROTECTED:
            continue
        there = get(line, LINE.shares) - get(line, LINE.second)
        shares = min(there, get(place, PLACE.best) - get(place, PLACE.taken))
        if shares > 0:
            put(line, LINE.chosen, shares)
            add(place, PLACE.taken, shares)
            put(place, PLACE.worst, sign * get(line, LINE.price))
            total += shares
    return total


@njit(nogil=True)
def search(scratch, quantity):
    """The cheapest allocation of as many shares as can be had; their number."""
    see_more(scratch, quantity)
    keep_levels(scratch)
    chain_lots(scratch)
    start_with_greed(scratch, quantity)
    put(scratch, WORK.node_count, 0)
    worst = np.int64(NONE)
    while worst != -NONE:
        if first_box(scratch, quantity, worst):
            while get(scratch, WORK.waiting) > 0:
                if get(scratch, WORK.node_count) == MOST_NODES:
                    put(scratch, WORK.bounded, 1)
                    return choose(scratch)
                look_into(scratch, quantity)
        worst = next_case(scratch, worst)
    return choose(scratch)
