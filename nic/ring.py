"""A ring of 64-byte records between one producer and one consumer, in memory both can see.

The producer owns `tail`, the consumer owns `head`; each keeps the last value it saw of the other's
on its own cache line and looks again only when that says full or empty. Counts run on without
wrapping; a slot is `count & mask`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.raw import load_acquire_u64, load_u64le, store_release_u64, store_u64le
from nic.ringlayout import (
    HEAD,
    HEAD_SEEN,
    RECORD_BYTES,
    RECORDS,
    REFUSED,
    SLOT_COUNT,
    TAIL,
    TAIL_SEEN,
)


@njit(nogil=True)
def ring_slot(ring, count):
    """Address of the record that a count of records falls on."""
    mask = load_u64le(ring + SLOT_COUNT) - np.uint64(1)
    return ring + RECORDS + (count & mask) * np.uint64(RECORD_BYTES)


@njit(nogil=True)
def ring_claim(ring):
    """Address of the next free record, or 0 when the ring is full. Nothing is visible yet."""
    tail = load_u64le(ring + TAIL)
    slots = load_u64le(ring + SLOT_COUNT)
    if tail - load_u64le(ring + HEAD_SEEN) >= slots:
        head = load_acquire_u64(ring + HEAD)
        store_u64le(ring + HEAD_SEEN, head)
        if tail - head >= slots:
            store_u64le(ring + REFUSED, load_u64le(ring + REFUSED) + 1)
            return np.uint64(0)
    return np.uint64(ring_slot(ring, tail))


@njit(nogil=True)
def ring_publish(ring):
    """Makes the claimed record visible to the consumer."""
    store_release_u64(ring + TAIL, load_u64le(ring + TAIL) + 1)


@njit(nogil=True)
def ring_front(ring):
    """Address of the oldest record, or 0 when the ring is empty. Valid until ring_drop()."""
    head = load_u64le(ring + HEAD)
    if head == load_u64le(ring + TAIL_SEEN):
        tail = load_acquire_u64(ring + TAIL)
        store_u64le(ring + TAIL_SEEN, tail)
        if head == tail:
            return np.uint64(0)
    return np.uint64(ring_slot(ring, head))


@njit(nogil=True)
def ring_drop(ring):
    """Gives the oldest record's slot back to the producer."""
    store_release_u64(ring + HEAD, load_u64le(ring + HEAD) + 1)


@njit(nogil=True)
def copy_record(target, source):
    """Copies one record."""
    for word in range(0, RECORD_BYTES, 8):
        store_u64le(target + word, load_u64le(source + word))


@njit(nogil=True, cache=True)
def ring_push(ring, record):
    """Copies the 64 bytes at `record` into the ring. 1, or 0 when full (counted in `refused`)."""
    slot = ring_claim(ring)
    if slot == 0:
        return 0
    copy_record(slot, record)
    ring_publish(ring)
    return 1


@njit(nogil=True, cache=True)
def ring_pop(ring, record):
    """Copies the oldest record to the 64 bytes at `record`. 1, or 0 when the ring is empty."""
    slot = ring_front(ring)
    if slot == 0:
        return 0
    copy_record(record, slot)
    ring_drop(ring)
    return 1
