"""What is done once an order is over, whoever said so."""

from __future__ import annotations

from typing import Final

from numba import njit

from router.orders.states import OVER_BITS, STATE
from router.risk.judge import give_back_locates
from router.routing.dark_first import learn_dark
from router.routing.gone import note_gone
from router.rows import child_row, get, parent_row, put, venue_row
from router.tables import CHILD, DARK, PARENT, VENUE

FIRST_HOLD_NS: Final = 10_000_000  # a parent whose order was refused tries no sooner
MOST_DOUBLINGS: Final = 7  # 1.28 s


@njit(nogil=True, forceinline=True)
def wait_after(refusals):
    """How long a parent waits behind one more refusal than so many in a row, ns."""
    return FIRST_HOLD_NS << min(refusals, MOST_DOUBLINGS)


@njit(nogil=True)
def hold_parent(router, row, now):
    """A venue or a port refused an order: its parent waits, twice as long each time in a row.

    Not where the venue is down: routing knows that, and others get the shares at once.
    """
    parent = get(row, CHILD.parent)
    if parent == 0 or get(venue_row(router, get(row, CHILD.venue)), VENUE.down) != 0:
        return
    of = parent_row(router, parent)
    refused = get(of, PARENT.refused)
    put(of, PARENT.refused, refused + 1)
    put(of, PARENT.hold_ns, max(get(of, PARENT.hold_ns), now + wait_after(refused)))


@njit(nogil=True)
def follow_end(router, child, now):
    """To be called behind each event of a child: does nothing while it is open, or a second time.

    Locates of what was not sold short are given back; what an order that takes or a dark one got
    says what is there; one that was refused lets its parent wait.
    """
    row = child_row(router, child)
    if (OVER_BITS >> get(row, CHILD.state)) & 1 == 0 or get(row, CHILD.followed) != 0:
        return
    put(row, CHILD.followed, 1)
    if get(row, CHILD.state) == STATE.rejected:
        hold_parent(router, row, now)
    give_back_locates(router, child)
    note_gone(router, child, now)
    if get(row, CHILD.flags) & DARK:
        learn_dark(router, child)
