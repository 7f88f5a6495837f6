"""The dtypes that mirror capture.h, and names for the numbers in them."""

from __future__ import annotations

from typing import Final

import numpy as np

from captures._capture import ffi, lib

PACKET_DTYPE: Final = np.dtype(
    [
        ("offset", "<u8"),
        ("timestamp_ns", "<u8"),
        ("caplen_bytes", "<u4"),
        ("wire_bytes", "<u4"),
        ("link_type", "<u2"),
        ("interface_id", "<u2"),
        ("flags", "<u4"),
    ]
)
"""One packet, 32 bytes. `offset` counts from the start of the (expanded) file."""

MERGED_DTYPE: Final = np.dtype([("packet", PACKET_DTYPE), ("source", "<u4"), ("reserved", "<u4")])
"""One packet of a merge, 40 bytes. `source` is the index of the input it came from."""

TRAILER_DTYPE: Final = np.dtype(
    [
        ("timestamp_ns", "<u8"),
        ("timestamp_ps", "<u4"),
        ("original_fcs", "<u4"),
        ("frame_bytes", "<u4"),
        ("trailer_bytes", "<u4"),
        ("kind", "<u2"),
        ("device", "<u2"),
        ("port", "<u2"),
        ("flags", "<u2"),
    ]
)
"""What a capture device appended to a frame, 32 bytes. `kind` 0: nothing was recognised."""

PACKET_CUT: Final[int] = lib.SWC_PACKET_CUT
PACKET_BAD_FRAME: Final[int] = lib.SWC_PACKET_BAD_FRAME
PACKET_HW_TIMESTAMP: Final[int] = lib.SWC_PACKET_HW_TIMESTAMP
PACKET_NO_TIMESTAMP: Final[int] = lib.SWC_PACKET_NO_TIMESTAMP
PACKET_TIME_CLAMPED: Final[int] = lib.SWC_PACKET_TIME_CLAMPED
PACKET_FCS_SHIFT: Final[int] = lib.SWC_PACKET_FCS_SHIFT

LINK_ETHERNET: Final = 1

_LINK_NAMES: Final = {
    0: "NULL",
    1: "EN10MB",
    101: "RAW",
    104: "C_HDLC",
    108: "LOOP",
    113: "LINUX_SLL",
    228: "IPV4",
    229: "IPV6",
    276: "LINUX_SLL2",
}


def link_name(link_type: int) -> str:
    """The usual short name of a LINKTYPE_ number, or `LINKTYPE_n` for one without."""
    return _LINK_NAMES.get(link_type, f"LINKTYPE_{link_type}")


for _dtype, _struct in (
    (PACKET_DTYPE, "swc_packet"),
    (MERGED_DTYPE, "swc_merged"),
    (TRAILER_DTYPE, "swc_trailer"),
):
    if _dtype.itemsize != ffi.sizeof(_struct):
        raise ImportError(
            f"captures._capture: {_struct} has {ffi.sizeof(_struct)} bytes, "
            f"expected {_dtype.itemsize}: rebuild the extension"
        )
