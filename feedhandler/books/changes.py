"""What actions on orders do to a book. Every function gives a fault number, 0 when all is well."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import NO_PRICE
from feedhandler.books.ladder import (
    best_level,
    find_level,
    ladder_address,
    level_address,
    remove_level,
)
from feedhandler.books.layout import (
    BAD_PRICE,
    BAD_QUANTITY,
    CHUNKS_FULL,
    DUPLICATE_ORDER,
    LEVEL_LADDER,
    LEVEL_ORDERS,
    LEVEL_QUANTITY,
    LEVELS_FULL,
    LIVE_ORDERS,
    MOST_ORDERS,
    NO_FAULT,
    NO_ORDER,
    ORDER_LEVEL,
    ORDERS_FULL,
    OVER_REDUCED,
    UNKNOWN_ORDER,
)
from feedhandler.books.orders import (
    arrival_of,
    fill_slot,
    find_order,
    free_slot,
    level_at,
    quantity_at,
    set_quantity,
    take_out,
)
from feedhandler.books.tops import refresh
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le

MOST_SHARES = (1 << 32) - 1


@njit(nogil=True, forceinline=True)
def add_to_level(address, shares, orders):
    """Changes a level's totals; gives its remaining number of orders."""
    store_u64le(address + LEVEL_QUANTITY, load_i64le(address + LEVEL_QUANTITY) + shares)
    remaining = load_n32le(address + LEVEL_ORDERS) + orders
    store_u32le(address + LEVEL_ORDERS, remaining)
    return remaining


@njit(nogil=True, forceinline=True)
def ladder_of(book, level):
    """The ladder a level is on."""
    return load_n32le(level_address(book, level) + LEVEL_LADDER)


@njit(nogil=True, forceinline=True)
def add_order(book, ladder, order_id, price, shares, sequence, attribution, time_ns):
    """A new order at the back of its level."""
    if price == NO_PRICE:
        return BAD_PRICE
    if shares <= 0 or shares > MOST_SHARES:
        return BAD_QUANTITY
    if load_i64le(book + LIVE_ORDERS) >= load_fixed(book + MOST_ORDERS):
        return ORDERS_FULL
    order = free_slot(book, order_id)
    if order == 0 or order_id == NO_ORDER:
        return DUPLICATE_ORDER
    row = ladder_address(book, ladder)
    level = find_level(book, row, ladder, price)
    if level <= 0:
        return LEVELS_FULL if level == 0 else CHUNKS_FULL
    fill_slot(book, order, order_id, shares, level, sequence, attribution)
    add_to_level(level_address(book, level), shares, 1)
    if best_level(row) == level:
        refresh(book, ladder, time_ns)
    return NO_FAULT


@njit(nogil=True, forceinline=True)
def leave_level(book, level, shares, time_ns):
    """An order's last shares leave its level."""
    address = level_address(book, level)
    ladder = load_n32le(address + LEVEL_LADDER)
    row = ladder_address(book, ladder)
    was_best = best_level(row) == level
    if add_to_level(address, -shares, -1) == 0:
        remove_level(book, row, level)
    if was_best:
        refresh(book, ladder, time_ns)


@njit(nogil=True, forceinline=True)
def remove_order(book, order, level, time_ns):
    """Takes out the order at an address."""
    shares = quantity_at(order)
    take_out(book, order)
    leave_level(book, level, shares, time_ns)


@njit(nogil=True, forceinline=True)
def take_shares(book, order_id, seen, shares, whole, time_ns):
    """Shares leave an order, all of them or so many; the last ones take it out.

    `seen` is the address where the order probably is.
    """
    order = seen if load_i64le(seen) == order_id else find_order(book, order_id)
    if order == 0 or order_id == NO_ORDER:
        return UNKNOWN_ORDER
    level, had = level_at(order), quantity_at(order)
    taken = had if whole else shares
    if taken < 0:
        return BAD_QUANTITY
    left = had - taken
    if left > 0:
        set_quantity(order, left)
        address = level_address(book, level)
        store_u64le(address + LEVEL_QUANTITY, load_i64le(address + LEVEL_QUANTITY) - taken)
        ladder = load_n32le(address + LEVEL_LADDER)
        if best_level(ladder_address(book, ladder)) == level:
            refresh(book, ladder, time_ns)
        return NO_FAULT
    remove_order(book, order, level, time_ns)
    return NO_FAULT if left == 0 else OVER_REDUCED


@njit(nogil=True)
def replace_order(book, order_id, new_id, price, shares, sequence, time_ns):
    """An order leaves and another enters on its side, at the back of its level."""
    order = find_order(book, order_id)
    if order == 0 or order_id == NO_ORDER:
        return UNKNOWN_ORDER
    level = level_at(order)
    ladder, attribution = ladder_of(book, level), load_i64le(arrival_of(book, order) + 8)
    remove_order(book, order, level, time_ns)
    return add_order(book, ladder, new_id, price, shares, sequence, attribution, time_ns)


@njit(nogil=True)
def move_level(book, order, level, price, shares, time_ns):
    """An order goes to another price on its side, in its slot; 0 or a fault."""
    ladder = ladder_of(book, level)
    target = find_level(book, ladder_address(book, ladder), ladder, price)
    if target <= 0:
        return LEVELS_FULL if target == 0 else CHUNKS_FULL
    add_to_level(level_address(book, target), shares, 1)
    store_u32le(order + ORDER_LEVEL, target)
    leave_level(book, level, quantity_at(order), time_ns)
    return NO_FAULT


@njit(nogil=True)
def modify_order(book, order_id, price, shares, keeps, sequence, time_ns):
    """A new price (NO_PRICE: the same) and total size in place; 0 shares take the order out."""
    order = find_order(book, order_id)
    if order == 0 or order_id == NO_ORDER:
        return UNKNOWN_ORDER
    if shares < 0 or shares > MOST_SHARES:
        return BAD_QUANTITY
    level = level_at(order)
    if shares == 0:
        remove_order(book, order, level, time_ns)
        return NO_FAULT
    ladder = ladder_of(book, level)
    if price != NO_PRICE and price != load_i64le(level_address(book, level)):
        fault = move_level(book, order, level, price, shares, time_ns)
        if fault != NO_FAULT:
            return fault
    else:
        add_to_level(level_address(book, level), shares - quantity_at(order), 0)
    set_quantity(order, shares)
    if not keeps:
        store_u64le(arrival_of(book, order), sequence)
    refresh(book, ladder, time_ns)
    return NO_FAULT
