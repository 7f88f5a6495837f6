"""`sweepwire calendar`, and that a replay's session closes early where the calendar says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.calendar import is_open, market_line
from console.main import run
from feedhandler.calendars import CMES, XNYS
from router.strategies.hours import hours_at


def test_the_days_of_a_market(capsys):
    assert run(["calendar", "xnys", "--from", "2026-11-25", "--days", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "XNYS: US equities"
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "2026-11-25 Wed 2026-11-25 09:30 EST 2026-11-25 16:00 EST",
        "2026-11-26 Thu Thanksgiving Day",
        "2026-11-27 Fri 2026-11-27 09:30 EST 2026-11-27 13:00 EST day after Thanksgiving",
        "2026-11-28 Sat weekend",
    ]


def test_futures_have_their_front_contract(capsys):
    assert run(["calendar", "CMES", "--from", "2026-12-18", "--days", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[-1] == "ESZ6"
    assert lines[5].split()[-1] == "ESH7"


def test_wrong_words(capsys):
    assert run(["calendar", "XXXX"]) == 2
    assert "no calendar 'XXXX': there are XNYS, CMES" in capsys.readouterr().err
    assert run(["calendar", "XNYS", "--from", "soon"]) == 2
    assert "--from soon: expected a day like 2026-11-20" in capsys.readouterr().err


def test_a_replay_s_session_ends_early_on_such_a_day():
    def close_on(*day):
        return hours_at(int(datetime(*day, 15, tzinfo=UTC).timestamp()) * 10**9).close

    assert close_on(2026, 11, 27) == "13:00:00"
    assert close_on(2026, 11, 25) == "16:00:00"
    assert close_on(2026, 11, 26) == "16:00:00"


LINES = [
    (XNYS, "2026-03-16T15:00", "XNYS: open until 2026-03-16 16:00 EDT"),
    (XNYS, "2026-11-27T15:00", "XNYS: open until 2026-11-27 13:00 EST (early: day after "
     "Thanksgiving)"),
    (XNYS, "2026-11-26T15:00", "XNYS: closed today (Thanksgiving Day); next session 2026-11-27, "
     "2026-11-27 09:30 EST to 2026-11-27 13:00 EST (early: day after Thanksgiving)"),
    (XNYS, "2026-03-16T12:00", "XNYS: closed now; next session 2026-03-16, "
     "2026-03-16 09:30 EDT to 2026-03-16 16:00 EDT"),
    (CMES, "2026-03-15T22:30", "CMES: open until 2026-03-16 16:00 CDT"),
    (CMES, "2026-03-14T15:00", "CMES: closed today (weekend); next session 2026-03-16, "
     "2026-03-15 17:00 CDT to 2026-03-16 16:00 CDT"),
]  # fmt: skip


@pytest.mark.parametrize(("calendar", "time", "said"), LINES)
def test_whether_a_market_trades_in_a_line(calendar, time, said):
    now_ns = int(datetime.fromisoformat(time).replace(tzinfo=UTC).timestamp()) * 10**9
    assert market_line(calendar, now_ns) == said
    assert is_open(calendar, now_ns) == ("open until" in said)
