"""What moves orders without their owners: a new reference, new bands."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import NO_PRICE, STATUS_TRADING, head
from feedhandler.books.farlevels import far_count, far_key, far_level
from feedhandler.books.ladder import key_of_price, ladder_address
from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le
from simulator.matching import records as r
from simulator.matching.entry import C_CAP, C_INSTRUMENT, C_PRICE
from simulator.matching.layout import (
    BANDS_SLIDE,
    BESIDE_FIRST,
    BESIDE_NEXT,
    BID,
    INVITATION,
    LEAVES,
    LEVEL,
    LOWER,
    MOST_PRICE,
    NONE,
    OFFER,
    PRICE,
    RULES,
    STATUS,
    UPPER,
)
from simulator.matching.out import report, tell
from simulator.matching.prices import beyond, is_buy, is_peg, passive, peg_price
from simulator.matching.resting import drop, forget, hide, leave, place, place_waiting
from simulator.matching.rows import instrument_at, marked, order_at, queue_at, take_beside
from simulator.matching.working import rest_peg, take_what_it_may, trades_now, would_take


@njit(nogil=True)
def move_back(state, order, price):
    """An order goes to a less aggressive price, where it takes nothing; 0: beside the ladders."""
    leave(state, order)
    store_u64le(order + PRICE, price)
    report(state, order, r.RESTATED, r.REPRICED, load_i64le(order + LEAVES), NONE)
    if price == 0:
        hide(state, order)
    elif trades_now(state, order):
        place(state, order)
    else:
        place_waiting(state, order)


@njit(nogil=True)
def move_ahead(state, order, price):
    """A peg goes to a more aggressive price, and takes what it finds on its way."""
    leave(state, order)
    store_u64le(order + PRICE, price)
    report(state, order, r.RESTATED, r.REPRICED, load_i64le(order + LEAVES), NONE)
    if not would_take(state, order):
        rest_peg(state, order)
        return
    hide(state, order)
    take_what_it_may(state, order)
    if load_i64le(order + LEAVES) != 0:
        rest_peg(state, order)
    else:
        take_beside(state, order)
        forget(state, order)


@njit(nogil=True)
def is_followed(order):
    """Whether an order of an instrument's list is a live peg."""
    return load_i64le(order + LEAVES) != 0 and is_peg(order) and not marked(order, INVITATION)


@njit(nogil=True)
def pegs_back(state, instrument):
    """All pegs that must go to a less aggressive price, or have none any more, do."""
    number = load_n32le(instrument_at(state, instrument) + BESIDE_FIRST)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + BESIDE_NEXT)
        if is_followed(order) and load_n32le(order + LEVEL) != 0:
            price, stands = peg_price(state, order), load_i64le(order + PRICE)
            if price == 0 or beyond(stands, price, is_buy(order)):
                move_back(state, order, price)


@njit(nogil=True)
def pegs_ahead(state, instrument):
    """All pegs that may go to a more aggressive price, or have one again, do."""
    number = load_n32le(instrument_at(state, instrument) + BESIDE_FIRST)
    while number != 0:
        order = order_at(state, number)
        number = load_n32le(order + BESIDE_NEXT)
        if is_followed(order):
            price, parked = peg_price(state, order), load_n32le(order + LEVEL) == 0
            if price != 0 and (parked or price != load_i64le(order + PRICE)):
                move_ahead(state, order, price)


@njit(nogil=True)
def follow(state, instrument):
    """Pegs follow their reference: first those that step back, so that none is met too early."""
    pegs_back(state, instrument)
    pegs_ahead(state, instrument)


@njit(nogil=True)
def usable(price, instead):
    """A price that was given, or what stands for none."""
    return price if 0 < price < MOST_PRICE else instead


@njit(nogil=True)
def set_reference(state, command):
    """A REFERENCE command; NO_PRICE or 0: that side has none."""
    instrument = load_n32le(command + C_INSTRUMENT)
    row = instrument_at(state, instrument)
    store_u64le(row + BID, usable(load_i64le(command + C_PRICE), 0))
    store_u64le(row + OFFER, usable(load_i64le(command + C_CAP), 0))
    if load_i64le(row + STATUS) == STATUS_TRADING:
        follow(state, instrument)


@njit(nogil=True)
def best_beyond(state, ladder, band):
    """The first order at the best price of a ladder if that is beyond a band; 0: it is not."""
    row = ladder_address(state, ladder)
    count = far_count(row)
    if count == 0 or far_key(row, count - 1) <= key_of_price(band, ladder):
        return 0
    queue = queue_at(state, far_level(row, count - 1))
    number = load_n32le(queue)
    return number if number != 0 else load_n32le(queue + 8)


@njit(nogil=True)
def clear_beyond(state, ladder, band):
    """Orders beyond a band are canceled, or priced at it, by the venue's rule."""
    number = best_beyond(state, ladder, band)
    while number != 0:
        order = order_at(state, number)
        price = passive(state, band, is_buy(order))
        if load_fixed(state + RULES) & BANDS_SLIDE and price > 0:
            move_back(state, order, price)
        else:
            drop(state, order, r.OUTSIDE_BANDS)
        number = best_beyond(state, ladder, band)


@njit(nogil=True)
def set_bands(state, command):
    """A BANDS command; NO_PRICE or 0: no band on that side."""
    instrument = load_n32le(command + C_INSTRUMENT)
    row = instrument_at(state, instrument)
    lower = usable(load_i64le(command + C_PRICE), 0)
    upper = usable(load_i64le(command + C_CAP), MOST_PRICE)
    store_u64le(row + LOWER, lower)
    store_u64le(row + UPPER, upper)
    told = upper if upper != MOST_PRICE else NO_PRICE
    first = head(a.BANDS, 0, 0)
    tell(state, first, instrument, NONE, lower if lower != 0 else NO_PRICE, NONE, told)
    pegs_back(state, instrument)
    clear_beyond(state, 2 * instrument, upper)
    clear_beyond(state, 2 * instrument + 1, lower)
    if load_i64le(row + STATUS) == STATUS_TRADING:
        pegs_ahead(state, instrument)
