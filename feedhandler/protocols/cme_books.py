"""CME's books by price: changes by place become sizes by price.

A change moves the places below it, and what it moved or replaced is said anew by price: at most
DEPTH records, of a deletion of many levels, else two.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from numba import njit

from feedhandler.actions import ACTION_BYTES, NO_PRICE, emit
from feedhandler.protocols.cme_levels import (
    CHANGE,
    DELETE,
    DELETE_FROM,
    DELETE_THRU,
    DEPTH,
    DIRECT,
    DIRECT_SIDE,
    IMPLIED,
    IMPLIED_DEPTH,
    IMPLIED_SEEN,
    IMPLIED_SIDE,
    LEVELS,
    NEW,
    OVERLAY,
    PAIR,
    quantity_at,
    set_place,
)
from nic.move import move_bytes
from nic.raw import load_i32le, load_i64le, store_u32le

MOST_RECORDS = DEPTH + 2  # that one entry makes
Stamp: Any = namedtuple("Stamp", ("first", "key", "time_ns", "sequence"))  # of an entry's records


@njit(nogil=True, forceinline=True)
def places_of(row, side, implied):
    """Where the levels of one side of the direct or the implied book are."""
    if implied:
        return row + IMPLIED + IMPLIED_SIDE * side
    return row + DIRECT + DIRECT_SIDE * side


@njit(nogil=True, forceinline=True)
def say(out, of, row, side, implied, price, quantity):
    """A LEVEL with what a book and the other one together show; gives the number of records.

    `quantity` is what the changed book has at the price. A level whose price cannot be said
    exactly is for the books to refuse.
    """
    if price == NO_PRICE:
        if quantity == 0:
            return 0
    elif implied:
        quantity += quantity_at(places_of(row, side, False), DEPTH, price)
    elif load_i32le(row + IMPLIED_SEEN) != 0:
        quantity += quantity_at(places_of(row, side, True), IMPLIED_DEPTH, price)
    return emit(out, of.first, of.key, 0, price, quantity, 0, of.time_ns, of.sequence)


@njit(nogil=True, forceinline=True)
def remove_place(out, of, row, side, implied, start):
    """Takes one level out, those below move up; gives the number of records."""
    depth = IMPLIED_DEPTH if implied else DEPTH
    place = places_of(row, side, implied) + PAIR * start
    below = PAIR * (depth - start - 1)
    gone = load_i64le(place)
    move_bytes(place, place + PAIR, below)
    set_place(place + below, NO_PRICE, 0)
    return say(out, of, row, side, implied, gone, 0)


@njit(nogil=True)
def remove_range(out, of, row, side, implied, start, count):
    """Takes a run of levels out and says each of them; gives the number of records."""

    made = 0
    for _ in range(count):
        made += remove_place(out + ACTION_BYTES * made, of, row, side, implied, start)
    return made


@njit(nogil=True)
def insert(out, of, row, side, implied, start, price, quantity):
    """A new level; the one that it pushes out of the book goes. Gives the number of records."""

    depth = IMPLIED_DEPTH if implied else load_i32le(row + LEVELS)
    places = places_of(row, side, implied)
    last = places + PAIR * (depth - 1)
    gone = load_i64le(last)
    move_bytes(places + PAIR * (start + 1), places + PAIR * start, PAIR * (depth - 1 - start))
    set_place(places + PAIR * start, price, quantity)
    made = 0
    if gone != price:
        made = say(out, of, row, side, implied, gone, 0)
    return made + say(out + ACTION_BYTES * made, of, row, side, implied, price, quantity)


@njit(nogil=True, forceinline=True)
def replace(out, of, row, side, implied, start, price, quantity):
    """A level with another size, or another price; gives the number of records."""
    place = places_of(row, side, implied) + PAIR * start
    gone, made = load_i64le(place), 0
    set_place(place, price, quantity)
    if gone != price:
        made = say(out, of, row, side, implied, gone, 0)
    return made + say(out + ACTION_BYTES * made, of, row, side, implied, price, quantity)


@njit(nogil=True)
def remove(out, of, row, side, implied, start, price):
    """A deleted level; also the price that the message names, where that is another one."""

    gone = load_i64le(places_of(row, side, implied) + PAIR * start)
    made = remove_place(out, of, row, side, implied, start)
    if gone != price:
        depth = IMPLIED_DEPTH if implied else DEPTH
        left = quantity_at(places_of(row, side, implied), depth, price)
        made += say(out + ACTION_BYTES * made, of, row, side, implied, price, left)
    return made


@njit(nogil=True, forceinline=True)
def change_book(out, of, row, side, implied, action, level, price, quantity):
    """One entry of a book message.

    Args:
        out, of: where records go and the Stamp that they have in common, its first word with
            LEVEL, side, flags and unit.
        row: of the security.
        side: 0 bids, 1 offers.
        implied: whether it is of the implied book.
        action, level, price, quantity: of the entry; the level is 1 for the best.

    Returns:
        The number of records, or -1 when action or level are none of the book's.
    """
    depth = IMPLIED_DEPTH if implied else load_i32le(row + LEVELS)
    if level < 1 or level > depth:
        return -1
    if implied:
        store_u32le(row + IMPLIED_SEEN, 1)
    start = level - 1
    if action == NEW:
        return insert(out, of, row, side, implied, start, price, quantity)
    if action == CHANGE or action == OVERLAY:
        return replace(out, of, row, side, implied, start, price, quantity)
    if action == DELETE:
        return remove(out, of, row, side, implied, start, price)
    if action == DELETE_THRU:
        return remove_range(out, of, row, side, implied, 0, level)
    if action == DELETE_FROM:
        return remove_range(out, of, row, side, implied, start, depth - start)
    return -1
