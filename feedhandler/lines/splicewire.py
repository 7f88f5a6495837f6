"""Splice packets: how the control side hands an image of the books to the loop.

House-made datagrams on line S of a stream: a header, and behind that of a PART one datagram of the
feed's own transport. They are inputs like any other packet, so a recording has them in their place.

    HOLD     what comes is held back from here on: an image was asked for
    BEGIN    an image: of which unit, session, up to which sequence, of which instrument if of one
    PART     its datagrams, numbered from 0
    END      the number of its parts
    RELEASE  behind images of single instruments: what is held may follow
    ABORT    the hold or the image has come to nothing
    ABOUT    a datagram that is read at once: what it says of instruments holds at any time
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

MAGIC: Final = int.from_bytes(b"swsplice", "little", signed=True)

HOLD: Final = 1
BEGIN: Final = 2
PART: Final = 3
END: Final = 4
RELEASE: Final = 5
ABORT: Final = 6
ABOUT: Final = 7

ONE_KEY: Final = 1  # BEGIN: the image is of the instrument `key` alone
EMPTY: Final = 2  # HOLD: the books of the unit are emptied, images of all its instruments follow
COMPLETE: Final = 4  # RELEASE: every instrument of the unit has had its image
ALL_SAID: Final = 8  # RELEASE: so has every one that has a book: the others are right if empty

SPLICE_DTYPE: Final = np.dtype(
    [
        ("magic", "<i8"),
        ("kind", "<i8"),
        ("serial", "<i8"),  # of the attempt, above 0
        ("unit", "<i8"),
        ("session", "<i8"),  # folded as the loop folds it; 0: not stated
        ("sequence", "<i8"),  # the last one that the image has, in the stream's 64-bit count
        ("key", "<i8"),
        ("number", "<i4"),  # PART: from 0; END: how many there were
        ("flags", "<i4"),
    ]
)
SPLICE_BYTES: Final = SPLICE_DTYPE.itemsize
assert SPLICE_BYTES == 64

MAGIC_AT: Final = field_offset(SPLICE_DTYPE, "magic")
KIND: Final = field_offset(SPLICE_DTYPE, "kind")
SERIAL: Final = field_offset(SPLICE_DTYPE, "serial")
UNIT: Final = field_offset(SPLICE_DTYPE, "unit")
SESSION: Final = field_offset(SPLICE_DTYPE, "session")
SEQUENCE: Final = field_offset(SPLICE_DTYPE, "sequence")
KEY: Final = field_offset(SPLICE_DTYPE, "key")
NUMBER: Final = field_offset(SPLICE_DTYPE, "number")
FLAGS: Final = field_offset(SPLICE_DTYPE, "flags")
