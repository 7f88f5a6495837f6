"""Passive orders: where they stand, when they move, how much of them is shown.

One call makes a parent's passive orders what they should be now: orders beyond the limit or away
from the peg are replaced, an order at a venue that has become much worse than another is cancelled
(its shares go to the better one once the cancel is heard), too much is reduced, too little entered.
An order gets at most one intent a call, and none while a venue owes an answer about it. Changes of
place are at least a pause apart; what is beyond its limit or too much goes at once.

A change of price needs prices and queues alone; what places cost is worked out where shares are to
be placed or moved, and otherwise for the record of the decision, when its orders have left.

Shares go block by block to the venue where the next one costs least (posting_costs). An iceberg's
slice goes to one venue, and the next slice is entered when all of the last is gone.

In the record of the decision `shares` is the queue ahead, `effective` the expected cost a share
against the midpoint, `first` the chance to execute in PART, `second` the cost if it does.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from router.ahead import ask_for_venue
from router.intents import intent_row, want_cancel, want_order, want_replace
from router.routing.dark_first import note_row, round_lot
from router.routing.decisions import choice_row, next_decision, record_decision
from router.routing.learning import CHOICE, LEARNING, NOTE
from router.routing.parameters import PATIENCE_NS, REPOST_TICKS
from router.routing.posting_costs import fill_chance, part_cost, share_cost
from router.routing.posting_prices import tick_of, within
from router.routing.posting_queue import is_passive, own_shares
from router.routing.posting_states import is_leaving, is_settled
from router.routing.posting_venues import gather_venues, weigh_venues
from router.rows import add, child_row, get, parent_row, put, venue_row
from router.tables import CANCEL, CHILD, DAY, HEAD, INTENT, PARENT, PASSIVE, VENUE

BLOCKS = 16  # that an order is split into at most
TO_WEIGH = -(1 << 62)  # in place of what taking costs: `weigh_venues` is still to be called


@njit(nogil=True)
def is_touched(router, child, first):
    """Whether an intent from `first` on is about the child."""
    for number in range(first, get(router, HEAD.intent_count)):
        if get(intent_row(router, number), INTENT.child) == child:
            return True
    return False


@njit(nogil=True)
def choice_of(learning, count, venue):
    """The scratch row of a venue; 0 where it was left out."""
    for place in range(count):
        row = choice_row(learning, place)
        if get(row, CHOICE.venue) == venue:
            return row
    return np.int64(0)


@njit(nogil=True)
def may_move(learning, parent, of, now):
    """Whether the last change of place is a pause ago."""
    pause = max(get(learning, LEARNING.pause_ns), get(of, PARENT.parameters + 8 * PATIENCE_NS))
    return now - get(note_row(learning, parent), NOTE.changed_ns) >= pause


@njit(nogil=True)
def is_off_peg(of, at, price, wanted):
    """Whether an order at `price` is as far from where it should be as the parent minds."""
    ticks = max(get(of, PARENT.parameters + 8 * REPOST_TICKS), 1)
    return abs(price - wanted) >= ticks * tick_of(at, wanted)


@njit(nogil=True)
def follow_peg(router, learning, parent, count, limit, decision, now):
    """Replaces orders beyond the limit at once, those off their peg if the pause is over."""
    of, written = parent_row(router, parent), np.int64(0)
    side, child = get(of, PARENT.side), get(of, PARENT.first_open)
    moves = may_move(learning, parent, of, now)
    while child != 0:
        row = child_row(router, child)
        if is_passive(row) and is_settled(row):
            price, venue = get(row, CHILD.price), get(row, CHILD.venue)
            at, choice = venue_row(router, venue), choice_of(learning, count, venue)
            beyond = within(side, price, limit) != price
            if beyond and choice == 0:
                written += want_cancel(router, child, decision) != 0
            elif choice != 0:
                wanted = get(choice, CHOICE.price)
                if beyond or (moves and is_off_peg(of, at, price, wanted)):
                    quantity = get(row, CHILD.quantity)
                    intent = want_replace(router, child, quantity, wanted, decision)
                    if intent != 0:
                        put(intent, INTENT.ahead, get(choice, CHOICE.queue))
                        ask_for_venue(router, venue, get(of, PARENT.instrument))
                        written += 1
        child = get(row, CHILD.next_sibling)
    if written != 0:
        put(note_row(learning, parent), NOTE.changed_ns, now)
    return written


@njit(nogil=True)
def standing_cost(router, parent, choice, child, take):
    """Expected cost of a share of an order that stands at a venue, with the place it has."""
    price, leaves = get(child, CHILD.price), get(child, CHILD.leaves)
    own = own_shares(router, parent, get(child, CHILD.venue), price)
    queue = max(get(choice, CHOICE.queue) - own, 0)
    queue = min(queue, get(child, CHILD.ahead))
    chance = fill_chance(get(choice, CHOICE.outflow), queue, leaves)
    return share_cost(chance, get(choice, CHOICE.filled), take)


@njit(nogil=True)
def price_blocks(learning, count, size, take):
    """Puts what the first `size` shares cost at each venue into the rows."""
    for place in range(count):
        row = choice_row(learning, place)
        put(row, CHOICE.next_cost, part_cost(row, np.int64(0), size, take))


@njit(nogil=True)
def cheapest(learning, count):
    """The row where the next shares cost least, of those that cost the same the shortest queue."""
    best = choice_row(learning, 0)
    for place in range(1, count):
        row = choice_row(learning, place)
        cost, least = get(row, CHOICE.next_cost), get(best, CHOICE.next_cost)
        if cost < least or (cost == least and queue_with(row) < queue_with(best)):
            best = row
    return best


@njit(nogil=True)
def queue_with(row):
    """Shares ahead at a venue, those given to it included."""
    return get(row, CHOICE.queue) + get(row, CHOICE.chosen)


@njit(nogil=True)
def leave_worst(router, learning, parent, count, take, decision, now, first):
    """Cancels the order that another venue would serve better by more than the threshold."""
    of, worst, worst_by = parent_row(router, parent), np.int64(0), np.int64(0)
    child = get(of, PARENT.first_open)
    while child != 0:
        row = child_row(router, child)
        choice = choice_of(learning, count, get(row, CHILD.venue))
        if is_passive(row) and is_settled(row) and choice != 0:
            leaves = get(row, CHILD.leaves)
            price_blocks(learning, count, leaves, take)
            best = cheapest(learning, count)
            saved = standing_cost(router, parent, choice, row, take)
            saved -= get(best, CHOICE.next_cost)
            touched = is_touched(router, child, first)
            if best != choice and saved > worst_by and not touched:
                worst, worst_by = child, saved
        child = get(row, CHILD.next_sibling)
    if worst == 0 or worst_by <= get(learning, LEARNING.threshold):
        return np.int64(0)
    put(note_row(learning, parent), NOTE.changed_ns, now)
    return np.int64(want_cancel(router, worst, decision) != 0)


@njit(nogil=True)
def standing(router, parent, first):
    """(shares of the parent's passive orders, those of them that are leaving)."""
    child = get(parent_row(router, parent), PARENT.first_open)
    total, leaving = np.int64(0), np.int64(0)
    while child != 0:
        row = child_row(router, child)
        if is_passive(row):
            total += get(row, CHILD.leaves)
            if is_leaving(row):
                leaving += get(row, CHILD.leaves)
        child = get(row, CHILD.next_sibling)
    for number in range(first, get(router, HEAD.intent_count)):
        intent = intent_row(router, number)
        if get(intent, INTENT.kind) == CANCEL:
            leaving += get(child_row(router, get(intent, INTENT.child)), CHILD.leaves)
    return total, leaving


@njit(nogil=True)
def reduce(router, parent, excess, decision, first):
    """Takes shares off orders that nothing else is asked of; intents written."""
    child, written = get(parent_row(router, parent), PARENT.first_open), np.int64(0)
    while child != 0 and excess > 0:
        row = child_row(router, child)
        if is_passive(row) and is_settled(row) and not is_touched(router, child, first):
            leaves, intent = get(row, CHILD.leaves), np.int64(0)
            cut = min(leaves, excess)
            if cut == leaves:
                intent = want_cancel(router, child, decision)
            else:
                quantity, price = get(row, CHILD.quantity) - cut, get(row, CHILD.price)
                intent = want_replace(router, child, quantity, price, decision)
                if intent != 0:
                    put(intent, INTENT.ahead, get(row, CHILD.ahead))
            written += intent != 0
            excess -= cut
        child = get(row, CHILD.next_sibling)
    return written


@njit(nogil=True)
def spread(learning, count, quantity, block, take):
    """Gives blocks of shares to the venues where the next one costs least."""
    price_blocks(learning, count, min(block, quantity), take)
    left = quantity
    while left > 0:
        row, size = cheapest(learning, count), min(block, left)
        add(row, CHOICE.chosen, size)
        put(row, CHOICE.next_cost, part_cost(row, get(row, CHOICE.chosen), size, take))
        left -= size


@njit(nogil=True)
def enter_chosen(router, learning, parent, count, decision):
    """Writes the orders of a spread; how many."""
    written = np.int64(0)
    for place in range(count):
        row = choice_row(learning, place)
        venue, shares = get(row, CHOICE.venue), get(row, CHOICE.chosen)
        at = venue_row(router, venue)
        lot = get(at, VENUE.lot)
        shares -= shares % lot if lot > 1 else 0
        if shares < max(get(at, VENUE.least), 1):
            put(row, CHOICE.chosen, 0)
            continue
        price, flags = get(row, CHOICE.price), get(row, CHOICE.flags)
        intent = want_order(router, parent, venue, shares, price, DAY, flags, decision, 0)
        put(row, CHOICE.chosen, shares if intent != 0 else shares * 0)
        if intent != 0:
            put(intent, INTENT.ahead, get(row, CHOICE.queue))
            ask_for_venue(router, venue, get(parent_row(router, parent), PARENT.instrument))
            written += 1
    return written


@njit(nogil=True)
def describe(learning, count, block, take):
    """Puts expected costs and chances of what was chosen, or of a block, into the rows."""
    for place in range(count):
        row = choice_row(learning, place)
        size = get(row, CHOICE.chosen)
        size = size if size > 0 else block
        chance = fill_chance(get(row, CHOICE.outflow), get(row, CHOICE.queue), size)
        put(row, CHOICE.shares, get(row, CHOICE.queue))
        put(row, CHOICE.effective, share_cost(chance, get(row, CHOICE.filled), take))
        put(row, CHOICE.first, chance)
        put(row, CHOICE.second, get(row, CHOICE.filled))


@njit(nogil=True)
def wanted_shares(of, total, quantity, shown):
    """Shares that are to stand: what is asked for, never more than the parent has left to do."""
    others = get(of, PARENT.open) - total
    left = get(of, PARENT.quantity) - get(of, PARENT.cum) - max(others, 0)
    wanted = min(quantity, left)
    if shown > 0:
        wanted = min(wanted, shown)
    return max(wanted, 0)


@njit(nogil=True)
def post(router, parent, quantity, limit, shown, now):
    """Makes a parent's passive orders `quantity` shares, as far as can be; intents written.

    Where there are some, `record_post` has to be called before the next decision.

    Args:
        quantity: shares that are to stand in lit books, those that do already included.
        limit: no order beyond it; 0: none.
        shown: at most so many of them at a time; 0: all.
    """
    learning, of = get(router, HEAD.learning), parent_row(router, parent)
    decision, first = next_decision(router), get(router, HEAD.intent_count)
    count, take = gather_venues(router, learning, parent, limit), np.int64(TO_WEIGH)
    written = follow_peg(router, learning, parent, count, limit, decision, now)
    if count > 1 and may_move(learning, parent, of, now):
        take = weigh_venues(router, learning, parent, count, now)
        written += leave_worst(router, learning, parent, count, take, decision, now, first)
    total, leaving = standing(router, parent, first)
    wanted = wanted_shares(of, total, quantity, shown)
    lot = round_lot(router, get(of, PARENT.instrument))
    if total - leaving > wanted:
        written += reduce(router, parent, total - leaving - wanted, decision, first)
    missing, block = wanted - total, lot
    if missing > 0 and count > 0 and (total == 0 or (missing >= lot and shown <= 0)):
        whole = (missing + BLOCKS - 1) // BLOCKS
        block = missing if shown > 0 else max((whole + lot - 1) // lot * lot, 1)
        if take == TO_WEIGH:
            take = weigh_venues(router, learning, parent, count, now)
        spread(learning, count, missing, block, take)
        written += enter_chosen(router, learning, parent, count, decision)
    if written != 0:
        keep_for_record(learning, parent, quantity, limit, count, block, take)
    return written


@njit(nogil=True)
def keep_for_record(learning, parent, quantity, limit, count, block, take):
    """Keeps what `record_post` needs: orders leave first, their reasons are written down later."""
    put(learning, LEARNING.posted, parent)
    put(learning, LEARNING.posted_shares, quantity)
    put(learning, LEARNING.posted_limit, limit)
    put(learning, LEARNING.posted_count, count)
    put(learning, LEARNING.posted_block, block)
    put(learning, LEARNING.posted_take, take)


@njit(nogil=True)
def record_post(router, now):
    """Writes the last decision of `post` into the log, where one waits for that."""
    learning = get(router, HEAD.learning)
    parent = get(learning, LEARNING.posted)
    if parent == 0:
        return
    put(learning, LEARNING.posted, 0)
    count, take = get(learning, LEARNING.posted_count), get(learning, LEARNING.posted_take)
    if take == TO_WEIGH:
        take = weigh_venues(router, learning, parent, count, now)
    quantity, limit = get(learning, LEARNING.posted_shares), get(learning, LEARNING.posted_limit)
    describe(learning, count, get(learning, LEARNING.posted_block), take)
    record_decision(router, learning, parent, PASSIVE, quantity, limit, count, now)
