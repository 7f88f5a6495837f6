"""Axes: where a value is on a drawing, and which values are worth a tick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
PREFIXES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` drawn from `start` to `end`, evenly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value is; what is beyond the ends is put at them."""
        value = min(self.high, max(self.low, value))
        if self.logarithmic:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Round values on the axis, about so many; powers of ten on a logarithmic one."""
        if self.logarithmic:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.log10(self.high)
            return [10.0**power for power in range(first, math.floor(last + 1e-9) + 1)]
        step = round_step((self.high - self.low) / wanted)
        first = math.ceil(self.low / step - 1e-9)
        return [number * step for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def round_step(rough: float) -> float:
    """The next step of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * step for step in STEPS if power * step >= rough * (1 - 1e-9))


def linear(values: Sequence[float], start: float, end: float, *, zero: bool = True) -> Scale:
    """An even scale for some values, from zero unless told otherwise, with air above."""
    low = min(values, default=0.0)
    high = max(values, default=1.0)
    low = min(0.0, low) if zero else low
    if high <= low:
        high = low + 1
    step = round_step((high - low) / 5)
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step, start, end)


def logarithmic(values: Sequence[float], start: float, end: float) -> Scale:
    """A logarithmic scale from the power of ten below the values to the one above."""
    above = [value for value in values if value > 0]
    low, high = min(above, default=1.0), max(above, default=10.0)
    first = math.floor(math.log10(low) + 1e-9)
    last = max(first + 1, math.ceil(math.log10(high) - 1e-9))
    return Scale(10.0**first, 10.0**last, start, end, logarithmic=True)


def number_text(value: float) -> str:
    """A number as axes show it: 0.25, 12, 3 k."""
    for size, prefix in PREFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g} {prefix}"
    return f"{value:.3g}" if value else "0"


def time_text(seconds: float) -> str:
    """A time as axes show it: 5 ms, 1 s, 2 min."""
    for size, unit in ((60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size * (1 - 1e-9):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
