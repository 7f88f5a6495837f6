"""Any number of actions applied to the books of a venue, a few at a time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES
from feedhandler.books.apply import apply_batch
from feedhandler.books.layout import BATCHES
from nic.raw import load_i64le, store_release_u64

TOGETHER: Final = 64  # actions asked for and applied together


@njit(nogil=True)
def apply_staged(book, actions, count):
    """Applies actions in order, TOGETHER at a time; readers can tell when it is at work."""
    batches = load_i64le(book + BATCHES)
    store_release_u64(book + BATCHES, batches + 1)
    done = np.int64(0)
    while done < count:
        some = min(count - done, TOGETHER)
        apply_batch(book, actions + ACTION_BYTES * done, some)
        done += some
    store_release_u64(book + BATCHES, batches + 2)
