"""The grid on which sizes in dark pools are learnt: round lots, exact up to 64, then coarser.

Bucket k stands for sizes of at least `lots_of(k)` round lots: k itself up to 64, behind that eight
steps an octave (72, 80, ... 120, 128, 144, ...) up to 15,360 lots at bucket 127.
"""

from __future__ import annotations

from typing import Final

from numba import njit

BUCKETS: Final = 128
LAST: Final = BUCKETS - 1
EXACT: Final = 64  # a power of two
STEPS: Final = 8  # an octave
STEP_BITS: Final = 3


@njit(nogil=True)
def lots_of(bucket):
    """Round lots where a bucket, 0 to LAST, begins."""
    if bucket <= EXACT:
        return bucket
    above = bucket - EXACT
    return (EXACT + STEPS * (above & (STEPS - 1))) << (above >> STEP_BITS)


@njit(nogil=True)
def bucket_of(lots):
    """The last bucket that begins at or below so many round lots."""
    if lots <= EXACT:
        return max(lots, 0)
    octave = 0
    while lots >> octave >= 2 * EXACT:
        octave += 1
    bucket = EXACT + STEPS * octave + (((lots >> octave) - EXACT) >> STEP_BITS)
    return min(bucket, LAST)
