"""`sweepwire calendar`: when a market trades, and what its futures are called then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated

import typer

from console.people import time_text
from console.screen import table_to_stdout
from feedhandler.calendars import CALENDARS, CMES, Calendar
from feedhandler.contracts import front_contract
from feedhandler.dates import date_of

app = typer.Typer(add_completion=False)
COLUMNS = ("day", "opens", "closes", "", "front ES")


@app.command()
def calendar(
    name: Annotated[str, typer.Argument(help="XNYS (US equities) or CMES (CME equity futures).")],
    start: Annotated[
        str, typer.Option("--from", help="First day: 2026-11-20; today without.")
    ] = "",
    days: Annotated[int, typer.Option(min=1, max=3660, help="How many days to show.")] = 10,
) -> int:
    """Show the sessions of a market and why the other days have none."""
    chosen = CALENDARS.get(name.upper())
    if chosen is None:
        raise typer.BadParameter(f"no calendar {name!r}: there are {', '.join(CALENDARS)}")
    try:
        first = date.fromisoformat(start) if start else date.today()
    except ValueError:
        raise typer.BadParameter(f"--from {start}: expected a day like 2026-11-20") from None
    table_to_stdout(COLUMNS, _rows(chosen, first, days), title=f"{chosen.name}: {chosen.title}")
    return 0


def _rows(chosen: Calendar, first: date, days: int) -> Iterator[tuple[str, ...]]:
    for ahead in range(days):
        day = first + timedelta(days=ahead)
        found = chosen.session(day)
        weekday = f"{day} {day:%a}"
        if found is None:
            yield weekday, "", "", chosen.why_closed(day), ""
            continue
        opens, closes = (_minute(ns, chosen.zone) for ns in (found.open_ns, found.close_ns))
        front = front_contract("ES", day).name() if chosen is CMES else ""
        yield weekday, opens, closes, found.early, front


def _minute(time_ns: int, zone: str) -> str:
    """Date and time to the minute, with the zone's name."""
    day, clock, name = time_text(time_ns, zone).split(" ")
    return f"{day} {clock[:5]} {name}"


def is_open(chosen: Calendar, now_ns: int) -> bool:
    """Whether a market is in a session at a time."""
    return chosen.session_of(now_ns).open_ns <= now_ns


def market_line(chosen: Calendar, now_ns: int) -> str:
    """Whether a market trades at a time and until when, or why not and when it does next."""
    found = chosen.session_of(now_ns)
    opens, closes = (_minute(ns, chosen.zone) for ns in (found.open_ns, found.close_ns))
    early = f" (early: {found.early})" if found.early else ""
    if is_open(chosen, now_ns):
        return f"{chosen.name}: open until {closes}{early}"
    today = date_of(now_ns, chosen.zone)
    why = chosen.why_closed(today)
    closed = f"closed today ({why})" if why else "closed now"
    return f"{chosen.name}: {closed}; next session {found.day}, {opens} to {closes}{early}"
