"""Order ids on the wire: the references themselves, or a keyed permutation that looks random.

Gateways that name a venue's order ids take them from here, as `shown.wire_id` does for the feed.
"""

from __future__ import annotations

import hashlib
from typing import Final

ID_BITS: Final = 62
MASK: Final = (1 << ID_BITS) - 1


def id_factors(secret: str) -> tuple[int, int]:
    """Two odd factors of 62 bits for the permutation."""
    digest = hashlib.sha256(secret.encode()).digest()
    parts = (int.from_bytes(digest[start : start + 8], "little") for start in (0, 8))
    first, second = ((part >> 2) | 1 for part in parts)
    return first, second


def permuted(reference: int, factors: tuple[int, int]) -> int:
    """The id of a reference below 2^62; no other has the same, and 0 stays 0."""
    number = reference * factors[0] & MASK
    number ^= number >> 31
    number = number * factors[1] & MASK
    return number ^ number >> 29
