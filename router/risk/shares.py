"""The part of a file of limits that one of several loops has.

What is of one symbol is whole: a symbol is in one loop. What is of an account, a venue or of all is
divided, rounded down, so that the loops together cannot pass what one may, and none has to ask
another. A profit in one loop does not make room for a loss in another.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import msgspec

from router.risk.limits import Limits

OF_ACCOUNT: Final = (
    "gross",
    "net",
    "capital",
    "credit",
    "loss",
    "open_orders",
    "orders_per_second",
    "cancel_from",
)
OF_ALL: Final = ("gross", "loss", "open_orders", "orders_per_second")
OF_VENUE: Final = ("orders_per_second",)
WHOLE: Final = Fraction(1)


def shared(limits: Limits, part: Fraction) -> Limits:
    """The limits of a loop whose share is `part`, from 0 to 1."""
    if part == WHOLE:
        return limits
    return msgspec.structs.replace(
        limits,
        overall=_part_of(limits.overall, OF_ALL, part),
        accounts=tuple(_part_of(row, OF_ACCOUNT, part) for row in limits.accounts),
        venues=tuple(_part_of(row, OF_VENUE, part) for row in limits.venues),
    )


def _part_of(row: Any, names: tuple[str, ...], part: Fraction) -> Any:
    return msgspec.structs.replace(row, **{name: int(getattr(row, name) * part) for name in names})
