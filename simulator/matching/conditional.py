"""Conditional orders: invitations that trade nothing, and word to both when two could meet."""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u64le
from simulator.matching import records as r
from simulator.matching.layout import (
    BESIDE_FIRST,
    BESIDE_NEXT,
    CAP,
    FIRM_UP_NS,
    GROUP,
    INVITATION,
    INVITED_NS,
    LEAVES,
    NONE,
    NOW,
    PRICE,
    SIDE,
    TYPE,
)
from simulator.matching.out import report
from simulator.matching.prices import beyond, is_buy, reference_price
from simulator.matching.rows import instrument_of, marked, order_at
from simulator.matching.taking import least_of


@njit(nogil=True)
def free_for(state, order, invited):
    """Whether an order can be one side of a meeting: firm where the other is an invitation."""
    if not marked(order, INVITATION):
        return invited and load_n8(order + TYPE) == r.MIDPOINT_PEG
    since = load_i64le(order + INVITED_NS)
    return since == 0 or load_i64le(state + NOW) - since >= load_fixed(state + FIRM_UP_NS)


@njit(nogil=True)
def within(order, price):
    """Whether an order's limit allows a price."""
    cap = load_i64le(order + CAP)
    return cap == 0 or not beyond(price, cap, is_buy(order))


@njit(nogil=True)
def could_meet(state, order, other, price):
    """How many shares two orders could trade at a price; 0: they could not."""
    group = load_i64le(order + GROUP)
    if load_n8(order + SIDE) == load_n8(other + SIDE) or not within(other, price):
        return 0
    if group != 0 and group == load_i64le(other + GROUP):
        return 0
    if not free_for(state, other, marked(order, INVITATION)):
        return 0
    shares = min(load_i64le(order + LEAVES), load_i64le(other + LEAVES))
    return shares if shares >= max(least_of(order), least_of(other)) else 0


@njit(nogil=True)
def tell_invited(state, order, price, shares):
    """An invitation may be firmed up from now on, for a while."""
    if marked(order, INVITATION):
        store_u64le(order + PRICE, price)
        store_u64le(order + INVITED_NS, load_i64le(state + NOW))
        report(state, order, r.INVITED, r.NO_REASON, shares, NONE)


@njit(nogil=True)
def invite(state, order):
    """Invites an order that has come and the first of the other side that it could meet."""
    price = reference_price(state, order)
    if price == 0 or not within(order, price):
        return
    number = load_n32le(instrument_of(state, order) + BESIDE_FIRST)
    while number != 0:
        other = order_at(state, number)
        number = load_n32le(other + BESIDE_NEXT)
        shares = could_meet(state, order, other, price)
        if shares != 0:
            tell_invited(state, other, price, shares)
            tell_invited(state, order, price, shares)
            return
