"""The venues that a decision of dark or passive orders looks at, and its record in the log."""

from __future__ import annotations

from numba import njit

from nic.raw import store_u64le
from nic.ring import copy_record
from router.log import DECISION, LINE_BYTES, begin, publish
from router.routing.learning import CHOICE, CHOICE_BYTES, LEARNING
from router.rows import get, parent_row, put
from router.tables import HEAD, PARENT


@njit(nogil=True)
def choice_row(learning, number):
    """Where a venue's row in the scratch of a decision is."""
    return get(learning, LEARNING.choices) + CHOICE_BYTES * number


@njit(nogil=True)
def new_choice(learning, number, venue):
    """A fresh row for a venue, all else zero."""
    row = choice_row(learning, number)
    for offset in range(0, CHOICE_BYTES, 8):
        store_u64le(row + offset, 0)
    put(row, CHOICE.venue, venue)
    return row


@njit(nogil=True)
def next_decision(router):
    """The number that the decision being made will have if something comes of it."""
    return get(router, HEAD.decision_count) + 1


@njit(nogil=True, forceinline=True)
def count_decision(router, parent):
    """The decision being made counts: its number, which is that of the parent's last one now."""
    number = next_decision(router)
    put(router, HEAD.decision_count, number)
    put(parent_row(router, parent), PARENT.last_decision, number)
    return number


@njit(nogil=True)
def record_decision(router, learning, parent, style, quantity, limit, count, now):
    """Counts the decision and writes it with its first `count` venues into the log."""
    number, log = count_decision(router, parent), get(router, HEAD.log)
    address = begin(log, DECISION, 1 + count, now, number, parent, style, quantity, limit, count)
    if address == 0:
        return
    for place in range(count):
        copy_record(address + LINE_BYTES * (1 + place), choice_row(learning, place))
    publish(log, 1 + count)
