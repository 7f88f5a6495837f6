"""What is seldom said of an instrument: its own status, its price bands, sides that do not count.

An instrument's own status is kept apart from what its unit says of all: a venue that opens does not
lift the halt of one instrument. That halt ends when the instrument is spoken of again.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import CLOSED_SIDE, NO_PRICE, STATUS_HALTED, STATUS_PAUSED, STATUS_QUOTING
from feedhandler.books.layout import (
    NOTE_BANDED,
    NOTE_BANDS_NS,
    NOTE_BYTES,
    NOTE_CLOSED,
    NOTE_LOWER,
    NOTE_STATUS,
    NOTE_UPPER,
    NOTED,
    NOTES,
    TOP_STATUS,
)
from feedhandler.books.tops import top_address
from nic.raw import load_fixed, load_n8, store_u8, store_u64le


@njit(nogil=True, forceinline=True)
def note_address(book, instrument):
    """Where an instrument's note is."""
    return load_fixed(book + NOTES) + NOTE_BYTES * instrument


@njit(nogil=True, forceinline=True)
def is_stop(status):
    """Whether a status forbids trading until it is lifted: halted, paused, or quoting alone."""
    return status == STATUS_HALTED or status == STATUS_PAUSED or status == STATUS_QUOTING


@njit(nogil=True)
def set_own_status(book, instrument, status):
    """What was said of the instrument alone; it holds at once."""
    store_u8(note_address(book, instrument) + NOTE_STATUS, status)
    store_u8(top_address(book, instrument) + TOP_STATUS, status)


@njit(nogil=True)
def set_status_of_all(book, instrument, status):
    """What was said of the instrument's whole unit: a halt holds, all else leaves its own stop."""
    own = load_n8(note_address(book, instrument) + NOTE_STATUS)
    halts = status == STATUS_HALTED or status == STATUS_PAUSED
    shown = own if is_stop(own) and not halts else status
    store_u8(top_address(book, instrument) + TOP_STATUS, shown)


@njit(nogil=True)
def set_closed(book, ladder, flags):
    """Whether the quote of a ladder's side is eligible, by the flags of its action."""
    place = note_address(book, ladder >> 1) + NOTE_CLOSED
    bit, before = 1 << (ladder & 1), load_n8(place)
    closed = before | bit if flags & CLOSED_SIDE else before & ~bit
    if closed != before:
        store_u8(place, closed)
        store_u64le(book + NOTED, 1)


@njit(nogil=True)
def set_bands(book, instrument, lower, upper, time_ns):
    """The price bands; 0 or a price that does not fit is none."""
    note = note_address(book, instrument)
    store_u64le(note + NOTE_LOWER, 0 if lower == NO_PRICE else lower)
    store_u64le(note + NOTE_UPPER, 0 if upper == NO_PRICE else upper)
    store_u64le(note + NOTE_BANDS_NS, time_ns)
    store_u8(note + NOTE_BANDED, 1)
    store_u64le(book + NOTED, 1)
