"""Positions at average price: shares, cost, realised and unrealised profit and loss, exposure.

`cost` is average x shares: above 0 for what is held, below 0 for what was sold short. What closes
takes its part of the cost with it, rounded towards 0, so that nothing is lost of the sum:

    realised - cost        = money in - money out              always, exactly
    unrealised             = shares x mark - cost
    realised + unrealised  = money in - money out + shares x mark

A bust is the opposite trade at the price of the execution: shares, money and the total come out as
if it had never been; how the total divides into realised and unrealised may differ.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.rows import account_row, add, get, position_row, put
from router.tables import ACCOUNT, HEAD, POSITION


@njit(nogil=True)
def part_of(cost, shares, held):
    """cost x shares / held, rounded down, for numbers of 0 and more and shares up to held."""
    return cost // held * shares + cost % held * shares // held


@njit(nogil=True)
def set_value(account, before, after):
    """The value of one position of an account changed: its gross and net follow."""
    add(account, ACCOUNT.gross, abs(after) - abs(before))
    add(account, ACCOUNT.net, after - before)


@njit(nogil=True)
def close_part(row, shares, price):
    """Takes up to `shares` off a position at a price; the profit, its cost lessened."""
    held, cost = get(row, POSITION.shares), get(row, POSITION.cost)
    part, money = part_of(abs(cost), shares, abs(held)), shares * price
    if held > 0:
        put(row, POSITION.cost, cost - part)
        return money - part
    put(row, POSITION.cost, cost + part)
    return part - money


@njit(nogil=True)
def trade(router, number, instrument, sign, shares, price):
    """Moves an account's position by shares bought (sign 1) or sold (sign -1) at a price.

    Cost, realised profit and what the account has spent follow, fees apart; so do its gross and
    net. A position that has never been marked is marked at this price.
    """
    account, row = account_row(router, number), position_row(router, number, instrument)
    held, profit, closed = get(row, POSITION.shares), 0, 0
    if get(row, POSITION.mark) == 0:
        put(row, POSITION.mark, price)
    if held * sign < 0:
        closed = min(shares, abs(held))
        profit = close_part(row, closed, price)
    add(row, POSITION.cost, sign * (shares - closed) * price)
    add(row, POSITION.realised, profit)
    put(row, POSITION.shares, held + sign * shares)
    add(account, ACCOUNT.realised, profit)
    add(account, ACCOUNT.spent, sign * shares * price)
    mark = get(row, POSITION.mark)
    set_value(account, held * mark, (held + sign * shares) * mark)


@njit(nogil=True)
def count_shares(router, number, instrument, side, shares, fee):
    """Counts shares bought or sold, and their fee; negative numbers take back."""
    account, row = account_row(router, number), position_row(router, number, instrument)
    if side == BUY:
        add(account, ACCOUNT.bought, shares)
        add(row, POSITION.bought, shares)
    else:
        add(account, ACCOUNT.sold, shares)
        add(row, POSITION.sold, shares)
    add(account, ACCOUNT.fees, fee)
    add(account, ACCOUNT.spent, fee)
    add(row, POSITION.fees, fee)


@njit(nogil=True)
def mark(router, account, instrument, price):
    """Values an account's position at a price; its unrealised profit and loss.

    The account's gross and net follow. A price that is not above 0 changes nothing.
    """
    row = position_row(router, account, instrument)
    held, before = get(row, POSITION.shares), get(row, POSITION.mark)
    if price > 0 and price != before:
        put(row, POSITION.mark, price)
        set_value(account_row(router, account), held * before, held * price)
    return held * get(row, POSITION.mark) - get(row, POSITION.cost)


@njit(nogil=True)
def mark_all(router, instrument, price):
    """Values the position of every account in an instrument at a price."""
    for account in range(1, get(router, HEAD.account_count)):
        mark(router, account, instrument, price)


@njit(nogil=True)
def unrealised_of(router, number):
    """Unrealised profit and loss of an account: value less cost of all it holds."""
    account = account_row(router, number)
    total = get(account, ACCOUNT.net) - get(account, ACCOUNT.spent)
    return total + get(account, ACCOUNT.fees) - get(account, ACCOUNT.realised)
