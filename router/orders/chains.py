"""Chains of rows: a parent's open children, a position's open children, an instrument's parents."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, load_n32le, store_u32le
from router.rows import child_row, get, parent_row, put
from router.tables import CHILD, HEAD, PARENT


@njit(nogil=True)
def push(router, number, owner, first, after, before):
    """Puts a child at the front of its owner's chain.

    `first` is the owner's field, `after` and `before` are the child's.
    """
    row, second = child_row(router, number), get(owner, first)
    put(row, after, second)
    put(row, before, 0)
    if second != 0:
        put(child_row(router, second), before, number)
    put(owner, first, number)


@njit(nogil=True)
def pull(router, number, owner, first, after, before):
    """Takes a child out of its owner's chain; arguments as of `push`."""
    row = child_row(router, number)
    follower, leader = get(row, after), get(row, before)
    if leader != 0:
        put(child_row(router, leader), after, follower)
    else:
        put(owner, first, follower)
    if follower != 0:
        put(child_row(router, follower), before, leader)
    put(row, after, 0)
    put(row, before, 0)


@njit(nogil=True)
def push_sibling(router, number, parent):
    """Puts a child at the front of the open children of the parent in that row."""
    push(router, number, parent, PARENT.first_open, CHILD.next_sibling, CHILD.last_sibling)


@njit(nogil=True)
def pull_sibling(router, number, parent):
    """Takes a child out of the open children of the parent in that row."""
    pull(router, number, parent, PARENT.first_open, CHILD.next_sibling, CHILD.last_sibling)


@njit(nogil=True)
def first_active(router, instrument):
    """Where the number of an instrument's first working parent is (4 bytes)."""
    return load_i64le(router + HEAD.active) + 4 * instrument


@njit(nogil=True)
def push_active(router, number):
    """Puts a parent at the front of the working parents of its instrument."""
    row = parent_row(router, number)
    place = first_active(router, get(row, PARENT.instrument))
    put(row, PARENT.next_active, load_n32le(place))
    store_u32le(place, number)


@njit(nogil=True)
def pull_active(router, number):
    """Takes a parent out of the working parents of its instrument."""
    row = parent_row(router, number)
    place = first_active(router, get(row, PARENT.instrument))
    follower, other = get(row, PARENT.next_active), load_n32le(place)
    if other == number:
        store_u32le(place, follower)
    else:
        while other != 0:
            leader = parent_row(router, other)
            other = get(leader, PARENT.next_active)
            if other == number:
                put(leader, PARENT.next_active, follower)
                break
    put(row, PARENT.next_active, 0)
