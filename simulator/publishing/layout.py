"""The tables that the publishing kernels run on: forms of messages, orders shown, packets made.

A *form* is one message with what fills it: a template, places that values are stored to, and
choices where a value picks one byte. Both come from the wire tables, see `forms`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from nic.block import field_offset

SLOTS: Final = 64  # of forms: the kind of an action, + ALL_SLOT when it concerns every key
ALL_SLOT: Final = 32
ROOM: Final = 4  # messages that one event makes at most
ROOM_BYTES: Final = 96  # of the longest message, in whole words

# What a place or a choice takes its value from: the number of a word in the scratch row.
SOURCES: Final = (
    "zero key symbol order price quantity aux time second side flags remaining count system status"
    " restricted buys sells far cross scale sequence messages length body unit seconds"
    " nanoseconds sent offset"
).split()
(
    ZERO,
    KEY,
    SYMBOL,  # 8 bytes of text
    ORDER,
    PRICE,
    QUANTITY,
    AUX,
    TIME,  # as the protocol counts it
    SECOND,  # whole seconds, as the protocol counts them
    SIDE,
    FLAGS,
    REMAINING,  # shares of the order behind an execution
    COUNT,  # messages about the instrument, this one included
    SYSTEM,  # number of the partition whose second the times count from
    STATUS,
    RESTRICTED,
    BUYS,  # shares of an auction's two sides
    SELLS,
    FAR,  # the far price of an auction
    CROSS,  # OPENING or CLOSING
    SCALE,  # house units of one unit of the symbol's price
    SEQUENCE,  # from here on: what a packet header says
    MESSAGES,
    LENGTH,  # of the packet
    BODY,  # of what stands behind the header
    UNIT,
    SECONDS,
    NANOSECONDS,
    SENT,
    OFFSET,
) = range(len(SOURCES))
OPENING: Final = 1
CLOSING: Final = 2

FORM_DTYPE: Final = np.dtype(
    [
        ("size", "i8"),
        ("template", "i8"),  # offset among the templates
        ("places", "i8"),  # the first of them
        ("place_count", "i8"),
        ("choices", "i8"),
        ("choice_count", "i8"),
        ("spare", "i8", (2,)),
    ]
)
PLACE_DTYPE: Final = np.dtype(
    [
        ("source", "i8"),
        ("offset", "i8"),
        ("width", "i8"),  # bytes, + BIG when the integer is big-endian
        ("factor", "i8"),  # house units of one wire unit; 0: the symbol says
        ("low", "i8"),  # least and greatest on the wire
        ("high", "i8"),
        ("fill", "i8"),  # of text: what has to stand behind the bytes taken; 0: no text
        ("spare", "i8"),
    ]
)
CHOICE_DTYPE: Final = np.dtype(
    [
        ("source", "i8"),
        ("mask", "i8"),
        ("offset", "i8"),  # NOWHERE: the value must be among the pairs, nothing is stored
        ("pairs", "i8"),
        ("pair_count", "i8"),
        ("spare", "i8", (3,)),
    ]
)
PAIR_DTYPE: Final = np.dtype([("value", "i8"), ("byte", "i8")])
SLOT_DTYPE: Final = np.dtype([("first", "i8"), ("count", "i8")])
BIG: Final = 16
NOWHERE: Final = -1

INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("symbol", "i8"),
        ("scale", "i8"),
        ("count", "i8"),
        ("status", "i8"),
        ("restricted", "i8"),
        ("far", "i8"),
        ("spare", "i8", (2,)),
    ]
)
# An order that is shown, found by its public reference (0: the slot is free).
SHOWN_DTYPE: Final = np.dtype(
    [
        ("reference", "i8"),
        ("wire", "i8"),
        ("price", "i8"),
        ("quantity", "u4"),
        ("place", "u4"),  # key << 2 | side
        ("rank", "i8"),  # of two orders of a level the one with the lower rank is ahead
    ]
)
MESSAGE_DTYPE: Final = np.dtype(
    [("time_ns", "i8"), ("offset", "i8"), ("length", "i4"), ("key", "i4")]
)
PACKET_DTYPE: Final = np.dtype(
    [
        ("time_ns", "i8"),
        ("offset", "i8"),  # of the payload
        ("sequence", "i8"),  # of the first message, of the next one when there is none
        ("length", "i4"),
        ("count", "i4"),
        ("unit", "i4"),
        ("kind", "i4"),  # DATA, HEARTBEAT or END
    ]
)
DATA: Final = 0
HEARTBEAT: Final = 1
END: Final = 2

STATE_DTYPE: Final = np.dtype(
    [
        (name, "i8")
        for name in (
            "slots forms places choices pairs templates values"
            " instruments instrument_count shown shown_mask shown_count"
            " out used messages made said time_base midnight_ns second"
            " scattered factor_1 factor_2 own_ids ranks refused units"
            " header heartbeat end header_bytes prefix_bytes prefix_width prefix_plus"
            " limit_bytes limit_count window_ns heartbeat_ns sent_ns sequence stream_bytes unit"
            " packet_out packet_used packets packet_made packet_room"
        ).split()
    ]
    + [("unsaid", "i8", (SLOTS,))]
)

# Time bases, by the feed's own word.
TIME_BASES: Final = {"epoch": 0, "midnight": 1, "unit second": 2, "symbol second": 3}
EPOCH, FROM_MIDNIGHT, UNIT_SECOND, SYMBOL_SECOND = range(4)

# Why an event cannot be published.
REFUSALS: Final = (
    "",
    "the key is no instrument's",
    "the order is not shown",
    "the reference is shown already",
    "the quantity cannot be",
    "the protocol has no message into which it fits",
)
_, BAD_KEY, UNKNOWN_ORDER, DUPLICATE_ORDER, BAD_QUANTITY, UNSAYABLE = range(6)


def offsets(dtype: np.dtype[Any], *names: str) -> tuple[int, ...]:
    """Offsets of fields from the start of a row, bytes."""
    return tuple(field_offset(dtype, name) for name in names)
