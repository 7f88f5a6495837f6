"""The venues that a decision of dark or passive orders looks at, and its record in the log."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.log import DECISION, LINE_BYTES, claim, publish
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


@njit(nogil=True)
def record_decision(router, learning, parent, style, quantity, limit, count, now):
    """Counts the decision and writes it with its first `count` venues into the log."""
    number = next_decision(router)
    put(router, HEAD.decision_count, number)
    put(parent_row(router, parent), PARENT.last_decision, number)
    log = get(router, HEAD.log)
    address = claim(log, DECISION, 1 + count, now)
    if address == 0:
        return
    store_u64le(address + 16, number)
    store_u64le(address + 24, parent)
    store_u64le(address + 32, style)
    store_u64le(address + 40, quantity)
    store_u64le(address + 48, limit)
    store_u64le(address + 56, count)
    for place in range(count):
        row, line = choice_row(learning, place), address + LINE_BYTES * (1 + place)
        for offset in range(0, LINE_BYTES, 8):
            store_u64le(line + offset, load_i64le(row + offset))
    publish(log, 1 + count)
