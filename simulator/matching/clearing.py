"""The price of an auction: most shares, then least imbalance, then nearest to the reference.

Prices looked at are those of the orders, the reference and the bands. Orders with a minimum
quantity do not take part.
"""

from __future__ import annotations

from numba import njit

from feedhandler.books.farlevels import far_count, far_key, far_level
from feedhandler.books.ladder import key_of_price, ladder_address
from nic.raw import load_i64le, load_n32le
from simulator.matching.layout import LEAVES, LOWER, MINIMUM, MOST_PRICE, NEXT, UPPER
from simulator.matching.rows import instrument_at, order_at, queue_at


@njit(nogil=True)
def eligible_in(state, number):
    """Shares of a queue that take part."""
    total = 0
    while number != 0:
        order = order_at(state, number)
        if load_i64le(order + MINIMUM) == 0:
            total += load_i64le(order + LEAVES)
        number = load_n32le(order + NEXT)
    return total


@njit(nogil=True)
def eligible_at(state, row, place):
    """Shares of a level that take part."""
    queue = queue_at(state, far_level(row, place))
    return eligible_in(state, load_n32le(queue)) + eligible_in(state, load_n32le(queue + 8))


@njit(nogil=True)
def eligible_of(state, row):
    """Shares of a ladder that take part."""
    total = 0
    for place in range(far_count(row)):
        total += eligible_at(state, row, place)
    return total


@njit(nogil=True)
def price_at(row, ladder, place):
    """The price at a place of a ladder; MOST_PRICE beyond its ends."""
    if place < 0 or place >= far_count(row):
        return MOST_PRICE
    return key_of_price(far_key(row, place), ladder)


@njit(nogil=True)
def nearest(price, other, reference):
    """Whether a price is nearer to the reference than another; the lower one of equals is."""
    if reference == 0:
        return False
    return abs(price - reference) < abs(other - reference)


@njit(nogil=True)
def next_extra(price, reference, lower, upper):
    """The lowest of reference and bands that is above a price; MOST_PRICE without."""
    found = MOST_PRICE
    if reference > price:
        found = min(found, reference)
    if lower > price:
        found = min(found, lower)
    if upper > price:
        found = min(found, upper)
    return found


@njit(nogil=True)
def clear(state, instrument, reference):
    """(price, shares paired, demand less supply there); price 0 when nothing can cross.

    Walks all prices upwards once: supply grows, demand shrinks.
    """
    instrument_row = instrument_at(state, instrument)
    lower, upper = load_i64le(instrument_row + LOWER), load_i64le(instrument_row + UPPER)
    bids, offers = 2 * instrument, 2 * instrument + 1
    bid_row, offer_row = ladder_address(state, bids), ladder_address(state, offers)
    bid, offer = 0, far_count(offer_row) - 1
    demand, supply, price = eligible_of(state, bid_row), 0, 0
    best, best_shares, best_left = 0, 0, 0
    while True:
        extra = next_extra(price, reference, lower, upper)
        price = min(extra, price_at(bid_row, bids, bid), price_at(offer_row, offers, offer))
        if price >= MOST_PRICE:
            return best, best_shares, best_left
        while price_at(offer_row, offers, offer) <= price:
            supply += eligible_at(state, offer_row, offer)
            offer -= 1
        if lower <= price <= upper and price > 1:
            shares, left = min(demand, supply), demand - supply
            better = shares > best_shares
            if shares == best_shares and shares > 0:
                closer = nearest(price, best, reference)
                better = abs(left) < abs(best_left) or (abs(left) == abs(best_left) and closer)
            if better:
                best, best_shares, best_left = price, shares, left
        while price_at(bid_row, bids, bid) <= price:
            demand -= eligible_at(state, bid_row, bid)
            bid += 1
