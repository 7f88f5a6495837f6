"""Asking dark pools before anything is shown: who is asked for how much, and what is learnt of it.

Share by share (bucket by bucket, see dark_sizes) to the pool that most likely has one more: the
greedy split is the best one for given chances, as they only fall with size (Ganchev and others, see
dark_tails). Of pools that are as likely, first those where hidden executions speak for so much,
then those asked for less.

In the record of the decision `shares` is what hidden executions speak for, `effective` the midpoint
with the fee, `first` the chance that all that was asked for is there, `second` the shares asked for
before the venue's lot was seen to.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.layout import INSTRUMENT_LOT
from feedhandler.consolidated.quotes import instrument_row as market_instrument
from router.intents import want_cancel, want_order
from router.routing.dark_sizes import LAST, bucket_of, lots_of
from router.routing.dark_tails import next_tail, observe, pool_row, tail_step
from router.routing.decisions import choice_row, new_choice, next_decision, record_decision
from router.routing.hidden import hidden_size
from router.routing.learning import CHOICE, LEARNING, NOTE, NOTE_BYTES
from router.routing.parameters import MINIMUM_PART, PATIENCE_NS
from router.routing.posting_flows import midpoint
from router.routing.posting_prices import national, on_tick, trades, within
from router.routing.posting_states import is_settled
from router.routing.prices import fee_at
from router.rows import add, child_row, get, parent_row, put, venue_row
from router.tables import (
    CHILD,
    DARK,
    DARK_FIRST,
    DAY,
    HEAD,
    INTENT,
    IOC,
    MIDPOINT,
    PARENT,
    PART,
    TIER,
    VENUE,
)

DEFAULT_LOT = 100


@njit(nogil=True)
def note_row(learning, parent):
    """Where what routing keeps of a parent is."""
    return get(learning, LEARNING.notes) + NOTE_BYTES * parent


@njit(nogil=True)
def round_lot(router, instrument):
    """Shares in a round lot."""
    market = get(router, HEAD.market)
    lot = get(market_instrument(market, instrument), INSTRUMENT_LOT) if market != 0 else market
    return lot if lot > 0 else np.int64(DEFAULT_LOT)


@njit(nogil=True)
def dark_limit(router, instrument, side, limit):
    """The price that dark orders are limited to: the far side of the national best, or the limit.

    0 where there is no national best, or the limit is short of the midpoint: nothing could execute.
    """
    if not trades(router, instrument):
        return np.int64(0)
    price = within(side, national(router, instrument, 3 - side), limit)
    mid = midpoint(router, instrument)
    if (side == BUY and price < mid) or (side != BUY and price > mid):
        return np.int64(0)
    return price


@njit(nogil=True)
def end_of_patience(router, parent, decision, now):
    """Cancels dark orders that have rested as long as they may.

    Returns:
        (set of the venues that have an order of the parent, cancels written).
    """
    of = parent_row(router, parent)
    patience = get(of, PARENT.parameters + 8 * PATIENCE_NS)
    child, busy, cancels = get(of, PARENT.first_open), np.int64(0), np.int64(0)
    while child != 0:
        row = child_row(router, child)
        if get(row, CHILD.flags) & DARK:
            busy |= np.int64(1) << get(row, CHILD.venue)
            rests = get(row, CHILD.tif) == DAY and is_settled(row)
            if rests and now - get(row, CHILD.heard_ns) >= patience:
                cancels += want_cancel(router, child, decision) != 0
        child = get(row, CHILD.next_sibling)
    return busy, cancels


@njit(nogil=True)
def gather_pools(router, learning, parent, price, closed):
    """Puts the dark venues that can be asked into the scratch rows; how many there are."""
    of = parent_row(router, parent)
    instrument, side = get(of, PARENT.instrument), get(of, PARENT.side)
    mid, count = midpoint(router, instrument), np.int64(0)
    for venue in range(get(router, HEAD.venue_count)):
        at = venue_row(router, venue)
        usable = get(at, VENUE.dark) == 1 and get(at, VENUE.down) == 0
        if not usable or (closed >> venue) & 1:
            continue
        pool = pool_row(learning, venue, instrument, side)
        if pool == 0:
            continue
        row, fee = new_choice(learning, count, venue), fee_at(at, TIER.midpoint, mid)
        put(row, CHOICE.price, on_tick(at, side, price))
        put(row, CHOICE.believed, hidden_size(router, venue, instrument, 3 - side))
        put(row, CHOICE.shares, get(row, CHOICE.believed))
        put(row, CHOICE.effective, mid + fee if side == BUY else mid - fee)
        put(row, CHOICE.flags, MIDPOINT | DARK)
        put(row, CHOICE.pool, pool)
        put(row, CHOICE.tail, PART)
        put(row, CHOICE.first, PART)
        put(row, CHOICE.next_tail, next_tail(learning, pool, 0, PART))
        count += 1
    return count


@njit(nogil=True)
def likelier(row, than):
    """Whether the one pool is to be given the next shares rather than the other."""
    mine, other = get(row, CHOICE.next_tail), get(than, CHOICE.next_tail)
    if mine != other:
        return mine > other
    mine_spoken = get(row, CHOICE.believed) > get(row, CHOICE.chosen)
    other_spoken = get(than, CHOICE.believed) > get(than, CHOICE.chosen)
    if mine_spoken != other_spoken:
        return mine_spoken
    return get(row, CHOICE.chosen) < get(than, CHOICE.chosen)


@njit(nogil=True)
def give(learning, row, shares, whole):
    """Gives a pool a bucket more, or a part of one."""
    add(row, CHOICE.chosen, shares)
    put(row, CHOICE.first, get(row, CHOICE.next_tail))
    if not whole:
        return
    pool, bucket = get(row, CHOICE.pool), get(row, CHOICE.bucket)
    tail = tail_step(pool, bucket, get(row, CHOICE.tail))
    put(row, CHOICE.bucket, bucket + 1)
    put(row, CHOICE.tail, tail)
    if bucket + 1 < LAST:
        put(row, CHOICE.next_tail, next_tail(learning, pool, bucket + 1, tail))


@njit(nogil=True)
def split(learning, count, quantity, lot):
    """Splits shares over the first `count` pools of the scratch rows; shares given."""
    left = quantity
    while left > 0:
        best = -1
        for place in range(count):
            row = choice_row(learning, place)
            if get(row, CHOICE.bucket) == LAST:
                continue
            if best == -1 or likelier(row, choice_row(learning, best)):
                best = place
        if best == -1:
            break
        row = choice_row(learning, best)
        bucket = get(row, CHOICE.bucket)
        step = (lots_of(bucket + 1) - lots_of(bucket)) * lot
        give(learning, row, min(step, left), step <= left)
        left -= min(step, left)
    return quantity - left


@njit(nogil=True)
def ask(router, learning, parent, count, decision):
    """Writes the orders of a split; shares asked for."""
    of, asked = parent_row(router, parent), np.int64(0)
    part = get(of, PARENT.parameters + 8 * MINIMUM_PART)
    tif = DAY if get(of, PARENT.parameters + 8 * PATIENCE_NS) > 0 else IOC
    for place in range(count):
        row = choice_row(learning, place)
        venue, shares = get(row, CHOICE.venue), get(row, CHOICE.chosen)
        at = venue_row(router, venue)
        put(row, CHOICE.second, shares)
        lot = get(at, VENUE.lot)
        shares -= shares % lot if lot > 1 else 0
        if shares < max(get(at, VENUE.least), 1):
            put(row, CHOICE.chosen, 0)
            continue
        flags, price = get(row, CHOICE.flags), get(row, CHOICE.price)
        intent = want_order(router, parent, venue, shares, price, tif, flags, decision, 0)
        shares = shares if intent != 0 else shares * 0
        put(row, CHOICE.chosen, shares)
        asked += shares
        if intent != 0 and part > 0:
            put(intent, INTENT.minimum, least_execution(shares, part))
    return asked


@njit(nogil=True)
def least_execution(shares, part):
    """The smallest execution of an order that is taken: a part of it, in PART, at least a share."""
    return min(max(shares * min(part, PART) // PART, 1), shares)


@njit(nogil=True)
def closed_pools(learning, parent, now):
    """The venues that lately had less than was asked for, for the parent."""
    note = note_row(learning, parent)
    if now - get(note, NOTE.short_ns) >= get(learning, LEARNING.retry_ns):
        put(note, NOTE.short, 0)
    return get(note, NOTE.short)


@njit(nogil=True)
def dark_first(router, parent, quantity, limit, now):
    """Asks the dark venues for shares of a parent; the shares asked for.

    0: the dark venues are exhausted for it now (they have its orders, had too little within the
    settings' `retry_ns`, are down, or there is no price for it); the caller goes on to lit ones.
    Orders are IOC, or DAY where the parent has patience; those are cancelled here behind it.
    """
    learning, of = get(router, HEAD.learning), parent_row(router, parent)
    instrument, side = get(of, PARENT.instrument), get(of, PARENT.side)
    decision = next_decision(router)
    busy, cancels = end_of_patience(router, parent, decision, now)
    price, asked, count = dark_limit(router, instrument, side, limit), np.int64(0), np.int64(0)
    if quantity > 0 and price > 0:
        closed = busy | closed_pools(learning, parent, now)
        count = gather_pools(router, learning, parent, price, closed)
        split(learning, count, quantity, round_lot(router, instrument))
        asked = ask(router, learning, parent, count, decision)
    if asked != 0 or cancels != 0:
        record_decision(router, learning, parent, DARK_FIRST, quantity, limit, count, now)
    return asked


@njit(nogil=True)
def learn_dark(router, child):
    """Takes what a dark order has shown; the loop calls it once the order is over.

    An order that the venue never acknowledged says nothing of sizes, but the parent does not ask
    there again for a while. Of a DAY order that was cancelled before its patience was over only
    what executed is known.
    """
    row, learning = child_row(router, child), get(router, HEAD.learning)
    parent, venue = get(row, CHILD.parent), get(row, CHILD.venue)
    quantity, cum = get(row, CHILD.quantity), get(row, CHILD.cum)
    if cum < quantity:
        note = note_row(learning, parent)
        put(note, NOTE.short, get(note, NOTE.short) | np.int64(1) << venue)
        put(note, NOTE.short_ns, get(router, HEAD.now_ns))
    instrument = get(row, CHILD.instrument)
    pool = pool_row(learning, venue, instrument, get(row, CHILD.side))
    if pool == 0 or get(row, CHILD.heard_ns) == 0:
        return
    lot, exact = round_lot(router, instrument), True
    if get(row, CHILD.tif) == DAY:
        patience = get(parent_row(router, parent), PARENT.parameters + 8 * PATIENCE_NS)
        exact = get(row, CHILD.last_ns) - get(row, CHILD.heard_ns) >= patience
    observe(learning, pool, bucket_of(quantity // lot), bucket_of(cum // lot), exact)
