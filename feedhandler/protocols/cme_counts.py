"""CME's counts of instruments: what is known of each beside its levels, see `cme_levels`.

Every entry of an incremental message has the RptSeq of its security, which counts by one whatever
the template. So behind a loss in the channel a security whose count goes on without a hole has lost
nothing. Entries of templates without it (orders alone) say nothing of that.

Further places of a security's row:

    448    its last RptSeq
    456    packet sequence that the image in it is good up to; 0: it came without one
    464    the life in which its count is known to be whole; BROKEN: an image has to come first
    472    1: the channel was reset, so the count may start again at 1

and of row 0, which is the channel's:

    448    sequence of the last packet; 456: highest of the images' sequences
    464    its life: one more behind each jump of the sequence
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.context import SYMBOLS_ADDRESS, get
from feedhandler.protocols.cme_columns import ABSENT, HIGHEST, LOWEST
from feedhandler.protocols.cme_countcolumns import counts
from feedhandler.protocols.cme_levels import first_row, forget_levels, next_row, row_count
from feedhandler.wire.constants import constant_i32, constant_table
from nic.raw import load_i64le, store_u64le

COUNT, IMAGE, WHOLE, FRESH = 448, 456, 464, 472
LAST, NEWEST_IMAGE, LIFE = 448, 456, 464  # of row 0
BROKEN: Final = -1
WORD_MASK: Final = 0xFFFFFFFF
FIRST: Final = 1
REORDERED: Final = 64  # packets back to which one comes late, where no lines see to the order
PAIR_BYTES: Final = 8
places_at = constant_table(counts())


@njit(nogil=True, forceinline=True)
def counted(code):
    """Address of a template's places; 0 where its entries are not counted."""
    if code < LOWEST or code >= HIGHEST:
        return np.int64(0)
    row = places_at() + PAIR_BYTES * (code - LOWEST)
    return row if constant_i32(row + 4) != ABSENT else np.int64(0)


@njit(nogil=True)
def restart(context, table):
    """The sequence starts again: nothing is known of any security."""
    row = first_row(context)
    for _ in range(row_count(context)):
        if row == 0:
            break
        forget_levels(row)
        for place in (COUNT, IMAGE, WHOLE, FRESH):
            store_u64le(row + place, np.int64(0))
        row = next_row(context, row)
    store_u64le(table + NEWEST_IMAGE, np.int64(0))
    store_u64le(table + LIFE, np.int64(0))


@njit(nogil=True, forceinline=True)
def follow_channel(context, sequence):
    """Sees to jumps of the packets' sequence; 0 is none: the packet is not of the live stream."""
    table = get(context, SYMBOLS_ADDRESS)
    last = load_i64le(table + LAST)
    if sequence == last or sequence == 0:
        return
    if sequence < last:
        if sequence != FIRST and last - sequence <= REORDERED:
            return
        restart(context, table)
    elif sequence != last + 1 and last != 0:
        store_u64le(table + LIFE, load_i64le(table + LIFE) + 1)
    store_u64le(table + LAST, sequence)


@njit(nogil=True)
def forget_before(context, sequence):
    """The channel was reset: nothing is left of securities but what a newer image has."""
    row = first_row(context)
    life = load_i64le(get(context, SYMBOLS_ADDRESS) + LIFE)
    for _ in range(row_count(context)):
        if row == 0:
            break
        if load_i64le(row + IMAGE) < sequence:
            forget_levels(row)
            store_u64le(row + WHOLE, life)
            store_u64le(row + FRESH, np.int64(1))
        row = next_row(context, row)


@njit(nogil=True, forceinline=True)
def note_image(context, row, count, sequence):
    """A security has an image, good up to a packet, with its count."""
    table = get(context, SYMBOLS_ADDRESS)
    store_u64le(row + COUNT, count)
    store_u64le(row + IMAGE, sequence)
    store_u64le(row + WHOLE, load_i64le(table + LIFE))
    store_u64le(row + FRESH, np.int64(0))
    store_u64le(table + NEWEST_IMAGE, max(load_i64le(table + NEWEST_IMAGE), sequence))


@njit(nogil=True, forceinline=True)
def goes_on(row, count, life):
    """Takes a count of a security; whether nothing is missing before it.

    Behind a reset of the channel that a loss followed, the count has to begin: that the next one
    comes may be chance.
    """
    step = (count - load_i64le(row + COUNT)) & WORD_MASK
    store_u64le(row + COUNT, count)
    if load_i64le(row + FRESH) == 0:
        return step == 1
    store_u64le(row + FRESH, np.int64(0))
    return count == 1 or (step == 1 and load_i64le(row + WHOLE) == life)
