"""Cancels: of an order, down to some shares, of all that an owner has."""

from __future__ import annotations

from numba import njit

from feedhandler.books.farlevels import far_count, far_level
from feedhandler.books.ladder import ladder_address
from feedhandler.books.layout import INSTRUMENTS
from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le
from simulator.matching import records as r
from simulator.matching.entry import C_FLAGS, C_INSTRUMENT, C_OWNER, C_QUANTITY, C_TARGET
from simulator.matching.layout import (
    BESIDE_FIRST,
    BESIDE_NEXT,
    FLAGS,
    LEAVES,
    LEVEL,
    NEXT,
    OWNER,
    SHOWN,
)
from simulator.matching.out import refuse, report_canceled
from simulator.matching.resting import drop, show_less
from simulator.matching.rows import instrument_at, order_at, queue_at
from simulator.matching.tokens import find_token


@njit(nogil=True)
def cancel(state, command):
    """A CANCEL command."""
    number = find_token(state, load_n32le(command + C_OWNER), load_i64le(command + C_TARGET))
    if number == 0:
        refuse(state, command, r.CANCEL_REJECTED, r.UNKNOWN_ORDER)
        return
    if load_n32le(command + C_FLAGS) & r.REFUSE:
        refuse(state, command, r.CANCEL_REJECTED, r.THROTTLED)
        return
    order, quantity = order_at(state, number), load_i64le(command + C_QUANTITY)
    leaves = load_i64le(order + LEAVES)
    if quantity == 0:
        drop(state, order, r.BY_OWNER)
    elif quantity < 0 or quantity >= leaves:
        refuse(state, command, r.CANCEL_REJECTED, r.BAD_QUANTITY)
    else:
        store_u64le(order + LEAVES, quantity)
        if load_i64le(order + SHOWN) > quantity:
            show_less(state, order, quantity)
        report_canceled(state, order, r.BY_OWNER, leaves - quantity)


@njit(nogil=True, forceinline=True)
def concerns(order, owner, flags):
    """Whether a mass cancel is for an order; owner 0 is any, flags 0 are none needed."""
    mine = owner == 0 or load_n32le(order + OWNER) == owner
    return mine and (flags == 0 or load_n32le(order + FLAGS) & flags != 0)


@njit(nogil=True)
def cancel_queue(state, number, owner, flags, reason):
    """Cancels an owner's orders of a queue, in its order."""
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + NEXT)
        if concerns(order, owner, flags):
            drop(state, order, reason)


@njit(nogil=True)
def cancel_ladder(state, ladder, owner, flags, reason):
    """Cancels an owner's orders of a ladder, from the best price on."""
    row = ladder_address(state, ladder)
    place = far_count(row) - 1
    while place >= 0:
        queue = queue_at(state, far_level(row, place))
        hidden = load_n32le(queue + 8)
        cancel_queue(state, load_n32le(queue), owner, flags, reason)
        cancel_queue(state, hidden, owner, flags, reason)
        place -= 1


@njit(nogil=True)
def cancel_instrument(state, instrument, owner, flags, reason):
    """Cancels an owner's orders of an instrument: bids, offers, then those beside the ladders."""
    cancel_ladder(state, 2 * instrument, owner, flags, reason)
    cancel_ladder(state, 2 * instrument + 1, owner, flags, reason)
    number = load_n32le(instrument_at(state, instrument) + BESIDE_FIRST)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + BESIDE_NEXT)
        if load_n32le(order + LEVEL) == 0 and concerns(order, owner, flags):
            drop(state, order, reason)


@njit(nogil=True)
def cancel_everywhere(state, owner, flags, reason):
    """Cancels an owner's orders of all instruments."""
    for instrument in range(1, load_fixed(state + INSTRUMENTS)):
        cancel_instrument(state, instrument, owner, flags, reason)


@njit(nogil=True)
def cancel_of_owner(state, command, flags, reason):
    """A MASS_CANCEL or DISCONNECT command; instrument 0 means all of them."""
    owner, instrument = load_n32le(command + C_OWNER), load_n32le(command + C_INSTRUMENT)
    if owner == 0:
        return
    if instrument == 0:
        cancel_everywhere(state, owner, flags, reason)
    elif instrument < load_fixed(state + INSTRUMENTS):
        cancel_instrument(state, instrument, owner, flags, reason)
