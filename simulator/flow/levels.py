"""The flow's resting orders by price: chains of an instrument's orders whose prices are BUCKETS
ticks apart, the newest first. So makers find what they have at a price that is no good any more."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le
from simulator.flow.layout import (
    BUCKETS,
    H_BUCKETS,
    H_ORDERS,
    I_TICK,
    O_CHAIN,
    O_INSTRUMENT,
    O_NEXT,
    O_PREVIOUS,
    O_PRICE,
    O_SIDE,
    O_VENUE,
    ORDER_BYTES,
)

MOST_LOOKS = 256  # in a chain, at prices further away


@njit(nogil=True, forceinline=True)
def order_row(flow, slot):
    """Address of an order."""
    return load_fixed(flow + H_ORDERS) + ORDER_BYTES * slot


@njit(nogil=True, forceinline=True)
def chain_of(row, instrument, side, price):
    """The number of the chain that has a price."""
    ticks = price // load_fixed(row + I_TICK)
    number = 2 * instrument + (0 if side == BUY else 1)
    return number * BUCKETS + (ticks & (BUCKETS - 1))


@njit(nogil=True, forceinline=True)
def chain_place(flow, chain):
    """Address of the first slot of a chain."""
    return load_fixed(flow + H_BUCKETS) + 4 * chain


@njit(nogil=True, forceinline=True)
def link(flow, row, slot):
    """Enters an order in the chain of its price."""
    order = order_row(flow, slot)
    instrument, side = load_n32le(order + O_INSTRUMENT), load_n32le(order + O_SIDE)
    chain = chain_of(row, instrument, side, load_i64le(order + O_PRICE))
    place = chain_place(flow, chain)
    following = load_n32le(place)
    store_u32le(order + O_CHAIN, chain)
    store_u32le(order + O_NEXT, following)
    store_u32le(order + O_PREVIOUS, 0)
    if following != 0:
        store_u32le(order_row(flow, following) + O_PREVIOUS, slot)
    store_u32le(place, slot)


@njit(nogil=True, forceinline=True)
def unlink(flow, slot):
    """Takes an order out of the chain of its price."""
    order = order_row(flow, slot)
    following, previous = load_n32le(order + O_NEXT), load_n32le(order + O_PREVIOUS)
    if following != 0:
        store_u32le(order_row(flow, following) + O_PREVIOUS, previous)
    if previous != 0:
        store_u32le(order_row(flow, previous) + O_NEXT, following)
    else:
        store_u32le(chain_place(flow, load_n32le(order + O_CHAIN)), following)


@njit(nogil=True)
def newest_at(flow, row, instrument, venue, side, price):
    """The newest order of a side at a price, at a venue or (-1) at any; 0 when none is found."""
    slot = load_n32le(chain_place(flow, chain_of(row, instrument, side, price)))
    for _ in range(MOST_LOOKS):
        if slot == 0:
            return 0
        order = order_row(flow, slot)
        here = venue < 0 or load_n32le(order + O_VENUE) == venue
        if here and load_i64le(order + O_PRICE) == price:
            return slot
        slot = load_n32le(order + O_NEXT)
    return 0
