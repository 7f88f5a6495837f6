"""Executions, busts and corrections: what they do to money and shares, and to the child.

What a venue says was executed is booked in every state, the shares are real; the state follows by
the table alone. A bust does not put shares back on the book: leaves stay as they are, `cum` falls
and `busted` grows, so that of an open child leaves = quantity - cum - busted, always.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router import log
from router.orders.fees import fee_of, find_tier
from router.orders.layout import FILL
from router.orders.machine import flag, parent_step, set_mark, step, tell_child
from router.orders.memory import fill_row, find_fill, remember
from router.orders.positions import count_shares, trade
from router.orders.reserve import hold, is_over
from router.orders.states import EVENT, MARK, STATE
from router.rows import account_row, add, child_row, get, parent_row, put, venue_row
from router.tables import ACCOUNT, CHILD, HEAD, PARENT, VENUE


@njit(nogil=True)
def book(router, row, sign, shares, price, fee):
    """Adds an execution of a child to every sum it is part of; sign -1 takes it off."""
    money, account = sign * shares * price, get(row, CHILD.account)
    instrument, side = get(row, CHILD.instrument), get(row, CHILD.side)
    add(row, CHILD.cum, sign * shares)
    add(row, CHILD.notional, money)
    add(row, CHILD.fees, sign * fee)
    parent = get(row, CHILD.parent)
    if parent != 0:
        of = parent_row(router, parent)
        add(of, PARENT.cum, sign * shares)
        add(of, PARENT.notional, money)
        add(of, PARENT.fees, sign * fee)
    trade(router, account, instrument, sign if side == BUY else -sign, shares, price)
    count_shares(router, account, instrument, side, sign * shares, sign * fee)
    venue = venue_row(router, get(row, CHILD.venue))
    add(venue, VENUE.executed, sign * shares)
    add(venue, VENUE.fees, sign * fee)
    find_tier(venue)


@njit(nogil=True)
def tell_fill(router, number, shares, price, fee, execution, liquidity, now):
    """A FILL record; shares and fee below 0 take back."""
    record = get(router, HEAD.log)
    log.write(record, log.FILL, now, number, shares, price, fee, execution, liquidity)


@njit(nogil=True)
def mark_fill(router, row, shares):
    """Marks what is odd about an execution that has just been booked; counts over-fills."""
    state = get(row, CHILD.state)
    if is_over(state) != 0 and state != STATE.filled:
        set_mark(row, MARK.late_fill)
    if is_over(state) == 0 and get(row, CHILD.heard_ns) == 0:
        set_mark(row, MARK.filled_before_ack)
    if get(row, CHILD.cum) + get(row, CHILD.busted) > get(row, CHILD.quantity):
        set_mark(row, MARK.over_fill)
        add(router, HEAD.over_fill_count, 1)


@njit(nogil=True)
def fill_event(row, shares):
    """Takes executed shares off the leaves of a child; which of the fill events that is."""
    if is_over(get(row, CHILD.state)) != 0:
        return EVENT.late_fill
    left = max(get(row, CHILD.leaves) - shares, 0)
    put(row, CHILD.leaves, left)
    return EVENT.fill if left != 0 else EVENT.full_fill


@njit(nogil=True)
def tell_parent(router, row, event, now):
    """A parent hears of an execution of its child, or of one that was taken back or changed."""
    parent = get(row, CHILD.parent)
    if parent == 0:
        return
    if event == EVENT.fill and is_over(get(parent_row(router, parent), PARENT.state)) != 0:
        event = EVENT.late_fill
    parent_step(router, parent, event, 0, now)


@njit(nogil=True)
def count_fill(router, row):
    """One more execution."""
    add(router, HEAD.fill_count, 1)
    add(account_row(router, get(row, CHILD.account)), ACCOUNT.fills, 1)
    add(venue_row(router, get(row, CHILD.venue)), VENUE.fills, 1)


@njit(nogil=True)
def repeat(router, number, execution, shares, price, now):
    """An execution, bust or correction that has come before: counted, marked, nothing else."""
    row = child_row(router, number)
    set_mark(row, MARK.repeated_execution)
    add(router, HEAD.repeated_count, 1)
    state = get(row, CHILD.state)
    states = state << 8 | state
    tell_child(router, number, EVENT.repeated, states, shares, price, execution, now)


@njit(nogil=True)
def executed(router, number, execution, shares, price, liquidity, now):
    """Books an execution of a child, once for each id; not one without shares or a price."""
    row = child_row(router, number)
    if shares <= 0 or price <= 0:
        flag(router, number, EVENT.fill, shares, price, now)
        return
    if find_fill(router, row, execution) != 0:
        repeat(router, number, execution, shares, price, now)
        return
    hold(router, row, -1)
    fee = fee_of(router, get(row, CHILD.venue), liquidity, shares, price)
    book(router, row, 1, shares, price, fee)
    if remember(router, number, execution, shares, price, fee, liquidity, now) == 0:
        set_mark(row, MARK.not_remembered)
    count_fill(router, row)
    mark_fill(router, row, shares)
    tell_fill(router, number, shares, price, fee, execution, liquidity, now)
    step(router, number, fill_event(row, shares), shares, price, execution, now)
    hold(router, row, 1)
    tell_parent(router, row, EVENT.fill, now)


@njit(nogil=True)
def take_back(router, number, fill, now):
    """Takes a booked execution off again."""
    row, shares, price = child_row(router, number), get(fill, FILL.shares), get(fill, FILL.price)
    fee = get(fill, FILL.fee)
    book(router, row, -1, shares, price, fee)
    add(row, CHILD.busted, shares)
    execution, liquidity = get(fill, FILL.execution), get(fill, FILL.liquidity)
    tell_fill(router, number, -shares, price, -fee, execution, liquidity, now)


@njit(nogil=True)
def busted(router, number, execution, now):
    """Takes back an execution that the venue has broken.

    One that is not known is an impossible event, one that was broken before a repeated execution.
    """
    row = child_row(router, number)
    known = find_fill(router, row, execution)
    if known == 0:
        flag(router, number, EVENT.bust, 0, 0, now)
        return
    fill = fill_row(router, known)
    shares, price = get(fill, FILL.shares), get(fill, FILL.price)
    if get(fill, FILL.busted) != 0:
        repeat(router, number, execution, shares, price, now)
        return
    owner = get(fill, FILL.child)
    row = child_row(router, owner)
    hold(router, row, -1)
    take_back(router, owner, fill, now)
    put(fill, FILL.busted, 1)
    put(fill, FILL.shares, 0)
    put(fill, FILL.fee, 0)
    set_mark(row, MARK.busted)
    step(router, owner, EVENT.bust, shares, price, execution, now)
    hold(router, row, 1)
    tell_parent(router, row, EVENT.bust, now)


@njit(nogil=True)
def corrected(router, number, execution, shares, price, now):
    """Books an execution anew with other shares and price; its fee by the tier of now.

    Shares or price of 0 leave them as they are. What is not known, or broken, is as in `busted`.
    """
    row = child_row(router, number)
    known = find_fill(router, row, execution)
    if known == 0 or shares < 0 or price < 0:
        flag(router, number, EVENT.correction, shares, price, now)
        return
    fill = fill_row(router, known)
    if get(fill, FILL.busted) != 0:
        repeat(router, number, execution, shares, price, now)
        return
    owner, liquidity = get(fill, FILL.child), get(fill, FILL.liquidity)
    shares = shares if shares != 0 else get(fill, FILL.shares)
    price = price if price != 0 else get(fill, FILL.price)
    row = child_row(router, owner)
    hold(router, row, -1)
    take_back(router, owner, fill, now)
    fee = fee_of(router, get(row, CHILD.venue), liquidity, shares, price)
    book(router, row, 1, shares, price, fee)
    add(row, CHILD.busted, -shares)
    put(fill, FILL.shares, shares)
    put(fill, FILL.price, price)
    put(fill, FILL.fee, fee)
    tell_fill(router, owner, shares, price, fee, execution, liquidity, now)
    set_mark(row, MARK.corrected)
    step(router, owner, EVENT.correction, shares, price, execution, now)
    hold(router, row, 1)
    tell_parent(router, row, EVENT.correction, now)
