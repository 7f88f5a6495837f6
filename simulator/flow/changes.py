"""What owners do to resting orders: cancel them, replace them, take a part back."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, NO_PRICE, SELL
from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le
from simulator.flow.commands import head_of, send
from simulator.flow.draws import below, bits, draw
from simulator.flow.layout import (
    H_CANCELS,
    H_CLASS_COUNT,
    H_CLASS_RATE,
    H_FADES,
    H_REDUCE_SHARE,
    H_REDUCES,
    H_REPLACE_SHARE,
    H_REPLACES,
    H_VENUE_COUNT,
    I_COUNT,
    I_FAIR,
    I_FLIGHT,
    I_FLIGHT_PLACE,
    I_RANDOM,
    I_STATE,
    O_CLASS,
    O_KIND,
    O_PRICE,
    O_QUANTITY,
    O_SIDE,
    O_TOKEN,
    O_VENUE,
    PEGGED,
    TRADING,
)
from simulator.flow.levels import link, newest_at, order_row, unlink
from simulator.flow.pricing import half_spread, order_size, resting_price, sign_of, touch_key
from simulator.flow.resting import any_of, bump, leave, list_place, new_token, owner_of
from simulator.flow.rows import national_best, quote_row
from simulator.matching.records import CANCEL, DAY, LIMIT, REPLACE

LOOKS = 2  # orders of which the most exposed is canceled
FLIGHT_LOOKS = 64


@njit(nogil=True)
def cancel(flow, instrument, now_ns, slot):
    """Cancels an order."""
    send_cancel(flow, instrument, now_ns, slot, 0)
    bump(flow + H_CANCELS)
    leave(flow, slot)


@njit(nogil=True)
def send_cancel(flow, instrument, now_ns, slot, quantity):
    """Sends a cancel down to some open shares."""
    order = order_row(flow, slot)
    head = head_of(CANCEL, load_n32le(order + O_SIDE), 0, 0, 0)
    venue, token = load_n32le(order + O_VENUE), load_i64le(order + O_TOKEN)
    owner = owner_of(flow, slot)
    send(flow, venue, now_ns, head, instrument, owner, 0, token, NO_PRICE, quantity)


@njit(nogil=True)
def reprice(flow, row, instrument, now_ns, slot):
    """Replaces an order by one that fits the market as it is now."""
    order = order_row(flow, slot)
    side, venue = load_n32le(order + O_SIDE), load_n32le(order + O_VENUE)
    bid, offer = national_best(flow, instrument)
    best, other = (bid, offer) if side == BUY else (offer, bid)
    number, sign = load_n32le(order + O_CLASS), sign_of(side)
    price = resting_price(flow, row, instrument, venue, sign, number, best, other)
    quantity = load_i64le(order + O_QUANTITY)
    if price == load_i64le(order + O_PRICE):
        quantity = order_size(flow, row)
    target, token = load_i64le(order + O_TOKEN), new_token(flow, slot)
    head, owner = head_of(REPLACE, side, LIMIT, DAY, 0), owner_of(flow, slot)
    send(flow, venue, now_ns, head, instrument, owner, token, target, price, quantity)
    store_u64le(order + O_TOKEN, token)
    unlink(flow, slot)
    store_u64le(order + O_PRICE, price)
    link(flow, row, slot)
    store_u64le(order + O_QUANTITY, quantity)
    bump(flow + H_REPLACES)


@njit(nogil=True)
def reduce(flow, instrument, now_ns, slot, kept):
    """Cancels a part of an order."""
    send_cancel(flow, instrument, now_ns, slot, kept)
    store_u64le(order_row(flow, slot) + O_QUANTITY, kept)
    bump(flow + H_REDUCES)


@njit(nogil=True, forceinline=True)
def excess(flow, row, slot):
    """How far an order's price is beyond the latent price, to its owner's loss."""
    order = order_row(flow, slot)
    if load_n32le(order + O_KIND) == PEGGED:
        return NO_PRICE
    sign = sign_of(load_n32le(order + O_SIDE))
    return (load_i64le(order + O_PRICE) - load_i64le(row + I_FAIR)) * sign


@njit(nogil=True)
def most_exposed(flow, row, number, looks):
    """Of some orders of a class the one that is next to trade, or has been left behind most."""
    random = draw(row + I_RANDOM)
    chosen = any_of(flow, row, number, random)
    most = excess(flow, row, chosen)
    for _ in range(looks - 1):
        random = draw(row + I_RANDOM)
        slot = any_of(flow, row, number, random)
        behind = excess(flow, row, slot)
        if behind > most:
            chosen, most = slot, behind
    return chosen


@njit(nogil=True)
def change_one(flow, row, instrument, now_ns, value):
    """An owner cancels, replaces or reduces an order; `value` below the cancel rate says which."""
    number = 0
    while True:
        place = 8 * number
        rate = load_fixed(flow + H_CLASS_RATE + place) * load_i64le(row + I_COUNT + place)
        if value < rate:
            break
        value -= rate
        number += 1
    slot = most_exposed(flow, row, number, LOOKS)
    random = draw(row + I_RANDOM)
    order = order_row(flow, slot)
    settled = load_i64le(row + I_STATE) == TRADING and load_n32le(order + O_KIND) != PEGGED
    half = load_i64le(order + O_QUANTITY) // 2
    if settled and bits(random, 0, 16) < load_fixed(flow + H_REPLACE_SHARE):
        reprice(flow, row, instrument, now_ns, slot)
    elif settled and half > 0 and bits(random, 16, 16) < load_fixed(flow + H_REDUCE_SHARE):
        reduce(flow, instrument, now_ns, slot, half)
    else:
        cancel(flow, instrument, now_ns, slot)


@njit(nogil=True)
def fade(flow, row, instrument, now_ns, side, price):
    """An owner cancels the newest order of a side at a price, if there is one; 1 if so."""
    slot = newest_at(flow, row, instrument, -1, side, price)
    if slot == 0:
        return 0
    bump(flow + H_FADES)
    cancel(flow, instrument, now_ns, slot)
    return 1


@njit(nogil=True)
def follow(flow, row, instrument, now_ns, random):
    """A maker at some venue sees a price there that is better than makers would quote now.

    The newest order there is priced anew or canceled; gives 1 if there was one.
    """
    venue = below(random, load_fixed(flow + H_VENUE_COUNT))
    side = BUY if bits(random, 32, 1) == 0 else SELL
    quote = quote_row(flow, instrument, venue) + (0 if side == BUY else 16)
    price, sign = load_i64le(quote), sign_of(side)
    if load_i64le(quote + 8) == 0 or price * sign <= touch_key(row, sign, half_spread(flow, row)):
        return 0
    slot = newest_at(flow, row, instrument, venue, side, price)
    if slot == 0:
        return 0
    if bits(random, 33, 2) == 0:
        reprice(flow, row, instrument, now_ns, slot)
    else:
        cancel(flow, instrument, now_ns, slot)
    bump(flow + H_FADES)
    return 1


@njit(nogil=True)
def begin_flight(flow, row):
    """After news: one by one, all orders are looked at."""
    last = load_fixed(flow + H_CLASS_COUNT)
    store_u64le(row + I_FLIGHT, last)
    store_u64le(row + I_FLIGHT_PLACE, load_i64le(row + I_COUNT + 8 * (last - 1)))


@njit(nogil=True)
def flee(flow, row, instrument, now_ns):
    """Cancels the next order that the latent price has left behind; looks at some at a time."""
    for _ in range(FLIGHT_LOOKS):
        number = load_i64le(row + I_FLIGHT) - 1
        if number < 0:
            return
        place = load_i64le(row + I_FLIGHT_PLACE) - 1
        if place < 0:
            store_u64le(row + I_FLIGHT, number)
            if number > 0:
                count = load_i64le(row + I_COUNT + 8 * (number - 1))
                store_u64le(row + I_FLIGHT_PLACE, count)
            continue
        store_u64le(row + I_FLIGHT_PLACE, place)
        if place < load_i64le(row + I_COUNT + 8 * number):
            slot = load_n32le(list_place(flow, row, number, place))
            if excess(flow, row, slot) > 0:
                cancel(flow, instrument, now_ns, slot)
                return
