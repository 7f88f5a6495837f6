"""Whether a parent can be worked on at all: its times beside the session's, its contract's end."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from feedhandler.calendars import CMES
from feedhandler.contracts import why_expired
from feedhandler.dates import BILLION, zone_of
from router.strategies.hours import SessionHours
from router.strategies.parent import ParentOrder

OF_FUTURES: Final = (CMES.name,)


def check_window(order: ParentOrder, hours: SessionHours) -> None:
    """Raises ValueError for times outside of a session.

    A parent may not begin behind the close nor end before the open, and a schedule, which is cut
    into slices up to its end, may not end behind the close. Others that do are over with the day.
    """
    if order.start_ns and order.start_ns >= hours.close_ns:
        raise ValueError(f"start: {_at(order.start_ns, hours)} is not before {_close(hours)}")
    if order.end_ns and order.end_ns <= hours.open_ns:
        said = f"the open of {hours.day} at {_at(hours.open_ns, hours)}"
        raise ValueError(f"end: {_at(order.end_ns, hours)} is not behind {said}")
    if order.strategy.scheduled and order.end_ns > hours.close_ns:
        raise ValueError(f"end: {_at(order.end_ns, hours)} is behind {_close(hours)}")


def check_contract(order: ParentOrder, hours: SessionHours) -> None:
    """Raises ValueError for a future that does not trade any more on the session's date."""
    if hours.calendar in OF_FUTURES and (why := why_expired(order.symbol, hours.day)):
        raise ValueError(f"symbol: {why}")


def _close(hours: SessionHours) -> str:
    early = f" ({hours.early})" if hours.early else ""
    return f"the close of {hours.day} at {_at(hours.close_ns, hours)}{early}"


def _at(time_ns: int, hours: SessionHours) -> str:
    """The clock's time, with its date where it is not the session's."""
    when = datetime.fromtimestamp(time_ns // BILLION, zone_of(hours.zone))
    clock = f"{when:%H:%M:%S}"
    return clock if when.date() == hours.day else f"{when.date()} {clock}"
