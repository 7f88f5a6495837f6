"""Replaces: a token takes the place of another, with or without the order's priority."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from feedhandler.actions import STATUS_TRADING, head
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u8, store_u64le
from simulator.matching import records as r
from simulator.matching.entry import (
    C_FLAGS,
    C_OWNER,
    C_TARGET,
    C_TOKEN,
    C_TYPE,
    bad_now,
    bad_prices,
    bad_quantities,
    fill_terms,
)
from simulator.matching.layout import (
    BESIDE,
    DISPLAY,
    FLAGS,
    IN_PLACE,
    INSTRUMENT,
    INVITATION,
    LEAVES,
    LEVEL,
    MARKS,
    MIDPOINT_ONLY,
    NONE,
    NUMBER,
    ORDER_BYTES,
    ORDER_SLICES,
    OWNER,
    PRICE,
    PROTECT,
    REFERENCE,
    RULES,
    SHOWN,
    SIDE,
    SIZE_DOWN_KEEPS,
    SLICE_ROOM,
    SLICES,
    STATUS,
    TIME_IN_FORCE,
    TOKEN,
    TYPE,
)
from simulator.matching.out import next_number, refuse, report, tell
from simulator.matching.prices import is_peg
from simulator.matching.resting import change_level, hide, leave, place, show_less
from simulator.matching.rows import (
    clear_mark,
    instrument_of,
    marked,
    number_of,
    order_at,
    put_beside,
    set_mark,
    take_beside,
)
from simulator.matching.tokens import fill_slot, find_token, slot_of, take_token
from simulator.matching.working import away_price, begin, set_price, trades_now, would_take


@njit(nogil=True)
def terms_type(state, order, command):
    """The type whose terms a replace has: the order's; in a dark pool the command's own."""
    if load_fixed(state + RULES) & MIDPOINT_ONLY:
        return r.LIMIT if load_n8(command + C_TYPE) == r.LIMIT else r.MIDPOINT_PEG
    return load_n8(order + TYPE)


@njit(nogil=True)
def check_replace(state, order, command, kind):
    """The reason to refuse a replace before the order is looked at more closely."""
    flags, tif = load_n32le(order + FLAGS), load_n8(order + TIME_IN_FORCE)
    if load_n32le(command + C_FLAGS) & r.REFUSE:
        return r.THROTTLED
    reason = bad_quantities(state, command, kind, tif, flags)
    if reason == r.NO_REASON:
        reason = bad_prices(state, command, kind)
    status = load_i64le(instrument_of(state, order) + STATUS)
    if reason == r.NO_REASON and status != STATUS_TRADING:
        reason = bad_now(state, status, kind, tif, flags)
    owner, token = load_n32le(command + C_OWNER), load_i64le(command + C_TOKEN)
    if reason == r.NO_REASON and find_token(state, owner, token) != 0:
        reason = r.DUPLICATE_TOKEN
    return reason


@njit(nogil=True)
def change_token(state, order, command):
    """The order goes by its new token; gives the old one."""
    old, owner = load_i64le(order + TOKEN), load_n32le(order + OWNER)
    token = load_i64le(command + C_TOKEN)
    take_token(state, owner, old)
    fill_slot(slot_of(state, owner, token), owner, token, number_of(state, order))
    store_u64le(order + TOKEN, token)
    return old


@njit(nogil=True)
def keep_place(state, order, command):
    """A replace to fewer shares at the same place: the public book hears of the difference."""
    now, shown = load_i64le(order + LEAVES), load_i64le(order + SHOWN)
    old = change_token(state, order, command)
    if shown > now and load_fixed(state + RULES) & IN_PLACE:
        store_u64le(order + SHOWN, now)
        change_level(state, load_n32le(order + LEVEL), now - shown, 0)
        first = head(a.MODIFY, load_n8(order + SIDE), a.KEEPS_PRIORITY)
        reference, price = load_i64le(order + REFERENCE), load_i64le(order + PRICE)
        tell(state, first, load_n32le(order + INSTRUMENT), reference, price, now, NONE)
    elif shown > now:
        show_less(state, order, now)
    report(state, order, r.REPLACED, r.NO_REASON, now, old)


@njit(nogil=True)
def move(state, order, command):
    """A replace that loses its place: the order starts anew, on the public book if it can."""
    leave(state, order)
    take_beside(state, order)
    old = change_token(state, order, command)
    if not load_fixed(state + RULES) & IN_PLACE:
        store_u64le(order + NUMBER, next_number(state))
    report(state, order, r.REPLACED, r.NO_REASON, load_i64le(order + LEAVES), old)
    stays = load_i64le(order + SHOWN) != 0 and load_i64le(order + PRICE) != 0
    stays = stays and trades_now(state, order) and not would_take(state, order)
    if stays and load_fixed(state + RULES) & PROTECT:
        stays = away_price(state, order) == 0
    if not stays:
        hide(state, order)
        begin(state, order)
        return
    if is_peg(order):
        put_beside(state, order)
    place(state, order)


@njit(nogil=True)
def copy_row(source, target):
    """Copies the row of an order."""
    for at in range(0, ORDER_BYTES, 8):
        store_u64le(target + at, load_i64le(source + at))


@njit(nogil=True)
def apply_terms(state, order, command, kind):
    """Writes the terms of a replace into the row and finds the price; the reason to refuse it."""
    stay = load_n8(order + MARKS) & BESIDE
    firm = load_n32le(command + C_FLAGS) & r.FIRM_UP != 0 or not marked(order, INVITATION)
    slices = load_i64le(state + SLICES) - load_n32le(order + ORDER_SLICES)
    fill_terms(state, order, command, kind, load_n8(order + TIME_IN_FORCE))
    set_mark(order, stay)
    if firm:
        clear_mark(order, INVITATION)
    slices += load_n32le(order + ORDER_SLICES)
    reason = set_price(state, order)
    if slices > load_fixed(state + SLICE_ROOM):
        return r.BOOK_FULL
    if reason == r.NO_REASON:
        store_u64le(state + SLICES, slices)
    return reason


@njit(nogil=True)
def keeps_place(state, order, before):
    """Whether an order as it is now may stay where it was before."""
    same = load_i64le(order + PRICE) == load_i64le(before + PRICE)
    same = same and load_i64le(order + DISPLAY) == load_i64le(before + DISPLAY)
    less = load_i64le(order + LEAVES) <= load_i64le(before + LEAVES)
    stands = load_n32le(order + LEVEL) != 0
    return same and less and stands and load_fixed(state + RULES) & SIZE_DOWN_KEEPS != 0


@njit(nogil=True)
def replace(state, command):
    """A REPLACE command. Whatever is wrong with it, the order stays as it was.

    Row 0 of the orders, which no order has, keeps the order as it was until that is known.
    """
    number = find_token(state, load_n32le(command + C_OWNER), load_i64le(command + C_TARGET))
    if number == 0:
        refuse(state, command, r.CANCEL_REJECTED, r.UNKNOWN_ORDER)
        return
    order, before = order_at(state, number), order_at(state, 0)
    kind = terms_type(state, order, command)
    reason = check_replace(state, order, command, kind)
    if reason == r.NO_REASON:
        copy_row(order, before)
        reason = apply_terms(state, order, command, kind)
        if reason != r.NO_REASON:
            copy_row(before, order)
    if reason != r.NO_REASON:
        refuse(state, command, r.CANCEL_REJECTED, reason)
    elif keeps_place(state, order, before):
        store_u8(order + MARKS, load_n8(before + MARKS))
        keep_place(state, order, command)
    else:
        move(state, order, command)
