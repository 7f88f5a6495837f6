"""The best of both sides of an instrument, written so that others can read it at any time.

A reader takes the version, copies the row and takes the version again: the copy is good when both
are the same even number. The writer never waits.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import STATUS_TRADING
from feedhandler.books.ladder import best_level, ladder_address, level_address
from feedhandler.books.layout import (
    CHANGES,
    CROSSED,
    EVENT_OPEN_MARK,
    FAULTS,
    LEVEL_QUANTITY,
    TOP_BID,
    TOP_BYTES,
    TOP_FAULT,
    TOP_OFFER,
    TOP_STATUS,
    TOP_TIME,
    TOPS,
)
from nic.raw import load_fixed, load_i64le, load_n8, store_release_u64, store_u8, store_u64le


@njit(nogil=True, forceinline=True)
def top_address(book, instrument):
    """Where an instrument's top is."""
    return load_fixed(book + TOPS) + TOP_BYTES * instrument


@njit(nogil=True)
def note_crossed(book, top):
    """A book that stays crossed while it trades has missed something."""
    bid, offer = load_i64le(top + TOP_BID), load_i64le(top + TOP_OFFER)
    if bid >= offer and load_n8(top + TOP_STATUS) == STATUS_TRADING:
        counter = book + FAULTS + 8 * CROSSED
        store_u64le(counter, load_i64le(counter) + 1)
        if load_n8(top + TOP_FAULT) == 0:
            store_u8(top + TOP_FAULT, CROSSED)


@njit(nogil=True)
def write_side(book, top, place, price, quantity, time_ns):
    """Writes one side of a top; `place` is the address of its price."""
    version = load_i64le(top)
    store_release_u64(top, version + 1)
    store_release_u64(place, price)
    store_release_u64(place + 8, quantity)
    store_release_u64(top + TOP_TIME, time_ns)
    store_release_u64(top, version + 2)
    store_u64le(book + CHANGES, load_i64le(book + CHANGES) + 1)
    other = load_i64le(top + TOP_BID) != 0 and load_i64le(top + TOP_OFFER) != 0
    if other and load_i64le(book + EVENT_OPEN_MARK) == 0:
        note_crossed(book, top)


@njit(nogil=True)
def refresh(book, ladder, time_ns):
    """Brings the top of a ladder's side up to date."""
    level = best_level(ladder_address(book, ladder))
    top = top_address(book, ladder >> 1)
    place = top + TOP_BID + 16 * (ladder & 1)
    price, quantity = 0, 0
    if level != 0:
        address = level_address(book, level)
        price, quantity = load_i64le(address), load_i64le(address + LEVEL_QUANTITY)
    if price != load_i64le(place) or quantity != load_i64le(place + 8):
        write_side(book, top, place, price, quantity, time_ns)
