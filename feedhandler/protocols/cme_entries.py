"""CME's incremental messages as actions: levels of books by price, trades, channel resets."""

from __future__ import annotations

from typing import Any

from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ALL,
    BREAK,
    CLEAR,
    CORRECTION,
    EVENT_OPEN,
    TRADE,
    emit,
    head,
)
from feedhandler.actions import LEVEL as LEVEL_KIND
from feedhandler.context import UNIT, count_fault, get
from feedhandler.faults import UNKNOWN_SYMBOL, UNKNOWN_VALUE
from feedhandler.protocols.cme_books import MOST_RECORDS, Stamp, change_book
from feedhandler.protocols.cme_fields import HEADER_BYTES, NULL_U32
from feedhandler.protocols.cme_layouts import (
    ACTION,
    AGGRESSOR,
    SECURITY,
    TRADE_ID,
    column,
    layout_of,
    load_n16,
    price_of,
    size_of,
)
from feedhandler.protocols.cme_levels import CHANGE, DELETE, NEW, forget_all, forget_levels, row_of
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.protocols.cme_readers import Reader, reader
from feedhandler.transports.cme_walk import MESSAGE_ROOM
from feedhandler.wire.access import loads
from feedhandler.wire.constants import by_letter, constant_i32, constant_table
from feedhandler.wire.sbe import MOST_ENTRIES
from nic.raw import load_i32le, load_i64le, load_n8, load_n32le, store_u64le

END_OF_EVENT = 0x80
DIMENSION_BYTES = 3  # in front of the entries
BOOK_RESET = ord("J")
NO_SIDE = -1
IMPLIED_SIDES = 2
sides_at = constant_table(by_letter({"0": 0, "1": 1, "E": 2, "F": 3}, NO_SIDE))
OPEN_BIT = EVENT_OPEN << 16
transact_time, match_event, block_length = loads(
    CME_MDP3[46], "transact_time", "match_event_indicator", "block_length"
)
assert MOST_ENTRIES * MOST_RECORDS <= MESSAGE_ROOM


@njit(nogil=True, forceinline=True)
def first_group(address):
    """Where the dimensions of a message's first group are."""
    return address + HEADER_BYTES + block_length(address)


@njit(nogil=True, forceinline=True)
def side_of(kind):
    """0 for bids, 1 for offers, 2 and 3 of the implied book; NO_SIDE for no level of a book."""
    return constant_i32(sides_at() + 4 * kind)


@njit(nogil=True, forceinline=True)
def row_for(context, security):
    """The row of a security; 0 (counted) without room."""
    row = row_of(context, security)
    if row == 0:
        count_fault(context, UNKNOWN_SYMBOL)
    return row


@njit(nogil=True)
def reset_book(row, of, out):
    """The book of a security is empty."""

    forget_levels(row)
    return emit(out, of.first, of.key, 0, 0, 0, 0, of.time_ns, of.sequence)


@njit(nogil=True, forceinline=True)
def close_event(out, made):
    """The event ends with this message: behind its last level the book is consistent."""
    for number in range(made - 1, -1, -1):
        place = out + ACTION_BYTES * number
        if load_n8(place) == LEVEL_KIND:
            store_u64le(place, load_i64le(place) & ~OPEN_BIT)
            return


def entry_kernel(read: Reader) -> Any:
    """A kernel of one entry of a message of levels; gives its records, -1: a value out of place."""
    read_kind, read_action, read_level = read.kind, read.action, read.level
    read_price, read_size = read.price, read.size

    @njit(nogil=True, forceinline=True)
    def entry_of(
        entry: Any, row: Any, unit: Any, key: Any, time_ns: Any, seq: Any, out: Any
    ) -> Any:
        kind = read_kind(entry)
        if kind == BOOK_RESET:
            return reset_book(row, Stamp(head(CLEAR, 0, 0) | unit, key, time_ns, seq), out)
        book_side = side_of(kind)
        if book_side == NO_SIDE:
            return 0
        side, implied = book_side & 1, book_side >= IMPLIED_SIDES
        of = Stamp(head(LEVEL_KIND, side + 1, EVENT_OPEN) | unit, key, time_ns, seq)
        action, level = read_action(entry), read_level(entry)
        price, size = read_price(entry), read_size(entry)
        return change_book(out, of, row, side, implied, action, level, price, size)

    return entry_of


def book_kernel(code: int) -> Any:
    """The kernel of one template of levels, its places constants of the compiled code.

    Returns:
        `(address, sequence, context, out) -> records`. Only behind the last level of an event the
        book need not be crossed.
    """
    read = reader(code)
    read_security, level_entry = read.security, entry_kernel(read)

    @njit(nogil=True)
    def book(address: Any, sequence: Any, context: Any, out: Any) -> Any:
        group, time_ns = first_group(address), transact_time(address)
        stride, count = load_n16(group), load_n8(group + 2)
        entry, unit = group + DIMENSION_BYTES, get(context, UNIT) << 32
        made, wrong, row, known = 0, False, 0, 0
        for _ in range(count):
            security = read_security(entry)
            if row == 0 or security != known:
                row, known = row_for(context, security), security
            if row != 0:
                place = out + ACTION_BYTES * made
                more = level_entry(entry, row, unit, security, time_ns, sequence, place)
                if more >= 0:
                    made += more
                else:
                    wrong = True
            entry += stride
        if wrong:
            count_fault(context, UNKNOWN_VALUE)
        if match_event(address) & END_OF_EVENT != 0:
            close_event(out, made)
        return made

    return book


book, book_1_5, book_long = book_kernel(46), book_kernel(32), book_kernel(64)


@njit(nogil=True)
def book_of(code, address, sequence, context, out):
    """A message of levels of any version."""
    if code == 64:
        return book_long(address, sequence, context, out)
    if code == 32:
        return book_1_5(address, sequence, context, out)
    return book(address, sequence, context, out)


@njit(nogil=True)
def trade_head(action, aggressor):
    """Kind, side and flags of a trade's record; 0 for an action that is none of trades."""
    side = aggressor if aggressor == 1 or aggressor == 2 else 0
    if action == NEW:
        return head(TRADE, side, 0)
    if action == CHANGE:
        return head(BREAK, side, CORRECTION)
    return head(BREAK, side, 0) if action == DELETE else 0


@njit(nogil=True)
def trades(code, address, sequence, context, out):
    """A message of trades; changed and deleted ones are corrections and breaks."""
    layout, group, time_ns = layout_of(code), first_group(address), transact_time(address)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, unit, made = group + DIMENSION_BYTES, get(context, UNIT) << 32, 0
    for _ in range(count):
        action = load_n8(entry + column(layout, ACTION))
        first = trade_head(action, load_n8(entry + column(layout, AGGRESSOR)))
        trade_id = load_n32le(entry + column(layout, TRADE_ID))
        trade_id = trade_id if trade_id != NULL_U32 else 0
        if first != 0:
            key = load_i32le(entry + column(layout, SECURITY))
            price, size = price_of(entry, layout), size_of(entry, layout)
            place = out + ACTION_BYTES * made
            made += emit(place, first | unit, key, 0, price, size, trade_id, time_ns, sequence)
        entry += stride
    if made < count:
        count_fault(context, UNKNOWN_VALUE)
    return made


@njit(nogil=True)
def reset_channel(address, sequence, context, out):
    """All books of the channel are empty."""
    forget_all(context)
    first = head(CLEAR, 0, ALL) | (get(context, UNIT) << 32)
    return emit(out, first, 0, 0, 0, 0, 0, transact_time(address), sequence)
