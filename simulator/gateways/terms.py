"""An order's terms as the matching takes them, whatever protocol they came in."""

from __future__ import annotations

from typing import NamedTuple

from feedhandler.wire.record import Values


class Terms(NamedTuple):
    """Fields of COMMAND_DTYPE, but for `self_trade`, which becomes part of the flags."""

    kind: int
    time_in_force: int
    flags: int
    price: int
    quantity: int
    display: int
    minimum: int
    cap: int
    self_trade: int = 0  # as the protocol's own table says it; 0: as the venue does it


def amount(values: Values, name: str) -> int:
    """A number among values; 0 where it is not given."""
    value = values.get(name, 0)
    return value if isinstance(value, int) else 0


def word(values: Values, name: str) -> str:
    """A text among values; empty where it is not given."""
    return str(values.get(name, ""))
