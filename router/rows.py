"""Where rows of the router's tables are, and small steps on their fields."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.tables import (
    ACCOUNT_BYTES,
    CHILD,
    CHILD_BYTES,
    DOLLAR,
    HEAD,
    INSTRUMENT_BYTES,
    PARENT_BYTES,
    POSITION_BYTES,
    TIER_BYTES,
    VENUE,
    VENUE_BYTES,
)


@njit(nogil=True, forceinline=True)
def get(row, offset):
    """A field of a row."""
    return load_i64le(row + offset)


@njit(nogil=True, forceinline=True)
def put(row, offset, value):
    """Sets a field of a row."""
    store_u64le(row + offset, value)


@njit(nogil=True, forceinline=True)
def add(row, offset, value):
    """Adds to a field of a row."""
    store_u64le(row + offset, load_i64le(row + offset) + value)


@njit(nogil=True, forceinline=True)
def parent_row(router, number):
    """Where a parent is."""
    return load_i64le(router + HEAD.parents) + PARENT_BYTES * number


@njit(nogil=True, forceinline=True)
def child_row(router, number):
    """Where a child is."""
    return load_i64le(router + HEAD.children) + CHILD_BYTES * number


@njit(nogil=True, forceinline=True)
def venue_row(router, number):
    """Where a venue is."""
    return load_i64le(router + HEAD.venues) + VENUE_BYTES * number


@njit(nogil=True, forceinline=True)
def rates_of(venue, kind):
    """Where a venue's rates in force are; `venue` is its row, `kind` TIER.removed, TIER.added, …"""
    return venue + VENUE.tiers + TIER_BYTES * get(venue, VENUE.tier) + kind


@njit(nogil=True, forceinline=True)
def tick_at(venue, price):
    """A venue's tick at a price; `venue` is its row."""
    return get(venue, VENUE.tick if price >= DOLLAR else VENUE.small_tick)


@njit(nogil=True, forceinline=True)
def instrument_row(router, number):
    """Where an instrument is."""
    return load_i64le(router + HEAD.instruments) + INSTRUMENT_BYTES * number


@njit(nogil=True, forceinline=True)
def account_row(router, number):
    """Where an account is."""
    return load_i64le(router + HEAD.accounts) + ACCOUNT_BYTES * number


@njit(nogil=True, forceinline=True)
def position_row(router, account, instrument):
    """Where the position of an account in an instrument is."""
    row = account * load_i64le(router + HEAD.instrument_count) + instrument
    return load_i64le(router + HEAD.positions) + POSITION_BYTES * row


@njit(nogil=True, forceinline=True)
def named_token(child):
    """The token that a cancel names: the child's own; `child` is its row.

    Where a replace was not answered the venue may know the order by either: in turn.
    """
    other = get(child, CHILD.new_token)
    unanswered = get(child, CHILD.unanswered)
    turn = other != 0 and unanswered > 0 and unanswered & 1 == 0
    return other if turn else get(child, CHILD.token)
