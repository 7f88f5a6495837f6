"""The structs and codes of `csrc/port.h` and `csrc/clock.h`, for numpy and for kernels."""

from __future__ import annotations

import numpy as np

DESCRIPTOR_DTYPE = np.dtype(
    [
        ("address", np.uint64),
        ("length_bytes", np.uint32),
        ("flags", np.uint32),
        ("timestamp_ns", np.uint64),
        ("cookie", np.uint64),
    ]
)
DESCRIPTOR_BYTES = 32

STATS_DTYPE = np.dtype(
    [
        ("rx_packets", np.uint64),
        ("rx_bytes", np.uint64),
        ("rx_dropped", np.uint64),
        ("rx_truncated", np.uint64),
        ("rx_errors", np.uint64),
        ("tx_packets", np.uint64),
        ("tx_bytes", np.uint64),
        ("tx_failed", np.uint64),
    ]
)

CLOCK_DTYPE = np.dtype(
    [
        ("tick_base", np.uint64),
        ("ns_base", np.uint64),
        ("multiplier", np.uint64),
        ("shift", np.uint32),
        ("source", np.uint32),
        ("first_tick", np.uint64),
        ("first_ns", np.uint64),
        ("uncertainty_ns", np.uint64),
    ]
)

FLAG_HW_TIMESTAMP = 1
FLAG_CLOCK_IN_SYNC = 2
FLAG_BAD_FRAME = 4
FLAG_TRUNCATED = 8
LINK_TYPE_SHIFT = 16

RX_END = -1
RX_ERROR = -2

CLOCK_REALTIME = 0
CLOCK_TSC = 1
