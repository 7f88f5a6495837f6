"""Points of schedules: straight lines, volume profiles, and Almgren and Chriss's trajectory.

Points are (ns from the start, part done in 1e-9), from (0, 0) to (span, PART), and never fall.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import msgspec

from nic.configfile import ConfigError, load
from router.strategies.curves import MOST_POINTS
from router.strategies.exact import whole
from router.tables import PART

Points = list[tuple[int, int]]
MOST_BINS: Final = MOST_POINTS - 3
TRADING_DAY_NS: Final = 23_400 * 1_000_000_000  # 6.5 hours
MOST_VOLUME: Final = 1 << 50

# Volume by half hours of a US session, in thousandths, without the auctions. Not measured: a U
# drawn by hand to the shape that Jain and Joh (1988), "The dependence between hourly prices and
# trading volume", found and Admati and Pfleiderer (1988) explain: busy at both ends, quiet about
# 1 p.m., busiest behind 3:30 p.m. Give your own volumes where it matters.
USUAL_VOLUMES: Final = (135, 90, 75, 65, 58, 52, 48, 47, 50, 57, 68, 90, 165)


def straight(span_ns: int) -> Points:
    """Even trading: TWAP."""
    return [(0, 0), (span_ns, PART)]


def volume_points(
    volumes: Sequence[int], from_ns: int, to_ns: int, start_ns: int, end_ns: int
) -> Points:
    """The part of a day's volume that lies before each time between start and end.

    Args:
        volumes: in equal parts of the time between `from_ns` and `to_ns`.
        start_ns, end_ns: of the schedule.

    Raises:
        ValueError: where there is no volume between start and end.
    """
    before = [0, *accumulate(volumes)]
    length, bins = to_ns - from_ns, len(volumes)

    def volume_by(time_ns: int) -> int:
        """Volume up to a time, times the length of the day."""
        into = min(max(time_ns - from_ns, 0), length) * bins
        number = min(into // length, bins - 1)
        return before[number] * length + volumes[number] * (into - number * length)

    edges = (from_ns + length * number // bins for number in range(bins + 1))
    times = [start_ns, *(time for time in edges if start_ns < time < end_ns), end_ns]
    first, last = volume_by(start_ns), volume_by(end_ns)
    if last <= first:
        raise ValueError("volumes: expected volume between start and end, found none")
    return [(time - start_ns, PART * (volume_by(time) - first) // (last - first)) for time in times]


def urgency(
    risk_aversion: float, volatility: float, temporary: float, permanent: float, step: float
) -> float:
    """kappa of Almgren and Chriss, per unit of time; `step` is the time between two trades.

    From cosh(kappa step) = 1 + step^2 lambda sigma^2 / (2 eta~), eta~ = eta - gamma step / 2.
    Raises ValueError where the permanent impact outweighs the temporary one: the model has no
    answer then.
    """
    adjusted = temporary - permanent * step / 2
    if adjusted <= 0:
        raise ValueError(
            "temporary_impact: expected more than half of what permanent_impact makes of a slice"
        )
    squared = risk_aversion * volatility * volatility / adjusted
    return 2 * math.asinh(math.sqrt(squared) * step / 2) / step


def trajectory(kappa: float, length: float, time: float) -> float:
    """What is left at a time: sinh(kappa (T - t)) / sinh(kappa T); T - t over T for kappa 0."""
    rest, whole = kappa * (length - time), kappa * length
    if whole < 1e-9:
        return (length - time) / length
    return math.exp(rest - whole) * math.expm1(-2 * rest) / math.expm1(-2 * whole)


def shortfall_points(kappa_per_day: float, slices: int, span_ns: int) -> Points:
    """The optimal trajectory at the ends of the slices; `kappa_per_day` is of a trading day.

    Almgren and Chriss (2000), "Optimal execution of portfolio transactions".
    """
    length = span_ns / TRADING_DAY_NS
    points: Points = []
    for number in range(slices + 1):
        left = trajectory(kappa_per_day, length, length * number / slices)
        done = min(max(round((1 - left) * PART), 0), PART)
        points.append((span_ns * number // slices, done))
    points[-1] = (span_ns, PART)
    return points


def check_volumes(volumes: Any) -> None:
    """Raises ValueError for volumes that are no profile."""
    fits = isinstance(volumes, tuple) and 1 <= len(volumes) <= MOST_BINS
    if not fits or not all(type(volume) is int and 0 <= volume < MOST_VOLUME for volume in volumes):
        raise ValueError(f"volumes: expected 1 to {MOST_BINS} whole numbers of at least 0")
    if not any(volumes):
        raise ValueError("volumes: expected a number above 0 among them")


class VolumeFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A profile as a TOML file: volumes in equal parts of the session."""

    volumes: list[int]


def load_volumes(path: Path) -> tuple[int, ...]:
    """The profile in a file: TOML with `volumes`, or CSV with a column `volume`.

    Raises ConfigError naming file and line or key.
    """
    if path.suffix.lower() == ".csv":
        found = _csv_volumes(path)
    else:
        found = tuple(load(path, VolumeFile).volumes)
    try:
        check_volumes(found)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None
    return found


def _csv_volumes(path: Path) -> tuple[int, ...]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or "volume" not in rows.fieldnames:
                raise ConfigError(f"{path}: line 1: expected a column named volume")
            found = []
            for row in rows:
                try:
                    found.append(whole(row["volume"]))
                except ValueError as error:
                    raise ConfigError(f"{path}: line {rows.line_num}: volume: {error}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot open: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(f"{path}: expected UTF-8 text in CSV form") from None
    return tuple(found)
