"""splitmix64 in plain Python, for what is drawn once: first prices, listings, streams."""

from __future__ import annotations

from typing import Final

MASK: Final = (1 << 64) - 1
GOLDEN: Final = 0x9E3779B97F4A7C15


def mixed(state: int) -> int:
    """The output of splitmix64 for a state of 64 bits."""
    value = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


def signed(value: int) -> int:
    """64 bits as the i64 that tables hold."""
    return value - (1 << 64) if value >> 63 else value


class Stream:
    """A stream of random numbers from a seed; streams with other names have other numbers."""

    def __init__(self, seed: int, name: int = 0) -> None:
        self.state = mixed((mixed(seed & MASK) + name * GOLDEN) & MASK)

    def bits(self) -> int:
        """64 random bits."""
        self.state = (self.state + GOLDEN) & MASK
        return mixed(self.state)

    def below(self, count: int) -> int:
        """An integer from 0 to count - 1."""
        return (self.bits() * count) >> 64
