"""Orders in the ladders: entering, leaving, and what the public book hears of it."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import head
from feedhandler.books.ladder import find_level, ladder_address, level_address, remove_level
from feedhandler.books.layout import LEVEL_ORDERS, LEVEL_QUANTITY
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u8, store_u32le, store_u64le
from simulator.matching import records as r
from simulator.matching.layout import (
    ARRIVAL,
    DISPLAY,
    INSTRUMENT,
    LEAVES,
    LEVEL,
    MARKS,
    NONE,
    NUMBER,
    ORDER_SLICES,
    OWNER,
    PRICE,
    REFERENCE,
    RESERVED,
    RULES,
    SEQUENCE,
    SHOWN,
    SIDE,
    SLICES,
    TOKEN,
    UNSEEN,
    USED_UP,
    WAITS,
)
from simulator.matching.layout import IN_PLACE as KEEPS_REFERENCE
from simulator.matching.out import next_number, report_canceled, tell
from simulator.matching.rows import (
    give_order,
    link_last,
    marked,
    queue_at,
    set_mark,
    take_beside,
    unlink,
)
from simulator.matching.tokens import take_token


@njit(nogil=True, forceinline=True)
def ladder_of(order):
    """Number of the ladder that an order belongs on."""
    return 2 * load_n32le(order + INSTRUMENT) + load_n8(order + SIDE) - 1


@njit(nogil=True, forceinline=True)
def queue_of(state, order):
    """The queue of its level that an order is in."""
    hidden = 8 if marked(order, UNSEEN | USED_UP) else 0
    return queue_at(state, load_n32le(order + LEVEL)) + hidden


@njit(nogil=True, forceinline=True)
def change_level(state, level, shares, orders):
    """Changes what a level displays."""
    address = level_address(state, level)
    store_u64le(address + LEVEL_QUANTITY, load_i64le(address + LEVEL_QUANTITY) + shares)
    store_u32le(address + LEVEL_ORDERS, load_n32le(address + LEVEL_ORDERS) + orders)


@njit(nogil=True)
def stand(state, order):
    """Puts an order at the back of its queue at its price; false when there is no room."""
    ladder = ladder_of(order)
    level = find_level(state, ladder_address(state, ladder), ladder, load_i64le(order + PRICE))
    if level <= 0:
        return False
    store_u32le(order + LEVEL, level)
    store_u64le(order + ARRIVAL, load_i64le(state + SEQUENCE))
    link_last(state, queue_of(state, order), order)
    return True


@njit(nogil=True)
def leave(state, order):
    """Takes an order out of its ladder, if it is in one; the public book is told by the caller."""
    level = load_n32le(order + LEVEL)
    if level == 0:
        return
    shown = load_i64le(order + SHOWN)
    if shown != 0:
        change_level(state, level, -shown, -1)
    queue = queue_at(state, level)
    unlink(state, queue_of(state, order), order)
    store_u32le(order + LEVEL, 0)
    if load_i64le(queue) == 0 and load_i64le(queue + 8) == 0:
        remove_level(state, ladder_address(state, ladder_of(order)), level)


@njit(nogil=True, forceinline=True)
def slice_of(order):
    """Shares that an order displays when it is displayed anew."""
    leaves = load_i64le(order + LEAVES)
    return min(leaves, load_i64le(order + DISPLAY)) if marked(order, RESERVED) else leaves


@njit(nogil=True, forceinline=True)
def side_word(order, kind):
    """The first word of a public event on an order."""
    return head(kind, load_n8(order + SIDE), 0)


@njit(nogil=True)
def show(state, order):
    """Displays an order that stands in a displayed queue and was not displayed."""
    shown, reference = slice_of(order), load_i64le(order + REFERENCE)
    if reference == 0:
        reference = next_number(state)
        store_u64le(order + REFERENCE, reference)
    store_u64le(order + SHOWN, shown)
    change_level(state, load_n32le(order + LEVEL), shown, 1)
    instrument, price = load_n32le(order + INSTRUMENT), load_i64le(order + PRICE)
    tell(state, side_word(order, a.ADD), instrument, reference, price, shown, NONE)


@njit(nogil=True)
def tell_deleted(state, order):
    """The public book loses an order that it shows; the order itself stays as it is."""
    instrument, reference = load_n32le(order + INSTRUMENT), load_i64le(order + REFERENCE)
    tell(state, side_word(order, a.DELETE), instrument, reference, NONE, NONE, NONE)


@njit(nogil=True)
def hide(state, order):
    """Takes an order that is not in a ladder off the public book, if it is there."""
    if load_i64le(order + SHOWN) != 0:
        tell_deleted(state, order)
        store_u64le(order + SHOWN, 0)
        store_u64le(order + REFERENCE, 0)


@njit(nogil=True)
def show_moved(state, order):
    """Displays an order at its new place: by a change of what the public book has, if it has it."""
    before, instrument = load_i64le(order + REFERENCE), load_n32le(order + INSTRUMENT)
    if load_i64le(order + SHOWN) == 0:
        show(state, order)
        return
    shown, price = slice_of(order), load_i64le(order + PRICE)
    store_u64le(order + SHOWN, shown)
    change_level(state, load_n32le(order + LEVEL), shown, 1)
    if load_fixed(state + RULES) & KEEPS_REFERENCE:
        tell(state, side_word(order, a.MODIFY), instrument, before, price, shown, NONE)
        return
    reference = load_i64le(order + NUMBER)
    if reference <= before:  # the number is spent: it was, or is, on the public book
        reference = next_number(state)
    store_u64le(order + REFERENCE, reference)
    tell(state, side_word(order, a.REPLACE), instrument, before, price, shown, reference)


@njit(nogil=True)
def forget(state, order):
    """The end of an order that stands nowhere any more."""
    take_token(state, load_n32le(order + OWNER), load_i64le(order + TOKEN))
    store_u64le(state + SLICES, load_i64le(state + SLICES) - load_n32le(order + ORDER_SLICES))
    store_u8(order + MARKS, 0)
    give_order(state, order)


@njit(nogil=True)
def cancel_rest(state, order, reason):
    """Cancels all that is open of an order that stands nowhere, and forgets it."""
    leaves = load_i64le(order + LEAVES)
    store_u64le(order + LEAVES, 0)
    report_canceled(state, order, reason, leaves)
    forget(state, order)


@njit(nogil=True)
def drop(state, order, reason):
    """Cancels an order wherever it stands."""
    if load_i64le(order + SHOWN) != 0:
        tell_deleted(state, order)
    leave(state, order)
    take_beside(state, order)
    cancel_rest(state, order, reason)


@njit(nogil=True)
def show_less(state, order, shown):
    """Brings the displayed shares of an order down to `shown`, at least one."""
    less = load_i64le(order + SHOWN) - shown
    if less <= 0:
        return
    store_u64le(order + SHOWN, shown)
    change_level(state, load_n32le(order + LEVEL), -less, 0)
    instrument, reference = load_n32le(order + INSTRUMENT), load_i64le(order + REFERENCE)
    tell(state, side_word(order, a.REDUCE), instrument, reference, NONE, less, NONE)


@njit(nogil=True)
def place_waiting(state, order):
    """Puts an order into its ladder unseen, to be displayed when the instrument trades again."""
    hide(state, order)
    if not marked(order, UNSEEN):
        set_mark(order, WAITS)
    if stand(state, order):
        return
    take_beside(state, order)
    cancel_rest(state, order, r.BOOK_FULL)


@njit(nogil=True)
def place(state, order):
    """Puts an order that takes nothing into its ladder, and shows it; cancels it without room."""
    if not stand(state, order):
        hide(state, order)
        take_beside(state, order)
        cancel_rest(state, order, r.BOOK_FULL)
    elif not marked(order, UNSEEN):
        show_moved(state, order)


@njit(nogil=True)
def to_back(state, order, new_marks):
    """Puts an order that stands behind all of its queue, or of that where `new_marks` put it."""
    unlink(state, queue_of(state, order), order)
    store_u8(order + MARKS, new_marks)
    link_last(state, queue_of(state, order), order)
    store_u64le(order + ARRIVAL, load_i64le(state + SEQUENCE))


@njit(nogil=True)
def refresh_now(state, order):
    """Shows the next slice of a reserve order, at the back of the displayed queue of its level."""
    to_back(state, order, load_n8(order + MARKS) & ~USED_UP)
    store_u64le(order + REFERENCE, 0)
    show(state, order)
