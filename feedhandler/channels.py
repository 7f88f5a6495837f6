"""Which channel a datagram belongs to: (multicast group, UDP port, VLAN) to a channel index.

An open-addressing hash table in the state block, filled by control code before the loop starts and
only read after that. A channel may name a VLAN or not; only if some channel does is the VLAN of a
frame looked at, first for an exact match and then for a channel on any VLAN.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.block import field_offset
from nic.raw import load_i64le, load_u64le

SLOT_DTYPE = np.dtype([("key", "<u8"), ("channel", "<i8")])
TABLE_DTYPE = np.dtype(
    [
        ("slot_mask", "<u8"),
        ("hash_shift", "<u8"),
        ("vlan_mask", "<u8"),
        ("default_channel", "<i8"),
        ("slots_offset", "<u8"),
        ("unused", "<u8", (3,)),
    ]
)
SLOT_MASK = field_offset(TABLE_DTYPE, "slot_mask")
HASH_SHIFT = field_offset(TABLE_DTYPE, "hash_shift")
VLAN_MASK = field_offset(TABLE_DTYPE, "vlan_mask")
DEFAULT_CHANNEL = field_offset(TABLE_DTYPE, "default_channel")
SLOTS_OFFSET = field_offset(TABLE_DTYPE, "slots_offset")
SLOT_KEY = field_offset(SLOT_DTYPE, "key")
SLOT_CHANNEL = field_offset(SLOT_DTYPE, "channel")
SLOT_BYTES = SLOT_DTYPE.itemsize

NO_CHANNEL = -1
HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: spreads nearby groups


@njit(nogil=True)
def channel_key(group, udp_port, vlan):
    """The key of a slot. Never 0, which marks a free one: group 0.0.0.0 is refused in `fill`."""
    wide = np.uint64(group) << np.uint64(32)
    return wide | (np.uint64(udp_port) << np.uint64(16)) | np.uint64(vlan)


@njit(nogil=True)
def probe(table, key):
    """Channel of a key, or NO_CHANNEL. Ends because the table always keeps free slots."""
    mask = load_u64le(table + SLOT_MASK)
    slots = table + load_u64le(table + SLOTS_OFFSET)
    index = (key * HASH_MULTIPLIER) >> load_u64le(table + HASH_SHIFT)
    while True:
        slot = slots + index * np.uint64(SLOT_BYTES)
        found = load_u64le(slot + SLOT_KEY)
        if found == key:
            return load_i64le(slot + SLOT_CHANNEL)
        if found == np.uint64(0):
            return np.int64(NO_CHANNEL)
        index = (index + np.uint64(1)) & mask


@njit(nogil=True)
def find_channel(table, group, udp_port, vlan):
    """Channel index of a datagram, else the table's default channel (NO_CHANNEL if it has none)."""
    tag = np.uint64(vlan) & load_u64le(table + VLAN_MASK)
    channel = probe(table, channel_key(group, udp_port, tag))
    if channel == NO_CHANNEL and tag:
        channel = probe(table, channel_key(group, udp_port, 0))
    if channel == NO_CHANNEL:
        channel = load_i64le(table + DEFAULT_CHANNEL)
    return channel
