"""How far the books of a unit can be trusted: what gaps and recoveries tell them.

Within a stale unit an instrument can be right on its own: an image of it alone was spliced in, or a
message said everything of it. It has a mark then: the sequence from which on nothing is missing.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from feedhandler.books.ladder import best_level, ladder_address
from feedhandler.books.layout import (
    CHUNKS_FULL,
    HEAD_DTYPE,
    INSTRUMENTS,
    LADDER_MARK,
    LEVELS_FULL,
    LIVE,
    ORDERS_FULL,
    STALE,
    TOP_BYTES,
    TOP_FAULT,
    TOP_TRUST,
    TOP_UNIT,
    TOPS,
)
from nic.block import field_offset
from nic.raw import load_i64le, load_n8, load_n32le, store_release_u64, store_u8, store_u64le

STALE_UNITS: Final = field_offset(HEAD_DTYPE, "stale_units")
NO_UNIT: Final = 0  # of an instrument that nothing was said of yet


@njit(nogil=True)
def set_trust(top, trust):
    """Writes the trust of one instrument, so that readers see it whole."""
    version = load_i64le(top)
    store_release_u64(top, version + 1)
    store_u8(top + TOP_TRUST, trust)
    store_release_u64(top, version + 2)


@njit(nogil=True)
def table_was_full(top):
    """Whether the book is stale because a table was full: filling a gap does not mend that."""
    fault = load_n8(top + TOP_FAULT)
    return fault == ORDERS_FULL or fault == LEVELS_FULL or fault == CHUNKS_FULL


@njit(nogil=True)
def mark_of(book, instrument):
    """The sequence from which on a book of a stale unit has everything; 0 when nobody knows one."""
    return load_i64le(ladder_address(book, 2 * instrument) + LADDER_MARK)


@njit(nogil=True)
def set_mark(book, instrument, sequence):
    """Notes from which sequence on a book has everything."""
    store_u64le(ladder_address(book, 2 * instrument) + LADDER_MARK, sequence)


@njit(nogil=True)
def unit_stale(book, unit):
    """A gap was declared: the unit's books are stale, and so are those that may yet become its.

    `book` is the address of the HEAD_DTYPE row. Gives the number of instruments that changed.
    """
    store_u64le(book + STALE_UNITS, load_i64le(book + STALE_UNITS) + 1)
    return unit_again(book, unit)


@njit(nogil=True)
def unit_again(book, unit):
    """The unit is stale already: those of its books that were live on their own are stale, too."""
    top, changed = load_i64le(book + TOPS), 0
    for _ in range(load_i64le(book + INSTRUMENTS)):
        own = load_n32le(top + TOP_UNIT)
        if (own == unit or own == NO_UNIT) and load_n8(top + TOP_TRUST) == LIVE:
            set_trust(top, STALE)
            changed += 1
        top += TOP_BYTES
    return changed


@njit(nogil=True)
def unit_live(book, unit):
    """The gap was filled: the unit's books are live again; all are when no unit has a gap left.

    An instrument that appeared meanwhile stays stale until then: it may be another unit's.
    """
    left = load_i64le(book + STALE_UNITS) - 1
    store_u64le(book + STALE_UNITS, left)
    top, changed = load_i64le(book + TOPS), 0
    for _ in range(load_i64le(book + INSTRUMENTS)):
        concerned = left == 0 or load_n32le(top + TOP_UNIT) == unit
        if concerned and load_n8(top + TOP_TRUST) == STALE and not table_was_full(top):
            set_trust(top, LIVE)
            changed += 1
        top += TOP_BYTES
    return changed


@njit(nogil=True)
def marked_live(book, unit):
    """Those of the unit's books that have a mark are live, the unit stays stale."""
    top = load_i64le(book + TOPS)
    for instrument in range(load_i64le(book + INSTRUMENTS)):
        own = load_n32le(top + TOP_UNIT) == unit and mark_of(book, instrument) != 0
        if own and load_n8(top + TOP_TRUST) == STALE and not table_was_full(top):
            set_trust(top, LIVE)
        top += TOP_BYTES


@njit(nogil=True)
def forget_marks(book, unit):
    """No book of the unit is known to be right on its own."""
    top = load_i64le(book + TOPS)
    for instrument in range(load_i64le(book + INSTRUMENTS)):
        if load_n32le(top + TOP_UNIT) == unit:
            set_mark(book, instrument, 0)
        top += TOP_BYTES


@njit(nogil=True)
def mark_empty(book, unit):
    """The books of the unit without a mark that are empty are right so."""
    top = load_i64le(book + TOPS)
    for instrument in range(load_i64le(book + INSTRUMENTS)):
        ladder = ladder_address(book, 2 * instrument)
        other = ladder_address(book, 2 * instrument + 1)
        own = load_n32le(top + TOP_UNIT) == unit and load_i64le(ladder + LADDER_MARK) == 0
        if own and best_level(ladder) == 0 and best_level(other) == 0:
            set_mark(book, instrument, 1)
        top += TOP_BYTES


@njit(nogil=True)
def unmarked(book, unit):
    """How many instruments of the unit have no mark."""
    top, found = load_i64le(book + TOPS), 0
    for instrument in range(load_i64le(book + INSTRUMENTS)):
        found += load_n32le(top + TOP_UNIT) == unit and mark_of(book, instrument) == 0
        top += TOP_BYTES
    return found


@njit(nogil=True)
def mend_unit(book, unit, live):
    """The unit's books were emptied: what was wrong with them before is over.

    `live`: the unit is not stale, so neither are books that were because a table was full.
    """
    top = load_i64le(book + TOPS)
    for _ in range(load_i64le(book + INSTRUMENTS)):
        if load_n32le(top + TOP_UNIT) == unit:
            was_full = table_was_full(top)
            store_u8(top + TOP_FAULT, 0)
            if live and was_full:
                set_trust(top, LIVE)
        top += TOP_BYTES
