"""Trading days against the schedules that the exchanges published, and times across midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from feedhandler.calendars import CALENDARS, CMES, XNYS, calendar_of, easter, nth, us_early

BILLION = 10**9
# As NYSE published them: holidays, then early closes at 13:00.
PUBLISHED = {
    2025: ("01-01 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25", "07-03 11-28 12-24"),
    2026: ("01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25", "11-27 12-24"),
    2027: ("01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24", "11-26"),
    2028: ("01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25", "07-03 11-24"),
}


def days(year, text):
    return [date.fromisoformat(f"{year}-{day}") for day in text.split()]


@pytest.mark.parametrize("year", PUBLISHED)
def test_us_holidays_and_early_closes_as_published(year):
    holidays, early = (days(year, text) for text in PUBLISHED[year])
    closed = [day for day in all_days(year) if XNYS.why_closed(day) not in ("", "weekend")]
    assert closed == holidays
    assert [day for day in all_days(year) if day in us_early(year)] == early


def all_days(year):
    return [date(year, 1, 1) + timedelta(days=n) for n in range(365 + (year % 4 == 0))]


def test_before_2022_juneteenth_was_a_day_as_others():
    assert XNYS.session(date(2021, 6, 18)) is not None
    assert XNYS.why_closed(date(2022, 6, 20)) == "Juneteenth"


def test_easter_and_weekdays_of_a_month():
    known = {2000: (4, 23), 2019: (4, 21), 2024: (3, 31), 2025: (4, 20), 2038: (4, 25)}
    assert {year: (easter(year).month, easter(year).day) for year in known} == known
    assert nth(2026, 11, 3, 4) == date(2026, 11, 26)
    assert nth(2026, 5, 0, -1) == date(2026, 5, 25)
    assert nth(2026, 12, 3, -1) == date(2026, 12, 31)


def clock(time_ns, calendar):
    """Date and time by the market's clock."""
    return datetime.fromtimestamp(time_ns // BILLION, ZoneInfo(calendar.zone)).isoformat()[:16]


def test_the_hours_of_us_equities():
    session = XNYS.session(date(2026, 3, 16))
    assert session is not None
    assert (clock(session.open_ns, XNYS), clock(session.close_ns, XNYS), session.early) == (
        "2026-03-16T09:30",
        "2026-03-16T16:00",
        "",
    )
    session = XNYS.session(date(2026, 11, 27))
    assert session is not None
    assert (clock(session.close_ns, XNYS), session.early) == (
        "2026-11-27T13:00",
        "day after Thanksgiving",
    )


@pytest.mark.parametrize("day", ["2026-03-09", "2026-11-02", "2026-07-06", "2026-03-16"])
def test_a_futures_day_begins_the_evening_before_also_where_clocks_change(day):
    trade = date.fromisoformat(day)
    session = CMES.session(trade)
    assert session is not None
    before = trade - timedelta(days=1)
    assert clock(session.open_ns, CMES) == f"{before}T17:00"
    assert clock(session.close_ns, CMES) == f"{day}T16:00"


def test_cme_closes_at_noon_where_the_cash_market_is_closed():
    session = CMES.session(date(2026, 11, 26))
    assert session is not None
    assert (clock(session.close_ns, CMES), session.early) == (
        "2026-11-26T12:00",
        "Thanksgiving Day",
    )
    session = CMES.session(date(2026, 11, 27))
    assert session is not None and clock(session.close_ns, CMES) == "2026-11-27T12:15"
    closed = [day for day in all_days(2026) if CMES.why_closed(day) not in ("", "weekend")]
    assert closed == [date(2026, 1, 1), date(2026, 4, 3), date(2026, 12, 25)]


def utc_ns(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * BILLION


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("2026-12-17T23:30", "2026-12-18"),  # Thursday 17:30 in Chicago
        ("2026-12-18T00:30", "2026-12-18"),  # over midnight in Greenwich, not in Chicago
        ("2026-12-18T21:59", "2026-12-18"),  # Friday 15:59
        ("2026-12-18T22:00", "2026-12-21"),  # closed: the next is Monday's
        ("2026-12-20T23:00", "2026-12-21"),  # Sunday 17:00
        ("2026-12-24T19:00", "2026-12-28"),  # Christmas Eve after 12:15
    ],
)
def test_the_day_that_a_time_of_the_futures_market_trades_for(when, day):
    assert CMES.session_of(utc_ns(when)).day == date.fromisoformat(day)


def test_sessions_follow_one_another_without_overlap():
    for calendar in CALENDARS.values():
        made = list(calendar.sessions(date(2026, 1, 1), 600))
        for one, after in pairwise(made):
            assert one.open_ns < one.close_ns <= after.open_ns
            assert calendar.session_of(one.open_ns) == one
            assert calendar.session_of(one.close_ns) == after


def test_the_calendar_of_a_feed():
    assert calendar_of("nasdaq_itch50") is XNYS
    assert calendar_of("cme_mdp3") is CMES
