"""What the gate remembers: counts in rings of time buckets, and the last new orders.

A ring holds the bucket of now and the 16 before it. Their sum covers at least the second (or
minute) that ends now, and at most a sixteenth more, so no span of that length ever has more in it
than the sum that was checked.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le, wrapping_product
from router.risk.layout import BUCKETS, MEMORY, PACE_BYTES, RING_BYTES, SEEN, SEEN_BYTES
from router.rows import add, get, put

SCATTER = -7046029254386353131  # 2**64 / golden ratio, odd: spreads what is multiplied by it
HASH_SHIFT = 24
COUNTS = 8 * BUCKETS


@njit(nogil=True)
def count_in(ring, bucket):
    """What a ring holds of a bucket and the 16 before it; later ones count too."""
    total = 0
    for place in range(BUCKETS):
        at = ring + 8 * place
        if load_i64le(at) > bucket - BUCKETS:
            total += load_i64le(at + COUNTS)
    return total


@njit(nogil=True)
def count_one(ring, bucket):
    """Counts one in a bucket; where the place has a later one by now, in that."""
    at = ring + 8 * (bucket % BUCKETS)
    if load_i64le(at) < bucket:
        store_u64le(at, bucket)
        store_u64le(at + COUNTS, 0)
    add(at, COUNTS, 1)


@njit(nogil=True, forceinline=True)
def pace_of_account(memory, account):
    """Where the rings of an account are."""
    return get(memory, MEMORY.accounts) + PACE_BYTES * account


@njit(nogil=True, forceinline=True)
def ring_of_venue(memory, venue):
    """Where the ring of a venue is."""
    return get(memory, MEMORY.venues) + RING_BYTES * venue


@njit(nogil=True, forceinline=True)
def seen_row(memory, count):
    """Where an order is that was the count-th to pass."""
    place = (count - 1) & get(memory, MEMORY.mask)
    return get(memory, MEMORY.orders) + SEEN_BYTES * place


@njit(nogil=True, forceinline=True)
def head_of(memory, account, instrument, venue, side, price, quantity):
    """Where the newest order with the same hash is said."""
    mixed = wrapping_product(price, SCATTER) ^ (quantity << 16) ^ (instrument << 2) ^ side
    mixed = wrapping_product(mixed, SCATTER) ^ (account << 8) ^ venue
    hashed = wrapping_product(mixed, SCATTER) >> HASH_SHIFT
    return get(memory, MEMORY.heads) + 8 * (hashed & get(memory, MEMORY.mask))


@njit(nogil=True)
def age_of_twin(memory, account, instrument, venue, side, price, quantity, now, window_ns):
    """Age in ns of an order like this one that passed within the window; the window: there is none.

    Looked for among as many last new orders as the memory holds.
    """
    count = load_i64le(head_of(memory, account, instrument, venue, side, price, quantity))
    oldest = get(memory, MEMORY.written) - get(memory, MEMORY.mask)
    while count >= oldest and count > 0:
        row = seen_row(memory, count)
        age = now - get(row, SEEN.time_ns)
        if age >= window_ns:
            return window_ns
        if (
            get(row, SEEN.price) == price
            and get(row, SEEN.quantity) == quantity
            and get(row, SEEN.instrument) == instrument
            and get(row, SEEN.venue) == venue
            and get(row, SEEN.side) == side
            and get(row, SEEN.account) == account
        ):
            return age
        count = get(row, SEEN.before)
    return window_ns


@njit(nogil=True)
def remember(memory, account, instrument, venue, side, price, quantity, now):
    """Puts a new order where later ones are compared with it; the oldest is forgotten."""
    head = head_of(memory, account, instrument, venue, side, price, quantity)
    count = get(memory, MEMORY.written) + 1
    row = seen_row(memory, count)
    put(row, SEEN.account, account)
    put(row, SEEN.instrument, instrument)
    put(row, SEEN.venue, venue)
    put(row, SEEN.side, side)
    put(row, SEEN.price, price)
    put(row, SEEN.quantity, quantity)
    put(row, SEEN.time_ns, now)
    put(row, SEEN.before, load_i64le(head))
    store_u64le(head, count)
    put(memory, MEMORY.written, count)
