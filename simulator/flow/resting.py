"""The flow's own view of its resting orders: by slot, and listed by instrument and lifetime.

A token is a serial number and the order's slot. What is canceled leaves this view at once, what is
executed or refused leaves it with the report. A report of an order that has left finds another
token in the slot and changes nothing.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le
from simulator.flow.draws import below
from simulator.flow.layout import (
    H_CLASS_RATE,
    H_FREE_ORDER,
    H_LISTS,
    H_LISTS_FULL,
    H_LIVE_ORDERS,
    H_NEXT_SERIAL,
    H_OWNERS,
    I_CANCEL_RATE,
    I_COUNT,
    I_FIRST,
    I_ROOM,
    O_CLASS,
    O_INSTRUMENT,
    O_KIND,
    O_PLACE,
    O_PRICE,
    O_QUANTITY,
    O_SIDE,
    O_TOKEN,
    O_VENUE,
    PEGGED,
    SLOT_BITS,
    SLOT_MASK,
)
from simulator.flow.levels import link, order_row, unlink
from simulator.flow.rows import instrument_row


@njit(nogil=True, forceinline=True)
def bump(place):
    """Counts one more."""
    store_u64le(place, load_i64le(place) + 1)


@njit(nogil=True, forceinline=True)
def new_token(flow, slot):
    """A token nobody had, of an order in a slot; slot 0: of one that does not rest."""
    serial = load_i64le(flow + H_NEXT_SERIAL)
    store_u64le(flow + H_NEXT_SERIAL, serial + 1)
    return (serial << SLOT_BITS) | slot


@njit(nogil=True, forceinline=True)
def owner_of(flow, slot):
    """The participant behind a slot."""
    return 1 + slot % load_fixed(flow + H_OWNERS)


@njit(nogil=True, forceinline=True)
def list_place(flow, row, number, place):
    """Address of a place in an instrument's list of a class."""
    first = load_fixed(row + I_FIRST + 8 * number)
    return load_fixed(flow + H_LISTS) + 4 * (first + place)


@njit(nogil=True, forceinline=True)
def change_rate(row, change):
    """Changes the rate of cancels of all of an instrument's orders."""
    store_u64le(row + I_CANCEL_RATE, load_i64le(row + I_CANCEL_RATE) + change)


@njit(nogil=True)
def take_slot(flow, row, instrument, venue, side, kind, number, price, quantity):
    """Enters a new order of a class; its slot, 0 when the list is full."""
    place = 8 * number
    count = load_i64le(row + I_COUNT + place)
    slot = load_i64le(flow + H_FREE_ORDER)
    if count >= load_fixed(row + I_ROOM + 8 * number) or slot == 0:
        bump(flow + H_LISTS_FULL)
        return 0
    order = order_row(flow, slot)
    store_u64le(flow + H_FREE_ORDER, load_i64le(order + O_PRICE))
    store_u32le(list_place(flow, row, number, count), slot)
    store_u64le(row + I_COUNT + place, count + 1)
    change_rate(row, load_fixed(flow + H_CLASS_RATE + place))
    store_u64le(order + O_TOKEN, new_token(flow, slot))
    store_u64le(order + O_PRICE, price)
    store_u64le(order + O_QUANTITY, quantity)
    store_u64le(order + O_PLACE, count)
    store_u32le(order + O_INSTRUMENT, instrument)
    store_u32le(order + O_VENUE, venue)
    store_u32le(order + O_SIDE, side)
    store_u32le(order + O_KIND, kind)
    store_u32le(order + O_CLASS, number)
    if kind != PEGGED:
        link(flow, row, slot)
    bump(flow + H_LIVE_ORDERS)
    return slot


@njit(nogil=True)
def leave(flow, slot):
    """Takes an order out: the last one of its list takes its place there."""
    order = order_row(flow, slot)
    row = instrument_row(flow, load_n32le(order + O_INSTRUMENT))
    number = load_n32le(order + O_CLASS)
    if load_n32le(order + O_KIND) != PEGGED:
        unlink(flow, slot)
    last = load_i64le(row + I_COUNT + 8 * number) - 1
    store_u64le(row + I_COUNT + 8 * number, last)
    change_rate(row, -load_fixed(flow + H_CLASS_RATE + 8 * number))
    place = load_i64le(order + O_PLACE)
    mover = load_n32le(list_place(flow, row, number, last))
    store_u32le(list_place(flow, row, number, place), mover)
    store_u64le(order_row(flow, mover) + O_PLACE, place)
    store_u64le(order + O_TOKEN, 0)
    store_u64le(order + O_PRICE, load_i64le(flow + H_FREE_ORDER))
    store_u64le(flow + H_FREE_ORDER, slot)
    store_u64le(flow + H_LIVE_ORDERS, load_i64le(flow + H_LIVE_ORDERS) - 1)


@njit(nogil=True, forceinline=True)
def slot_of(flow, token, slots):
    """The slot of a live order; 0 when it has left, or never rested."""
    slot = token & SLOT_MASK
    if slot == 0 or slot >= slots or load_i64le(order_row(flow, slot) + O_TOKEN) != token:
        return 0
    return slot


@njit(nogil=True, forceinline=True)
def any_of(flow, row, number, random):
    """A slot of a class that has orders, each with the same chance."""
    count = load_i64le(row + I_COUNT + 8 * number)
    return load_n32le(list_place(flow, row, number, below(random, count)))
