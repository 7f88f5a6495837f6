"""What a run with orders is told: venues, limits, parents; read and checked before it starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedhandler.calendars import XNYS, Calendar
from feedhandler.symbols import SymbolMaster
from nic.configfile import ConfigError, load
from router.parentfile import ParentOrder, SessionHours, read_parents
from router.risk.limits import Limits
from router.strategies.hours import hours_at
from router.venuefile import RoutedVenue, load_venues


@dataclass(frozen=True)
class Setup:
    """The files of a run.

    Attributes:
        venues_path, limits_path, parents_path: the files.
        venues: where orders can go.
        accounts: names, in the order of their numbers from 1 on.
        parents: what is wanted.
        hours: of the session.
        seed: of all that is drawn.
    """

    venues_path: Path
    limits_path: Path
    parents_path: Path
    venues: tuple[RoutedVenue, ...]
    accounts: tuple[str, ...]
    parents: tuple[ParentOrder, ...]
    hours: SessionHours
    seed: int


def read_setup(
    venues: Path, limits: Path, parents: Path, first_ns: int, seed: int, calendar: Calendar = XNYS
) -> Setup:
    """Reads the files. Raises ConfigError, one line that names file and key.

    `first_ns` is the time of the first packet: what is to start before starts then. `calendar` says
    which session that is in.
    """
    hours = hours_at(first_ns, calendar)
    wanted = tuple(read_parents(parents, hours))
    if not wanted:
        raise ConfigError(f"{parents}: expected at least one parent order")
    accounts = tuple(account.name for account in load(limits, Limits).accounts)
    for order in wanted:
        if order.account not in accounts:
            known = ", ".join(accounts)
            raise ConfigError(
                f"{parents}: parent {order.name}: account {order.account!r} has no limits in "
                f"{limits}; those that have: {known}"
            )
    return Setup(venues, limits, parents, load_venues(venues), accounts, wanted, hours, seed)


def check_symbols(setup: Setup, master: SymbolMaster) -> None:
    """Raises ConfigError for a parent in an instrument that no venue of the captures names."""
    for order in setup.parents:
        if master.number_of(order.symbol) <= 0:
            raise ConfigError(
                f"{setup.parents_path}: parent {order.name}: symbol {order.symbol!r}: "
                "no venue in these captures names it"
            )
