"""A batch of actions applied to a venue's books: memory asked for early, then one by one."""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ALL,
    BANDS,
    CLEAR,
    DELETE,
    EVENT_OPEN,
    EXECUTE,
    EXECUTE_PRICE,
    KEEPS_PRIORITY,
    LEVEL,
    MODIFY,
    REDUCE,
    REPLACE,
    RESTRICT,
    STATUS,
    SYMBOL,
    TOP,
)
from feedhandler.books.changes import add_order, modify_order, replace_order, take_shares
from feedhandler.books.filterlayout import LEFT_OUT_AT
from feedhandler.books.keys import instrument_of, likely_instrument
from feedhandler.books.ladder import best_level, key_of_price, ladder_address, level_address
from feedhandler.books.layout import (
    BAD_SIDE,
    CHUNKS_FULL,
    EVENT_OPEN_MARK,
    FAULTS,
    FILTER,
    LEVELS_FULL,
    NO_ORDER_AT,
    ORDER_BYTES,
    ORDERS_FULL,
    SEEN,
    SEEN_ORDERS,
    STALE,
    TOP_FAULT,
    TOP_KEY,
    TOP_RESTRICTED,
    TOP_TRUST,
    TOP_UNIT,
    UNKNOWN_INSTRUMENT,
    UNKNOWN_ORDER,
)
from feedhandler.books.notes import set_bands, set_own_status
from feedhandler.books.orders import arrival_of, bucket_address, bucket_of, level_at, same_ids
from feedhandler.books.tops import top_address
from feedhandler.books.whole import (
    clear_instrument,
    clear_unit,
    set_level,
    set_top,
    set_unit_status,
)
from feedhandler.books.window import window_level
from nic.raw import load_i64le, load_n8, prefetch, store_u8, store_u32le, store_u64le
from nic.vector import count_trailing_zeros

FLAG_SHIFT, FLAG_MASK = 16, 0xFFFF
UNIT_SHIFT, UNIT_MASK = 32, 0xFFFFFFFF
LAST_ID = 0x8  # the last id of a bucket stands for one that is not in it
ORDER_AHEAD = 16  # actions ahead of which an order is asked for
LEVEL_BEHIND = 8  # actions later its level is
SEEN_MASK = SEEN_ORDERS - 1


@njit(nogil=True, forceinline=True)
def word(action, number):
    """A 64-bit word of an action record."""
    return load_i64le(action + 8 * number)


@njit(nogil=True, forceinline=True)
def ask_for_order(book, action):
    """First: the order's bucket, and the ladders of an instrument that is known by number."""
    bucket = bucket_address(book, bucket_of(book, word(action, 2)))
    prefetch(bucket)
    if load_n8(action) == REPLACE:
        prefetch(arrival_of(book, bucket))
    instrument = likely_instrument(book, word(action, 1))
    prefetch(ladder_address(book, 2 * instrument))


@njit(nogil=True, forceinline=True)
def ask_for_level(book, action):
    """Second: the level of the order found, or the one that an order is probably added to.

    Gives the address where the order is, or another one of its bucket.
    """
    order_id = word(action, 2)
    line = bucket_address(book, bucket_of(book, order_id))
    order = line + ORDER_BYTES * count_trailing_zeros(same_ids(line, order_id) | LAST_ID)
    ladder = 2 * likely_instrument(book, word(action, 1)) + (load_n8(action + 1) >> 1)
    key = key_of_price(word(action, 3), ladder)
    added_to = window_level(ladder_address(book, ladder), key)
    adds = -np.int64(load_n8(action) == ADD)
    prefetch(level_address(book, (added_to & adds) | (level_at(order) & ~adds)))
    return order


@njit(nogil=True)
def note_state(book, action, kind, instrument):
    """Status, price test, price bands and names: what changes no level."""
    top = top_address(book, instrument)
    unit = (word(action, 0) >> UNIT_SHIFT) & UNIT_MASK
    store_u32le(top + TOP_UNIT, unit)
    store_u64le(top + TOP_KEY, word(action, 1))
    if kind == STATUS:
        set_own_status(book, instrument, word(action, 5) & 0xFF)
    elif kind == RESTRICT:
        store_u8(top + TOP_RESTRICTED, word(action, 5) & 1)
    elif kind == BANDS:
        set_bands(book, instrument, word(action, 3), word(action, 5), word(action, 6))


@njit(nogil=True)
def apply_rare(book, action, kind):
    """The actions that few messages carry; gives a fault."""
    time_ns, flags = word(action, 6), (word(action, 0) >> FLAG_SHIFT) & FLAG_MASK
    if kind == MODIFY:
        price, shares, sequence = word(action, 3), word(action, 4), word(action, 7)
        keeps = flags & KEEPS_PRIORITY != 0
        return modify_order(book, word(action, 2), price, shares, keeps, sequence, time_ns)
    if kind == CLEAR and flags & ALL:
        clear_unit(book, (word(action, 0) >> UNIT_SHIFT) & UNIT_MASK, time_ns)
        return 0
    if kind == STATUS and flags & ALL:
        set_unit_status(book, (word(action, 0) >> UNIT_SHIFT) & UNIT_MASK, word(action, 5) & 0xFF)
        return 0
    if kind not in (LEVEL, TOP, CLEAR, STATUS, RESTRICT, SYMBOL, BANDS):
        return 0
    instrument = instrument_of(book, word(action, 1))
    if instrument < 0:
        return UNKNOWN_INSTRUMENT
    if kind == LEVEL or kind == TOP:
        if load_n8(action + 1) == 0:
            return BAD_SIDE
        ladder = 2 * instrument + load_n8(action + 1) - 1
        price, shares = word(action, 3), word(action, 4)
        store_u64le(book + EVENT_OPEN_MARK, flags & EVENT_OPEN)
        store_u32le(top_address(book, instrument) + TOP_UNIT, word(action, 0) >> UNIT_SHIFT)
        store_u64le(top_address(book, instrument) + TOP_KEY, word(action, 1))
        if kind == LEVEL:
            return set_level(book, ladder, price, shares, time_ns)
        return set_top(book, ladder, price, shares, flags, time_ns)
    if kind == CLEAR:
        clear_instrument(book, instrument, time_ns)
    else:
        note_state(book, action, kind, instrument)
    return 0


@njit(nogil=True)
def name_instrument(book, action, instrument):
    """Notes the key and the unit of an instrument whose side was empty."""
    top = top_address(book, instrument)
    store_u32le(top + TOP_UNIT, word(action, 0) >> UNIT_SHIFT)
    store_u64le(top + TOP_KEY, word(action, 1))


@njit(nogil=True, forceinline=True)
def add_action(book, action):
    """An ADD; gives its fault."""
    instrument = instrument_of(book, word(action, 1))
    if instrument < 0:
        return UNKNOWN_INSTRUMENT
    side = load_n8(action + 1)
    if side == 0:
        return BAD_SIDE
    if best_level(ladder_address(book, 2 * instrument + side - 1)) == 0:
        name_instrument(book, action, instrument)
    ladder, price, shares = 2 * instrument + side - 1, word(action, 3), word(action, 4)
    order_id, attribution, sequence = word(action, 2), word(action, 5), word(action, 7)
    time_ns = word(action, 6)
    return add_order(book, ladder, order_id, price, shares, sequence, attribution, time_ns)


@njit(nogil=True, forceinline=True)
def apply_action(book, action, seen):
    """Applies one action; gives its fault. `seen` is where its order was a moment ago."""
    kind = load_n8(action)
    order_id, time_ns = word(action, 2), word(action, 6)
    if kind == ADD:
        return add_action(book, action)
    if kind == DELETE or kind == EXECUTE or kind == EXECUTE_PRICE or kind == REDUCE:
        return take_shares(book, order_id, seen, word(action, 4), kind == DELETE, time_ns)
    if kind == REPLACE:
        price, shares, sequence = word(action, 3), word(action, 4), word(action, 7)
        return replace_order(book, order_id, word(action, 5), price, shares, sequence, time_ns)
    return apply_rare(book, action, kind)


@njit(nogil=True)
def is_anothers(book, action, fault):
    """Whether an order is not there because its symbol is left out, as far as one can know."""
    return fault == UNKNOWN_ORDER and word(action, 1) == 0 and load_i64le(book + FILTER) != 0


@njit(nogil=True)
def note_fault(book, action, fault):
    """Counts a fault and marks the instrument it can be laid to."""
    if is_anothers(book, action, fault):
        left_out = load_i64le(book + FILTER) + LEFT_OUT_AT
        store_u64le(left_out, load_i64le(left_out) + 1)
        return
    counter = book + FAULTS + 8 * fault
    store_u64le(counter, load_i64le(counter) + 1)
    instrument = instrument_of(book, word(action, 1)) if word(action, 1) != 0 else -1
    if instrument >= 0:
        mark = top_address(book, instrument) + TOP_FAULT
        if load_n8(mark) == 0:
            store_u8(mark, fault)
        if fault == ORDERS_FULL or fault == LEVELS_FULL or fault == CHUNKS_FULL:
            store_u8(top_address(book, instrument) + TOP_TRUST, STALE)


@njit(nogil=True, forceinline=True)
def apply_counted(book, action, seen):
    """Applies one action; a fault is counted and marks its instrument."""
    fault = apply_action(book, action, seen)
    if fault != 0:
        note_fault(book, action, fault)


@njit(nogil=True)
def apply_batch(book, actions, count):
    """Applies actions in order, the memory of those ahead on its way meanwhile."""
    if count == 1:
        ask_for_order(book, actions)
        apply_counted(book, actions, book + NO_ORDER_AT)
        return
    for number in range(count + ORDER_AHEAD):
        if number < count:
            ask_for_order(book, actions + ACTION_BYTES * number)
        if LEVEL_BEHIND <= number < count + LEVEL_BEHIND:
            order = ask_for_level(book, actions + ACTION_BYTES * (number - LEVEL_BEHIND))
            store_u64le(book + SEEN + 8 * (number & SEEN_MASK), order)
        if number >= ORDER_AHEAD:
            seen = load_i64le(book + SEEN + 8 * ((number - LEVEL_BEHIND) & SEEN_MASK))
            apply_counted(book, actions + ACTION_BYTES * (number - ORDER_AHEAD), seen)
