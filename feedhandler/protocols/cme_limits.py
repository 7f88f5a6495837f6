"""CME's price limits as bands: from definitions, and from the messages that change them.

The limits of a day are hard: no order beyond them is taken. The variation that orders are banded by
besides moves with the market and is not told as a price, so it is no band here.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, BANDS, NO_PRICE, emit, head
from feedhandler.context import UNIT, get
from feedhandler.protocols.cme_columns import ABSENT, HIGH, LOW, LOWEST_DEFINITION, limits
from feedhandler.protocols.cme_fields import HEADER_BYTES, LEGACY_BELOW
from feedhandler.protocols.cme_layouts import load_n16, scaled
from feedhandler.protocols.cme_mdp3 import CME_MDP3
from feedhandler.wire.access import loads
from feedhandler.wire.constants import constant_i32, constant_table
from feedhandler.wire.sbe import groups_of
from nic.raw import load_i32le, load_i64le, load_n8

LEGACY, NEWER = CME_MDP3[34], CME_MDP3[50]
DIMENSION_BYTES: Final = 3
ENTRY = groups_of(NEWER)[0].entry
LOW_AT, HIGH_AT, SECURITY_AT = (ENTRY.offset(name) for name in (LOW, HIGH, "security_id"))
assert all(
    groups_of(LEGACY)[0].entry.offset(name) == ENTRY.offset(name)
    for name in (LOW, HIGH, "security_id")
)
block_length, transact_time = loads(NEWER, "block_length", "transact_time")
limits_at = constant_table(limits())


@njit(nogil=True, forceinline=True)
def limit_of(raw, nine):
    """A limit in 1e-8 units; 0 where there is none."""
    price = scaled(raw, nine)
    return price if price != NO_PRICE else np.int64(0)


@njit(nogil=True)
def say_limits(out, unit, key, lower, upper, time_ns, sequence):
    """One BANDS record."""
    return emit(out, head(BANDS, 0, 0) | unit, key, 0, lower, 0, upper, time_ns, sequence)


@njit(nogil=True)
def defined_limits(code, address, unit, key, time_ns, sequence, out):
    """What a definition says of limits; nothing where it says none."""
    row = limits_at() + 8 * (code - LOWEST_DEFINITION)
    low_at, high_at = constant_i32(row), constant_i32(row + 4)
    if low_at == ABSENT:
        return np.int64(0)
    nine = 1 if code >= LEGACY_BELOW else 0
    lower = limit_of(load_i64le(address + low_at), nine)
    upper = limit_of(load_i64le(address + high_at), nine)
    if lower == 0 and upper == 0:
        return np.int64(0)
    return np.int64(say_limits(out, unit, key, lower, upper, time_ns, sequence))


@njit(nogil=True)
def changed_limits(code, address, sequence, context, out):
    """A message of limits: those of each security in it, 0 where there is none any more."""
    group = address + HEADER_BYTES + block_length(address)
    stride, count = load_n16(group), load_n8(group + 2)
    entry, unit, time_ns = group + DIMENSION_BYTES, get(context, UNIT) << 32, transact_time(address)
    nine, made = 1 if code >= LEGACY_BELOW else 0, np.int64(0)
    for _ in range(count):
        lower = limit_of(load_i64le(entry + LOW_AT), nine)
        upper = limit_of(load_i64le(entry + HIGH_AT), nine)
        key, place = np.int64(load_i32le(entry + SECURITY_AT)), out + ACTION_BYTES * made
        made += say_limits(place, unit, key, lower, upper, time_ns, sequence)
        entry += stride
    return made
