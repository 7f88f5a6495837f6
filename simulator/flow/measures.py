"""What a measured market was like, in numbers and in series to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from nic.configfile import ConfigError


class Series(msgspec.Struct, frozen=True):
    """Points of a line: where, and the value there."""

    places: list[float]
    values: list[float]


class MarketStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of a market.

    Attributes:
        seconds: of trading that were measured.
        messages: order messages of the lit venues' feeds, by kind.
        measured: by the names of the settings' targets; a value that could not be had is absent.
        targets: lowest and highest value each.
        spread: national spread in ticks by second of the session, mean over instruments.
        spreads: share of looks with a national spread of so many ticks.
        depth: mean displayed shares of a venue, by ticks from its best price.
        intensity: new orders a second, all instruments and venues.
        autocorrelation: of new orders in tenths of a second, by lag in seconds.
        fano: variance by mean of the number of new orders, by window in seconds.
        lifetimes: share of cancels that came within so many seconds, by kind of end.
        queues: share of looks with so many orders at a venue's best price.
        venues: order messages of each lit venue.
    """

    seconds: float
    instruments: int
    messages: dict[str, int]
    venues: dict[str, int]
    measured: dict[str, float]
    targets: dict[str, tuple[float, float]]
    spread: Series
    spreads: Series
    depth: Series
    intensity: Series
    autocorrelation: Series
    fano: Series
    lifetimes: dict[str, Series]
    queues: Series

    def rows(self) -> list[tuple[str, float, float, float | None]]:
        """Name, lowest, highest and measured value of each target."""
        return [(name, *ends, self.measured.get(name)) for name, ends in self.targets.items()]

    def missed(self) -> list[str]:
        """Targets that were measured outside of their bounds."""
        return [
            name
            for name, low, high, value in self.rows()
            if value is not None and not low <= value <= high
        ]


def save(statistics: MarketStatistics, path: Path) -> None:
    """Writes statistics as JSON. Raises OSError."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(statistics), indent=1) + b"\n")


def load(path: Path) -> MarketStatistics:
    """Reads what `save` wrote. Raises ConfigError with a line that names the file."""
    try:
        raw: Any = path.read_bytes()
        return msgspec.json.decode(raw, type=MarketStatistics)
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not the statistics of a market: {error}") from None
