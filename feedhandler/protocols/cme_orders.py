"""CME's books by order: orders behind the levels of a book message, or in messages of their own.

An order's place in the queue is its MDOrderPriority, lower first, so that stands for the sequence
of the records: a changed order that keeps its priority keeps its place. Of one message the orders
that go are said before those that change, and these before new ones: the message is one moment.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES, ADD, CLEAR, DELETE, MODIFY, REFRESH, emit, head
from feedhandler.context import UNIT, count_fault, get
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.cme_entries import (
    BOOK_RESET,
    DIMENSION_BYTES,
    IMPLIED_SIDES,
    NO_SIDE,
    first_group,
    side_of,
    transact_time,
)
from feedhandler.protocols.cme_fields import NULL_I32
from feedhandler.protocols.cme_layouts import (
    ACTION,
    DISPLAY,
    ORDER,
    PRIORITY,
    SECURITY,
    TYPE,
    column,
    layout_of,
    load_n16,
    price_of,
)
from feedhandler.protocols.cme_levels import CHANGE, NEW
from feedhandler.protocols.cme_levels import DELETE as TAKE_OUT
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.protocols.cme_updates import WIDE
from feedhandler.wire.access import loads
from feedhandler.wire.sbe import groups_of
from nic.raw import load_i32le, load_i64le, load_n8

BEHIND = groups_of(CME_MDP3[46])[1].entry
order_id, priority_of, display_qty, reference, order_action = loads(
    BEHIND, "order_id", "md_order_priority", "md_display_qty", "reference_id", "order_update_action"
)
WIDE_BYTES = groups_of(CME_MDP3[46])[1].dimension_bytes
IN_ORDER = (TAKE_OUT, CHANGE, NEW)
image_security, image_time, current_chunk = loads(
    CME_MDP3[53], "security_id", "transact_time", "current_chunk"
)
assert WIDE_BYTES == DIMENSION_BYTES + WIDE


@njit(nogil=True)
def quantity_of(raw):
    """A displayed quantity; null is 0."""
    return raw if raw != NULL_I32 else 0


@njit(nogil=True)
def place_in_queue(priority, sequence):
    """The sequence that stands for a priority; the message's where there is none."""
    return priority if priority != -1 else sequence  # all bits set: null


@njit(nogil=True)
def say_order(out, action, entry, layout, order, quantity, place, unit, time_ns):
    """One record of an order whose price, side and security an entry has; -1: out of place."""
    side = side_of(load_n8(entry + column(layout, TYPE)))
    if side == NO_SIDE or side >= IMPLIED_SIDES:
        return -1
    key, price = load_i32le(entry + column(layout, SECURITY)), price_of(entry, layout)
    if action == NEW:
        first = head(ADD, side + 1, 0) | unit
        return emit(out, first, key, order, price, quantity, 0, time_ns, place)
    if action == CHANGE:
        first = head(MODIFY, side + 1, 0) | unit
        return emit(out, first, key, order, price, quantity, 0, time_ns, place)
    if action == TAKE_OUT:
        first = head(DELETE, side + 1, 0) | unit
        return emit(out, first, key, order, 0, 0, 0, time_ns, place)
    return -1


@njit(nogil=True)
def resets(code, address, sequence, context, out):
    """The book resets among the levels of a message."""
    layout, group = layout_of(code), first_group(address)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, unit, made = group + DIMENSION_BYTES, get(context, UNIT) << 32, 0
    for _ in range(count):
        if load_n8(entry + column(layout, TYPE)) == BOOK_RESET:
            key, place = load_i32le(entry + column(layout, SECURITY)), out + ACTION_BYTES * made
            first, time_ns = head(CLEAR, 0, 0) | unit, transact_time(address)
            made += emit(place, first, key, 0, 0, 0, 0, time_ns, sequence)
        entry += stride
    return made


@njit(nogil=True)
def orders_behind(code, address, length, sequence, context, out):
    """The orders behind the levels of a book message: each names its level by number."""
    made = resets(code, address, sequence, context, out)
    layout, group, time_ns = layout_of(code), first_group(address), transact_time(address)
    stride, count = load_n16(group), load_n8(group + 2)
    levels, unit = group + DIMENSION_BYTES, get(context, UNIT) << 32
    behind = levels + stride * count
    if behind == address + length:  # of a version without orders
        return made
    step, orders = load_n16(behind), load_n8(behind + WIDE_BYTES - 1)
    wrong = False
    for wanted in IN_ORDER:
        order = behind + WIDE_BYTES
        for _ in range(orders):
            level, action = reference(order), order_action(order)
            bad = level < 1 or level > count or action > TAKE_OUT
            wrong |= bad
            if action == wanted and not bad:
                entry, place = levels + stride * (level - 1), out + ACTION_BYTES * made
                number, quantity = order_id(order), quantity_of(display_qty(order))
                queue = place_in_queue(priority_of(order), sequence)
                more = say_order(
                    place, action, entry, layout, number, quantity, queue, unit, time_ns
                )
                wrong |= more < 0
                made += max(more, 0)
            order += step
    if wrong:
        count_fault(context, UNKNOWN_VALUE)
    return made


@njit(nogil=True)
def order_entry(entry, layout, action, sequence, unit, time_ns, out):
    """One entry that is an order itself."""
    number = load_i64le(entry + column(layout, ORDER))
    quantity = quantity_of(load_i32le(entry + column(layout, DISPLAY)))
    queue = place_in_queue(load_i64le(entry + column(layout, PRIORITY)), sequence)
    return say_order(out, action, entry, layout, number, quantity, queue, unit, time_ns)


@njit(nogil=True)
def orders_alone(code, address, sequence, context, out):
    """A message of orders."""
    layout, group, time_ns = layout_of(code), first_group(address), transact_time(address)
    stride, count = load_n16(group), load_n8(group + 2)
    unit, made, wrong = get(context, UNIT) << 32, 0, False
    for wanted in IN_ORDER:
        entry = group + DIMENSION_BYTES
        for _ in range(count):
            action, place = load_n8(entry + column(layout, ACTION)), out + ACTION_BYTES * made
            wrong |= action > TAKE_OUT
            if action == wanted:
                more = order_entry(entry, layout, action, sequence, unit, time_ns, place)
                wrong |= more < 0
                made += max(more, 0)
            entry += stride
    if wrong:
        count_fault(context, UNKNOWN_VALUE)
    return made


@njit(nogil=True)
def image_of_orders(code, address, sequence, context, out):
    """A chunk of a snapshot of orders: the first one clears the book.

    Its entries have no security of their own: it is the message's.
    """
    layout, group, time_ns = layout_of(code), first_group(address), image_time(address)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, unit, made, wrong = group + DIMENSION_BYTES, get(context, UNIT) << 32, 0, False
    key = image_security(address)
    if current_chunk(address) <= 1:
        made = emit(out, head(CLEAR, 0, REFRESH) | unit, key, 0, 0, 0, 0, time_ns, sequence)
    for _ in range(count):
        side = side_of(load_n8(entry + column(layout, TYPE)))
        if side == NO_SIDE or side >= IMPLIED_SIDES:
            wrong = True
        else:
            number, price = load_i64le(entry + column(layout, ORDER)), price_of(entry, layout)
            quantity = quantity_of(load_i32le(entry + column(layout, DISPLAY)))
            queue = place_in_queue(load_i64le(entry + column(layout, PRIORITY)), sequence)
            first, place = head(ADD, side + 1, REFRESH) | unit, out + ACTION_BYTES * made
            made += emit(place, first, key, number, price, quantity, 0, time_ns, queue)
        entry += stride
    if wrong:
        count_fault(context, UNKNOWN_VALUE)
    return made
