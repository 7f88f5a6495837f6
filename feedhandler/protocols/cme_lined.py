"""The compiled decoder of CME MDP 3.0 in a loop with lines: see `cme_natural`.

Books by order have no count of their own that says that nothing was lost of them: an image is what
makes them right behind a loss. What it has is left out of what is held, as in books by price.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.context import count_fault
from feedhandler.faults import NO_ROOM
from feedhandler.protocols.cme_actions import CHANNEL_RESET, check_udp, for_all, images
from feedhandler.protocols.cme_counts import follow_channel, note_image
from feedhandler.protocols.cme_entries import DIMENSION_BYTES, book_of, first_group
from feedhandler.protocols.cme_layouts import SECURITY, column, layout_of, load_n16
from feedhandler.protocols.cme_levels import row_of
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.protocols.cme_natural import (
    copy_of,
    is_old,
    leave_out_levels,
    may_be_old,
    reset_counted,
    take_counts,
)
from feedhandler.protocols.cme_orders import (
    WIDE_BYTES,
    image_of_orders,
    orders_alone,
    orders_behind,
    reference,
)
from feedhandler.wire.access import loads
from nic.move import move_bytes
from nic.raw import load_i32le, load_n8, store_u8

last_sequence, image_count, priced_security = loads(
    CME_MDP3[52], "last_msg_seq_num_processed", "rpt_seq", "security_id"
)
orders_sequence, ordered_security = loads(CME_MDP3[53], "last_msg_seq_num_processed", "security_id")


@njit(nogil=True)
def left_out_levels(code, address, length, sequence, context, out):
    """A book message without what images have: itself, or a copy; 0 (counted) without room."""
    if not may_be_old(context, sequence):
        return address
    copy = copy_of(address, length, out)
    if copy == 0:
        count_fault(context, NO_ROOM)
        return copy
    leave_out_levels(code, copy, sequence, context)
    return copy


@njit(nogil=True)
def image_by_price(code, address, sequence, context, out):
    """A snapshot of a book by price, with what it is good up to."""
    made = images(code, address, sequence, context, out)
    row = row_of(context, priced_security(address))
    if row != 0:
        note_image(context, row, image_count(address), last_sequence(address))
    return made


@njit(nogil=True)
def by_price(address, length, sequence, context, out):
    """A message for books by price."""
    follow_channel(context, sequence)
    code = check_udp(address, length)
    if code < 0:
        return code
    made = take_counts(code, address, sequence, context, out)
    place = out + ACTION_BYTES * made
    if code == 32 or code == 46 or code == 64:
        start = left_out_levels(code, address, length, sequence, context, out)
        return made + book_of(code, start, sequence, context, place) if start != 0 else made
    if code == CHANNEL_RESET:
        return reset_counted(address, sequence, context, out)
    if code == 38 or code == 52 or code == 69:
        return image_by_price(code, address, sequence, context, out)
    more = images(code, address, sequence, context, place)
    return made + more if more >= 0 else more


@njit(nogil=True)
def drop_entry(entry, stride, left):
    """Takes an entry out; those behind it, so many, move up."""
    move_bytes(entry, entry + stride, stride * left)


@njit(nogil=True)
def leave_out_behind(code, copy, length, sequence, context):
    """Orders behind levels that images have: out they go, as do the levels' resets."""
    layout, group = layout_of(code), first_group(copy)
    stride, count = load_n16(group), load_n8(group + 2)
    levels = group + DIMENSION_BYTES
    behind = levels + stride * count
    if behind != copy + length:
        step, orders = load_n16(behind), load_n8(behind + WIDE_BYTES - 1)
        order, kept = behind + WIDE_BYTES, orders
        for number in range(orders):
            level = reference(order)
            entry = levels + stride * (level - 1) + column(layout, SECURITY)
            if 1 <= level <= count and is_old(context, load_i32le(entry), sequence):
                drop_entry(order, step, orders - number - 1)
                kept -= 1
            else:
                order += step
        store_u8(behind + WIDE_BYTES - 1, kept)
    leave_out_levels(code, copy, sequence, context)


@njit(nogil=True)
def leave_out_orders(code, copy, sequence, context):
    """Orders that images have."""
    layout, group = layout_of(code), first_group(copy)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, kept = group + DIMENSION_BYTES, count
    for number in range(count):
        if is_old(context, load_i32le(entry + column(layout, SECURITY)), sequence):
            drop_entry(entry, stride, count - number - 1)
            kept -= 1
        else:
            entry += stride
    store_u8(group + 2, kept)


@njit(nogil=True)
def orders_of(code, address, length, sequence, context, out):
    """Orders, behind levels or alone, without what images have."""
    start = address
    if may_be_old(context, sequence):
        start = copy_of(address, length, out)
        if start == 0:
            count_fault(context, NO_ROOM)
            return 0
        if code == 43 or code == 47:
            leave_out_orders(code, start, sequence, context)
        else:
            leave_out_behind(code, start, length, sequence, context)
    if code == 43 or code == 47:
        return orders_alone(code, start, sequence, context, out)
    return orders_behind(code, start, length, sequence, context, out)


@njit(nogil=True)
def image_by_order(code, address, sequence, context, out):
    """A chunk of a snapshot of orders, with what it is good up to."""
    made = image_of_orders(code, address, sequence, context, out)
    row = row_of(context, ordered_security(address))
    if row != 0:
        note_image(context, row, 0, orders_sequence(address))
    return made


@njit(nogil=True)
def by_order(address, length, sequence, context, out):
    """A message for books by order."""
    follow_channel(context, sequence)
    code = check_udp(address, length)
    if code == 32 or code == 46 or code == 64 or code == 43 or code == 47:
        return orders_of(code, address, length, sequence, context, out)
    if code == 44 or code == 53:
        return image_by_order(code, address, sequence, context, out)
    if code == CHANNEL_RESET:
        return reset_counted(address, sequence, context, out)
    return code if code < 0 else for_all(code, address, sequence, context, out)
