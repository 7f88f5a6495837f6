"""The order table: buckets of four orders, one cache line each, no tombstones.

An order is looked for in the bucket of its id by one comparison of the whole line, so that it costs
no branch where in the bucket it is. A full bucket spills into the next ones; when an order leaves a
full bucket, one that had to spill is brought back. Dense ids keep their order (factor 1): a venue
that numbers its orders upwards fills the table from one end to the other.
"""

from __future__ import annotations

from numba import njit

from feedhandler.books.layout import (
    ARRIVALS,
    BUCKET_BYTES,
    BUCKET_MASK,
    BUCKET_ORDERS,
    LIVE_ORDERS,
    NO_ORDER,
    ORDER_BYTES,
    ORDER_FACTOR,
    ORDER_LEVEL,
    ORDER_QUANTITY,
    ORDER_SHIFT,
    ORDERS,
)
from nic.raw import load_fixed, load_i64le, load_n32le, store_u32le, store_u64le, wrapping_product
from nic.vector import count_trailing_zeros, equal_mask_4_of_16

same_ids = equal_mask_4_of_16  # (bucket, id) -> which of its orders have that id, a bit each


@njit(nogil=True, forceinline=True)
def bucket_of(book, order_id):
    """The number of the bucket where an order is looked for first."""
    scattered = wrapping_product(order_id, load_fixed(book + ORDER_FACTOR))
    return (scattered >> load_fixed(book + ORDER_SHIFT)) & load_fixed(book + BUCKET_MASK)


@njit(nogil=True, forceinline=True)
def bucket_address(book, bucket):
    """Where a bucket is."""
    return load_fixed(book + ORDERS) + BUCKET_BYTES * bucket


@njit(nogil=True, forceinline=True)
def level_at(order):
    """Level number of the order at an address."""
    return load_n32le(order + ORDER_LEVEL)


@njit(nogil=True, forceinline=True)
def quantity_at(order):
    """Open shares of the order at an address."""
    return load_n32le(order + ORDER_QUANTITY)


@njit(nogil=True, forceinline=True)
def arrival_of(book, order):
    """Address of the arrival row of the order at an address."""
    return load_fixed(book + ARRIVALS) + (order - load_fixed(book + ORDERS))


@njit(nogil=True)
def find_spilled(book, order_id, bucket):
    """The order behind its full bucket; 0 when it is not there."""
    mask = load_fixed(book + BUCKET_MASK)
    while True:
        bucket = (bucket + 1) & mask
        line = bucket_address(book, bucket)
        found = same_ids(line, order_id)
        if found != 0:
            return line + ORDER_BYTES * count_trailing_zeros(found)
        if same_ids(line, NO_ORDER) != 0:
            return 0


@njit(nogil=True, forceinline=True)
def find_order(book, order_id):
    """Address of an order; 0 when it is not there."""
    bucket = bucket_of(book, order_id)
    line = bucket_address(book, bucket)
    found = same_ids(line, order_id)
    if found != 0:
        return line + ORDER_BYTES * count_trailing_zeros(found)
    if same_ids(line, NO_ORDER) != 0:
        return 0
    return find_spilled(book, order_id, bucket)


@njit(nogil=True)
def spilled_slot(book, bucket):
    """Address of the first free slot behind a full bucket."""
    mask = load_fixed(book + BUCKET_MASK)
    while True:
        bucket = (bucket + 1) & mask
        line = bucket_address(book, bucket)
        free = same_ids(line, NO_ORDER)
        if free != 0:
            return line + ORDER_BYTES * count_trailing_zeros(free)


@njit(nogil=True, forceinline=True)
def free_slot(book, order_id):
    """Address of a free slot for a new order; 0 when an order has that id already."""
    bucket = bucket_of(book, order_id)
    line = bucket_address(book, bucket)
    if same_ids(line, order_id) != 0:
        return 0
    free = same_ids(line, NO_ORDER)
    if free != 0:
        return line + ORDER_BYTES * count_trailing_zeros(free)
    return spilled_slot(book, bucket) if find_spilled(book, order_id, bucket) == 0 else 0


@njit(nogil=True, forceinline=True)
def fill_slot(book, order, order_id, quantity, level, sequence, attribution):
    """Writes an order into a free slot."""
    store_u64le(order, order_id)
    store_u64le(order + 8, quantity | (level << 32))
    arrival = arrival_of(book, order)
    store_u64le(arrival, sequence)
    store_u64le(arrival + 8, attribution)
    store_u64le(book + LIVE_ORDERS, load_i64le(book + LIVE_ORDERS) + 1)


@njit(nogil=True)
def bring_back(book, line):
    """After an order left a full bucket: fills its slot with one that had to spill, if any did.

    The bucket that one comes from has lost an order too, and so on to the first with a free slot.
    """
    mask, base = load_fixed(book + BUCKET_MASK), load_fixed(book + ORDERS)
    hole_bucket = (line - base) // BUCKET_BYTES
    hole = line + ORDER_BYTES * count_trailing_zeros(same_ids(line, NO_ORDER))
    bucket = hole_bucket
    while True:
        bucket = (bucket + 1) & mask
        line = bucket_address(book, bucket)
        was_full = same_ids(line, NO_ORDER) == 0
        for number in range(BUCKET_ORDERS):
            order = line + ORDER_BYTES * number
            order_id = load_i64le(order)
            away = (bucket - bucket_of(book, order_id)) & mask
            if order_id != NO_ORDER and away >= ((bucket - hole_bucket) & mask):
                move_order(book, order, hole)
                hole, hole_bucket = order, bucket
                break
        if not was_full:
            return


@njit(nogil=True)
def move_order(book, order, target):
    """Moves an order and its arrival to a free slot; its own becomes free."""
    a, b = arrival_of(book, order), arrival_of(book, target)
    store_u64le(target, load_i64le(order))
    store_u64le(target + 8, load_i64le(order + 8))
    store_u64le(b, load_i64le(a))
    store_u64le(b + 8, load_i64le(a + 8))
    store_u64le(order, NO_ORDER)


@njit(nogil=True, forceinline=True)
def take_out(book, order):
    """Frees the slot of the order at an address."""
    line = order & -BUCKET_BYTES
    full = same_ids(line, NO_ORDER) == 0
    store_u64le(order, NO_ORDER)
    store_u64le(book + LIVE_ORDERS, load_i64le(book + LIVE_ORDERS) - 1)
    if full:
        bring_back(book, line)


@njit(nogil=True, forceinline=True)
def set_quantity(order, quantity):
    """Changes the open shares of the order at an address."""
    store_u32le(order + ORDER_QUANTITY, quantity)
