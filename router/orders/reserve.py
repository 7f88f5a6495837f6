"""What open orders hold back: shares of the position and the parent, money of the account.

A child reserves its leaves at its limit, and while a replace is under way the larger of the old and
the new, of shares and of money each. Where it has no price, its reference price counts: the mark of
the position when it was entered, or the last trade. Of what is over nothing is reserved.

Whatever changes a child releases it first and reserves it again when done.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.orders.states import OVER_BITS
from router.rows import account_row, add, get, parent_row, position_row
from router.tables import ACCOUNT, CHILD, PARENT, POSITION


@njit(nogil=True)
def is_over(state):
    """1 where an order in that state is over, else 0."""
    return OVER_BITS >> state & 1


@njit(nogil=True)
def new_leaves(row):
    """What is left of a child should the replace under way be accepted now."""
    spent = get(row, CHILD.cum) + get(row, CHILD.busted)
    return max(get(row, CHILD.new_quantity) - spent, 0)


@njit(nogil=True)
def price_of(row, offset):
    """The price in a field of a child, or the one it is reserved at without."""
    price = get(row, offset)
    return price if price != 0 else get(row, CHILD.reference)


@njit(nogil=True)
def reserved(row):
    """Shares and money that a child reserves."""
    if is_over(get(row, CHILD.state)) != 0:
        return 0, 0
    shares = get(row, CHILD.leaves)
    money = shares * price_of(row, CHILD.price)
    if get(row, CHILD.new_token) != 0:
        new = new_leaves(row)
        return max(shares, new), max(money, new * price_of(row, CHILD.new_price))
    return shares, money


@njit(nogil=True)
def hold(router, row, sign):
    """Reserves what a child needs (sign 1) or gives it back (sign -1)."""
    shares, money = reserved(row)
    shares, money = sign * shares, sign * money
    number = get(row, CHILD.account)
    account = account_row(router, number)
    position = position_row(router, number, get(row, CHILD.instrument))
    if get(row, CHILD.side) == BUY:
        add(position, POSITION.open_buy, shares)
        add(account, ACCOUNT.open_buy, money)
    else:
        add(position, POSITION.open_sell, shares)
        add(account, ACCOUNT.open_sell, money)
    parent = get(row, CHILD.parent)
    if parent != 0:
        add(parent_row(router, parent), PARENT.open, shares)
