"""The frame parser run over many frames at once, for tools that start in Python."""

from __future__ import annotations

from numba import njit

from feedhandler.frame import FRAME_DTYPE, parse_frame
from nic.raw import load_u32le, load_u64le, store_u8

ROW_BYTES = FRAME_DTYPE.itemsize


@njit(nogil=True, cache=True)
def parse_frames(addresses, lengths, links, count, rows, reasons):
    """Parses `count` frames.

    All arguments but the count are addresses: of u64 frame addresses, u32 captured lengths, u32
    link types, FRAME_DTYPE rows to fill and u8 reasons to fill.
    """
    for i in range(count):
        frame = load_u64le(addresses + 8 * i)
        length, link = load_u32le(lengths + 4 * i), load_u32le(links + 4 * i)
        reason = parse_frame(frame, length, link, rows + ROW_BYTES * i)
        store_u8(reasons + i, reason)
    return 0
