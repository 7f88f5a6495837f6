"""Reading books while another thread writes them: copy, look again, say whether it held still.

A reader may meet a half-written row. Every number it follows is kept inside its table, and what it
copied counts only when a second look finds the same bytes and the writer was not inside one and the
same batch all the while. Where the tables are, it knows for one generation of them: when they have
moved, nothing that it copied counts.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.books.growing import GENERATION
from feedhandler.books.ladder import ladder_of_table
from feedhandler.books.layout import (
    BATCHES,
    LADDER_BITS,
    LADDER_COUNT,
    LADDER_KEYS,
    LADDER_LEVELS,
    LADDER_LOW,
    LADDER_WINDOW,
    LEVEL_BYTES,
    LEVEL_ORDERS,
    LEVEL_QUANTITY,
    NO_KEY,
    NO_ORDER,
    TOP_BYTES,
)
from feedhandler.books.orders import arrival_of, find_order, level_at, quantity_at
from feedhandler.books.window import CENT, PLACES, highest, turned
from nic.block import field_offset
from nic.raw import load_acquire_u64, load_i64le, load_n32le, store_u64le
from nic.vector import count_ones

TORN: Final = -1
MOVED: Final = -2

READ_LEVEL_DTYPE: Final = np.dtype([("price", "i8"), ("quantity", "i8"), ("orders", "i8")])
READ_LEVEL_BYTES: Final = READ_LEVEL_DTYPE.itemsize
PLACES_DTYPE: Final = np.dtype(  # where this process has the tables
    [
        ("head", "i8"),
        ("ladders", "i8"),
        ("levels", "i8"),
        ("last_level", "i8"),
        ("chunks", "i8"),
        ("chunks_end", "i8"),
        ("shift", "i8"),  # from an address of the writer's to one of ours
        ("tops", "i8"),
        ("generation", "i8"),  # of the tables that these are the places of
    ]
)
HEAD_AT: Final = field_offset(PLACES_DTYPE, "head")
LADDERS_AT: Final = field_offset(PLACES_DTYPE, "ladders")
LEVELS_AT: Final = field_offset(PLACES_DTYPE, "levels")
LAST_LEVEL: Final = field_offset(PLACES_DTYPE, "last_level")
CHUNKS_AT: Final = field_offset(PLACES_DTYPE, "chunks")
CHUNKS_END: Final = field_offset(PLACES_DTYPE, "chunks_end")
SHIFT: Final = field_offset(PLACES_DTYPE, "shift")
TOPS_AT: Final = field_offset(PLACES_DTYPE, "tops")
GENERATION_AT: Final = field_offset(PLACES_DTYPE, "generation")


@njit(nogil=True, forceinline=True)
def inside(places, address, width):
    """An address of the writer's chunks as one of ours, inside the chunks whatever it says."""
    ours = address + load_i64le(places + SHIFT)
    first, end = load_i64le(places + CHUNKS_AT), load_i64le(places + CHUNKS_END)
    return min(max(ours, first), end - width)


@njit(nogil=True)
def next_level(places, row, bits, far):
    """As `ladder.better`, for a row that may change meanwhile: (address of a level, bits, far)."""
    low, near, key = load_i64le(row + LADDER_LOW), np.int64(NO_KEY), np.int64(NO_KEY)
    if bits != 0:
        near = (low + highest(bits)) * CENT
    if far != 0:
        key = load_i64le(inside(places, load_i64le(row + LADDER_KEYS) + 8 * (far - 1), 8))
    if bits != 0 and near > key:
        level = load_n32le(row + LADDER_WINDOW) | ((low + highest(bits)) & PLACES)
        bits &= ~(np.int64(1) << highest(bits))
    else:
        far -= 1
        level = load_n32le(inside(places, load_i64le(row + LADDER_LEVELS) + 4 * far, 4))
    level = min(level, load_i64le(places + LAST_LEVEL))
    return load_i64le(places + LEVELS_AT) + LEVEL_BYTES * level, bits, max(far, np.int64(0))


@njit(nogil=True)
def copy_or_compare(places, row, out, count, far, most, compare):
    """Writes the levels at `out`, or says whether they are what stands there."""
    bits = turned(load_i64le(row + LADDER_BITS), load_i64le(row + LADDER_LOW))
    for rank in range(min(count, most)):
        level, bits, far = next_level(places, row, bits, far)
        price, quantity = load_i64le(level), load_i64le(level + LEVEL_QUANTITY)
        orders = load_n32le(level + LEVEL_ORDERS)
        at = out + READ_LEVEL_BYTES * rank
        if compare:
            if load_i64le(at) != price or load_i64le(at + 8) != quantity:
                return False
            if load_i64le(at + 16) != orders:
                return False
        else:
            store_u64le(at, price)
            store_u64le(at + 8, quantity)
            store_u64le(at + 16, orders)
    return True


@njit(nogil=True)
def settled(before, after):
    """Whether a batch's end lies between two looks, or no batch was being applied."""
    return before & 1 == 0 or after & 1 == 0 or before != after


@njit(nogil=True)
def moved(places):
    """Whether the tables are elsewhere than `places` says, or are being moved."""
    now = load_acquire_u64(np.uint64(load_i64le(places + HEAD_AT) + GENERATION))
    return np.int64(now) != load_i64le(places + GENERATION_AT)


@njit(nogil=True, cache=True)
def read_ladder(places, ladder, out, most):
    """Copies up to `most` levels, best first, as READ_LEVEL_DTYPE rows.

    Gives their number, TORN or MOVED. `places` is the address of a PLACES_DTYPE row.
    """
    if moved(places):
        return MOVED
    head = load_i64le(places + HEAD_AT)
    row = ladder_of_table(load_i64le(places + LADDERS_AT), ladder)
    before = np.int64(load_acquire_u64(np.uint64(head + BATCHES)))
    levels, far = load_i64le(row + LADDER_LEVELS), load_n32le(row + LADDER_COUNT)
    bits, low = load_i64le(row + LADDER_BITS), load_i64le(row + LADDER_LOW)
    count = far + count_ones(bits)
    copy_or_compare(places, row, out, count, far, most, False)
    between = np.int64(load_acquire_u64(np.uint64(head + BATCHES)))
    same = copy_or_compare(places, row, out, count, far, most, True)
    if load_i64le(row + LADDER_LEVELS) != levels or load_n32le(row + LADDER_COUNT) != far:
        return TORN
    if load_i64le(row + LADDER_BITS) != bits or load_i64le(row + LADDER_LOW) != low:
        return TORN
    after = np.int64(load_acquire_u64(np.uint64(head + BATCHES)))
    if moved(places):
        return MOVED
    if not same or not (settled(before, between) or settled(between, after)):
        return TORN
    return min(count, most)


@njit(nogil=True, cache=True)
def read_top(places, instrument, out):
    """Copies a TOP_DTYPE row; 1, or TORN when it was being written."""
    top = load_i64le(places + TOPS_AT) + TOP_BYTES * instrument
    before = np.int64(load_acquire_u64(np.uint64(top)))
    for offset in range(0, TOP_BYTES, 8):
        store_u64le(out + offset, np.int64(load_acquire_u64(np.uint64(top + offset))))
    after = np.int64(load_acquire_u64(np.uint64(top)))
    return TORN if before & 1 or before != after else 1


@njit(nogil=True, cache=True)
def read_order(book, order_id, out):
    """Copies (level, quantity, sequence, attribution) of an order; 1, or 0 when it is not there.

    For the thread that applies, or while nothing is applied.
    """
    order = find_order(book, order_id)
    if order == 0 or order_id == NO_ORDER:
        return 0
    arrival = arrival_of(book, order)
    store_u64le(out, level_at(order))
    store_u64le(out + 8, quantity_at(order))
    store_u64le(out + 16, load_i64le(arrival))
    store_u64le(out + 24, load_i64le(arrival + 8))
    return 1
