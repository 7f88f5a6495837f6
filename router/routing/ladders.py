"""The levels that a sweep sees: of each venue the best first, further ones when they are wanted.

A level becomes a candidate, a line of the decision's record, when it is looked at. What our own
orders already take (an IOC under way, of any parent of the account), and what they have shown to be
gone (`gone.py`), comes off the best levels; what
stands at or behind an own order on the other side is out of reach, so that we never trade with
ourselves. Only displayed shares count.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from feedhandler.books.farlevels import far_count
from feedhandler.books.ladder import better, ladder_address, level_address, window_bits
from feedhandler.books.layout import LEVEL_QUANTITY
from feedhandler.consolidated.layout import (
    MARK_BID_PROTECTED,
    QUOTE_BYTES,
    QUOTE_PROTECTED,
    QUOTE_SHOWN,
    QUOTE_STATUS,
    VENUE_COUNT,
)
from feedhandler.consolidated.quotes import quotes_of
from feedhandler.consolidated.quotes import venue_row as market_venue_row
from nic.raw import load_i64le
from router.intents import intent_row
from router.routing.gone import gone_row, missing_shares
from router.routing.gonetable import GONE
from router.routing.layout import (
    DOWN,
    IN_FLIGHT,
    LINE,
    LINE_BYTES,
    MOST_LEVELS,
    NO_ROUTE,
    NONE,
    NOT_LIVE,
    NOTHING,
    OWN_ORDER,
    PLACE,
    PLACE_BYTES,
    PROTECTED,
    SCRATCH,
    WORK,
)
from router.routing.prices import fee_of_share
from router.rows import add, child_row, get, position_row, put, rates_of, venue_row
from router.tables import (
    CHILD,
    DOLLAR,
    ENTER,
    HEAD,
    INTENT,
    PARENT,
    PLACES,
    POSITION,
    TAKES,
    TIER,
    VENUE,
)

USABLE, MARKS, NUMBER = 16, 24, 32  # shifts of the word at a quote's status


@njit(nogil=True, forceinline=True)
def place_at(scratch, number):
    """Where a place is."""
    return scratch + SCRATCH.places + PLACE_BYTES * number


@njit(nogil=True, forceinline=True)
def new_line(scratch, venue, price, shares, effective, flags, place):
    """A candidate; its address. `place` is an address, 0: nothing can be taken there."""
    count = get(scratch, WORK.line_count)
    put(scratch, WORK.line_count, count + 1)
    line = scratch + SCRATCH.lines + LINE_BYTES * count
    put(line, LINE.venue, venue)
    put(line, LINE.price, price)
    put(line, LINE.shares, shares)
    put(line, LINE.effective, effective)
    put(line, LINE.chosen, 0)
    put(line, LINE.flags, flags)
    put(line, LINE.first, place)
    put(line, LINE.second, 0)
    return line


@njit(nogil=True, forceinline=True)
def show(scratch, place, price, shares):
    """Makes a level the one at hand and a candidate; whether the next is to be looked at."""
    sign = get(scratch, WORK.sign)
    shown = sign * price
    fee = fee_of_share(price, get(place, PLACE.per_share), get(place, PLACE.per_notional))
    flags = PROTECTED if shown == get(place, PLACE.protected) else 0
    line = new_line(
        scratch, get(place, PLACE.venue), price, shares, price + sign * fee, flags, place
    )
    add(place, PLACE.depth, 1)
    put(place, PLACE.key, NONE)
    if shown > get(place, PLACE.cap):
        put(line, LINE.flags, flags | get(place, PLACE.stop))
        return False
    skip = get(place, PLACE.skip)
    if skip != 0:
        skip = min(skip, shares)
        add(place, PLACE.skip, -skip)
        put(line, LINE.second, skip)
        if skip == shares:
            put(line, LINE.flags, flags | IN_FLIGHT)
            return True
    put(place, PLACE.key, shown + fee)
    put(place, PLACE.left, shares - skip)
    put(place, PLACE.line, line)
    add(place, PLACE.reach, shares - skip)
    return False


@njit(nogil=True)
def open_ladder(scratch, place):
    """Goes to the venue's book, behind the level that its quote has shown."""
    book = get(place, PLACE.book)
    number = 2 * get(place, PLACE.number) + get(scratch, WORK.side)
    ladder = ladder_address(book, number)
    _, _, bits, far = better(ladder, window_bits(ladder), far_count(ladder))
    put(place, PLACE.ladder, ladder)
    put(place, PLACE.bits, bits)
    put(place, PLACE.far, far)


@njit(nogil=True)
def next_level(scratch, place):
    """Makes the venue's next level that can be taken from the one at hand; its key is NONE if there
    is none."""
    put(place, PLACE.key, NONE)
    if get(place, PLACE.ladder) == 0:
        open_ladder(scratch, place)
    ladder, book = get(place, PLACE.ladder), get(place, PLACE.book)
    again = True
    while again and get(place, PLACE.depth) < MOST_LEVELS:
        level, _, bits, far = better(ladder, get(place, PLACE.bits), get(place, PLACE.far))
        put(place, PLACE.bits, bits)
        put(place, PLACE.far, far)
        if level == 0:
            return
        at = level_address(book, level)
        again = show(scratch, place, load_i64le(at), load_i64le(at + LEVEL_QUANTITY))


@njit(nogil=True)
def note_own(scratch, venue, side, ours, shares, price, flags):
    """Takes note of an own order: one that takes as we do, or one that rests on the other side."""
    if side == ours:
        if flags & TAKES:
            add(scratch, SCRATCH.flight + 8 * venue, shares)
    elif not flags & TAKES:
        key = price if side != BUY else -price  # what we buy are offers
        key = -NONE if price == 0 else key
        at = scratch + SCRATCH.own + 8 * venue
        put(at, 0, min(get(at, 0), key))


@njit(nogil=True)
def look_at_own(router, scratch, parent, child):
    """Takes note of the account's open orders in the instrument, and of intents not yet sent.

    `child` is the first of the open orders, 0: none.
    """
    for venue in range(min(get(router, HEAD.venue_count), PLACES)):
        put(scratch, SCRATCH.flight + 8 * venue, 0)
        put(scratch, SCRATCH.own + 8 * venue, NONE)
    side, instrument = get(parent, PARENT.side), get(parent, PARENT.instrument)
    account = get(parent, PARENT.account)
    while child != 0:
        row = child_row(router, child)
        venue, shares = get(row, CHILD.venue), get(row, CHILD.leaves)
        note_own(
            scratch, venue, get(row, CHILD.side), side, shares, get(row, CHILD.price),
            get(row, CHILD.flags),
        )  # fmt: skip
        child = get(row, CHILD.next_open)
    for number in range(get(router, HEAD.intent_count)):
        row = intent_row(router, number)
        if get(row, INTENT.kind) != ENTER or get(row, INTENT.instrument) != instrument:
            continue
        if get(row, INTENT.verdict) != 0 or get(row, INTENT.token) != 0:
            continue  # held back, or a child by now
        if get(row, INTENT.account) == account:
            note_own(
                scratch, get(row, INTENT.venue), get(row, INTENT.side), side,
                get(row, INTENT.quantity), get(row, INTENT.price), get(row, INTENT.flags),
            )  # fmt: skip


@njit(nogil=True, forceinline=True)
def new_place(scratch, venue, row, quote):
    """A place for a venue that shows something; its address."""
    count = get(scratch, WORK.place_count)
    put(scratch, WORK.place_count, count + 1)
    place = place_at(scratch, count)
    put(place, PLACE.taken, 0)
    put(place, PLACE.worst, -NONE)
    put(place, PLACE.skip, 0)
    put(place, PLACE.venue, venue)
    put(place, PLACE.row, row)
    put(place, PLACE.quote, quote)
    put(place, PLACE.depth, 0)
    put(place, PLACE.reach, 0)
    put(place, PLACE.ladder, 0)
    put(place, PLACE.iso, 0)
    put(place, PLACE.need, 0)
    put(place, PLACE.protected, NONE)
    return place


@njit(nogil=True, forceinline=True)
def note_protected(scratch, place, about):
    """Keeps a place's protected quote, if it has one, and the best two of all."""
    side = get(scratch, WORK.side)
    if not about & (MARK_BID_PROTECTED << (MARKS + side)):
        return
    at = get(place, PLACE.quote) + QUOTE_PROTECTED + 16 * side
    key = get(scratch, WORK.sign) * load_i64le(at)
    put(place, PLACE.protected, key)
    put(place, PLACE.need, load_i64le(at + 8))
    if key < get(scratch, WORK.first_protected):
        put(scratch, WORK.second_protected, get(scratch, WORK.first_protected))
        put(scratch, WORK.first_protected, key)
        put(scratch, WORK.first_place, place)
    elif key < get(scratch, WORK.second_protected):
        put(scratch, WORK.second_protected, key)


@njit(nogil=True, forceinline=True)
def leave_shares(place, shares):
    """Leaves so many of a venue's best shares alone."""
    add(place, PLACE.skip, shares)
    put(place, PLACE.need, max(get(place, PLACE.need) - shares, 0))


@njit(nogil=True, forceinline=True)
def heed_own(scratch, place, venue):
    """Leaves a venue's best shares to own orders under way, and stops before own resting ones."""
    own = get(scratch, SCRATCH.own + 8 * venue)
    leave_shares(place, get(scratch, SCRATCH.flight + 8 * venue))
    if own - 1 < get(place, PLACE.cap):
        put(place, PLACE.cap, own - 1)
        put(place, PLACE.stop, OWN_ORDER)


@njit(nogil=True, forceinline=True)
def see_venue(scratch, venue, row, quotes, cap):
    """Makes a venue's best level a candidate; the address of its place, 0: nothing to take."""
    number = get(row, VENUE.quotes)
    quote = quotes + QUOTE_BYTES * number
    about = load_i64le(quote + QUOTE_STATUS)
    shown = quote + QUOTE_SHOWN + 16 * get(scratch, WORK.side)
    shares = load_i64le(shown + 8)
    if get(row, VENUE.down) != 0 or not (about >> USABLE) & 1 or shares == 0:
        flags = NOTHING if (about >> USABLE) & 1 else NOT_LIVE
        flags = DOWN if get(row, VENUE.down) != 0 else flags
        none = np.int64(0)
        new_line(scratch, venue, load_i64le(shown), shares, none, flags, none)
        return none
    place = new_place(scratch, venue, row, quote)
    removed = rates_of(row, TIER.removed)
    put(place, PLACE.per_share, get(removed, 0))
    put(place, PLACE.per_notional, get(removed, 8))
    put(place, PLACE.lot, max(get(row, VENUE.lot), 1))
    put(place, PLACE.least, get(row, VENUE.least))
    put(place, PLACE.takes_iso, get(row, VENUE.takes_iso))
    put(place, PLACE.cap, cap)
    put(place, PLACE.stop, get(scratch, WORK.stop))
    put(place, PLACE.number, (about >> NUMBER) & 0xFFFF_FFFF)
    put(place, PLACE.book, load_i64le(market_venue_row(get(scratch, WORK.market), number)))
    note_protected(scratch, place, about)
    if get(scratch, WORK.busy) != 0:
        heed_own(scratch, place, venue)
    gone = get(scratch, WORK.gone)
    if gone != 0:
        price, now = load_i64le(shown), get(scratch, WORK.now)
        leave_shares(place, missing_shares(gone, venue, price, shares, now))
    if show(scratch, place, load_i64le(shown), shares):
        next_level(scratch, place)
    return place


@njit(nogil=True)
def see_unreachable(scratch, quotes, seen):
    """Makes protected quotes of venues that we have no way to candidates that cannot be taken."""
    side, none, flags = get(scratch, WORK.side), np.int64(0), np.int64(PROTECTED | NO_ROUTE)
    for number in range(load_i64le(get(scratch, WORK.market) + VENUE_COUNT)):
        quote = quotes + QUOTE_BYTES * number
        about = load_i64le(quote + QUOTE_STATUS)
        if (seen >> number) & 1 or not about & (MARK_BID_PROTECTED << (MARKS + side)):
            continue
        if get(scratch, WORK.place_count) == PLACES:
            return
        place = new_place(scratch, -1 - number, none, quote)
        put(place, PLACE.key, NONE)
        put(place, PLACE.lot, 1)
        put(place, PLACE.least, 1)
        put(place, PLACE.takes_iso, 0)
        note_protected(scratch, place, about)
        at = quote + QUOTE_PROTECTED + 16 * side
        new_line(scratch, -1 - number, load_i64le(at), load_i64le(at + 8), none, flags, place)


@njit(nogil=True, forceinline=True)
def may_turn(sign, price, cap):
    """Whether effective prices may get better down a ladder: fees change at a dollar.

    Sellers' ladders that begin at two dollars or more and reach a dollar are taken as they come.
    """
    if sign > 0:
        return price < DOLLAR <= cap
    return DOLLAR <= price < 2 * DOLLAR and cap > -DOLLAR


@njit(nogil=True, forceinline=True)
def see_all(router, scratch, parent, sign, cap, stop):
    """Makes the best level of every venue a candidate.

    `cap` is the key of the worst displayed price that may execute, `stop` the flag of what is
    beyond it.

    Returns:
        the lot that all venues have; 0 where they differ, some want more than a lot, or effective
        prices may get better down a ladder: then greed may be wrong.
    """
    market, instrument = get(router, HEAD.market), get(parent, PARENT.instrument)
    side = 1 if sign > 0 else 0
    put(scratch, WORK.line_count, 0)
    put(scratch, WORK.place_count, 0)
    put(scratch, WORK.market, market)
    put(scratch, WORK.sign, sign)
    put(scratch, WORK.side, side)
    put(scratch, WORK.stop, stop)
    put(scratch, WORK.bounded, 0)
    put(scratch, WORK.first_protected, NONE)
    put(scratch, WORK.second_protected, NONE)
    put(scratch, WORK.first_place, 0)
    position = position_row(router, get(parent, PARENT.account), instrument)
    child = get(position, POSITION.first_open)
    busy = child | get(router, HEAD.intent_count)
    put(scratch, WORK.busy, busy)
    now, gone = get(router, HEAD.now_ns), gone_row(router, instrument, side)
    put(scratch, WORK.now, now)
    put(scratch, WORK.gone, gone if get(gone, GONE.until_ns) > now else 0)
    if busy != 0:
        look_at_own(router, scratch, parent, child)
    quotes, seen, lot, greedy = quotes_of(market, instrument), np.int64(0), np.int64(0), True
    for venue in range(min(get(router, HEAD.venue_count), PLACES)):
        row = venue_row(router, venue)
        number = get(row, VENUE.quotes)
        if number < 0:
            continue
        seen |= 1 << number
        place = see_venue(scratch, venue, row, quotes, cap)
        if place != 0:
            own = get(place, PLACE.lot)
            lot = own if lot == 0 else lot
            price = load_i64le(get(place, PLACE.quote) + QUOTE_SHOWN + 16 * side)
            greedy &= own == lot and get(place, PLACE.least) <= own
            greedy &= not may_turn(sign, price, cap)
    if seen != (1 << load_i64le(market + VENUE_COUNT)) - 1:
        see_unreachable(scratch, quotes, seen)
    return max(lot, 1) if greedy else 0
