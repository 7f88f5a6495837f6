"""The table of shares that are shown and not there: what is in it and where, see `gone.py`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from nic.block import offsets_of

GONE_NS: Final = 500_000_000
MOST_VENUES: Final = 64
MISSING_DTYPE: Final = np.dtype(
    [
        ("shares", "i8"),  # of the best ones that are shown
        ("until_ns", "i8"),
        ("price", "i8"),  # of the quote that shows them
        ("shown", "i8"),  # its shares
    ]
)
GONE_DTYPE: Final = np.dtype(
    [
        ("until_ns", "i8"),  # the latest of the venues'
        ("unused", "i8", (7,)),
        ("venues", MISSING_DTYPE, (MOST_VENUES,)),
    ]
)
MISSING: Final = offsets_of(MISSING_DTYPE)
GONE: Final = offsets_of(GONE_DTYPE)
MISSING_BYTES: Final = MISSING_DTYPE.itemsize
GONE_BYTES: Final = GONE_DTYPE.itemsize


def gone_section(instruments: int) -> tuple[str, np.dtype[Any], int]:
    """The section for so many instruments: a row an instrument and side."""
    return ("gone", GONE_DTYPE, 2 * (instruments + 1))
