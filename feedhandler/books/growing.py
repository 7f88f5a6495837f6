"""Moving the books of a venue into larger tables, between two batches.

Everything is copied while readers go on reading the old tables, which nobody changes meanwhile.
Then, inside one batch as readers see it, the head and the ladders are pointed at the new ones. The
generation goes up before the first address changes: who was reading by the old addresses looks it
up behind what he read, and reads again.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.books.ladder import ladder_address
from feedhandler.books.layout import (
    ARRIVALS,
    BATCHES,
    BUCKET_MASK,
    BUCKET_ORDERS,
    FREE_CHUNKS,
    HEAD_DTYPE,
    INSTRUMENTS,
    LADDER_KEYS,
    LADDER_LEVELS,
    LEVEL_BYTES,
    LEVELS,
    NEXT_CHUNK,
    NEXT_LEVEL,
    ORDERS,
    SIZE_CLASSES,
)
from feedhandler.books.rehash import move_orders
from nic.block import aligned, field_offset
from nic.move import move_bytes
from nic.raw import load_acquire_u64, load_i64le, store_release_u64, store_u64le

VENUE_DTYPE: Final = np.dtype(  # right behind the head
    [
        ("generation", "i8"),  # of the tables in use, from 0
        ("spare", "i8", (7,)),
    ]
)
GROWTH_DTYPE: Final = np.dtype(  # beside the tables it is about
    [
        ("head", HEAD_DTYPE),  # its TABLE_FIELDS say where the tables are
        ("chunks", "i8"),  # where the ladders' chunks begin
        ("old_chunks", "i8"),  # where those of the tables before begin
        ("done", "i8"),  # 1: the books stand in these tables, and nothing uses those before
        ("spare", "i8", (5,)),
    ]
)
TABLE_FIELDS: Final = (
    "orders",
    "bucket_mask",
    "order_factor",
    "order_shift",
    "most_orders",
    "arrivals",
    "levels",
    "most_levels",
    "end_chunk",
)
GENERATION: Final = aligned(HEAD_DTYPE.itemsize) + field_offset(VENUE_DTYPE, "generation")
CHUNKS: Final = field_offset(GROWTH_DTYPE, "chunks")
OLD_CHUNKS: Final = field_offset(GROWTH_DTYPE, "old_chunks")
DONE: Final = field_offset(GROWTH_DTYPE, "done")
SWITCHED: Final = tuple(field_offset(HEAD_DTYPE, name) for name in TABLE_FIELDS)


@njit(nogil=True)
def move_free_chunks(book, growth, moved):
    """Moves the chains of free chunks; their links lie in the chunks themselves."""
    for size_class in range(SIZE_CLASSES):
        at = FREE_CHUNKS + 8 * size_class
        chunk = load_i64le(book + at)
        chunk += moved if chunk != 0 else 0
        store_u64le(growth + at, chunk)
        while chunk != 0:
            following = load_i64le(chunk)
            following += moved if following != 0 else 0
            store_u64le(chunk, following)
            chunk = following


@njit(nogil=True)
def copy_tables(book, growth):
    """Fills the new tables; gives how far the chunks have moved, in bytes."""
    old_chunks = load_i64le(growth + OLD_CHUNKS)
    moved = load_i64le(growth + CHUNKS) - old_chunks
    levels = LEVEL_BYTES * load_i64le(book + NEXT_LEVEL)
    move_bytes(load_i64le(growth + LEVELS), load_i64le(book + LEVELS), levels)
    move_bytes(old_chunks + moved, old_chunks, load_i64le(book + NEXT_CHUNK) - old_chunks)
    store_u64le(growth + NEXT_CHUNK, load_i64le(book + NEXT_CHUNK) + moved)
    move_free_chunks(book, growth, moved)
    slots = BUCKET_ORDERS * (load_i64le(book + BUCKET_MASK) + 1)
    move_orders(growth, load_i64le(book + ORDERS), load_i64le(book + ARRIVALS), slots)
    return moved


@njit(nogil=True)
def move_ladders(book, moved):
    """Points the ladders at their chunks' new places."""
    for ladder in range(2 * load_i64le(book + INSTRUMENTS)):
        row = ladder_address(book, ladder)
        keys = load_i64le(row + LADDER_KEYS)
        if keys != 0:
            store_u64le(row + LADDER_KEYS, keys + moved)
            store_u64le(row + LADDER_LEVELS, load_i64le(row + LADDER_LEVELS) + moved)


@njit(nogil=True)
def grow_books(book, growth, generation):
    """Moves the books into the tables of a GROWTH_DTYPE row, which hold nothing yet.

    `book` and `growth` are addresses. Gives 1, or 0 when the tables in use are not those before
    `generation`: then nothing was touched. For the thread that applies, between two batches.
    """
    if load_i64le(book + GENERATION) + 1 != generation:
        return np.int64(0)
    moved = copy_tables(book, growth)
    batches = load_i64le(book + BATCHES)
    store_release_u64(book + BATCHES, batches + 1)
    store_release_u64(book + GENERATION, generation)
    load_acquire_u64(np.uint64(book + GENERATION))  # no address changes before readers can know
    move_ladders(book, moved)
    for offset in SWITCHED:
        store_u64le(book + offset, load_i64le(growth + offset))
    store_u64le(book + NEXT_CHUNK, load_i64le(growth + NEXT_CHUNK))
    move_bytes(book + FREE_CHUNKS, growth + FREE_CHUNKS, 8 * SIZE_CLASSES)
    store_release_u64(book + BATCHES, batches + 2)
    store_release_u64(growth + DONE, 1)
    return np.int64(1)
