"""Sessions of a calendar as hours of parents, and parents that do not fit into them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedhandler.calendars import CMES, XNYS
from nic.configfile import ConfigError
from router.parentfile import read_parents
from router.strategies.hours import SessionHours, clock_text, hours_at

SECOND = 1_000_000_000


def ns(text: str) -> int:
    """Epoch ns of an ISO time with an offset, or in UTC."""
    when = datetime.fromisoformat(text)
    return round((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()) * SECOND


X, C = XNYS, CMES
SESSIONS = [
    # (calendar, a time, date, opens, closes, why early)
    (X, "2026-03-16T15:00", "2026-03-16", "2026-03-16T09:30-04:00", "2026-03-16T16:00-04:00", ""),
    (X, "2026-01-05T23:00", "2026-01-05", "2026-01-05T09:30-05:00", "2026-01-05T16:00-05:00", ""),
    (X, "2026-11-27T15:00", "2026-11-27", "2026-11-27T09:30-05:00", "2026-11-27T13:00-05:00",
     "day after Thanksgiving"),
    (X, "2026-03-14T15:00", "2026-03-14", "2026-03-14T09:30-04:00", "2026-03-14T16:00-04:00", ""),
    (C, "2026-03-16T15:00", "2026-03-16", "2026-03-15T17:00-05:00", "2026-03-16T16:00-05:00", ""),
    (C, "2026-03-16T21:30", "2026-03-17", "2026-03-16T17:00-05:00", "2026-03-17T16:00-05:00", ""),
    (C, "2026-03-15T22:30", "2026-03-16", "2026-03-15T17:00-05:00", "2026-03-16T16:00-05:00", ""),
    (C, "2026-11-26T16:00", "2026-11-26", "2026-11-25T17:00-06:00", "2026-11-26T12:00-06:00",
     "Thanksgiving Day"),
    (C, "2026-03-06T23:00", "2026-03-09", "2026-03-08T17:00-05:00", "2026-03-09T16:00-05:00", ""),
]  # fmt: skip


@pytest.mark.parametrize(("calendar", "time", "day", "opens", "closes", "early"), SESSIONS)
def test_the_session_at_a_time(
    calendar: object, time: str, day: str, opens: str, closes: str, early: str
) -> None:
    hours = hours_at(ns(time), calendar)  # type: ignore[arg-type]
    assert (str(hours.day), hours.early) == (day, early)
    assert (hours.open_ns, hours.close_ns) == (ns(opens), ns(closes))
    assert hours.first_midnight_ns <= hours.open_ns < hours.first_midnight_ns + 24 * 3600 * SECOND


def test_a_clock_from_the_opening_on_is_that_of_the_evening_before() -> None:
    hours = hours_at(ns("2026-03-16T15:00"), CMES)
    assert hours.time_ns("17:00:00") == hours.open_ns
    assert hours.time_ns("23:59:59") == ns("2026-03-15T23:59:59-05:00")
    assert hours.time_ns("00:00:00") == ns("2026-03-16T00:00-05:00")
    assert hours.time_ns("16:59:59") == ns("2026-03-16T16:59:59-05:00")
    assert hours.time_ns("2026-03-15T18:00:00") == ns("2026-03-15T18:00-05:00")
    assert hours.time_ns(3600) == hours.open_ns + 3600 * SECOND


def test_the_clock_as_text() -> None:
    assert [clock_text(n * SECOND) for n in (0, 34_200, 61_265)] == [
        "00:00:00",
        "09:30:00",
        "17:01:05",
    ]


PARENT = """
[[parents]]
name = "a"
symbol = "{symbol}"
side = "buy"
quantity = 100
strategy = "{strategy}"
account = "desk"
"""
SHORT_DAY = hours_at(ns("2026-11-27T15:00"), XNYS)
GLOBEX = hours_at(ns("2026-03-16T15:00"), CMES)
AFTER = "the close of 2026-11-27 at 13:00:00 (day after Thanksgiving)"
WRONG = [
    (SHORT_DAY, "KOZ", "twap", 'end = "15:30:00"', f"end: 15:30:00 is behind {AFTER}"),
    (SHORT_DAY, "KOZ", "vwap", 'end = "13:00:01"', f"end: 13:00:01 is behind {AFTER}"),
    (SHORT_DAY, "KOZ", "sweep", 'start = "13:00:00"', f"start: 13:00:00 is not before {AFTER}"),
    (SHORT_DAY, "KOZ", "post", 'start = "08:00:00"\nend = "09:30:00"',
     "end: 09:30:00 is not behind the open of 2026-11-27 at 09:30:00"),
    (SHORT_DAY, "KOZ", "sweep", 'start = "2026-11-30T10:00:00"',
     f"start: 2026-11-30 10:00:00 is not before {AFTER}"),
    (GLOBEX, "ESM6", "twap", 'end = "16:30:00"',
     "end: 16:30:00 is behind the close of 2026-03-16 at 16:00:00"),
    (GLOBEX, "ESM6", "post", 'start = "2026-03-15T10:00:00"\nend = "2026-03-15T11:00:00"',
     "end: 2026-03-15 11:00:00 is not behind the open of 2026-03-16 at 2026-03-15 17:00:00"),
    (GLOBEX, "ESZ5", "sweep", "",
     "symbol: ESZ5: its last trading day was 2025-12-19; ESH6 is the front contract"),
    (GLOBEX, "CLG6", "sweep", "", "symbol: CLG6: its month, 2026-02, is over on 2026-03-16"),
]  # fmt: skip


@pytest.mark.parametrize(("hours", "symbol", "strategy", "more", "said"), WRONG)
def test_what_does_not_fit_into_the_session_is_a_line(
    tmp_path: Path, hours: SessionHours, symbol: str, strategy: str, more: str, said: str
) -> None:
    path = tmp_path / "parents.toml"
    path.write_text(PARENT.format(symbol=symbol, strategy=strategy) + more + "\n")
    with pytest.raises(ConfigError) as caught:
        read_parents(path, hours)
    assert str(caught.value) == f"{path}: parents[0] (a): {said}"


RIGHT = [
    (SHORT_DAY, "KOZ", "twap", 'end = "13:00:00"'),
    (SHORT_DAY, "KOZ", "twap", ""),
    (SHORT_DAY, "KOZ", "post", 'end = "15:00:00"'),  # over with the day
    (SHORT_DAY, "ESZ5", "sweep", ""),  # a symbol like others there
    (GLOBEX, "ESM6", "twap", 'start = "17:00:00"\nend = "15:59:00"'),
    (GLOBEX, "ESH6", "sweep", 'start = "20:00:00"'),  # trades until Friday
    (GLOBEX, "174969", "sweep", ""),
    (GLOBEX, "ESH6-ESM6", "sweep", ""),
]


@pytest.mark.parametrize(("hours", "symbol", "strategy", "more"), RIGHT)
def test_what_fits_is_read(
    tmp_path: Path, hours: SessionHours, symbol: str, strategy: str, more: str
) -> None:
    path = tmp_path / "parents.toml"
    path.write_text(PARENT.format(symbol=symbol, strategy=strategy) + more + "\n")
    (order,) = read_parents(path, hours)
    if strategy == "twap":
        assert hours.open_ns <= order.start_ns < order.end_ns <= hours.close_ns


def test_a_line_of_a_csv_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "parents.csv"
    path.write_text(
        "name,symbol,side,quantity,strategy,account,end\n"
        "a,KOZ,buy,100,twap,desk,12:00:00\nb,KOZ,buy,100,twap,desk,15:00:00\n"
    )
    with pytest.raises(ConfigError, match=r"parents\.csv: line 3: end: 15:00:00 is behind"):
        read_parents(path, SHORT_DAY)
