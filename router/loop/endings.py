"""What is done once an order is over, whoever said so."""

from __future__ import annotations

from numba import njit

from router.orders.states import OVER_BITS
from router.risk.judge import give_back_locates
from router.routing.dark_first import learn_dark
from router.routing.gone import note_gone
from router.rows import child_row, get, put
from router.tables import CHILD, DARK


@njit(nogil=True)
def follow_end(router, child, now):
    """To be called behind each event of a child: does nothing while it is open, or a second time.

    Locates of what was not sold short are given back; what an order that takes or a dark one got
    says what is there.
    """
    row = child_row(router, child)
    if (OVER_BITS >> get(row, CHILD.state)) & 1 == 0 or get(row, CHILD.followed) != 0:
        return
    put(row, CHILD.followed, 1)
    give_back_locates(router, child)
    note_gone(router, child, now)
    if get(row, CHILD.flags) & DARK:
        learn_dark(router, child)
