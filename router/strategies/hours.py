"""Times of a parent: by the clock of the venue's zone, ISO, or seconds after the open.

A session may begin the evening before its date (Globex: 17:00 in Chicago). There a time of the
clock from the opening on is of that evening: "18:00" of Monday's session is Sunday's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import msgspec

from feedhandler.calendars import XNYS, Calendar
from feedhandler.dates import date_of, midnight_ns, zone_of
from router.strategies.exact import decimal_of, scaled_whole, shown

NS_PER_S: Final = 1_000_000_000
DAY_S: Final = 86_400
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def clock_ns(text: str) -> int | None:
    """ns after midnight of "09:31", "09:31:00" or "09:31:00.25"; None: it is no such time."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2]), int(found[3] or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * NS_PER_S + int((found[4] or "").ljust(9, "0"))


class SessionHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A session of a market.

    Attributes:
        day: its date.
        zone: of its clock.
        open, close: of continuous trading, by that clock.
        evening: whether it opens on the evening before its date.
        early: why it closes early; "" where it does not.
        calendar: name of the calendar that it is of.
    """

    day: date
    zone: str = "America/New_York"
    open: str = "09:30:00"
    close: str = "16:00:00"
    evening: bool = False
    early: str = ""
    calendar: str = XNYS.name

    def __post_init__(self) -> None:
        zone_of(self.zone)
        for name in ("open", "close"):
            if clock_ns(getattr(self, name)) is None:
                found = shown(getattr(self, name))
                raise ValueError(f'{name}: expected a time like "09:30:00", found {found}')
        if self.open_ns >= self.close_ns:
            raise ValueError(f"close: expected a time behind {self.open}, found {self.close}")

    @property
    def midnight_ns(self) -> int:
        """What the clock counts from, epoch ns."""
        return midnight_ns(self.day, self.zone)

    @property
    def first_midnight_ns(self) -> int:
        """Epoch ns of the midnight in front of the open: times of sessions count from it."""
        return midnight_ns(self.day - timedelta(days=self.evening), self.zone)

    @property
    def open_ns(self) -> int:
        """Epoch ns of the open."""
        return self.first_midnight_ns + (clock_ns(self.open) or 0)

    @property
    def close_ns(self) -> int:
        """Epoch ns of the close."""
        return self.midnight_ns + (clock_ns(self.close) or 0)

    def time_ns(self, value: Any) -> int:
        """Epoch ns of a time as a file has it. Raises ValueError.

        "09:31:00" is by the session's clock; "2026-03-16T09:31:00-04:00" is itself (by the
        session's clock without an offset); a number is seconds after the open.
        """
        ns = self._time_ns(value.isoformat() if isinstance(value, time | datetime) else value)
        if ns is None or ns <= 0:
            raise ValueError(
                'expected a time like "09:31:00", an ISO time or seconds after the open,'
                f" found {shown(value)}"
            )
        return ns

    def _time_ns(self, value: Any) -> int | None:
        if decimal_of(value) is not None:
            after = scaled_whole(value, NS_PER_S)
            if after is None or not 0 <= after < DAY_S * NS_PER_S:
                return None
            return self.open_ns + after
        if not isinstance(value, str):
            return None
        clock = clock_ns(value)
        if clock is None:
            return self._iso_ns(value)
        before = self.evening and clock >= (clock_ns(self.open) or 0)
        return (self.first_midnight_ns if before else self.midnight_ns) + clock

    def _iso_ns(self, text: str) -> int | None:
        day, _, clock = text.strip().partition("T")
        within = clock_ns(clock)
        try:
            if within is not None:
                return midnight_ns(date.fromisoformat(day), self.zone) + within
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
        if not clock or moment.tzinfo is None:
            return None
        since = moment - _EPOCH
        return (since.days * DAY_S + since.seconds) * NS_PER_S + since.microseconds * 1000


def hours_at(time_ns: int, calendar: Calendar = XNYS) -> SessionHours:
    """The hours of the session at a time, with the calendar's early closes.

    Where sessions begin in the evening, the one that a time is in or, between two, the next. Where
    they do not, that of the time's date; without a session on it, the usual hours.
    """
    zone = calendar.zone
    evening = calendar.opens_ns < 0
    day = calendar.session_of(time_ns).day if evening else date_of(time_ns, zone)
    found = calendar.session(day)
    closes_ns = calendar.closes_ns if found is None else found.close_ns - midnight_ns(day, zone)
    return SessionHours(
        day=day,
        zone=zone,
        open=clock_text(calendar.opens_ns % (DAY_S * NS_PER_S)),
        close=clock_text(closes_ns),
        evening=evening,
        early=found.early if found is not None else "",
        calendar=calendar.name,
    )


def clock_text(after_ns: int) -> str:
    """A time of the clock, as "09:30:00"; `after_ns` is after midnight."""
    seconds = after_ns // NS_PER_S
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
