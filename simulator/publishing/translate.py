"""From a venue's public events to the messages of its feed.

What a protocol has no message for is said as its venue would: an execution at the order's price as
one with a price, a reduction as a modification, a replacement as a modification in place or as a
deletion and an addition.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ALL,
    AUCTION,
    BUY,
    DELETE,
    EXECUTE,
    EXECUTE_PRICE,
    FAR,
    KEEPS_PRIORITY,
    MODIFY,
    NO_PRICE,
    REDUCE,
    REPLACE,
    RESTRICT,
    STATUS,
    TRADE,
)
from feedhandler.context import add, get, put
from nic.raw import load_i64le, load_n8, load_n32le, store_u32le, store_u64le
from simulator.publishing.layout import (
    ALL_SLOT,
    AUX,
    BAD_KEY,
    BAD_QUANTITY,
    DUPLICATE_ORDER,
    FLAGS,
    ORDER,
    PRICE,
    QUANTITY,
    REMAINING,
    RESTRICTED,
    SIDE,
    STATE_DTYPE,
    UNKNOWN_ORDER,
    UNSAYABLE,
    offsets,
)
from simulator.publishing.layout import STATUS as STATUS_VALUE
from simulator.publishing.placing import set_value
from simulator.publishing.saying import (
    I_FAR,
    I_RESTRICTED,
    I_STATUS,
    about,
    can_say,
    flags_of,
    instrument_at,
    note_auction,
    say,
    word,
)
from simulator.publishing.shown import (
    ORDER_PRICE,
    ORDER_QUANTITY,
    PLACE,
    WIRE,
    enter,
    find,
    leave,
    move_shown,
    own_wire_id,
    to_back,
    wire_id,
)

INSTRUMENT_COUNT, REFUSED, UNSAID, UNITS, OWN_UNIT = offsets(
    STATE_DTYPE, "instrument_count", "refused", "unsaid", "units", "unit"
)
MOST_SHARES = (1 << 32) - 1


@njit(nogil=True)
def say_add(state, event):
    """A new order."""
    reference, price, shares, side = (
        word(event, 2),
        word(event, 3),
        word(event, 4),
        load_n8(event + 1),
    )
    if shares <= 0 or shares > MOST_SHARES:
        return BAD_QUANTITY
    if reference == 0 or find(state, reference) != 0:
        return DUPLICATE_ORDER
    wire = wire_id(state, reference)
    set_value(state, ORDER, wire)
    refused = say(state, ADD, word(event, 6))
    if refused == 0:
        enter(state, reference, wire, price, shares, (word(event, 1) << 2) | side)
    return refused


@njit(nogil=True)
def say_less(state, event, order, kind):
    """A reduction or an execution."""
    shares, have = word(event, 4), load_n32le(order + ORDER_QUANTITY)
    left = have - shares
    if shares <= 0 or left < 0:
        return BAD_QUANTITY
    slot = kind
    set_value(state, REMAINING, left)
    if kind != EXECUTE_PRICE:
        set_value(state, PRICE, load_i64le(order + ORDER_PRICE))
    if kind == REDUCE and left == 0:
        slot = DELETE
    elif kind == REDUCE and not can_say(state, REDUCE):
        slot = MODIFY
        set_value(state, QUANTITY, left)
        set_value(state, FLAGS, KEEPS_PRIORITY)
    elif kind == EXECUTE and not can_say(state, EXECUTE):
        slot = EXECUTE_PRICE
    refused = say(state, slot, word(event, 6))
    if refused == 0 and left == 0:
        leave(state, order)
    elif refused == 0:
        store_u32le(order + ORDER_QUANTITY, left)
    return refused


@njit(nogil=True)
def say_deleted_and_added(state, time_ns, wire):
    """A replacement where the protocol has none: the order leaves, another enters."""
    refused = say(state, DELETE, time_ns)
    set_value(state, ORDER, wire)
    set_value(state, FLAGS, 0)
    return refused if refused != 0 else say(state, ADD, time_ns)


@njit(nogil=True)
def say_replace(state, event, order):
    """An order leaves, another of the same side enters at the back of its level."""
    price, shares, reference, time_ns = (
        word(event, 3),
        word(event, 4),
        word(event, 5),
        word(event, 6),
    )
    if shares <= 0 or shares > MOST_SHARES:
        return BAD_QUANTITY
    if reference == 0 or find(state, reference) != 0:
        return DUPLICATE_ORDER
    wire, where = wire_id(state, reference), load_n32le(order + PLACE)
    if can_say(state, REPLACE):
        set_value(state, AUX, wire)
        refused = say(state, REPLACE, time_ns)
    elif can_say(state, MODIFY):
        wire = load_i64le(order + WIRE)
        set_value(state, FLAGS, 0)
        refused = say(state, MODIFY, time_ns)
    else:
        refused = say_deleted_and_added(state, time_ns, wire)
    if refused == 0:
        leave(state, order)
        enter(state, reference, wire, price, shares, where)
    return refused


@njit(nogil=True)
def say_anew(state, order, time_ns):
    """A modification that costs priority, where the protocol has none in place: under a new id."""
    wire = own_wire_id(state)
    if can_say(state, REPLACE):
        set_value(state, AUX, wire)
        refused = say(state, REPLACE, time_ns)
    else:
        refused = say_deleted_and_added(state, time_ns, wire)
    if refused == 0:
        store_u64le(order + WIRE, wire)
    return refused


@njit(nogil=True)
def say_modify(state, event, order):
    """A new price or size in place."""
    price, shares, time_ns = word(event, 3), word(event, 4), word(event, 6)
    old, have = load_i64le(order + ORDER_PRICE), load_n32le(order + ORDER_QUANTITY)
    price = old if price == NO_PRICE else price
    if shares < 0 or shares > MOST_SHARES:
        return BAD_QUANTITY
    set_value(state, PRICE, price)
    same = price == old and flags_of(event) & KEEPS_PRIORITY != 0
    refused = 0
    if shares == 0:
        refused = say(state, DELETE, time_ns)
        if refused == 0:
            leave(state, order)
        return refused
    if can_say(state, MODIFY):
        refused = say(state, MODIFY, time_ns)
    elif same and shares < have:
        set_value(state, QUANTITY, have - shares)
        refused = say(state, REDUCE, time_ns)
    elif not same or shares > have:
        refused = say_anew(state, order, time_ns)
    if refused == 0:
        store_u64le(order + ORDER_PRICE, price)
        store_u32le(order + ORDER_QUANTITY, shares)
        if not same or (shares > have and not can_say(state, MODIFY)):
            to_back(state, order)
    return refused


@njit(nogil=True)
def say_of_order(state, event, kind):
    """What happens to an order that is shown."""
    order = find(state, word(event, 2))
    if order == 0:
        return UNKNOWN_ORDER
    where = load_n32le(order + PLACE)
    about(state, event, where >> 2)
    set_value(state, ORDER, load_i64le(order + WIRE))
    set_value(state, SIDE, where & 3)
    if kind == DELETE:
        refused = say(state, DELETE, word(event, 6))
        if refused == 0:
            leave(state, order)
        return refused
    if kind == REPLACE:
        return say_replace(state, event, order)
    if kind == MODIFY:
        return say_modify(state, event, order)
    return say_less(state, event, order, kind)


@njit(nogil=True)
def say_other(state, event, kind, key):
    """What concerns no order that is shown."""
    row, slot = instrument_at(state, key), kind
    if kind == STATUS:
        store_u64le(row + I_STATUS, word(event, 5))
        set_value(state, STATUS_VALUE, word(event, 5))
    elif kind == RESTRICT:
        store_u64le(row + I_RESTRICTED, word(event, 5))
        set_value(state, RESTRICTED, word(event, 5))
    elif kind == TRADE:
        set_value(state, ORDER, wire_id(state, word(event, 2)))
        set_value(state, SIDE, max(load_n8(event + 1), BUY))
    elif kind == AUCTION and flags_of(event) & FAR:
        store_u64le(row + I_FAR, word(event, 5))
        return 0
    elif kind == AUCTION:
        note_auction(state, row, event)
    if flags_of(event) & ALL:
        slot += ALL_SLOT
    return say(state, slot, word(event, 6))


@njit(nogil=True)
def publish_event(state, event):
    """Says one event; 0, or why it cannot be."""
    kind, key = load_n8(event), word(event, 1)
    if REDUCE <= kind <= MODIFY:
        return say_of_order(state, event, kind)
    if key < 0 or key >= get(state, INSTRUMENT_COUNT) or (key == 0 and not flags_of(event) & ALL):
        return BAD_KEY
    about(state, event, key)
    if kind == ADD:
        return say_add(state, event)
    return say_other(state, event, kind, key)


@njit(nogil=True, forceinline=True)
def is_mine(state, event):
    """Whether the unit has the event's instrument; all have what concerns every key."""
    other = (word(event, 1) - 1) % get(state, UNITS) != get(state, OWN_UNIT) - 1
    return not other or flags_of(event) & ALL != 0


@njit(nogil=True, cache=True)
def publish_events(state, events, count):
    """Says ACTION_DTYPE records in order; how many were, fewer when one must be said and cannot.

    Those of other units are passed over, and counted those without an order that the protocol has
    no message for.
    """
    state = np.int64(state)
    for number in range(count):
        event = np.int64(events) + ACTION_BYTES * number
        if get(state, UNITS) > 1 and not is_mine(state, event):
            continue
        refused = publish_event(state, event)
        if refused == UNSAYABLE and load_n8(event) > MODIFY:
            add(state, UNSAID + 8 * load_n8(event), 1)
        elif refused != 0:
            put(state, REFUSED, refused)
            return number
    return count


@njit(nogil=True, cache=True)
def move_orders(state, old, count):
    """`shown.move_shown` for the control side."""
    move_shown(np.int64(state), np.int64(old), np.int64(count))
