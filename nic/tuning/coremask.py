"""Sets of cores as the kernel writes them: lists (`0-3,6`) and hexadecimal masks (`4f`)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

_GROUP_DIGITS = 8


def cores_text(cores: Iterable[int]) -> str:
    """A kernel core list: (0, 1, 2, 6) as `0-2,6`; empty for no core."""
    ordered = sorted(set(cores))
    if not ordered:
        return ""
    starts = [ordered[0], *(high for low, high in pairwise(ordered) if high != low + 1)]
    ends = [*(low for low, high in pairwise(ordered) if high != low + 1), ordered[-1]]
    runs = zip(starts, ends, strict=True)
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in runs)


def mask_text(cores: Iterable[int]) -> str:
    """A kernel core mask in hexadecimal, a comma between every 32 cores: (0, 33) as `2,00000001`.

    `0` for no core.
    """
    digits = f"{sum(1 << core for core in set(cores)):x}"
    head = len(digits) % _GROUP_DIGITS or _GROUP_DIGITS
    rest = digits[head:]
    groups = (rest[i : i + _GROUP_DIGITS] for i in range(0, len(rest), _GROUP_DIGITS))
    return ",".join((digits[:head], *groups))


def mask_cores(text: str) -> frozenset[int]:
    """The cores of a kernel core mask. Raises ValueError on anything but hexadecimal digits."""
    bits = int("".join(part.rjust(_GROUP_DIGITS, "0") for part in text.strip().split(",")), 16)
    return frozenset(core for core in range(bits.bit_length()) if bits >> core & 1)
