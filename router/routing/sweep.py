"""Sweeps: orders that take what venues show, at the least cost after fees, all arriving at once.

What is minimised is the total effective cost (what a seller gets is maximised) of as many shares as
can be had up to the quantity; more shares come before less cost. What binds:

- the limit, on displayed prices; price bands and halts of the market;
- lots and smallest orders of venues; an order takes a venue's levels in order;
- no trade-through: where something executes beyond a protected quote, that quote is swept for its
  full displayed size by an intermarket sweep order (ISO) sent with the others. Orders that sweep
  such a quote and orders that execute beyond one are marked ISO. Quotes of venues that are down are
  ignored (self-help, Reg NMS rule 611(b)(1)). What cannot be swept is not traded through.

Greed comes first: take the level with the lowest effective price, whoever has it, again and again.
If all venues have the same lot L and no smallest order above it, every level taken holds whole
lots, and effective prices do not get better down a ladder, that is exact. Proof: let the greedy
allocation take n lots, and let another feasible one also take n. If they differ, some lot l of the
other is not among the greedy ones and some greedy lot g is not among the other's. Greed takes lots
in order of their cost, and within a venue lots come in that order, so l costs no less than g: the
lots that greed has not taken cost at least as much as the last it took. Putting g in place of l
(the dearest of the venue that has more, the next of the venue that has less, so that levels stay
in order) costs nothing and makes the two more alike; repeat until they are the same. And greed
stops only when the quantity or the ladders end, so no allocation has more shares. Protection only
takes allocations away: if greed's own is allowed, it is the best. Else, and where lots differ,
`search` finds the best.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from feedhandler.consolidated.best import FLAG_SHIFT, record_address
from feedhandler.consolidated.layout import LOWER_BAND, MARKET_HALTED, RECORD_STATE, UPPER_BAND
from feedhandler.consolidated.quotes import instrument_row as market_instrument_row
from nic.raw import load_i64le
from nic.ring import copy_record
from router.ahead import ask_for_venue
from router.intents import want_order
from router.log import DECISION, begin, publish
from router.routing.decisions import count_decision
from router.routing.ladders import next_level, place_at, see_all
from router.routing.layout import (
    BEYOND_LIMIT,
    BOUNDED,
    BY_ISO,
    DEARER,
    HALTED,
    LINE,
    LINE_BYTES,
    LOT,
    NONE,
    PLACE,
    PLACE_BYTES,
    PROTECTED,
    SCRATCH,
    THROUGH,
    WORK,
)
from router.routing.search import other_protected, search
from router.rows import add, get, parent_row, put
from router.tables import HEAD, IOC, ISO, PARENT, TAKE, TAKES, VENUE


@njit(nogil=True, forceinline=True)
def cheapest(scratch):
    """The place whose level at hand has the lowest effective price; 0: no place has one."""
    place = scratch + SCRATCH.places
    end = place + PLACE_BYTES * get(scratch, WORK.place_count)
    best, key = 0, NONE
    while place != end:
        own = get(place, PLACE.key)
        if own < key:
            best, key = place, own
        place += PLACE_BYTES
    return best


@njit(nogil=True, forceinline=True, error_model="numpy")
def fill(scratch, quantity, lot):
    """Takes the cheapest levels; the shares taken, -1 where a level is no multiple of the lot."""
    sign, rest = get(scratch, WORK.sign), quantity if lot == 1 else quantity - quantity % lot
    wanted = rest
    while rest > 0:
        place = cheapest(scratch)
        if place == 0:
            break
        left, line = get(place, PLACE.left), get(place, PLACE.line)
        if lot != 1 and left % lot != 0:
            return -1
        shares = min(left, rest)
        rest -= shares
        add(place, PLACE.taken, shares)
        put(place, PLACE.worst, sign * get(line, LINE.price))
        put(line, LINE.chosen, shares)
        if rest > 0:
            next_level(scratch, place)
    return wanted - rest


@njit(nogil=True)
def settle_sweeps(scratch, worst):
    """Marks the orders that have to be ISOs; whether all is allowed that was taken."""
    good = True
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        taken, iso = get(place, PLACE.taken), False
        if get(place, PLACE.protected) < worst and get(place, PLACE.need) > 0:
            good &= taken >= get(place, PLACE.need)
            iso = True
        if taken > 0:
            iso |= get(place, PLACE.worst) > other_protected(scratch, place)
            good &= not iso or get(place, PLACE.takes_iso) != 0
            put(place, PLACE.iso, 1 if iso else 0)
    return good


@njit(nogil=True, forceinline=True)
def is_sound(scratch):
    """Whether what was taken trades through no protected quote; marks the ISOs."""
    worst = -NONE
    for number in range(get(scratch, WORK.place_count)):
        worst = max(worst, get(place_at(scratch, number), PLACE.worst))
    return worst <= get(scratch, WORK.first_protected) or settle_sweeps(scratch, worst)


@njit(nogil=True, forceinline=True)
def slowest(scratch):
    """Most latency of the venues that get an order; -1 where only one does."""
    most, orders = 0, 0
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        if get(place, PLACE.taken) > 0:
            most = max(most, get(get(place, PLACE.row), VENUE.latency_ns))
            orders += 1
    return most if orders > 1 else -1


@njit(nogil=True, forceinline=True)
def want_all(router, scratch, parent, decision, now):
    """Writes the intents, staggered so that they arrive together; the shares they ask for."""
    sign, most, total = get(scratch, WORK.sign), slowest(scratch), 0
    for number in range(get(scratch, WORK.place_count)):
        place = place_at(scratch, number)
        taken = get(place, PLACE.taken)
        if taken <= 0:
            continue
        latency_ns = get(get(place, PLACE.row), VENUE.latency_ns)
        send_ns = now + most - latency_ns if most >= 0 else 0
        flags = TAKES | ISO if get(place, PLACE.iso) != 0 else TAKES
        price, venue = sign * get(place, PLACE.worst), get(place, PLACE.venue)
        if want_order(router, parent, venue, taken, price, IOC, flags, decision, send_ns) != 0:
            ask_for_venue(router, venue, get(parent_row(router, parent), PARENT.instrument))
            total += taken
    return total


@njit(nogil=True, forceinline=True)
def why_not(place, rest):
    """Flag that says why nothing of a level was taken that could have been."""
    if rest == 0:
        return DEARER
    smallest = max(get(place, PLACE.lot), get(place, PLACE.least))
    left = get(place, PLACE.reach) - get(place, PLACE.taken)
    return LOT if min(rest, left) < smallest else THROUGH


@njit(nogil=True, forceinline=True)
def finish_line(line, rest, bounded):
    """Gives a candidate its last words: flags, what is protected there."""
    place, flags = get(line, LINE.first), get(line, LINE.flags) | bounded
    need = 0
    if place != 0:
        need = get(place, PLACE.need)
        if get(line, LINE.chosen) == 0:
            if flags & ~(PROTECTED | BOUNDED) == 0:
                flags |= why_not(place, rest)
        elif get(place, PLACE.iso) != 0:
            flags |= BY_ISO
    put(line, LINE.flags, flags)
    put(line, LINE.first, need)


@njit(nogil=True, forceinline=True)
def tell(router, scratch, parent, decision, quantity, limit, rest, now):
    """Writes the decision and its candidates to the log."""
    count, log = get(scratch, WORK.line_count), get(router, HEAD.log)
    record = begin(log, DECISION, 1 + count, now, decision, parent, TAKE, quantity, limit, count)
    if record == 0:
        return
    bounded = BOUNDED if get(scratch, WORK.bounded) != 0 else 0
    line, to = scratch + SCRATCH.lines, record + LINE_BYTES
    for _ in range(count):
        finish_line(line, rest, bounded)
        copy_record(to, line)
        line += LINE_BYTES
        to += LINE_BYTES
    publish(log, 1 + count)


@njit(nogil=True, forceinline=True)
def is_halted(market, instrument):
    """Whether a venue that speaks for the market has halted an instrument."""
    flags = load_i64le(record_address(market, instrument) + RECORD_STATE) >> FLAG_SHIFT
    return flags & MARKET_HALTED != 0


@njit(nogil=True, forceinline=True)
def cap_of(market, instrument, sign, limit):
    """Key of the worst displayed price that may execute: the limit or the price band."""
    row = market_instrument_row(market, instrument)
    band = load_i64le(row + UPPER_BAND) if sign > 0 else load_i64le(row + LOWER_BAND)
    cap = sign * limit if limit != 0 else NONE
    return min(cap, sign * band) if band != 0 else cap


@njit(nogil=True, cache=True)
def take(router, parent, quantity, limit, now):
    """Sweeps displayed shares for a parent.

    Args:
        router: address of the head.
        parent: its number.
        quantity: shares wanted; nothing happens below 1.
        limit: displayed price, 1e-8 units; 0: none.
        now: ns.

    Returns:
        shares that the intents ask for. Candidates and what was chosen are in the log, see
        `router.routing.layout` for their flags. `first` of a candidate is what the venue's
        protected quote needs for a sweep, `second` what own orders under way take of the level.
    """
    if quantity <= 0:
        return 0
    scratch, row = get(router, HEAD.scratch), parent_row(router, parent)
    sign = 1 if get(row, PARENT.side) == BUY else -1
    market, instrument = get(router, HEAD.market), get(row, PARENT.instrument)
    cap, stop = cap_of(market, instrument, sign, limit), BEYOND_LIMIT
    if is_halted(market, instrument):
        cap, stop = -NONE, HALTED
    lot = see_all(router, scratch, row, sign, cap, stop)
    taken = fill(scratch, quantity, lot) if lot != 0 else -1
    if taken < 0 or not is_sound(scratch):
        taken = search(scratch, quantity)
        is_sound(scratch)
    if taken <= 0 and get(row, PARENT.idle) != 0:
        return 0  # as the last time: once in the log is enough
    put(row, PARENT.idle, 1 if taken <= 0 else 0)
    decision = count_decision(router, parent)
    asked = want_all(router, scratch, parent, decision, now)
    tell(router, scratch, parent, decision, quantity, limit, quantity - taken, now)
    return asked
