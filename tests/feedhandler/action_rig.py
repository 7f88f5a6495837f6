"""Runs a feed's compiled walk over one packet and gives back what it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE
from feedhandler.context import CONTEXT_DTYPE
from feedhandler.faults import FAULTS
from feedhandler.wire.walk import BATCH
from nic.regions import allowed, reset, violations

MARGIN_BYTES = 64  # in front of and behind the payload, filled so that stray reads show


@cache
def entry(walk: Any, message: Any) -> Any:
    """The compiled walk of a feed, entered from Python; compiled once a session."""

    @njit(nogil=True)
    def run(payload: Any, length: Any, context: Any, out: Any) -> Any:
        return walk(payload, length, context, out, message)

    return run


def run_packet(
    walk: Any,
    message: Any,
    payload: bytes,
    row: NDArray[np.void] | None = None,
    also: Sequence[NDArray[Any]] = (),
    **context: int,
) -> tuple[NDArray[np.void], np.void]:
    """The actions of one packet and the context behind it.

    Args:
        walk, message: the feed's kernels.
        payload: the packet.
        row: the context of an earlier packet to go on with (one row of CONTEXT_DTYPE).
        also: other memory the kernels may touch, as the symbols' scales.
        context: fields to set first.

    In a checked build a read or write outside of these, payload, context and batch fails.
    """
    rows = np.zeros(1, CONTEXT_DTYPE) if row is None else np.atleast_1d(row).copy()
    for name, value in context.items():
        rows[name] = value
    out = np.zeros(BATCH, ACTION_DTYPE)
    margin = b"\xa5" * MARGIN_BYTES
    buffer = np.frombuffer(margin + payload + margin, np.uint8)
    start = buffer.ctypes.data + MARGIN_BYTES
    run = entry(walk, message)
    reset()
    with allowed((start, len(payload)), rows, out, *also):
        made = run(start, len(payload), rows.ctypes.data, out.ctypes.data)
    assert violations().count == 0, violations()
    return out[:made].copy(), rows[0]


def faults(row: np.void) -> dict[str, int]:
    """The faults a context counted, by name; those at 0 are left out."""
    return {name: int(n) for name, n in zip(FAULTS, row["faults"], strict=False) if n}
