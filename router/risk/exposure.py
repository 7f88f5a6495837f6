"""What an account could come to hold and lose: positions, exposure, buying power, credit, loss.

All in the worst case: every open order executes whole, and the new one too. Of a replace, what is
open of the child is taken off first, so that only the difference counts; what adds nothing is not
held back.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import BUY
from router.risk import layout as reasons
from router.risk.facts import opens_of, others_open
from router.risk.layout import ACCOUNT_LIMITS, LIMITS, MOST_MONEY, MOST_SUM
from router.rows import account_row, get
from router.tables import ACCOUNT, CLOSES, HEAD, POSITION


@njit(nogil=True)
def only_reduces(facts):
    """Whether the order brings the position nearer to none, whatever else of its side executes."""
    shares = get(facts.position, POSITION.shares)
    held = -shares if facts.side == BUY else shares
    return opens_of(facts) <= held - others_open(facts)


@njit(nogil=True, forceinline=True)
def adds_shares(facts):
    """Whether more shares would be open than are."""
    return opens_of(facts) > facts.was_open


@njit(nogil=True, error_model="numpy")
def added_money(facts, price):
    """Money that the order adds to what is open; of a replace, the difference."""
    was = facts.was_open * facts.was_price
    if facts.was_price != 0 and facts.was_open > MOST_MONEY // facts.was_price:
        was = 0
    return opens_of(facts) * price - was


@njit(nogil=True)
def judge_position(facts):
    """Reason, seen, allowed: shares of the account in the instrument, long and short."""
    row = facts.account_number * get(facts.limits, LIMITS.instrument_count)
    most = get(get(facts.limits, LIMITS.positions) + 8 * (row + facts.instrument_number), 0)
    shares = get(facts.position, POSITION.shares)
    held = shares if facts.side == BUY else -shares
    worst = held + others_open(facts) + opens_of(facts)
    if adds_shares(facts) and worst > most:
        return reasons.POSITION_LIMIT, worst, most
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_money(facts, added):
    """Reason, seen, allowed: the sums of the account that `added` money would change."""
    account, rules, buys = facts.account, facts.rules, facts.side == BUY
    open_buy, open_sell = get(account, ACCOUNT.open_buy), get(account, ACCOUNT.open_sell)
    net, spent = get(account, ACCOUNT.net), get(account, ACCOUNT.spent)
    if added <= 0:
        return reasons.PASSED, 0, 0
    gross = get(account, ACCOUNT.gross) + open_buy + open_sell + added
    most = get(rules, ACCOUNT_LIMITS.gross)
    if gross > most and not only_reduces(facts):
        return reasons.GROSS, gross, most
    worst = added + (net + open_buy if buys else open_sell - net)
    most = get(rules, ACCOUNT_LIMITS.net)
    if worst > most:
        return reasons.NET, worst, most
    used, most = max(spent, 0) + open_buy + added, get(rules, ACCOUNT_LIMITS.capital)
    if buys and used > most:
        return reasons.BUYING_POWER, used, most
    owed, most = abs(spent) + open_buy + open_sell + added, get(rules, ACCOUNT_LIMITS.credit)
    if owed > most:
        return reasons.CREDIT, owed, most
    return reasons.PASSED, 0, 0


@njit(nogil=True, forceinline=True)
def lost(account):
    """What an account has lost today, fees included: money out less what is held for it."""
    return get(account, ACCOUNT.spent) - get(account, ACCOUNT.net)


@njit(nogil=True, forceinline=True)
def capped(value, most):
    """A value brought between -most and most."""
    return min(max(value, -most), most)


@njit(nogil=True, forceinline=True)
def capped_lost(account):
    """`lost`, of figures that may be anything."""
    spent = capped(get(account, ACCOUNT.spent), MOST_MONEY)
    return spent - capped(get(account, ACCOUNT.net), MOST_MONEY)


@njit(nogil=True, forceinline=True)
def capped_gross(account):
    """Gross exposure of an account with its open orders, of figures that may be anything."""
    total = max(capped(get(account, ACCOUNT.gross), MOST_MONEY), 0)
    total += max(capped(get(account, ACCOUNT.open_buy), MOST_MONEY), 0)
    return total + max(capped(get(account, ACCOUNT.open_sell), MOST_MONEY), 0)


@njit(nogil=True)
def judge_all(facts, added):
    """Reason, seen, allowed: gross exposure and loss of all accounts together."""
    gross, loss = np.int64(0), np.int64(0)
    for number in range(1, get(facts.router, HEAD.account_count)):
        account = account_row(facts.router, number)
        gross = capped(gross + capped_gross(account), MOST_SUM)
        loss = capped(loss + capped_lost(account), MOST_SUM)
    most = get(facts.limits, LIMITS.gross)
    if added > 0 and gross + added > most and not only_reduces(facts):
        return reasons.ALL_GROSS, gross + added, most
    most = get(facts.limits, LIMITS.loss)
    if adds_shares(facts) and loss > most:
        return reasons.ALL_LOSS, loss, most
    return reasons.PASSED, 0, 0


@njit(nogil=True)
def judge_exposure(facts, price):
    """Reason, seen, allowed: all of this file. CLOSES is free of it where it only reduces."""
    if facts.flags & CLOSES != 0 and only_reduces(facts):
        return reasons.PASSED, 0, 0
    verdict = judge_position(facts)
    if verdict[0] != reasons.PASSED:
        return verdict
    added = added_money(facts, price)
    verdict = judge_money(facts, added)
    if verdict[0] != reasons.PASSED:
        return verdict
    loss, most = lost(facts.account), get(facts.rules, ACCOUNT_LIMITS.loss)
    if adds_shares(facts) and loss > most:
        return reasons.LOSS, loss, most
    return judge_all(facts, added)
