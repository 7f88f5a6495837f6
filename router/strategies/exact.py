"""Numbers of parents' files, exact: decimal text or numbers into integers, no float in between.

Every function raises ValueError with what was expected and what was found.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any, Final

from router.tables import PART

UNIT: Final = 100_000_000  # of a price, in a currency unit
MOST_PRICE: Final = 1_000_000 * UNIT
MOST_NS: Final = 86_400 * 1_000_000_000
NS_PER_MS: Final = 1_000_000
_SHOWN_CHARACTERS: Final = 40
_LARGEST_EXPONENT: Final = 30
_EXACT: Final = Context(prec=80, traps=[Inexact, InvalidOperation])


def shown(value: Any) -> str:
    """A value as an error names it."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def decimal_of(value: Any) -> Decimal | None:
    """Text, an integer or a Decimal as a finite Decimal of reasonable size; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except DecimalException:
        return None
    if not number.is_finite() or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        return None
    return number if len(number.as_tuple().digits) <= 2 * _LARGEST_EXPONENT else None


def scaled_whole(value: Any, scale: int) -> int | None:
    """value x scale where that is a whole number."""
    number = decimal_of(value)
    if number is None:
        return None
    product = _EXACT.multiply(number, Decimal(scale))
    return int(product) if product == product.to_integral_value() else None


def price(value: Any) -> int:
    """A price in 1e-8 currency units, from decimal text or a number of currency units."""
    units = scaled_whole(value, UNIT)
    if units is None or not 0 < units <= MOST_PRICE:
        raise ValueError(
            f'expected a price like "10.25", of up to 8 decimals and 1000000, found {shown(value)}'
        )
    return units


def part(value: Any) -> int:
    """A part in 1e-9, from a decimal number from 0 to 1."""
    units = scaled_whole(value, PART)
    if units is None or not 0 <= units <= PART:
        raise ValueError(f"expected a part from 0 to 1 of up to 9 decimals, found {shown(value)}")
    return units


def milliseconds(value: Any) -> int:
    """A length of time in ns, from milliseconds."""
    ns = scaled_whole(value, NS_PER_MS)
    if ns is None or not 0 <= ns <= MOST_NS:
        raise ValueError(f"expected milliseconds, up to a day, found {shown(value)}")
    return ns


def whole(value: Any) -> int:
    """A whole number, also as text."""
    found = scaled_whole(value, 1)
    if found is None:
        raise ValueError(f"expected a whole number, found {shown(value)}")
    return found


def number(value: Any) -> float:
    """A number from 0 on, for models that are computed in floats."""
    found = decimal_of(value)
    if found is None or found < 0:
        raise ValueError(f"expected a number of at least 0, found {shown(value)}")
    return float(found)


def flag(value: Any) -> bool:
    """True or false, also as text."""
    said = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(said, bool):
        raise ValueError(f"expected true or false, found {shown(value)}")
    return said


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Raises ValueError, naming the field, for what is no integer of that range."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name}: expected {least} to {most}, found {shown(value)}")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raises ValueError, naming the field, for what is none of the choices."""
    if value not in choices:
        listed = ", ".join(choices)
        raise ValueError(f"{name}: expected one of {listed}, found {shown(value)}")


def check_part(name: str, value: Any, least: int = 0, most: int = PART) -> None:
    """The same for a part in 1e-9, said in decimals."""
    if type(value) is not int or not least <= value <= most:
        low, high = (f"{Decimal(bound) / PART:f}" for bound in (least, most))
        found = f"{Decimal(value) / PART:f}" if type(value) is int else shown(value)
        raise ValueError(f"{name}: expected a part from {low} to {high}, found {found}")


def check_ns(name: str, value: Any, least: int = 0) -> None:
    """The same for a length of time in ns."""
    if type(value) is not int or not least <= value <= MOST_NS:
        bound = f"{Decimal(least) / NS_PER_MS:f} ms" if least else "0"
        raise ValueError(f"{name}: expected a time from {bound} to a day, found {shown(value)} ns")
