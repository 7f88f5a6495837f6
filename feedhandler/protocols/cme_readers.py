"""Kernels that read the entries of one CME template, its places constants of the compiled code.

The templates that most messages are of are worth kernels of their own: no table is looked at for
each field.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from feedhandler.protocols.cme_columns import LOWEST, NINE, WIDE, columns
from feedhandler.protocols.cme_layouts import (
    ACTION,
    LEVEL,
    PX,
    SECURITY,
    SIZE,
    TYPE,
    known_short,
    known_wide,
    scaled,
)
from feedhandler.wire.access import loader
from nic.raw import load_i64le


class Reader(NamedTuple):
    """Kernels `(entry) -> int64` that read an entry of one template; its places are constants."""

    security: Any
    level: Any
    action: Any
    kind: Any
    price: Any
    size: Any


def reader(code: int) -> Reader:
    """The readers of the entries of one template: no table is looked at for each field."""
    row = [int(place) for place in columns()[code - LOWEST]]
    px_at, size_at, nine, wide = row[PX // 4], row[SIZE // 4], row[NINE], row[WIDE]
    load_short = loader(size_at, 4, True, False)

    @njit(nogil=True, forceinline=True)
    def price(entry: Any) -> Any:
        return scaled(load_i64le(entry + px_at), nine)

    @njit(nogil=True, forceinline=True)
    def size(entry: Any) -> Any:
        if wide != 0:
            return known_wide(load_i64le(entry + size_at))
        return known_short(np.int64(load_short(entry)))

    level, action, kind = (loader(row[n // 4], 1, False, False) for n in (LEVEL, ACTION, TYPE))
    security = loader(row[SECURITY // 4], 4, True, False)
    return Reader(security, level, action, kind, price, size)
