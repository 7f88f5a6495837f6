"""The normalised stream: 64-byte records, little-endian, the same on a ring and on the wire.

    offset  bytes  field
         0      1  kind: see the names below
         1      1  venue: number, of a quote, trade, status, symbol or bands; else 0
         2      1  side: 1 buy, 2 sell, 0 not said
         3      1  flags: of a trade its action's low 8 (HIDDEN, NOT_PRINTABLE, CROSS …); of a best
                   bid and offer its state (0 normal, 1 locked, 2 crossed) and, from bit 2 on, the
                   record's flags (unexecutable bid, offer, limit up, limit down, market halted)
         4      4  instrument number
         8      8  time: reception of the packet that caused it, epoch ns
        16      8  sequence: counts this subscriber's records, lost ones included, from 1
        24     40  five words by kind:

    quote      bid, bid quantity, offer, offer quantity, status | trust << 8 | usable << 16
    best       bid, offer, bid quantity, offer quantity, bid venues | offer venues << 32
    national   the same, of protected quotes; state and flags are these
    odd_lot    the same, of quotes of less than a round lot
    trade      price, quantity, trade id, order id, exchange's time
    status     status, trust, 0, 0, 0
    gap        how many records were lost in front of this one, 0, 0, 0, 0
    symbol     16 bytes of name, round lot, lower band, upper band
    venue      16 bytes of name
    listing    a venue's SYMBOL action: key, order_id, aux, quantity, flags; for the symbol master
    bands      lower band, upper band, exchange's time, 0, 0; in front of the best that they change

Prices are 1e-8 currency units; the price of an unknown execution is the lowest 64-bit integer. A
quantity of 0 means there is no such side, a band of 0 that there is none. After a gap the
consolidated record is what holds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

KINDS: Final = (
    "none",
    "quote",
    "best",
    "national",
    "odd_lot",
    "trade",
    "status",
    "gap",
    "symbol",
    "venue",
    "listing",
    "bands",
)
(_, QUOTE, BEST, NATIONAL, ODD_LOT, TRADE, STATUS, GAP, SYMBOL, VENUE, LISTING, BANDS) = range(
    len(KINDS)
)
ALL_KINDS: Final = (1 << len(KINDS)) - 2

STREAM_DTYPE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("venue", "u1"),
        ("side", "u1"),
        ("flags", "u1"),
        ("instrument", "<u4"),
        ("time_ns", "<i8"),
        ("sequence", "<i8"),
        ("words", "<i8", (5,)),
    ]
)
assert STREAM_DTYPE.itemsize == 64

VENUE_SHIFT: Final = 8
SIDE_SHIFT: Final = 16
FLAGS_SHIFT: Final = 24
INSTRUMENT_SHIFT: Final = 32
STATE_BITS: Final = 2
WORDS_AT: Final = 24
