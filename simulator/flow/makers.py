"""New orders that rest: shown, hidden, reserves, midpoint pegs."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, NO_PRICE, SELL
from nic.raw import load_fixed, load_i64le
from simulator.flow.commands import head_of, send, set_display, set_minimum
from simulator.flow.draws import bits, draw
from simulator.flow.layout import (
    DARK,
    H_ADDS,
    H_CLASS_SHARE,
    H_HIDDEN,
    H_LOT,
    H_MIDPOINT,
    H_POST_ONLY,
    H_RESERVE,
    H_RESERVE_LOTS,
    H_VENUE_COUNT,
    I_ADDS,
    I_LISTING,
    I_LISTING_SHARE,
    I_RANDOM,
    I_STATE,
    I_TICK,
    O_TOKEN,
    PEGGED,
    SHOWN,
    TRADING,
    UNSEEN,
    V_KIND,
    V_PEGS,
    V_SHARE,
)
from simulator.flow.levels import order_row
from simulator.flow.pricing import order_size, resting_price, sign_of
from simulator.flow.resting import bump, owner_of, take_slot
from simulator.flow.rows import national_best, venue_row
from simulator.matching.records import DAY, HIDDEN, LIMIT, MIDPOINT_PEG, NEW, POST_ONLY


@njit(nogil=True, forceinline=True)
def class_of(shares, random):
    """The number of a class from random 16 bits and cumulative shares."""
    number = 0
    while load_fixed(shares + 8 * number) <= random:
        number += 1
    return number


@njit(nogil=True)
def choose_venue(flow, row, random, share_offset):
    """The venue of a new order: where it is listed, or by the venues' shares."""
    if bits(random, 0, 16) < load_fixed(row + I_LISTING_SHARE):
        return load_fixed(row + I_LISTING)
    wanted = bits(random, 16, 16)
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        if wanted < load_fixed(venue_row(flow, venue) + share_offset):
            return venue
    return load_fixed(row + I_LISTING)


@njit(nogil=True)
def add_pegged(flow, row, instrument, now_ns, venue, side, number, random):
    """A new order at the midpoint of the national best."""
    quantity = order_size(flow, row) * (1 + bits(random, 0, 2))
    slot = take_slot(flow, row, instrument, venue, side, PEGGED, number, NO_PRICE, quantity)
    if slot == 0:
        return
    token = load_i64le(order_row(flow, slot) + O_TOKEN)
    head = head_of(NEW, side, MIDPOINT_PEG, DAY, HIDDEN)
    owner = owner_of(flow, slot)
    out = send(flow, venue, now_ns, head, instrument, owner, token, 0, 0, quantity)
    lot = load_fixed(flow + H_LOT)
    if bits(random, 2, 2) == 0 and quantity > lot:
        set_minimum(out, lot)


@njit(nogil=True, forceinline=True)
def inside(row, bid, offer, sign):
    """The tick at the midpoint of the national best, or next to it on a side's own side."""
    tick = load_fixed(row + I_TICK)
    return ((bid + offer) // 2 * sign) // tick * tick * sign


@njit(nogil=True)
def add_limit(flow, row, instrument, now_ns, venue, side, number, random):
    """A new order with a limit: shown, hidden, or a reserve of which a lot is shown."""
    bid, offer = national_best(flow, instrument)
    best, other = (bid, offer) if side == BUY else (offer, bid)
    sign = sign_of(side)
    price = resting_price(flow, row, instrument, venue, sign, number, best, other)
    quantity, lot = order_size(flow, row), load_fixed(flow + H_LOT)
    flags, display, kind = 0, 0, SHOWN
    chosen = bits(random, 32, 16)
    if chosen < load_fixed(flow + H_HIDDEN):
        flags, kind = HIDDEN, UNSEEN
        if bid != 0 and offer > bid:
            price = inside(row, bid, offer, sign)
    elif chosen < load_fixed(flow + H_RESERVE):
        display = lot
        quantity = lot * (2 + bits(random, 0, 16) % load_fixed(flow + H_RESERVE_LOTS))
    elif bits(random, 16, 16) < load_fixed(flow + H_POST_ONLY):
        flags = POST_ONLY
    slot = take_slot(flow, row, instrument, venue, side, kind, number, price, quantity)
    if slot == 0:
        return
    token = load_i64le(order_row(flow, slot) + O_TOKEN)
    head, owner = head_of(NEW, side, LIMIT, DAY, flags), owner_of(flow, slot)
    out = send(flow, venue, now_ns, head, instrument, owner, token, 0, price, quantity)
    if display != 0:
        set_display(out, display)
    if kind == SHOWN:
        bump(flow + H_ADDS)
        if load_i64le(row + I_STATE) == TRADING:
            bump(row + I_ADDS)


@njit(nogil=True)
def add(flow, row, instrument, now_ns, shares, venues):
    """A new resting order; `shares` says which classes, `venues` which venues get how many."""
    random, more = draw(row + I_RANDOM), draw(row + I_RANDOM)
    number = class_of(shares, bits(random, 0, 16))
    side = BUY if bits(random, 16, 1) == 0 else SELL
    venue = choose_venue(flow, row, more, venues)
    place = venue_row(flow, venue)
    chosen = bits(more, 32, 16)
    pegs = load_fixed(flow + H_RESERVE) <= chosen and chosen < load_fixed(flow + H_MIDPOINT)
    if load_fixed(place + V_KIND) == DARK or (pegs and load_fixed(place + V_PEGS) != 0):
        add_pegged(flow, row, instrument, now_ns, venue, side, number, random >> 17)
    else:
        add_limit(flow, row, instrument, now_ns, venue, side, number, more)


@njit(nogil=True)
def add_one(flow, row, instrument, now_ns):
    """A new resting order of a market that trades."""
    add(flow, row, instrument, now_ns, flow + H_CLASS_SHARE, V_SHARE)
