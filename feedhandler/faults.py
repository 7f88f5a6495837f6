"""Why a datagram or a message was not used: one list for the loop, the tools and the tests.

A walker or an action kernel that meets a fault returns minus its number; the loop counts it and
goes on where the protocol's rule says.
"""

from __future__ import annotations

from typing import Final

SHORT_HEADER: Final = 1  # the datagram ends inside the transport's header
BAD_HEADER: Final = 2  # version, length or type in the transport's header is impossible
SHORT_MESSAGE: Final = 3  # a message is shorter than its table
LONG_MESSAGE: Final = 4  # a message is longer than its table and the protocol does not allow it
BAD_LENGTH: Final = 5  # a stated length is zero or reaches behind the datagram
BAD_COUNT: Final = 6  # the count of messages or entries does not fit the bytes
UNKNOWN_MESSAGE: Final = 7  # no table for this message code
UNKNOWN_VALUE: Final = 8  # a field that decides what happens holds a value outside the layout
UNKNOWN_SYMBOL: Final = 9  # the message's key was never mapped to a symbol
TRAILING_BYTES: Final = 10  # bytes behind the last counted message
NO_ROOM: Final = 11  # more actions than the batch can hold
BAD_CHECKSUM: Final = 12  # the packet is not what its own checksum says

FAULTS: Final = (
    "none",
    "short_header",
    "bad_header",
    "short_message",
    "long_message",
    "bad_length",
    "bad_count",
    "unknown_message",
    "unknown_value",
    "unknown_symbol",
    "trailing_bytes",
    "no_room",
    "bad_checksum",
)
