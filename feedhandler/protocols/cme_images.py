"""CME's snapshots of books by price as actions: the book is cleared and built anew."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES, CLEAR, EVENT_OPEN, REFRESH, emit, head
from feedhandler.actions import LEVEL as LEVEL_KIND
from feedhandler.context import UNIT, count_fault, get
from feedhandler.faults import UNKNOWN_VALUE
from feedhandler.protocols.cme_acts import NO_CHANGE, NOT_IN_LAYOUT
from feedhandler.protocols.cme_books import Stamp, change_book
from feedhandler.protocols.cme_entries import (
    DIMENSION_BYTES,
    IMPLIED_SIDES,
    NO_SIDE,
    close_event,
    first_group,
    row_for,
    side_of,
)
from feedhandler.protocols.cme_layouts import (
    LEVEL,
    TYPE,
    column,
    layout_of,
    load_n16,
    price_of,
    size_of,
)
from feedhandler.protocols.cme_levels import OVERLAY, forget_levels
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.protocols.cme_states import say_status, status_of
from feedhandler.wire.access import loads
from nic.raw import load_n8

security_id, transact_time, trading_status = loads(
    CME_MDP3[52], "security_id", "transact_time", "md_security_trading_status"
)
tcp_security_id, tcp_transact_time = loads(CME_MDP3[61], "security_id", "transact_time")


@njit(nogil=True)
def levels(code, address, row, unit, key, time_ns, sequence, context, out):
    """The levels of an image into an empty row; gives the number of records."""
    layout, group = layout_of(code), first_group(address)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, made, wrong = group + DIMENSION_BYTES, 0, False
    for _ in range(count):
        book_side = side_of(load_n8(entry + column(layout, TYPE)))
        if book_side != NO_SIDE:
            side, implied = book_side & 1, book_side >= IMPLIED_SIDES
            first = head(LEVEL_KIND, side + 1, EVENT_OPEN | REFRESH) | unit
            of = Stamp(first, key, time_ns, sequence)
            level = load_n8(entry + column(layout, LEVEL))
            price, size = price_of(entry, layout), size_of(entry, layout)
            place = out + ACTION_BYTES * made
            more = change_book(place, of, row, side, implied, OVERLAY, level, price, size)
            wrong |= more < 0
            made += max(more, 0)
        entry += stride
    if wrong:
        count_fault(context, UNKNOWN_VALUE)
    return made


@njit(nogil=True)
def rebuild(code, address, key, time_ns, sequence, context, out):
    """Clears the book of a security and builds it from the message."""
    row = row_for(context, key)
    if row == 0:
        return 0
    forget_levels(row)
    unit = get(context, UNIT) << 32
    made = emit(out, head(CLEAR, 0, REFRESH) | unit, key, 0, 0, 0, 0, time_ns, sequence)
    place = out + ACTION_BYTES * made
    made += levels(code, address, row, unit, key, time_ns, sequence, context, place)
    close_event(out, made)
    return made


@njit(nogil=True)
def image(code, address, sequence, context, out):
    """A snapshot by multicast, with the state that the security trades in."""
    key, time_ns = security_id(address), transact_time(address)
    made = rebuild(code, address, key, time_ns, sequence, context, out)
    status = status_of(trading_status(address))
    if status == NO_CHANGE or status == NOT_IN_LAYOUT:
        return made
    place, own = out + ACTION_BYTES * made, trading_status(address)
    unit = get(context, UNIT) << 32
    return made + say_status(place, unit, key, own, status, time_ns, sequence)


@njit(nogil=True)
def image_by_tcp(code, address, sequence, context, out):
    """A snapshot by TCP."""
    key, time_ns = tcp_security_id(address), tcp_transact_time(address)
    return rebuild(code, address, key, time_ns, sequence, context, out)
