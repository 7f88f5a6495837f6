"""Auctions: what has come is crossed at one price, what is left is displayed, trading goes on."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import BUY, SELL, STATUS_TRADING, head
from feedhandler.books.farlevels import far_count, far_level
from feedhandler.books.ladder import find_level, ladder_address
from nic.raw import load_i64le, load_n8, load_n32le, store_u32le, store_u64le
from simulator.matching import records as r
from simulator.matching.clearing import clear
from simulator.matching.layout import (
    ARRIVAL,
    BESIDE_FIRST,
    BESIDE_NEXT,
    BID,
    INSTRUMENT,
    LAST,
    LEAVES,
    LEVEL,
    MARKS,
    MINIMUM,
    NEXT,
    NONE,
    OFFER,
    PREVIOUS,
    PRICE,
    REFERENCE,
    SHOWN,
    SIDE,
    STATUS,
    TIME_IN_FORCE,
    UNSEEN,
    WAITS,
)
from simulator.matching.moving import follow
from simulator.matching.out import report_executed, tell
from simulator.matching.prices import passive
from simulator.matching.resting import (
    change_level,
    drop,
    forget,
    ladder_of,
    leave,
    queue_of,
    show,
    to_back,
)
from simulator.matching.rows import (
    clear_mark,
    instrument_at,
    link_behind,
    marked,
    order_at,
    queue_at,
    set_mark,
    take_beside,
)
from simulator.matching.trading import next_trade, odd_lot


@njit(nogil=True)
def join(state, order):
    """Puts an order for the auction into its ladder, by the time of its arrival."""
    ladder = ladder_of(order)
    level = find_level(state, ladder_address(state, ladder), ladder, load_i64le(order + PRICE))
    if level <= 0:
        drop(state, order, r.BOOK_FULL)
        return
    store_u32le(order + LEVEL, level)
    if not marked(order, UNSEEN):
        set_mark(order, WAITS)
    queue = queue_of(state, order)
    before, arrival = load_n32le(queue + 4), load_i64le(order + ARRIVAL)
    while before != 0 and load_i64le(order_at(state, before) + ARRIVAL) > arrival:
        before = load_n32le(order_at(state, before) + PREVIOUS)
    link_behind(state, queue, order, before)


@njit(nogil=True)
def join_all(state, instrument, kind):
    """Puts all orders for one auction into the ladders."""
    number = load_n32le(instrument_at(state, instrument) + BESIDE_FIRST)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + BESIDE_NEXT)
        if load_n8(order + TIME_IN_FORCE) == kind:
            join(state, order)


@njit(nogil=True)
def drop_all(state, instrument, kind):
    """Cancels what an auction left of the orders that were for it alone."""
    number = load_n32le(instrument_at(state, instrument) + BESIDE_FIRST)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + BESIDE_NEXT)
        if load_i64le(order + LEAVES) != 0 and load_n8(order + TIME_IN_FORCE) == kind:
            drop(state, order, r.NO_LIQUIDITY)


@njit(nogil=True)
def first_of(state, number):
    """The first order of a queue that takes part; 0: none does."""
    while number != 0 and load_i64le(order_at(state, number) + MINIMUM) != 0:
        number = load_n32le(order_at(state, number) + NEXT)
    return number


@njit(nogil=True)
def first_eligible(state, ladder):
    """The next order of a side in an auction: best price, displayed before hidden, then time."""
    row = ladder_address(state, ladder)
    place = far_count(row) - 1
    while place >= 0:
        queue = queue_at(state, far_level(row, place))
        number = first_of(state, load_n32le(queue))
        if number == 0:
            number = first_of(state, load_n32le(queue + 8))
        if number != 0:
            return number
        place -= 1
    return 0


@njit(nogil=True)
def wait_anew(state, order):
    """A reserve order whose slice is gone goes to the back, to be displayed after the auction."""
    to_back(state, order, load_n8(order + MARKS) | WAITS)
    store_u64le(order + REFERENCE, 0)


@njit(nogil=True)
def tell_crossed(state, order, price, shares, trade):
    """The displayed part of an order's execution in an auction."""
    shown = load_i64le(order + SHOWN)
    part = min(shown, shares)
    if part == 0:
        return
    flags = a.CROSS | a.NOT_PRINTABLE | odd_lot(state, part)
    first = head(a.EXECUTE_PRICE, load_n8(order + SIDE), flags)
    instrument, reference = load_n32le(order + INSTRUMENT), load_i64le(order + REFERENCE)
    tell(state, first, instrument, reference, price, part, trade)
    store_u64le(order + SHOWN, shown - part)
    change_level(state, load_n32le(order + LEVEL), -part, -1 if part == shown else 0)


@njit(nogil=True)
def execute_crossed(state, order, price, shares, trade):
    """An order's execution in an auction."""
    displayed = load_i64le(order + SHOWN) != 0
    store_u64le(order + LEAVES, load_i64le(order + LEAVES) - shares)
    tell_crossed(state, order, price, shares, trade)
    report_executed(state, order, r.CROSSED, price, shares, trade)
    if load_i64le(order + LEAVES) == 0:
        leave(state, order)
        take_beside(state, order)
        forget(state, order)
    elif displayed and load_i64le(order + SHOWN) == 0:
        wait_anew(state, order)


@njit(nogil=True)
def cross(state, instrument, price, shares):
    """Pairs the best of both sides until all shares of the auction are executed."""
    left = shares
    while left > 0:
        buy = order_at(state, first_eligible(state, 2 * instrument))
        sell = order_at(state, first_eligible(state, 2 * instrument + 1))
        part = min(left, load_i64le(buy + LEAVES), load_i64le(sell + LEAVES))
        trade = next_trade(state)
        execute_crossed(state, buy, price, part, trade)
        execute_crossed(state, sell, price, part, trade)
        left -= part
    store_u64le(instrument_at(state, instrument) + LAST, price)
    first = head(a.TRADE, 0, a.CROSS | odd_lot(state, shares))
    tell(state, first, instrument, NONE, price, shares, next_trade(state))


@njit(nogil=True)
def show_waiting(state, number):
    """Displays the orders of a queue that have waited, in its order."""
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + NEXT)
        if marked(order, WAITS):
            clear_mark(order, WAITS)
            show(state, order)


@njit(nogil=True)
def show_all(state, ladder):
    """Displays what has waited on a ladder, best price first."""
    row = ladder_address(state, ladder)
    place = far_count(row) - 1
    while place >= 0:
        show_waiting(state, load_n32le(queue_at(state, far_level(row, place))))
        place -= 1


@njit(nogil=True)
def reference_of(state, instrument, given):
    """The reference of an auction, on a tick: given, else the national midpoint or last trade."""
    row = instrument_at(state, instrument)
    bid, offer = load_i64le(row + BID), load_i64le(row + OFFER)
    price = load_i64le(row + LAST)
    if given > 0:
        price = given
    elif bid != 0 and bid <= offer:
        price = (bid + offer) >> 1
    return passive(state, price, True)


@njit(nogil=True)
def open_trading(state, instrument, kind, given, told):
    """An auction (kind 0: of nothing but what has waited), then continuous trading.

    `told` is the status that the public knows; where it is another, the new one is told.
    """
    if kind >= r.OPENING:
        join_all(state, instrument, kind)
    reference = reference_of(state, instrument, given)
    price, shares, left = clear(state, instrument, reference)
    if shares != 0:
        side = BUY if left > 0 else SELL if left < 0 else 0
        first = head(a.AUCTION, side, 0)
        tell(state, first, instrument, abs(left), reference, shares, price)
        cross(state, instrument, price, shares)
    if kind >= r.OPENING:
        drop_all(state, instrument, kind)
    store_u64le(instrument_at(state, instrument) + STATUS, STATUS_TRADING)
    if told != STATUS_TRADING:
        tell(state, head(a.STATUS, NONE, NONE), instrument, NONE, NONE, NONE, STATUS_TRADING)
    show_all(state, 2 * instrument)
    show_all(state, 2 * instrument + 1)
    follow(state, instrument)
