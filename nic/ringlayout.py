"""The layout of a ring: what lies where, for the kernels of `nic.ring` and for `nic.ringview`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nic.block import field_offset

RECORD_BYTES = 64
DEFAULT_RECORD = np.dtype([("words", "<u8", (8,))])

_CONFIG = np.dtype([("slot_count", "<u8"), ("unused", "<u8", (7,))])
_CONSUMER = np.dtype([("head", "<u8"), ("tail_seen", "<u8"), ("unused", "<u8", (6,))])
_PRODUCER = np.dtype(
    [("tail", "<u8"), ("head_seen", "<u8"), ("refused", "<u8"), ("unused", "<u8", (5,))]
)


def ring_dtype(slot_count: int, record: np.dtype[Any] = DEFAULT_RECORD) -> np.dtype[Any]:
    """One ring as a row of a block section. Slots are a power of two, records are 64 bytes."""
    if slot_count < 1 or slot_count & (slot_count - 1):
        raise ValueError(f"ring of {slot_count} slots: expected a power of two")
    if record.itemsize != RECORD_BYTES:
        raise ValueError(f"ring record of {record.itemsize} bytes: expected {RECORD_BYTES}")
    rows = (record, (slot_count,))
    parts = [("config", _CONFIG), ("consumer", _CONSUMER), ("producer", _PRODUCER)]
    return np.dtype([*parts, ("records", *rows)])


_ONE = ring_dtype(1)
SLOT_COUNT = 0
HEAD = field_offset(_ONE, "consumer") + field_offset(_CONSUMER, "head")
TAIL_SEEN = field_offset(_ONE, "consumer") + field_offset(_CONSUMER, "tail_seen")
TAIL = field_offset(_ONE, "producer") + field_offset(_PRODUCER, "tail")
HEAD_SEEN = field_offset(_ONE, "producer") + field_offset(_PRODUCER, "head_seen")
REFUSED = field_offset(_ONE, "producer") + field_offset(_PRODUCER, "refused")
RECORDS = field_offset(_ONE, "records")
