"""Timestamps that capture devices append to frames: MetaWatch and Exablaze (Cisco 3550).

Formats, all numbers big-endian, behind the frame's IP datagram and Ethernet padding:

MetaWatch (Metamako, Arista 7130), 16 bytes: original FCS 4, extensions (where flag 2 is set),
seconds 4, nanoseconds 4, flags 1, device 2, port 1. The sub-nanosecond extension is read.

Exablaze HPT (Fusion HPT, Cisco Nexus 3550), 16 bytes: original FCS 4, device 1, port 1, seconds 4,
binary fraction of a second 5, flags 1.

Exablaze counter (Fusion), 4 bytes in place of the FCS or before it: a counter of 350 MHz. Key
frames once a second map it to UTC; frames before the first one have no trailer.

Any of them may be followed by a new FCS. Sources: the vendors' public documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from captures._capture import ffi, lib
from captures.image import Bytes
from captures.records import PACKET_HW_TIMESTAMP, TRAILER_DTYPE

KINDS: Final[dict[str, int]] = {
    "metawatch": lib.SWC_TRAILER_METAWATCH,
    "exablaze": lib.SWC_TRAILER_EXABLAZE_HPT,
    "exablaze-counter": lib.SWC_TRAILER_EXABLAZE_COUNTER,
}
"""What `trailer=` takes, alone or several; the values are those of `kind` in TRAILER_DTYPE."""

DEFAULT_WINDOW_S: Final = 86_400


def kind_mask(trailer: str | Iterable[str]) -> int:
    """The kinds named, as a bit mask. Raises ValueError for a name that is none of KINDS."""
    mask = 0
    for name in [trailer] if isinstance(trailer, str) else trailer:
        if name not in KINDS:
            raise ValueError(f"trailer {name!r}: expected one of {', '.join(KINDS)}")
        mask |= KINDS[name]
    return mask


class TrailerReader:
    """Recognises trailers in one capture, in order (the counter form learns from key frames).

    A trailer whose time is more than `window_s` seconds from the capture time is taken for padding.
    """

    def __init__(self, trailer: str | Iterable[str], window_s: float = DEFAULT_WINDOW_S) -> None:
        self.state = ffi.new("swc_trailer_state *")
        self.state.kinds = kind_mask(trailer)
        self.state.window_ns = int(window_s * 1_000_000_000)

    def read(
        self, packets: npt.NDArray[np.void], data: Bytes, origin: int = 0
    ) -> npt.NDArray[np.void]:
        """TRAILER_DTYPE, one entry a packet, for PACKET_DTYPE packets of the window `data`.

        Packet times must be those of the capture, not yet replaced by `replace_times`.
        """
        trailers = np.empty(len(packets), dtype=TRAILER_DTYPE)
        lib.swc_trailer_index(
            self.state,
            ffi.from_buffer(data),
            origin,
            ffi.from_buffer("swc_packet[]", packets),
            len(packets),
            ffi.from_buffer("swc_trailer[]", trailers),
        )
        return trailers


def replace_times(packets: npt.NDArray[np.void], trailers: npt.NDArray[Any]) -> None:
    """Puts trailers' times into packets, where there is one, and flags them as hardware's."""
    found = trailers["kind"] != 0
    np.copyto(packets["timestamp_ns"], trailers["timestamp_ns"], where=found)
    packets["flags"][found] |= PACKET_HW_TIMESTAMP
