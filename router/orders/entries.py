"""One compiled entry to all of order state, for the control side and tests.

The hot loop calls the kernels themselves.
"""

from __future__ import annotations

from numba import njit

from router.orders.children import ask_cancel, ask_replace, child_event, enter
from router.orders.fees import fee_of
from router.orders.hear import hear
from router.orders.machine import child_after, parent_after
from router.orders.parents import (
    cancel_parent,
    parent_event,
    replace_parent,
    resume_parent,
    start_parent,
    suspend_parent,
    want_cancels,
)
from router.orders.positions import mark, mark_all, unrealised_of

(
    ENTER, ASK_REPLACE, ASK_CANCEL, HEAR, CHILD_EVENT, START, PARENT_EVENT, SUSPEND, RESUME, CANCEL,
    REPLACE, WANT_CANCELS, MARK, MARK_ALL, UNREALISED, FEE, CHILD_AFTER, PARENT_AFTER,
) = range(18)  # fmt: skip


@njit(nogil=True)
def on_child(router, what, a, b, c, now):
    """The calls that are about a child."""
    if what == ENTER:
        return enter(router, a, now)
    if what == ASK_REPLACE:
        return ask_replace(router, a, b, c, now)
    if what == ASK_CANCEL:
        return ask_cancel(router, a, now)
    if what == HEAR:
        return hear(router, a, now)
    return child_event(router, a, b, c, now)


@njit(nogil=True)
def on_parent(router, what, a, b, c, now):
    """The calls that are about a parent."""
    if what == START:
        return start_parent(router, a, now)
    if what == PARENT_EVENT:
        return parent_event(router, a, b, c, now)
    if what == SUSPEND:
        return suspend_parent(router, a, b, now)
    if what == RESUME:
        return resume_parent(router, a, now)
    if what == CANCEL:
        return cancel_parent(router, a, b, now)
    if what == REPLACE:
        return replace_parent(router, a, b, c, now)
    return want_cancels(router, a, b)


@njit(nogil=True, cache=True)
def act(router, what, a, b, c, d, now):
    """Calls the kernel that `what` says with as many arguments as it takes; its result."""
    if what <= CHILD_EVENT:
        return on_child(router, what, a, b, c, now)
    if what <= WANT_CANCELS:
        return on_parent(router, what, a, b, c, now)
    if what == MARK:
        return mark(router, a, b, c)
    if what == MARK_ALL:
        mark_all(router, a, b)
        return 0
    if what == UNREALISED:
        return unrealised_of(router, a)
    if what == FEE:
        return fee_of(router, a, b, c, d)
    return child_after(a, b) if what == CHILD_AFTER else parent_after(a, b)
