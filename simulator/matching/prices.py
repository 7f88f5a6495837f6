"""Prices of orders: ticks, pegs, bands, and how far an order may go."""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, load_n8
from simulator.matching import records as r
from simulator.matching.layout import (
    BID,
    CAP,
    LOWER,
    MIDPOINT_ONLY,
    MOST_PRICE,
    OFFER,
    OFFSET,
    RULES,
    SIDE,
    TICK_BYTES,
    TICK_ROWS,
    TICKS,
    TYPE,
    UPPER,
)
from simulator.matching.rows import instrument_of


@njit(nogil=True, forceinline=True)
def is_buy(order):
    """Whether an order buys."""
    return load_n8(order + SIDE) == 1


@njit(nogil=True, forceinline=True)
def is_peg(order):
    """Whether an order follows the reference."""
    return load_n8(order + TYPE) >= r.MIDPOINT_PEG


@njit(nogil=True, forceinline=True)
def tick_at(state, price):
    """The tick of the price band that a price is in."""
    row = load_fixed(state + TICK_ROWS)
    last = row + TICK_BYTES * (load_fixed(state + TICKS) - 1)
    while row < last and price >= load_i64le(row + TICK_BYTES):
        row += TICK_BYTES
    return load_i64le(row + 8)


@njit(nogil=True)
def on_tick(state, price):
    """Whether a price may be quoted."""
    return 0 < price < MOST_PRICE and price % tick_at(state, price) == 0


@njit(nogil=True)
def passive(state, price, buy):
    """The price on a tick at or next to a price, on the side away from the market."""
    tick = tick_at(state, price)
    return price - price % tick if buy else price + (-price) % tick


@njit(nogil=True)
def one_away(state, price, buy):
    """The next tick that does not reach a price of the other side."""
    return passive(state, price - 1, True) if buy else passive(state, price + 1, False)


@njit(nogil=True, forceinline=True)
def beyond(price, limit, buy):
    """Whether a price is more aggressive than a limit."""
    return price > limit if buy else price < limit


@njit(nogil=True)
def reference_price(state, order):
    """Where a peg's reference puts it, without its limit; 0: nowhere."""
    row = instrument_of(state, order)
    bid, offer = load_i64le(row + BID), load_i64le(row + OFFER)
    if load_n8(order + TYPE) == r.MIDPOINT_PEG:
        return (bid + offer) >> 1 if bid != 0 and bid <= offer else 0
    national = bid if is_buy(order) else offer
    if national == 0:
        return 0
    return max(0, passive(state, national + load_i64le(order + OFFSET), is_buy(order)))


@njit(nogil=True)
def peg_price(state, order):
    """The price of a peg now; 0 when it has none and must wait beside the ladders."""
    price, buy, row = reference_price(state, order), is_buy(order), instrument_of(state, order)
    if price == 0:
        return 0
    only, cap = load_fixed(state + RULES) & MIDPOINT_ONLY != 0, load_i64le(order + CAP)
    if cap != 0 and beyond(price, cap, buy):
        if only:
            return 0
        price = cap
    band = load_i64le(row + UPPER) if buy else load_i64le(row + LOWER)
    if beyond(price, band, buy):
        return 0 if only else passive(state, band, buy)
    return price


@njit(nogil=True, forceinline=True)
def band_of(state, order):
    """The band that an order's price may not be beyond."""
    row = instrument_of(state, order)
    return load_i64le(row + UPPER) if is_buy(order) else load_i64le(row + LOWER)
