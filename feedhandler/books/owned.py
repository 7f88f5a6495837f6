"""Books of some of a venue's symbols: actions on the others are left out in front of the books.

A key is asked about once, when the text of its symbol is known: at its first appearance where
keys are text, else in the SYMBOL action. From then on a byte by instrument says it. What is not
known yet is kept; when it turns out to be another's, its book is emptied. An order of a book that
is not kept is not entered, so messages that name it by its id alone find no order: left out, too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, ALL, CLEAR, STATUS, SYMBOL
from feedhandler.books.filterlayout import ANOTHERS, AT, NOT_KNOWN, OURS
from feedhandler.books.keys import instrument_of
from feedhandler.books.layout import FILTER
from feedhandler.context import FILTERED, get
from feedhandler.shards.owning import owner_of, root_of
from nic.move import move_bytes
from nic.raw import load_i64le, load_n8, store_u8, store_u64le

FLAG_SHIFT: Final = 16
FLAG_MASK: Final = 0xFFFF


@njit(nogil=True)
def ask(row, text):
    """Whose a symbol is, by the first eight bytes of its text: OURS or ANOTHERS."""
    ours = owner_of(load_i64le(row + AT.rule), root_of(text)) == load_i64le(row + AT.shard)
    return OURS if ours else ANOTHERS


@njit(nogil=True)
def learn(row, action, place):
    """A SYMBOL action says whose its key is; it becomes a CLEAR of what was kept of another's."""
    before, now = load_n8(place), ask(row, load_i64le(action + 16))
    store_u8(place, now)
    if now == ANOTHERS and before != ANOTHERS:
        store_u64le(action, (load_i64le(action) & ~0xFFFFFFFF) | CLEAR)
        return OURS
    return now


@njit(nogil=True)
def owner_by_key(book, row, action, key, kind):
    """OURS or ANOTHERS, for an action with a key; what is not known yet counts as ours."""
    instrument = instrument_of(book, key)
    if instrument < 0:
        return OURS
    place = load_i64le(row + AT.owners) + instrument
    if kind == SYMBOL:
        return learn(row, action, place)
    known = load_n8(place)
    if known == NOT_KNOWN and key > 0 and load_i64le(row + AT.text) != 0:
        known = ask(row, key)
        store_u8(place, known)
    return known


@njit(nogil=True)
def is_left_out(book, row, action):
    """Whether an action is on another's symbol."""
    key, head = load_i64le(action + 8), load_i64le(action)
    if key == 0:
        return False
    kind, flags = head & 0xFF, (head >> FLAG_SHIFT) & FLAG_MASK
    if flags & ALL != 0 and (kind == CLEAR or kind == STATUS):
        return False
    return owner_by_key(book, row, action, key, kind) == ANOTHERS


@njit(nogil=True)
def keep_owned(context, actions, count):
    """Leaves another's actions out of a packet's; those that stay move up. Gives their number."""
    book = get(context, FILTERED)
    row = load_i64le(book + FILTER) if book != 0 else np.int64(0)
    if row == 0:
        return count
    kept = np.int64(0)
    for number in range(count):
        action = actions + ACTION_BYTES * number
        if is_left_out(book, row, action):
            continue
        if kept != number:
            move_bytes(actions + ACTION_BYTES * kept, action, ACTION_BYTES)
        kept += 1
    store_u64le(row + AT.left_out, load_i64le(row + AT.left_out) + count - kept)
    return kept
