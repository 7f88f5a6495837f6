"""Moving the orders of a book into a larger table, while nothing is applied."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.books.layout import LIVE_ORDERS, NO_ORDER, ORDER_BYTES
from feedhandler.books.orders import fill_slot, free_slot, level_at, quantity_at
from nic.raw import load_i64le, store_u64le


@njit(nogil=True, cache=True)
def move_orders(book, orders, arrivals, count):
    """Enters `count` slots into the empty tables that a head names; gives the live orders."""
    store_u64le(book + LIVE_ORDERS, np.int64(0))
    for slot in range(count):
        order, arrival = orders + ORDER_BYTES * slot, arrivals + ORDER_BYTES * slot
        order_id = load_i64le(order)
        if order_id != NO_ORDER:
            shares, level = quantity_at(order), level_at(order)
            sequence, attribution = load_i64le(arrival), load_i64le(arrival + 8)
            place = free_slot(book, order_id)
            fill_slot(book, place, order_id, shares, level, sequence, attribution)
    return load_i64le(book + LIVE_ORDERS)
