"""The orders that a feed shows, by public reference: what a message has to repeat about them.

Open addressing; a deletion moves what stands behind it forward, so that no marks are left.
"""

from __future__ import annotations

from numba import njit

from feedhandler.context import add, get
from nic.raw import load_i64le, load_n32le, store_u32le, store_u64le
from simulator.publishing.layout import SHOWN_DTYPE, STATE_DTYPE, offsets

SHOWN_BYTES = SHOWN_DTYPE.itemsize
WIRE, ORDER_PRICE, ORDER_QUANTITY, PLACE, RANK = offsets(
    SHOWN_DTYPE, "wire", "price", "quantity", "place", "rank"
)
SHOWN, MASK, COUNT = offsets(STATE_DTYPE, "shown", "shown_mask", "shown_count")
SCATTERED, FACTOR_1, FACTOR_2, OWN_IDS, RANKS = offsets(
    STATE_DTYPE, "scattered", "factor_1", "factor_2", "own_ids", "ranks"
)
SCATTER = 0x9E3779B97F4A7C15 - (1 << 64)
ID_MASK = (1 << 62) - 1
FIRST_OWN = 1 << 48  # references that the publisher makes itself


@njit(nogil=True, forceinline=True)
def home(state, reference):
    """The slot where a reference is looked for first."""
    return ((reference * SCATTER) >> 24) & get(state, MASK)


@njit(nogil=True)
def find(state, reference):
    """Address of a shown order; 0 when it is not shown."""
    slot, mask, table = home(state, reference), get(state, MASK), get(state, SHOWN)
    while True:
        row = table + SHOWN_BYTES * slot
        found = load_i64le(row)
        if found == reference and reference != 0:
            return row
        if found == 0:
            return 0
        slot = (slot + 1) & mask


@njit(nogil=True)
def to_back(state, row):
    """The order at `row` is the last one of its level from now on."""
    add(state, RANKS, 1)
    store_u64le(row + RANK, get(state, RANKS))


@njit(nogil=True)
def enter(state, reference, wire, price, quantity, where):
    """Notes an order that is not shown yet, the last one of its level; gives its row.

    The table has room.
    """
    slot, mask, table = home(state, reference), get(state, MASK), get(state, SHOWN)
    while load_i64le(table + SHOWN_BYTES * slot) != 0:
        slot = (slot + 1) & mask
    row = table + SHOWN_BYTES * slot
    store_u64le(row, reference)
    store_u64le(row + WIRE, wire)
    store_u64le(row + ORDER_PRICE, price)
    store_u32le(row + ORDER_QUANTITY, quantity)
    store_u32le(row + PLACE, where)
    add(state, COUNT, 1)
    to_back(state, row)
    return row


@njit(nogil=True)
def leave(state, row):
    """Forgets the order at `row`."""
    mask, table = get(state, MASK), get(state, SHOWN)
    hole = (row - table) // SHOWN_BYTES
    slot = hole
    while True:
        slot = (slot + 1) & mask
        other = table + SHOWN_BYTES * slot
        reference = load_i64le(other)
        if reference == 0:
            break
        if ((slot - home(state, reference)) & mask) >= ((slot - hole) & mask):
            place = table + SHOWN_BYTES * hole
            for word in range(0, SHOWN_BYTES, 8):
                store_u64le(place + word, load_i64le(other + word))
            hole = slot
    store_u64le(table + SHOWN_BYTES * hole, 0)
    add(state, COUNT, -1)


@njit(nogil=True)
def wire_id(state, reference):
    """The order id on the wire: the reference, or where ids look random a keyed permutation of it.

    The permutation is one of 62 bits that leaves 0 where it is.
    """
    if get(state, SCATTERED) == 0:
        return reference
    number = (reference * get(state, FACTOR_1)) & ID_MASK
    number ^= number >> 31
    number = (number * get(state, FACTOR_2)) & ID_MASK
    return number ^ (number >> 29)


@njit(nogil=True)
def own_wire_id(state):
    """An id for an order that enters without a reference of its own."""
    add(state, OWN_IDS, 1)
    return wire_id(state, FIRST_OWN + get(state, OWN_IDS))


@njit(nogil=True)
def move_shown(state, old, count):
    """Enters `count` old slots into the table that the state names now."""
    for slot in range(count):
        row = old + SHOWN_BYTES * slot
        reference = load_i64le(row)
        if reference != 0:
            wire, price = load_i64le(row + WIRE), load_i64le(row + ORDER_PRICE)
            quantity, where = load_n32le(row + ORDER_QUANTITY), load_n32le(row + PLACE)
            entered = enter(state, reference, wire, price, quantity, where)
            store_u64le(entered + RANK, load_i64le(row + RANK))
