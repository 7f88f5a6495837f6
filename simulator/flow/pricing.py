"""The latent price of an instrument, and the prices and sizes of the orders around it.

One side's prices are compared as keys: a price times 1 for bids and times -1 for offers, so that a
higher key is always the better price.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.draws import bits, draw, looked_up, share_of
from simulator.flow.layout import (
    H_IMPROVE,
    H_LOCK,
    H_LOT,
    H_MIXED_SHARE,
    H_SPREAD_SHAPE,
    I_FAIR,
    I_HALF_SPREAD,
    I_ODD_SHARE,
    I_RANDOM,
    I_STEP,
    I_TICK,
    I_UNIT,
    LOTS,
    NORMAL,
    ODD,
    REACH,
    TABLE_BITS,
    TABLE_BYTES,
)
from simulator.flow.rows import quote_row

LEAST_TICKS = 20  # the latent price stays above


@njit(nogil=True, forceinline=True)
def sign_of(side):
    """1 for buyers, -1 for sellers."""
    return 1 if side == BUY else -1


@njit(nogil=True, forceinline=True)
def move_fair(row, change):
    """Moves the latent price."""
    least = LEAST_TICKS * load_fixed(row + I_TICK)
    store_u64le(row + I_FAIR, max(least, load_i64le(row + I_FAIR) + change))


@njit(nogil=True, forceinline=True)
def wander(flow, row, random):
    """One random step of the latent price."""
    normal = looked_up(flow, NORMAL, bits(random, 0, TABLE_BITS))
    move_fair(row, share_of(load_fixed(row + I_STEP), normal))


@njit(nogil=True, forceinline=True)
def half_spread(flow, row):
    """Half of the spread that makers quote now."""
    return share_of(load_fixed(row + I_HALF_SPREAD), load_i64le(flow + H_SPREAD_SHAPE))


@njit(nogil=True, forceinline=True)
def touch_key(row, sign, half):
    """The best price that makers quote on a side, on a tick, as a key."""
    tick = load_fixed(row + I_TICK)
    return (load_i64le(row + I_FAIR) * sign - half) // tick * tick


@njit(nogil=True, forceinline=True)
def distance(flow, row, number, random):
    """How far from the touch an order of a class is."""
    ticks = looked_up(flow, REACH + TABLE_BYTES * number, bits(random, 0, TABLE_BITS))
    unit = load_fixed(row + I_UNIT)
    ticks = ticks * unit + (bits(random, TABLE_BITS, 16) % unit if ticks > 0 else 0)
    return ticks * load_fixed(row + I_TICK)


@njit(nogil=True)
def resting_price(flow, row, instrument, venue, sign, number, best, other):
    """A price at which an order of a class rests at a venue.

    best, other: national best of its side and of the other one, 0 for none.
    """
    random = draw(row + I_RANDOM)
    tick = load_fixed(row + I_TICK)
    far = distance(flow, row, number, random)
    key = touch_key(row, sign, half_spread(flow, row)) - far
    fair_key = load_i64le(row + I_FAIR) * sign
    if best != 0 and bits(random, 26, 16) < load_fixed(flow + H_IMPROVE):
        better = best * sign + tick
        key = better if better <= fair_key - tick // 2 else key
    locks = far == 0 and bits(random, 42, 16) < load_fixed(flow + H_LOCK)
    if other != 0:
        key = other * sign if locks else min(key, other * sign - tick)
    quote = quote_row(flow, instrument, venue) + (16 if sign > 0 else 0)
    if load_i64le(quote + 8) > 0:
        key = min(key, load_i64le(quote) * sign - tick)
    price = key * sign
    return max(price, tick)


@njit(nogil=True)
def order_size(flow, row):
    """Shares of an order: an odd lot, round lots, or a round lot and something."""
    random = draw(row + I_RANDOM)
    odd = looked_up(flow, ODD, bits(random, 0, TABLE_BITS))
    if bits(random, 10, 16) < load_fixed(row + I_ODD_SHARE):
        return odd
    lots = looked_up(flow, LOTS, bits(random, 26, TABLE_BITS)) * load_fixed(flow + H_LOT)
    return lots + odd if bits(random, 36, 16) < load_fixed(flow + H_MIXED_SHARE) else lots
