"""What actions on levels, sides and whole books do."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.books.changes import ladder_of
from feedhandler.books.ladder import (
    best_level,
    find_level,
    ladder_address,
    level_address,
    level_at_price,
    remove_level,
)
from feedhandler.books.layout import (
    BAD_PRICE,
    BAD_QUANTITY,
    BUCKET_MASK,
    BUCKET_ORDERS,
    CHUNKS_FULL,
    INSTRUMENTS,
    LEVEL_QUANTITY,
    LEVELS_FULL,
    NO_FAULT,
    NO_ORDER,
    ORDER_BYTES,
    ORDERS,
    TOP_UNIT,
)
from feedhandler.books.notes import set_closed, set_status_of_all
from feedhandler.books.orders import level_at, take_out
from feedhandler.books.tops import refresh, top_address
from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le


@njit(nogil=True)
def set_level(book, ladder, price, shares, time_ns):
    """A level's new size, as venues that send levels give it; 0 removes the level."""
    if price == NO_PRICE:
        return BAD_PRICE
    if shares < 0:
        return BAD_QUANTITY
    row = ladder_address(book, ladder)
    level = level_at_price(book, row, ladder, price)
    if shares != 0 and level == 0:
        level = find_level(book, row, ladder, price)
        if level <= 0:
            return LEVELS_FULL if level == 0 else CHUNKS_FULL
    if level != 0:
        store_u64le(level_address(book, level) + LEVEL_QUANTITY, shares)
        if shares == 0:
            remove_level(book, row, level)
        refresh(book, ladder, time_ns)
    return NO_FAULT


@njit(nogil=True)
def empty_ladder(book, row):
    """Takes all levels off a ladder."""
    level = best_level(row)
    while level != 0:
        remove_level(book, row, level)
        level = best_level(row)


@njit(nogil=True)
def set_top(book, ladder, price, shares, flags, time_ns):
    """The only level a venue shows of a side; 0 shares: none. Its flags say if it is eligible."""
    if shares < 0:
        return BAD_QUANTITY
    if shares != 0 and price == NO_PRICE:
        return BAD_PRICE
    set_closed(book, ladder, flags)
    row = ladder_address(book, ladder)
    level = best_level(row)
    if shares == 0 or level == 0 or load_i64le(level_address(book, level)) != price:
        empty_ladder(book, row)
    if shares != 0:
        return set_level(book, ladder, price, shares, time_ns)
    refresh(book, ladder, time_ns)
    return NO_FAULT


@njit(nogil=True)
def clear_orders(book, instrument):
    """Takes out all orders of an instrument; its levels are the caller's to empty.

    Goes over the whole order table: a clear is rare (a day's start, a refresh), and an order that
    knew its instrument's others would pay for it with each message. A slot is looked at again after
    an order was taken out of it, because another may have been brought back into it.
    """
    order = load_fixed(book + ORDERS)
    slots = BUCKET_ORDERS * (load_fixed(book + BUCKET_MASK) + 1)
    end = order + ORDER_BYTES * slots
    while order < end:
        level = level_at(order)
        if load_i64le(order) != NO_ORDER and ladder_of(book, level) >> 1 == instrument:
            take_out(book, order)
        else:
            order += ORDER_BYTES


@njit(nogil=True)
def has_levels(book, instrument):
    """Whether either side of an instrument has a level."""
    bids, offers = ladder_address(book, 2 * instrument), ladder_address(book, 2 * instrument + 1)
    return best_level(bids) != 0 or best_level(offers) != 0


@njit(nogil=True)
def empty_ladders(book, instrument, time_ns):
    """Takes all levels of an instrument off; their orders are the caller's to take out."""
    bids, offers = ladder_address(book, 2 * instrument), ladder_address(book, 2 * instrument + 1)
    empty_ladder(book, bids)
    empty_ladder(book, offers)
    refresh(book, 2 * instrument, time_ns)
    refresh(book, 2 * instrument + 1, time_ns)


@njit(nogil=True)
def clear_instrument(book, instrument, time_ns):
    """Empties both sides of an instrument."""
    if has_levels(book, instrument):
        clear_orders(book, instrument)
        empty_ladders(book, instrument, time_ns)


@njit(nogil=True)
def clear_orders_of_unit(book, unit):
    """Takes out all orders of a unit in one pass, as `clear_orders` does those of an instrument."""
    order = load_fixed(book + ORDERS)
    slots = BUCKET_ORDERS * (load_fixed(book + BUCKET_MASK) + 1)
    end = order + ORDER_BYTES * slots
    while order < end:
        gone = load_i64le(order) != NO_ORDER
        if gone:
            instrument = ladder_of(book, level_at(order)) >> 1
            gone = load_n32le(top_address(book, instrument) + TOP_UNIT) == unit
        if gone:
            take_out(book, order)
        else:
            order += ORDER_BYTES


@njit(nogil=True)
def clear_unit(book, unit, time_ns):
    """Empties the books of all instruments that a unit has spoken of."""
    clear_orders_of_unit(book, unit)
    for instrument in range(load_fixed(book + INSTRUMENTS)):
        own = load_n32le(top_address(book, instrument) + TOP_UNIT) == unit
        if own and has_levels(book, instrument):
            empty_ladders(book, instrument, time_ns)


@njit(nogil=True)
def set_unit_status(book, unit, status):
    """The trading status of all instruments of a unit but those that were halted by name."""
    for instrument in range(load_fixed(book + INSTRUMENTS)):
        if load_n32le(top_address(book, instrument) + TOP_UNIT) == unit:
            set_status_of_all(book, instrument, status)
