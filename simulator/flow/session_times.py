"""The times of a session."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """When orders begin to come, when the auctions are; ns since the epoch.

    What the settings say of a day is stretched or squeezed to the time from `open_ns` to
    `close_ns`; rates of orders are not.
    """

    start_ns: int
    open_ns: int
    close_ns: int

    def __post_init__(self) -> None:
        if not 0 <= self.start_ns < self.open_ns < self.close_ns:
            raise ValueError("session: expected start < open < close")

    @property
    def seconds(self) -> float:
        """Length of the trading."""
        return (self.close_ns - self.open_ns) / 1e9
