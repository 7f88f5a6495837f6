"""What the decoders of the consolidated tapes share: keys of long symbols and their names.

Symbols have up to 11 letters and a key 8 bytes. A shorter symbol is its own key, as at the venues.
A longer one is folded into a key with the sign bit set, which no text has, and every message that
makes an action of it names it first, so that nobody has to wait for the directory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, SYMBOL, emit, head
from feedhandler.wire.access import FOLD_MULTIPLIER
from feedhandler.wire.spaces import rest

ALL_BITS = (1 << 64) - 1
FOLDED = np.uint64(1 << 63)
MULTIPLIER = np.uint64(FOLD_MULTIPLIER & ALL_BITS)  # unsigned: the product wraps round


@njit(nogil=True, forceinline=True)
def key_of_long(text, more):
    """The key of a symbol; `more` is 0 for one of at most 8 letters."""
    if more == 0:
        return text
    return np.int64(np.uint64(text) ^ (np.uint64(more) * MULTIPLIER) | FOLDED)


@njit(nogil=True)
def name_long(out, key, text, tail, time_ns, sequence):
    """Names a symbol whose key does not say it; gives the number of records."""
    more = rest(tail)
    if more == 0:
        return 0
    return emit(out, head(SYMBOL, 0, 0), key, text, 0, 0, more, time_ns, sequence)


@njit(nogil=True)
def say(out, kind, text, tail, order_id, price, quantity, aux, time_ns, sequence):
    """One action on a symbol, behind its name if it is a long one; gives the number of records."""
    key = key_of_long(text, rest(tail))
    made = name_long(out, key, text, tail, time_ns, sequence)
    place = out + ACTION_BYTES * made
    first = head(kind, 0, 0)
    return made + emit(place, first, key, order_id, price, quantity, aux, time_ns, sequence)
