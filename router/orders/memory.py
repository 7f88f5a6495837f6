"""Executions that have been booked, found again by the venue's id.

An id names one execution within a venue, instrument and side: a trade of ours with ourselves has
the same id on both sides. The hash set has two words a slot, id and row of the table of fills, 0
where the slot is free. It takes three quarters of its slots. Id 0 is none: such executions are
booked, but cannot be told apart or taken back.
"""

from __future__ import annotations

from numba import njit

from nic.raw import wrapping_product
from router.orders.layout import FILL, FILL_BYTES
from router.rows import add, child_row, get, put
from router.tables import CHILD, HEAD

SLOT_BYTES = 16
SCATTER = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_SHIFT = 24
VENUE_SHIFT = 48


@njit(nogil=True)
def fill_row(router, number):
    """Where a booked execution is."""
    return get(router, HEAD.fills) + FILL_BYTES * number


@njit(nogil=True)
def first_slot(router, row, execution):
    """The slot where an execution of the child in that row is looked for first."""
    word = execution ^ (get(row, CHILD.venue) << VENUE_SHIFT)
    return (wrapping_product(word, SCATTER) >> SCATTER_SHIFT) & get(router, HEAD.execution_mask)


@njit(nogil=True)
def slot_of(router, row, execution):
    """Address of the slot that has an execution of the child in that row, or of the free one."""
    mask, table = get(router, HEAD.execution_mask), get(router, HEAD.executions)
    slot = first_slot(router, row, execution)
    while True:
        place = table + SLOT_BYTES * slot
        number = get(place, 8)
        if number == 0:
            return place
        if get(place, 0) == execution:
            other = child_row(router, get(fill_row(router, number), FILL.child))
            same = get(other, CHILD.venue) == get(row, CHILD.venue)
            same = same and get(other, CHILD.instrument) == get(row, CHILD.instrument)
            if same and get(other, CHILD.side) == get(row, CHILD.side):
                return place
        slot = (slot + 1) & mask


@njit(nogil=True)
def find_fill(router, row, execution):
    """Number of the booked execution with that id of the child in that row; 0: there is none."""
    if execution == 0:
        return 0
    return get(slot_of(router, row, execution), 8)


@njit(nogil=True)
def remember(router, number, execution, shares, price, fee, liquidity, now):
    """Keeps an execution that is not there yet; its number, 0 where it cannot be kept.

    A full table is counted.
    """
    if execution == 0:
        return 0
    count = get(router, HEAD.execution_count)
    if count >= (get(router, HEAD.execution_mask) + 1) // 4 * 3:
        add(router, HEAD.full_count, 1)
        return 0
    count += 1
    put(router, HEAD.execution_count, count)
    place = slot_of(router, child_row(router, number), execution)
    put(place, 0, execution)
    put(place, 8, count)
    fill = fill_row(router, count)
    put(fill, FILL.execution, execution)
    put(fill, FILL.child, number)
    put(fill, FILL.shares, shares)
    put(fill, FILL.price, price)
    put(fill, FILL.fee, fee)
    put(fill, FILL.liquidity, liquidity)
    put(fill, FILL.time_ns, now)
    put(fill, FILL.busted, 0)
    return count
