"""ITCH 5.0 files in Nasdaq's BinaryFILE form: a 2-byte big-endian length before each message.

No packets and no sequences, so messages are numbered from 1; a day's file in one pass into books.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, SYMBOL
from feedhandler.books.apply import apply_batch
from feedhandler.protocols.itch50_actions import message
from feedhandler.wire.framing import COUNTED_U16_BE
from feedhandler.wire.walk import walker
from nic.histogram import histogram_add
from nic.kernelref import KernelRef
from nic.raw import cycles, load_i64le, load_n8, load_u16be, prefetch, store_u64le

MESSAGE = KernelRef(message)
PREFIX_BYTES = 2
AHEAD_BYTES = 2048  # of the file, asked for early
walk_messages = walker(COUNTED_U16_BE)


@njit(nogil=True, forceinline=True)
def piece_end(start, end, most):
    """(address behind at most `most` whole messages, how many they are)."""
    count = np.int64(0)
    while count < most and end - start >= PREFIX_BYTES:
        prefetch(start + AHEAD_BYTES)
        length = np.int64(load_u16be(start))
        if length == 0 or length > end - start - PREFIX_BYTES:
            break
        start += PREFIX_BYTES + length
        count += 1
    return start, count


@njit(nogil=True)
def note_symbols(out, made, names):
    """Keeps the text of directory records: 8 bytes by locate code."""
    for number in range(made):
        action = out + ACTION_BYTES * number
        if load_n8(action) == SYMBOL:
            store_u64le(names + 8 * load_i64le(action + 8), load_i64le(action + 16))


@njit(nogil=True, cache=True)
def decode_file(start, end, most, context, out):
    """Decodes a file image, `most` messages together; gives how many messages there were."""
    total = np.int64(0)
    while True:
        behind, count = piece_end(start, end, most)
        if count == 0:
            return total
        walk_messages(start, behind, count, total + 1, context, out, MESSAGE)
        total += count
        start = behind


@njit(nogil=True, cache=True)
def book_file(start, end, most, context, out, book, names):
    """Builds all books of a file image, `most` messages together; gives how many there were."""
    total = np.int64(0)
    while True:
        behind, count = piece_end(start, end, most)
        if count == 0:
            return total
        made = walk_messages(start, behind, count, total + 1, context, out, MESSAGE)
        apply_batch(book, out, made)
        note_symbols(out, made, names)
        total += count
        start = behind


@njit(nogil=True, cache=True)
def time_file(start, end, context, out, book, histogram):
    """As `book_file` a message at a time; the cycles of each go into a histogram."""
    total = np.int64(0)
    while True:
        behind, count = piece_end(start, end, 1)
        if count == 0:
            return total
        before = cycles()
        made = walk_messages(start, behind, count, total + 1, context, out, MESSAGE)
        apply_batch(book, out, made)
        histogram_add(histogram, cycles() - before)
        total += count
        start = behind
