"""Session dates and the midnights that venues count their times from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

BILLION = 1_000_000_000


@lru_cache
def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        ValueError: naming the zone, when the time zone database does not have it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"time zone {name!r} is not in the time zone database") from error


def midnight_ns(day: date, zone: str) -> int:
    """Epoch ns of the midnight that starts a date in a zone.

    Venues count ns from midnight by their wall clock; on the two days a year when the clocks change
    at 2 in the morning, wall clock and elapsed time differ by an hour afterwards. Those are Sundays
    and none of the venues here trades then; a date on one is counted from the midnight that makes
    the times after the change right.
    """
    place = zone_of(zone)
    noon = datetime.combine(day, time(12), place)
    return (int(noon.astimezone(UTC).timestamp()) - 12 * 3600) * BILLION


def date_of(time_ns: int, zone: str) -> date:
    """The date in a zone at an epoch time."""
    return datetime.fromtimestamp(time_ns // BILLION, zone_of(zone)).date()


def session_midnight_ns(capture_ns: int, zone: str) -> int:
    """The midnight that a capture's first packet suggests, epoch ns."""
    return midnight_ns(date_of(capture_ns, zone), zone)
