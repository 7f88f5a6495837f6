"""One order meets another: an execution, or what self-trade prevention makes of it."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import head
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u32le, store_u64le
from simulator.matching import records as r
from simulator.matching.layout import (
    FLAGS,
    GROUP,
    INSTRUMENT,
    LAST,
    LEAVES,
    LEVEL,
    MARKS,
    NONE,
    PRICE,
    REFERENCE,
    REFRESH_AT_ONCE,
    REFRESH_FIRST,
    REFRESH_LAST,
    REFRESH_NEXT,
    ROUND_LOT,
    RULES,
    SHOWN,
    SIDE,
    TRADES,
    TYPE,
    USED_UP,
)
from simulator.matching.out import report, report_canceled, report_executed, tell
from simulator.matching.resting import (
    change_level,
    drop,
    forget,
    leave,
    refresh_now,
    show_less,
    to_back,
)
from simulator.matching.rows import instrument_at, number_of, order_at, take_beside

STP_MASK = 7


@njit(nogil=True)
def self_trade_mode(incoming, resting):
    """What to do where two orders of one group meet; STP_NONE: they trade."""
    group = load_i64le(incoming + GROUP)
    if group == 0 or group != load_i64le(resting + GROUP):
        return r.STP_NONE
    return (load_n32le(incoming + FLAGS) >> r.STP_SHIFT) & STP_MASK


@njit(nogil=True)
def decrement(state, order, shares):
    """Takes shares off an order that stays, the reserve first; its owner is told."""
    leaves = load_i64le(order + LEAVES) - shares
    store_u64le(order + LEAVES, leaves)
    if leaves != 0 and load_i64le(order + SHOWN) > leaves:
        show_less(state, order, leaves)
    report_canceled(state, order, r.SELF_TRADE, shares)


@njit(nogil=True)
def prevent(state, incoming, resting, mode):
    """Cancels instead of a self-trade; the incoming order is left with what it may still do."""
    shares = load_i64le(incoming + LEAVES)
    if mode == r.STP_DECREMENT:
        other = load_i64le(resting + LEAVES)
        if other <= shares:
            drop(state, resting, r.SELF_TRADE)
        else:
            decrement(state, resting, shares)
        decrement(state, incoming, min(shares, other))
        return
    if mode != r.STP_CANCEL_NEW:
        drop(state, resting, r.SELF_TRADE)
    if mode != r.STP_CANCEL_OLD:
        store_u64le(incoming + LEAVES, 0)
        report_canceled(state, incoming, r.SELF_TRADE, shares)


@njit(nogil=True, forceinline=True)
def odd_lot(state, shares):
    """The flag of a trade of less than a round lot."""
    return a.ODD_LOT if shares < load_fixed(state + ROUND_LOT) else 0


@njit(nogil=True, forceinline=True)
def next_trade(state):
    """A new trade id."""
    trade = load_i64le(state + TRADES) + 1
    store_u64le(state + TRADES, trade)
    return trade


@njit(nogil=True)
def use_up(state, order):
    """The slice of a reserve order is gone: the next one comes now, or when the taker is done."""
    if load_fixed(state + RULES) & REFRESH_AT_ONCE:
        refresh_now(state, order)
        report(state, order, r.RESTATED, r.REFRESHED, load_i64le(order + SHOWN), NONE)
        return
    to_back(state, order, load_n8(order + MARKS) | USED_UP)
    number, last = number_of(state, order), load_i64le(state + REFRESH_LAST)
    store_u32le(order + REFRESH_NEXT, 0)
    store_u64le(state + REFRESH_LAST, number)
    if last == 0:
        store_u64le(state + REFRESH_FIRST, number)
    else:
        store_u32le(order_at(state, last) + REFRESH_NEXT, number)


@njit(nogil=True)
def finish_refresh(state):
    """Shows the next slice of the reserve orders that were used up and are still there."""
    number = load_i64le(state + REFRESH_FIRST)
    store_u64le(state + REFRESH_FIRST, 0)
    store_u64le(state + REFRESH_LAST, 0)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + REFRESH_NEXT)
        if load_i64le(order + LEAVES) != 0:
            refresh_now(state, order)
            report(state, order, r.RESTATED, r.REFRESHED, load_i64le(order + SHOWN), NONE)


@njit(nogil=True)
def tell_execution(state, order, price, shares, trade):
    """The public side of an execution against a resting order, at its price."""
    instrument, shown = load_n32le(order + INSTRUMENT), load_i64le(order + SHOWN)
    flags, side = odd_lot(state, shares), load_n8(order + SIDE)
    if shown == 0:
        first = head(a.TRADE, side, flags | a.HIDDEN)
        tell(state, first, instrument, NONE, price, shares, trade)
        return
    first, reference = head(a.EXECUTE, side, flags), load_i64le(order + REFERENCE)
    tell(state, first, instrument, reference, price, shares, trade)
    store_u64le(order + SHOWN, shown - shares)
    gone = 1 if shown == shares else 0
    change_level(state, load_n32le(order + LEVEL), -shares, -gone)


@njit(nogil=True)
def trade(state, incoming, resting, shares):
    """Two orders trade at the resting one's price."""
    price, displayed = load_i64le(resting + PRICE), load_i64le(resting + SHOWN) != 0
    store_u64le(incoming + LEAVES, load_i64le(incoming + LEAVES) - shares)
    store_u64le(resting + LEAVES, load_i64le(resting + LEAVES) - shares)
    number = next_trade(state)
    tell_execution(state, resting, price, shares, number)
    store_u64le(instrument_at(state, load_n32le(resting + INSTRUMENT)) + LAST, price)
    made, took = r.ADDED if displayed else r.ADDED_HIDDEN, r.REMOVED
    if load_n8(resting + TYPE) == r.MIDPOINT_PEG:
        made = r.MIDPOINT
        if load_n8(incoming + TYPE) == r.MIDPOINT_PEG:
            took = r.MIDPOINT
    report_executed(state, resting, made, price, shares, number)
    report_executed(state, incoming, took, price, shares, number)
    if load_i64le(resting + LEAVES) == 0:
        leave(state, resting)
        take_beside(state, resting)
        forget(state, resting)
    elif displayed and load_i64le(resting + SHOWN) == 0:
        use_up(state, resting)
