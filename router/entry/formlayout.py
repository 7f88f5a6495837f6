"""What a form is in memory, and the words that its patches move.

A form is one piece of memory that may lie anywhere: head, patches for writing, patches for reading,
the table of choices, other tables, the template. All places in it count from its start.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import offsets_of

# What an order or an answer is made of. All integers; prices in 1e-8, times in ns.
WORDS_DTYPE: Final = np.dtype(
    [
        ("token", "i8"),  # the number that names the order
        ("old_token", "i8"),  # of the order that is replaced or canceled
        ("side", "i8"),  # BUY or SELL
        ("quantity", "i8"),
        ("price", "i8"),  # 0: market, or a midpoint order without a limit
        ("tif", "i8"),  # of router.tables
        ("flags", "i8"),  # of router.tables
        ("minimum", "i8"),
        ("shown", "i8"),
        ("symbol", "i8"),  # see `forms.symbol_word`
        ("sequence", "i8"),  # of the message in its stream
        ("sent_ns", "i8"),  # when it is sent, since the epoch
        ("time_ns", "i8"),  # of what happened, since the epoch
        ("day_ns", "i8"),  # the same since midnight in the venue's zone
        ("execution", "i8"),  # its id
        ("liquidity", "i8"),  # of router.tables
        ("reason", "i8"),  # the venue's own code
        ("venue_order", "i8"),
        ("leaves", "i8"),  # open behind what happened
        ("cum", "i8"),
        ("unused", "i8", (4,)),
    ]
)
WORDS: Final = tuple(name for name in WORDS_DTYPE.names or () if name != "unused")
WORD: Final = offsets_of(WORDS_DTYPE)
WORDS_BYTES: Final = WORDS_DTYPE.itemsize

FORM_DTYPE: Final = np.dtype(
    [
        ("length", "i8"),  # of the message, transport included, bytes
        ("template", "i8"),
        ("choices", "i8"),  # of the table by choice number; 0: nothing is chosen
        ("patches", "i8"),  # number of them, for writing
        ("readings", "i8"),  # number of them
        ("reading", "i8"),  # where they start
        ("unused", "i8", (2,)),
    ]
)
PATCH_DTYPE: Final = np.dtype(
    [
        ("kind", "i4"),  # below
        ("word", "i4"),  # offset of the word
        ("at", "i4"),  # offset in the message
        ("width", "i4"),  # bytes; below 0: big-endian
        ("high", "i8"),  # greatest value on the wire; the bytes of a SHAPE; the mask of LETTERS
        ("more", "i4"),  # what else the kind needs
        ("count", "i4"),
    ]
)
FORM: Final = offsets_of(FORM_DTYPE)
PATCH: Final = offsets_of(PATCH_DTYPE)
FORM_BYTES: Final = FORM_DTYPE.itemsize
PATCH_BYTES: Final = PATCH_DTYPE.itemsize
assert (FORM_BYTES, PATCH_BYTES) == (64, 32)

# Kinds of patches.
NUMBER: Final = 0  # the word as it is
PRICE: Final = 1  # the word divided by `more`; a word of 0 is `count` on the wire
DIGITS: Final = 2  # `more` (8 to 16) ASCII digits
CHOICE: Final = 3  # bytes of the chosen word, from bit `more` on
CODE: Final = 4  # entry of a table at `more` by the word, of `count` entries
SHAPE: Final = 5  # of reading alone: these bytes must be `high`
LETTERS: Final = 6  # of reading alone: `word` is a shift, at `more` are pairs (value, choice bits)

# The number of a choice: everything about an order that letters on the wire hang on.
CHOICE_FLAGS: Final = 63  # ISO, POST_ONLY, NOT_SHOWN, MIDPOINT, SHORT, SHORT_EXEMPT
SELLS_BIT: Final = 6
TIF_BIT: Final = 7
MARKET_BIT: Final = 9  # the price is 0
CHOICES: Final = 1 << 10
SIDE_SAID: Final = 1 << 10  # of reading: the message has a side
CANNOT_SAY: Final = -1
GREATEST: Final = (1 << 63) - 1
ROUND_UP_BYTES: Final = 7  # that `fill` may write behind a message
