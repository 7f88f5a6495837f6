"""A batch of actions applied to a venue's books: memory asked for early, then one by one."""

from __future__ import annotations

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
from feedhandler.books.changes import (
    add_order,
    delete_order,
    modify_order,
    replace_order,
    take_shares,
)
from feedhandler.books.keys import instrument_of
from feedhandler.books.ladder import ladder_address, level_address
from feedhandler.books.layout import (
    BAD_SIDE,
    CHUNKS_FULL,
    EVENT_OPEN_MARK,
    FAULTS,
    INSTRUMENTS,
    KEYS,
    LADDER_COUNT,
    LADDER_LEVELS,
    LEVELS_FULL,
    ORDERS_FULL,
    STALE,
    TOP_FAULT,
    TOP_KEY,
    TOP_RESTRICTED,
    TOP_TRUST,
    TOP_UNIT,
    UNKNOWN_INSTRUMENT,
)
from feedhandler.books.notes import set_bands, set_own_status
from feedhandler.books.orders import IDS, bucket_address, bucket_of, level_at
from feedhandler.books.tops import top_address
from feedhandler.books.whole import (
    clear_instrument,
    clear_unit,
    set_level,
    set_top,
    set_unit_status,
)
from nic.raw import load_fixed, load_i64le, load_n8, prefetch, store_u8, store_u32le, store_u64le
from nic.vector import count_trailing_zeros, equal_mask_8

FLAG_SHIFT, FLAG_MASK = 16, 0xFFFF
UNIT_SHIFT, UNIT_MASK = 32, 0xFFFFFFFF
LAST_ID = 0x40  # the last id of a bucket stands for one that is not in it


@njit(nogil=True, forceinline=True)
def word(action, number):
    """A 64-bit word of an action record."""
    return load_i64le(action + 8 * number)


@njit(nogil=True, forceinline=True)
def ask_for_orders(book, actions, count):
    """First stage: the order slots, ladders and tops that the batch will touch."""
    known = load_fixed(book + INSTRUMENTS) if load_fixed(book + KEYS) == 0 else 0
    for number in range(count):
        action = actions + ACTION_BYTES * number
        prefetch(bucket_address(book, bucket_of(book, word(action, 2))))
        instrument = min(max(word(action, 1), 0), known)
        prefetch(ladder_address(book, 2 * instrument))
        prefetch(ladder_address(book, 2 * instrument + 1))


@njit(nogil=True, forceinline=True)
def ask_for_levels(book, actions, count):
    """Second stage: the levels of the orders found, the ends of the ladders added to."""
    known = load_fixed(book + INSTRUMENTS) if load_fixed(book + KEYS) == 0 else 0
    for number in range(count):
        action = actions + ACTION_BYTES * number
        line, order_id = bucket_address(book, bucket_of(book, word(action, 2))), word(action, 2)
        found = equal_mask_8(line, order_id) & IDS
        order = line + 8 * (count_trailing_zeros(found | LAST_ID))
        prefetch(level_address(book, level_at(order)))
        instrument = word(action, 1)
        if 0 <= instrument < known:
            ladder = 2 * instrument + (load_n8(action + 1) >> 1)
            row = ladder_address(book, ladder)
            end = load_i64le(row + LADDER_COUNT)
            prefetch(load_i64le(row) + 8 * (end - 8))
            prefetch(load_i64le(row + LADDER_LEVELS) + 4 * (end - 4))


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
    if load_i64le(ladder_address(book, 2 * instrument + side - 1) + LADDER_COUNT) == 0:
        name_instrument(book, action, instrument)
    ladder, price, shares = 2 * instrument + side - 1, word(action, 3), word(action, 4)
    order_id, attribution, sequence = word(action, 2), word(action, 5), word(action, 7)
    time_ns = word(action, 6)
    return add_order(book, ladder, order_id, price, shares, sequence, attribution, time_ns)


@njit(nogil=True, forceinline=True)
def apply_action(book, action):
    """Applies one action; gives its fault."""
    kind = load_n8(action)
    order_id, time_ns = word(action, 2), word(action, 6)
    if kind == ADD:
        return add_action(book, action)
    if kind == DELETE:
        return delete_order(book, order_id, time_ns)
    if kind == EXECUTE or kind == EXECUTE_PRICE or kind == REDUCE:
        return take_shares(book, order_id, word(action, 4), time_ns)
    if kind == REPLACE:
        price, shares, sequence = word(action, 3), word(action, 4), word(action, 7)
        return replace_order(book, order_id, word(action, 5), price, shares, sequence, time_ns)
    return apply_rare(book, action, kind)


@njit(nogil=True)
def note_fault(book, action, fault):
    """Counts a fault and marks the instrument it can be laid to."""
    counter = book + FAULTS + 8 * fault
    store_u64le(counter, load_i64le(counter) + 1)
    instrument = instrument_of(book, word(action, 1)) if word(action, 1) != 0 else -1
    if instrument >= 0:
        mark = top_address(book, instrument) + TOP_FAULT
        if load_n8(mark) == 0:
            store_u8(mark, fault)
        if fault == ORDERS_FULL or fault == LEVELS_FULL or fault == CHUNKS_FULL:
            store_u8(top_address(book, instrument) + TOP_TRUST, STALE)


@njit(nogil=True)
def apply_batch(book, actions, count):
    """Applies actions in order; faults are counted and mark their instrument."""
    ask_for_orders(book, actions, count)
    ask_for_levels(book, actions, count)
    for number in range(count):
        action = actions + ACTION_BYTES * number
        fault = apply_action(book, action)
        if fault != 0:
            note_fault(book, action, fault)
