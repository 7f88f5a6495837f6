"""An order at work: its price, what it takes, where what is left of it stands."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import STATUS_TRADING
from feedhandler.books.farlevels import far_count, far_key, far_level
from feedhandler.books.ladder import key_of_price, ladder_address, level_address
from feedhandler.books.layout import LEVEL_ORDERS
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u64le
from simulator.matching import records as r
from simulator.matching.conditional import invite
from simulator.matching.layout import (
    ARRIVAL,
    BANDS_SLIDE,
    BESIDE,
    BID,
    CONDITIONALS,
    FLAGS,
    INVITATION,
    LEAVES,
    MINIMUM,
    MOST_PRICE,
    NONE,
    OFFER,
    PRICE,
    PROTECT,
    RULES,
    SEQUENCE,
    STATUS,
    TIME_IN_FORCE,
    TYPE,
)
from simulator.matching.out import report
from simulator.matching.prices import band_of, beyond, is_buy, is_peg, one_away, passive, peg_price
from simulator.matching.resting import cancel_rest, forget, hide, place, place_waiting
from simulator.matching.rows import instrument_of, marked, put_beside
from simulator.matching.taking import first_price, other_ladder, reach, take_all


@njit(nogil=True, forceinline=True)
def trades_now(state, order):
    """Whether the instrument of an order trades continuously."""
    return load_i64le(instrument_of(state, order) + STATUS) == STATUS_TRADING


@njit(nogil=True, forceinline=True)
def for_auction(order):
    """Whether an order is for an auction alone."""
    return load_n8(order + TIME_IN_FORCE) >= r.OPENING


@njit(nogil=True)
def price_market(state, order):
    """A market order goes to the band, or as far as there is a price."""
    if for_auction(order):
        return MOST_PRICE if is_buy(order) else 1
    return max(1, band_of(state, order))


@njit(nogil=True)
def price_within_bands(state, order):
    """A limit within the bands; 0 when it is beyond and the venue refuses that."""
    price, band, buy = load_i64le(order + PRICE), band_of(state, order), is_buy(order)
    if for_auction(order) or not beyond(price, band, buy):
        return price
    return passive(state, band, buy) if load_fixed(state + RULES) & BANDS_SLIDE else 0


@njit(nogil=True)
def price_without_taking(state, order):
    """A post-only order does not take: it slides to the next price, or the reason of its reject."""
    found = first_price(state, order)
    if found == 0:
        return r.NO_REASON
    price = one_away(state, found, is_buy(order))
    slides = load_n32le(order + FLAGS) & r.SLIDE and load_n8(order + TYPE) == r.LIMIT
    if not slides or price <= 0:
        return r.WOULD_TAKE
    store_u64le(order + PRICE, price)
    return r.NO_REASON


@njit(nogil=True)
def set_price(state, order):
    """Finds the price of an order that has come or changed; gives the reason to refuse it.

    PRICE holds the limit of a limit order before.
    """
    kind = load_n8(order + TYPE)
    if kind == r.LIMIT:
        price = price_within_bands(state, order)
        if price <= 0:
            return r.OUTSIDE_BANDS
    elif kind == r.MARKET:
        price = price_market(state, order)
    else:
        price = peg_price(state, order)
    store_u64le(order + PRICE, price)
    checked = load_n32le(order + FLAGS) & r.POST_ONLY and not for_auction(order)
    if checked and price != 0 and trades_now(state, order):
        return price_without_taking(state, order)
    return r.NO_REASON


@njit(nogil=True)
def best_shown_place(state, row):
    """Place among a ladder's levels of the best one that displays orders; -1: none does."""
    place = far_count(row) - 1
    while place >= 0:
        if load_n32le(level_address(state, far_level(row, place)) + LEVEL_ORDERS) != 0:
            break
        place -= 1
    return place


@njit(nogil=True)
def best_shown(state, ladder):
    """The best displayed price of a ladder; 0 when nothing is displayed."""
    row = ladder_address(state, ladder)
    place = best_shown_place(state, row)
    return key_of_price(far_key(row, place), ladder) if place >= 0 else 0


@njit(nogil=True)
def away_price(state, order):
    """The better price elsewhere that an order would trade through or lock; 0: none."""
    if load_n32le(order + FLAGS) & r.SWEEP or is_peg(order):
        return 0
    row, buy = instrument_of(state, order), is_buy(order)
    national = load_i64le(row + OFFER) if buy else load_i64le(row + BID)
    own, price = best_shown(state, other_ladder(order)), load_i64le(order + PRICE)
    elsewhere = national != 0 and (own == 0 or beyond(own, national, buy))
    return national if elsewhere and not beyond(national, price, buy) else 0


@njit(nogil=True)
def would_take(state, order):
    """Whether an order has somebody to trade with, for as many shares as it wants at least."""
    least = min(load_i64le(order + MINIMUM), load_i64le(order + LEAVES))
    if load_i64le(order + PRICE) == 0 or first_price(state, order) == 0:
        return False
    return least == 0 or reach(state, order) >= least


@njit(nogil=True)
def take_what_it_may(state, order):
    """Takes under the order's conditions: all or nothing, or a least quantity."""
    least = min(load_i64le(order + MINIMUM), load_i64le(order + LEAVES))
    if load_n8(order + TIME_IN_FORCE) == r.FOK:
        least = load_i64le(order + LEAVES)
    if load_i64le(order + PRICE) == 0:
        return
    if least == 0 or reach(state, order) >= least:
        take_all(state, order)


@njit(nogil=True)
def end_unrested(state, order):
    """Cancels what is left of an order that does not rest."""
    reason = r.IOC_REMAINDER
    if load_n8(order + TIME_IN_FORCE) == r.FOK:
        reason = r.FOK_NOT_FILLED
    elif load_n8(order + TYPE) == r.MARKET:
        reason = r.NO_LIQUIDITY
    elif load_i64le(order + PRICE) == 0:
        reason = r.NO_REFERENCE
    cancel_rest(state, order, reason)


@njit(nogil=True, forceinline=True)
def rests(order):
    """Whether what an order does not take at once stays."""
    return load_n8(order + TIME_IN_FORCE) == r.DAY and load_n8(order + TYPE) != r.MARKET


@njit(nogil=True)
def rest_peg(state, order):
    """A peg stays in its instrument's list, and in the ladder when it has a price."""
    if not marked(order, BESIDE):
        put_beside(state, order)
    if load_i64le(order + PRICE) != 0:
        place(state, order)
    if load_fixed(state + RULES) & CONDITIONALS and load_i64le(order + LEAVES) != 0:
        invite(state, order)


@njit(nogil=True)
def work_guarded(state, order, away):
    """As `work`, for an order that may go no further than a better price elsewhere."""
    store_u64le(order + PRICE, away)
    take_what_it_may(state, order)
    if load_i64le(order + LEAVES) == 0:
        forget(state, order)
        return
    price = one_away(state, away, is_buy(order))
    if not rests(order) or price <= 0:
        end_unrested(state, order)
        return
    store_u64le(order + PRICE, price)
    report(state, order, r.RESTATED, r.REPRICED, load_i64le(order + LEAVES), NONE)
    place(state, order)


@njit(nogil=True)
def work(state, order):
    """An order whose instrument trades, in no ladder and not on the public book, does its work."""
    away = away_price(state, order) if load_fixed(state + RULES) & PROTECT else 0
    if away != 0:
        work_guarded(state, order, away)
        return
    if load_i64le(order + MINIMUM) != 0 or load_n8(order + TIME_IN_FORCE) == r.FOK:
        take_what_it_may(state, order)
    elif load_i64le(order + PRICE) != 0:
        take_all(state, order)
    if load_i64le(order + LEAVES) == 0:
        forget(state, order)
    elif not rests(order):
        end_unrested(state, order)
    elif is_peg(order):
        rest_peg(state, order)
    else:
        place(state, order)


@njit(nogil=True)
def wait(state, order):
    """An order whose instrument does not trade now waits, in its ladder or beside."""
    hide(state, order)
    if for_auction(order):
        store_u64le(order + ARRIVAL, load_i64le(state + SEQUENCE))
        put_beside(state, order)
        return
    if is_peg(order):
        put_beside(state, order)
        if load_i64le(order + PRICE) == 0:
            return
    place_waiting(state, order)


@njit(nogil=True)
def begin(state, order):
    """An order that has come or changed starts anew; it stands nowhere and is not on the book."""
    if marked(order, INVITATION):
        put_beside(state, order)
        if trades_now(state, order):
            invite(state, order)
    elif for_auction(order) or not trades_now(state, order):
        wait(state, order)
    else:
        work(state, order)
