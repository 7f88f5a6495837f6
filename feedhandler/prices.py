"""The one price scale of the house: integers of 1e-8 currency units."""

from __future__ import annotations

from feedhandler.actions import NO_PRICE, PRICE_DECIMALS


def multiplier(decimals: int) -> int:
    """What a wire price of so many decimals is multiplied by; ValueError beyond 8."""
    if not 0 <= decimals <= PRICE_DECIMALS:
        raise ValueError(f"{decimals} decimals do not fit the price scale of {PRICE_DECIMALS}")
    return int(10 ** (PRICE_DECIMALS - decimals))


def price_text(price: int, decimals: int = PRICE_DECIMALS) -> str:
    """A price as decimal text, exact, without trailing zeros; "none" for NO_PRICE.

    Args:
        price: integer of 10^-decimals currency units.
        decimals: its implied decimals.
    """
    if price == NO_PRICE:
        return "none"
    sign, digits = ("-" if price < 0 else ""), str(abs(price)).rjust(decimals + 1, "0")
    whole, part = digits[: len(digits) - decimals], digits[len(digits) - decimals :].rstrip("0")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
