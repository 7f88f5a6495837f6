"""Trading days: which days have a session, from when to when, and to which day a time belongs.

Two calendars, made from the exchanges' rules and not from tables of years: US equities (XNYS, which
all the venues here keep) and CME's equity index futures on Globex (CMES), whose day begins the
evening before. Days off that no rule foresees (mourning, storms) are not here.

Source: NYSE Rule 7.2 and its holiday schedules of 2025 to 2028; CME Group's holiday calendars.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from feedhandler.dates import date_of, midnight_ns

MONDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 3, 4, 5, 6
HOUR_NS: Final = 3_600 * 10**9
MINUTE_NS: Final = 60 * 10**9
FIRST_JUNETEENTH: Final = 2022
Days = Mapping[date, str]
Early = Mapping[date, tuple[int, str]]  # ns after midnight of the close, and why


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Gauss's rule as Butcher has it)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * i - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


def nth(year: int, month: int, weekday: int, number: int) -> date:
    """The first, second … such weekday of a month; the last one for -1."""
    if number < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def observed(day: date) -> date:
    """When a holiday is kept: on Friday instead of Saturday, on Monday instead of Sunday."""
    moved = {SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0)
    return day + timedelta(days=moved)


@lru_cache
def us_holidays(year: int) -> Days:
    """The holidays of US equities. New Year's Day is not kept early when it is a Saturday."""
    new_year = date(year, 1, 1)
    named = {
        nth(year, 1, MONDAY, 3): "Martin Luther King Day",
        nth(year, 2, MONDAY, 3): "Presidents' Day",
        easter(year) - timedelta(days=2): "Good Friday",
        nth(year, 5, MONDAY, -1): "Memorial Day",
        observed(date(year, 7, 4)): "Independence Day",
        nth(year, 9, MONDAY, 1): "Labor Day",
        nth(year, 11, THURSDAY, 4): "Thanksgiving Day",
        observed(date(year, 12, 25)): "Christmas Day",
    }
    if year >= FIRST_JUNETEENTH:
        named[observed(date(year, 6, 19))] = "Juneteenth"
    if new_year.weekday() != SATURDAY:
        named[observed(new_year)] = "New Year's Day"
    return dict(sorted(named.items()))


def short_days(year: int) -> dict[date, str]:
    """The days before or behind holidays on which US markets close early."""
    off = us_holidays(year)
    named = {
        nth(year, 11, THURSDAY, 4) + timedelta(days=1): "day after Thanksgiving",
        date(year, 7, 3): "before Independence Day",
        date(year, 12, 24): "Christmas Eve",
    }
    return {day: why for day, why in named.items() if day.weekday() < SATURDAY and day not in off}


@lru_cache
def us_early(year: int) -> Early:
    """Early closes of US equities, at one in the afternoon."""
    return {day: (13 * HOUR_NS, why) for day, why in short_days(year).items()}


@lru_cache
def cme_holidays(year: int) -> Days:
    """Days without a session of CME's equity index futures."""
    closed = ("New Year's Day", "Good Friday", "Christmas Day")
    return {day: why for day, why in us_holidays(year).items() if why in closed}


@lru_cache
def cme_early(year: int) -> Early:
    """Early closes of CME's equity index futures: at noon on holidays of the cash market."""
    halted = {
        day: (12 * HOUR_NS, why)
        for day, why in us_holidays(year).items()
        if day not in cme_holidays(year)
    }
    short = {day: (12 * HOUR_NS + 15 * MINUTE_NS, why) for day, why in short_days(year).items()}
    return dict(sorted({**halted, **short}.items()))


@dataclass(frozen=True)
class Session:
    """A day's trading.

    Attributes:
        day: the trade date.
        open_ns, close_ns: epoch.
        early: why it closes early; "" where it does not.
    """

    day: date
    open_ns: int
    close_ns: int
    early: str


@dataclass(frozen=True)
class Calendar:
    """When a market trades.

    Attributes:
        name: its code: an ISO 10383 one where there is one.
        title: for people.
        zone: of its clock.
        opens_ns, closes_ns: after midnight of the trade date; below 0 for the evening before.
        holidays, early: by year.
    """

    name: str
    title: str
    zone: str
    opens_ns: int
    closes_ns: int
    holidays: Callable[[int], Days]
    early: Callable[[int], Early]

    def why_closed(self, day: date) -> str:
        """The holiday or "weekend" of a day without a session; "" for one with a session."""
        if day.weekday() >= SATURDAY:
            return "weekend"
        return self.holidays(day.year).get(day, "")

    def session(self, day: date) -> Session | None:
        """The session of a trade date; None where there is none."""
        if self.why_closed(day):
            return None
        start_ns = midnight_ns(day, self.zone)
        opens_ns = start_ns + self.opens_ns
        if self.opens_ns < 0:  # by the clock of the evening before, also where clocks change
            before = midnight_ns(day - timedelta(days=1), self.zone)
            opens_ns = before + 24 * HOUR_NS + self.opens_ns
        closes_ns, why = self.early(day.year).get(day, (self.closes_ns, ""))
        return Session(day, opens_ns, start_ns + closes_ns, why)

    def sessions(self, first: date, count: int) -> Iterator[Session]:
        """So many sessions from a day on."""
        day = first
        while count > 0:
            found = self.session(day)
            if found is not None:
                yield found
                count -= 1
            day += timedelta(days=1)

    def session_of(self, time_ns: int) -> Session:
        """The session that a time is in or, between two, the next one.

        So a time of the evening before has the date of the day that it trades for.
        """
        day = date_of(time_ns, self.zone)
        for found in self.sessions(day - timedelta(days=1), 3):
            if time_ns < found.close_ns:
                return found
        return next(self.sessions(day + timedelta(days=1), 1))


XNYS: Final = Calendar(
    "XNYS",
    "US equities",
    "America/New_York",
    9 * HOUR_NS + 30 * MINUTE_NS,
    16 * HOUR_NS,
    us_holidays,
    us_early,
)
CMES: Final = Calendar(
    "CMES",
    "CME equity index futures, Globex",
    "America/Chicago",
    -7 * HOUR_NS,
    16 * HOUR_NS,
    cme_holidays,
    cme_early,
)
CALENDARS: Final = {calendar.name: calendar for calendar in (XNYS, CMES)}


def calendar_of(feed_name: str) -> Calendar:
    """The calendar of a feed's venue, by the first word of its name."""
    return CMES if feed_name.partition("_")[0] == "cme" else XNYS


def common_calendar(feed_names: Iterable[str]) -> Calendar:
    """The calendar of all feeds; that of US equities where they differ or there is none."""
    found = {calendar_of(name).name for name in feed_names}
    return CALENDARS[found.pop()] if len(found) == 1 else XNYS
