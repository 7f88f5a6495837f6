"""The stream out of the loop: one ring a subscriber, and never a wait for any of them.

A subscriber whose ring is full loses records until half of its ring is free again; then the first
thing it reads is a gap record with the number it lost.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.consolidated.best import record_address
from feedhandler.consolidated.layout import (
    MARK_BID_PROTECTED,
    QUOTE_BYTES,
    QUOTE_SHOWN,
    QUOTE_STATUS,
    RECORD_BEST,
    RECORD_STATE,
    SUBSCRIBER_BYTES,
    SUBSCRIBER_COUNT,
    SUBSCRIBER_GAPS,
    SUBSCRIBER_KINDS,
    SUBSCRIBER_LOSING,
    SUBSCRIBER_LOST,
    SUBSCRIBER_SEQUENCE,
    SUBSCRIBERS,
    WANTED,
)
from feedhandler.consolidated.quotes import quotes_of
from feedhandler.consolidated.streamformat import (
    GAP,
    INSTRUMENT_SHIFT,
    QUOTE,
    STATE_BITS,
    STATUS,
    VENUE_SHIFT,
    WORDS_AT,
)
from nic.raw import load_acquire_u64, load_i64le, load_n8, store_u64le
from nic.ring import ring_claim, ring_publish
from nic.ringlayout import HEAD, SLOT_COUNT, TAIL

ABOUT_MASK = (MARK_BID_PROTECTED << 24) - 1  # status, trust and usable of a quote


@njit(nogil=True, forceinline=True)
def is_wanted(market, kind):
    """Whether anyone subscribes to a kind of record."""
    return (load_i64le(market + WANTED) >> kind) & 1 != 0


@njit(nogil=True)
def half_free(ring):
    """Whether at least half of a ring's slots are free."""
    used = load_i64le(ring + TAIL) - np.int64(load_acquire_u64(np.uint64(ring + HEAD)))
    return 2 * used <= load_i64le(ring + SLOT_COUNT)


@njit(nogil=True)
def write_gap(row, ring, time_ns):
    """Tells a subscriber how many records it lost; false when there is no room yet."""
    if not half_free(ring):
        return False
    slot = np.int64(ring_claim(np.uint64(ring)))
    if slot == 0:
        return False
    lost = load_i64le(row + SUBSCRIBER_LOSING)
    for word in range(8):
        store_u64le(slot + 8 * word, 0)
    store_u64le(slot, GAP)
    store_u64le(slot + 8, time_ns)
    store_u64le(slot + 16, load_i64le(row + SUBSCRIBER_SEQUENCE))
    store_u64le(slot + WORDS_AT, lost)
    ring_publish(np.uint64(ring))
    store_u64le(row + SUBSCRIBER_SEQUENCE, load_i64le(row + SUBSCRIBER_SEQUENCE) + 1)
    store_u64le(row + SUBSCRIBER_LOSING, 0)
    store_u64le(row + SUBSCRIBER_GAPS, load_i64le(row + SUBSCRIBER_GAPS) + 1)
    return True


@njit(nogil=True)
def claim(row, time_ns):
    """The slot for a subscriber's next record, its sequence written; 0 when it is lost."""
    ring = load_i64le(row)
    slot = np.int64(0)
    if load_i64le(row + SUBSCRIBER_LOSING) == 0 or write_gap(row, ring, time_ns):
        slot = np.int64(ring_claim(np.uint64(ring)))
    sequence = load_i64le(row + SUBSCRIBER_SEQUENCE)
    store_u64le(row + SUBSCRIBER_SEQUENCE, sequence + 1)
    if slot == 0:
        store_u64le(row + SUBSCRIBER_LOSING, load_i64le(row + SUBSCRIBER_LOSING) + 1)
        store_u64le(row + SUBSCRIBER_LOST, load_i64le(row + SUBSCRIBER_LOST) + 1)
        return 0
    store_u64le(slot + 8, time_ns)
    store_u64le(slot + 16, sequence)
    return slot


@njit(nogil=True)
def publish(market, kind, first, time_ns, a, b, c, d, e):
    """One record for every subscriber that wants its kind; `first` is its first word."""
    for number in range(load_i64le(market + SUBSCRIBER_COUNT)):
        row = load_i64le(market + SUBSCRIBERS) + SUBSCRIBER_BYTES * number
        ring = np.int64(load_acquire_u64(np.uint64(row)))
        if ring == 0 or (load_i64le(row + SUBSCRIBER_KINDS) >> kind) & 1 == 0:
            continue
        slot = claim(row, time_ns)
        if slot == 0:
            continue
        store_u64le(slot, first | kind)
        store_u64le(slot + WORDS_AT, a)
        store_u64le(slot + WORDS_AT + 8, b)
        store_u64le(slot + WORDS_AT + 16, c)
        store_u64le(slot + WORDS_AT + 24, d)
        store_u64le(slot + WORDS_AT + 32, e)
        ring_publish(np.uint64(ring))


@njit(nogil=True)
def publish_quote(market, venue, instrument, time_ns):
    """What a venue shows."""
    if not is_wanted(market, QUOTE):
        return
    quote = quotes_of(market, instrument) + QUOTE_BYTES * venue
    shown = quote + QUOTE_SHOWN
    first = venue << VENUE_SHIFT | instrument << INSTRUMENT_SHIFT
    about = load_i64le(quote + QUOTE_STATUS) & ABOUT_MASK
    bid, bid_quantity = load_i64le(shown), load_i64le(shown + 8)
    offer, offer_quantity = load_i64le(shown + 16), load_i64le(shown + 24)
    publish(market, QUOTE, first, time_ns, bid, bid_quantity, offer, offer_quantity, about)


@njit(nogil=True)
def publish_status(market, venue, instrument, time_ns):
    """A venue's trading status and how far its book can be trusted."""
    if not is_wanted(market, STATUS):
        return
    quote = quotes_of(market, instrument) + QUOTE_BYTES * venue + QUOTE_STATUS
    first = venue << VENUE_SHIFT | instrument << INSTRUMENT_SHIFT
    status, trust = load_n8(quote), load_n8(quote + 1)
    publish(market, STATUS, first, time_ns, status, trust, 0, 0, 0)


@njit(nogil=True)
def publish_best(market, kind, group, instrument, time_ns):
    """One of a record's three bests; `group` counts them."""
    if not is_wanted(market, kind):
        return
    record = record_address(market, instrument)
    words = record + RECORD_BEST + 48 * group
    state, flags = load_n8(record + RECORD_STATE), load_n8(record + RECORD_STATE + 1)
    first = (state | flags << STATE_BITS) << 24 | instrument << INSTRUMENT_SHIFT
    bid, offer = load_i64le(words), load_i64le(words + 24)
    bid_quantity, offer_quantity = load_i64le(words + 8), load_i64le(words + 32)
    venues = load_i64le(words + 16) | load_i64le(words + 40) << 32
    publish(market, kind, first, time_ns, bid, offer, bid_quantity, offer_quantity, venues)
