"""Names of futures contracts: "ESZ6" is the S&P 500 E-mini of December 2026, or of 2016.

A name has a root, a month's letter and one digit of the year (or two). One digit says ten years
apart the same: which is meant follows from a day near which the name was used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from feedhandler.calendars import CMES, FRIDAY, nth

MONTHS: Final = "FGHJKMNQUVXZ"
DECADE, CENTURY = 10, 100
YEARS_BACK: Final = 1  # a contract of last year may still be spoken of
QUARTERLY: Final = ("ES", "NQ", "RTY", "YM", "MES", "MNQ", "M2K", "MYM")  # equity index futures
_NAME: Final = re.compile(r"([A-Z0-9]{1,6}?)([FGHJKMNQUVXZ])(\d{1,2})")


@dataclass(frozen=True)
class Contract:
    """One contract month of a future."""

    root: str
    year: int
    month: int

    def __post_init__(self) -> None:
        if not 1 <= self.month <= len(MONTHS):
            raise ValueError(f"{self.root}: month: expected 1 to 12, got {self.month}")

    def name(self, digits: int = 1) -> str:
        """The contract's name with so many digits of the year (1 or 2)."""
        year = self.year % (DECADE if digits == 1 else CENTURY)
        return f"{self.root}{MONTHS[self.month - 1]}{year:0{digits}d}"

    @property
    def last_day(self) -> date:
        """The last trading day of an equity index future: the third Friday of its month.

        Where that is no trading day, the one before. Raises ValueError for other roots, whose
        days follow other rules.
        """
        if self.root not in QUARTERLY:
            raise ValueError(f"{self.root}: no rule for its last trading day is known here")
        day = nth(self.year, self.month, FRIDAY, 3)
        while CMES.session(day) is None:
            day -= timedelta(days=1)
        return day


def year_near(digits: str, near: date) -> int:
    """The year that one or two digits mean: the first from the year before `near` on."""
    span = DECADE if len(digits) == 1 else CENTURY
    first = near.year - YEARS_BACK
    return first + (int(digits) - first) % span


def parse_contract(text: str, near: date) -> Contract:
    """A contract by its name.

    Args:
        text: "ESZ6" or "ESZ26".
        near: a day near which the name was used, as the session's.

    Raises:
        ValueError: it is no such name.
    """
    found = _NAME.fullmatch(text.strip().upper())
    if found is None:
        raise ValueError(f'{text!r}: expected a contract like "ESZ6" or "ESZ26"')
    root, letter, digits = found.groups()
    return Contract(root, year_near(digits, near), MONTHS.index(letter) + 1)


def contract_of(text: str, near: date) -> Contract | None:
    """As `parse_contract`; None where it is no such name."""
    try:
        return parse_contract(text, near)
    except ValueError:
        return None


def is_over(contract: Contract, day: date) -> bool:
    """Whether a contract does not trade any more on a day.

    By its last trading day where its rule is known, else by its month: contracts that end before
    their month begins (energy) are over earlier than this says.
    """
    if contract.root in QUARTERLY:
        return contract.last_day < day
    return (contract.year, contract.month) < (day.year, day.month)


def why_expired(text: str, day: date) -> str:
    """In words, why a symbol cannot be traded on a day; "" where it can or is no contract's name.

    "ESU6: its last trading day was 2026-09-18; ESZ6 is the front contract".
    """
    contract = contract_of(text, day)
    if contract is None or not is_over(contract, day):
        return ""
    if contract.root not in QUARTERLY:
        return f"{text}: its month, {contract.year}-{contract.month:02}, is over on {day}"
    front = front_contract(contract.root, day).name()
    return f"{text}: its last trading day was {contract.last_day}; {front} is the front contract"


def front_contract(root: str, day: date) -> Contract:
    """The quarterly contract of an equity index future that trades on a day and expires next."""
    for ahead in range(len(MONTHS) + 1):
        month = day.month - 1 + ahead
        made = Contract(root, day.year + month // 12, month % 12 + 1)
        if made.month % 3 == 0 and made.last_day >= day:
            return made
    raise AssertionError("a year has four quarters")
