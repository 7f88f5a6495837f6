"""From an owner's token to the order: a hash table with linear probing and no tombstones.

At most half of the slots are ever taken. When an order leaves, those behind it that were pushed
over its slot move back.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, load_n32le, store_u64le, wrapping_product
from simulator.matching.layout import TOKEN_BYTES, TOKEN_MASK, TOKEN_TABLE

SCATTER = 0x9E3779B97F4A7C15 - (1 << 64)
SCATTER_OWNER = 0x2545F4914F6CDD1D
SCATTER_SHIFT = 30


@njit(nogil=True, forceinline=True)
def home_of(state, owner, token):
    """The slot where a token is looked for first."""
    mixed = wrapping_product(token, SCATTER) ^ wrapping_product(owner, SCATTER_OWNER)
    return (mixed >> SCATTER_SHIFT) & load_fixed(state + TOKEN_MASK)


@njit(nogil=True, forceinline=True)
def slot_at(state, slot):
    """Address of a slot."""
    return load_fixed(state + TOKEN_TABLE) + TOKEN_BYTES * slot


@njit(nogil=True)
def slot_of(state, owner, token):
    """Address of a token's slot, or of the free one where it would go."""
    mask, slot = load_fixed(state + TOKEN_MASK), home_of(state, owner, token)
    while True:
        place = slot_at(state, slot)
        if load_n32le(place + 12) == 0:
            return place
        if load_i64le(place) == token and load_n32le(place + 8) == owner:
            return place
        slot = (slot + 1) & mask


@njit(nogil=True, forceinline=True)
def find_token(state, owner, token):
    """Number of the order with a token; 0 when there is none."""
    return load_n32le(slot_of(state, owner, token) + 12)


@njit(nogil=True, forceinline=True)
def fill_slot(place, owner, token, number):
    """Enters a token into a free slot."""
    store_u64le(place, token)
    store_u64le(place + 8, owner | (number << 32))


@njit(nogil=True)
def take_token(state, owner, token):
    """Takes out a token that is there."""
    table, mask = load_fixed(state + TOKEN_TABLE), load_fixed(state + TOKEN_MASK)
    hole = (slot_of(state, owner, token) - table) // TOKEN_BYTES
    slot = hole
    while True:
        slot = (slot + 1) & mask
        place = slot_at(state, slot)
        if load_n32le(place + 12) == 0:
            break
        home = home_of(state, load_n32le(place + 8), load_i64le(place))
        if (slot - home) & mask >= (slot - hole) & mask:
            target = slot_at(state, hole)
            store_u64le(target, load_i64le(place))
            store_u64le(target + 8, load_i64le(place + 8))
            hole = slot
    store_u64le(slot_at(state, hole) + 8, 0)
