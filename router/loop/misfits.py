"""Orders that no longer fit their parent, whose quantity or limit has become another."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.intents import want_cancel
from router.loop.work import is_passive
from router.orders.children import may_cancel
from router.orders.reserve import reserved
from router.rows import child_row, get
from router.tables import CHILD, PARENT


@njit(nogil=True)
def is_beyond(side, price, limit):
    """Whether an order at a price could execute beyond a limit; one without a price could."""
    if limit == 0:
        return False
    if price == 0:
        return True
    return price > limit if side == BUY else price < limit


@njit(nogil=True)
def is_misfit(of, row):
    """Whether a child, or what it is being replaced by, is beyond the limit of its parent."""
    side, limit = get(of, PARENT.side), get(of, PARENT.limit)
    if is_beyond(side, get(row, CHILD.price), limit):
        return True
    return get(row, CHILD.new_token) != 0 and is_beyond(side, get(row, CHILD.new_price), limit)


@njit(nogil=True)
def want_back(router, of, excess, passive):
    """Wants the newest orders canceled that rest, or that do not, until the excess is covered.

    Those beyond the limit are left out: they are being canceled anyway. Gives what is not covered.
    """
    child = get(of, PARENT.first_open)
    while child != 0 and excess > 0:
        row = child_row(router, child)
        if not is_misfit(of, row) and is_passive(row) == passive:
            shares, _ = reserved(row)
            excess -= shares
            if may_cancel(row):
                want_cancel(router, child, get(row, CHILD.decision))
        child = get(row, CHILD.next_sibling)
    return excess


@njit(nogil=True)
def want_misfits_back(router, of):
    """Wants canceled what is beyond the limit of a parent, by its row, or more than it wants."""
    excess = get(of, PARENT.open) - max(get(of, PARENT.quantity) - get(of, PARENT.cum), 0)
    child = get(of, PARENT.first_open)
    while child != 0:
        row = child_row(router, child)
        if is_misfit(of, row):
            shares, _ = reserved(row)
            excess -= shares
            if may_cancel(row):
                want_cancel(router, child, get(row, CHILD.decision))
        child = get(row, CHILD.next_sibling)
    excess = want_back(router, of, excess, True)
    want_back(router, of, excess, False)
