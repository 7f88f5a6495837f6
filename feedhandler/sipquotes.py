"""National bests as the consolidated tapes say them: plain Python, from decoded messages.

Each quote of a tape says by an indicator whether the national best changed and where the new one
stands: in the quote itself, in an appendage behind it in a short or long form, or nowhere because
there is none. One side may change without the other (CQS); UQDF says both at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from feedhandler.feed import Message
from feedhandler.prices import multiplier
from feedhandler.wire.record import Values

NO_CHANGE, QUOTE, SHORT, LONG, NONE = "no change", "quote", "short", "long", "none"
# CQS: where the national bid and offer stand, by the national BBO indicator.
CQS_PLACES: Final = {
    "": (NO_CHANGE, NO_CHANGE),
    "A": (NO_CHANGE, NO_CHANGE),
    "B": (NO_CHANGE, QUOTE),
    "C": (NO_CHANGE, SHORT),
    "D": (NO_CHANGE, LONG),
    "E": (NO_CHANGE, NONE),
    "F": (QUOTE, NO_CHANGE),
    "G": (QUOTE, QUOTE),
    "H": (QUOTE, SHORT),
    "I": (QUOTE, LONG),
    "J": (QUOTE, NONE),
    "K": (NONE, NO_CHANGE),
    "L": (NONE, QUOTE),
    "M": (NONE, SHORT),
    "N": (NONE, LONG),
    "O": (NONE, NONE),
    "P": (SHORT, NO_CHANGE),
    "Q": (LONG, NO_CHANGE),
    "R": (SHORT, QUOTE),
    "S": (LONG, QUOTE),
    "T": (SHORT, SHORT),
    "U": (LONG, LONG),
    "V": (SHORT, NONE),
    "W": (LONG, NONE),
}
# UQDF: where both stand, by the NBBO appendage indicator.
UQDF_PLACES: Final = {"0": NO_CHANGE, "1": NONE, "2": SHORT, "3": LONG, "4": QUOTE}
BANDED: Final = ("0", "9")  # the prices of such a CQS quote are price bands
CQS_QUOTES: Final = {
    "QL": ("bid_price_lower_limit_price_band", "bid_size_long", 6),
    "QQ": ("bid_price_short", "bid_size_short", 2),
    "QS": ("bid_price_long", "bid_size_long", 6),
}
CQS_OFFERS: Final = {
    "QL": ("offer_price_upper_limit_price_band", "offer_size_long", 6),
    "QQ": ("offer_price_short", "offer_size_short", 2),
    "QS": ("offer_price_long", "offer_size_long", 6),
}


@dataclass(frozen=True)
class NationalSide:
    """What a tape says that one side of a national best is now.

    Attributes:
        symbol: as the tape spells it.
        side: "bid" or "offer".
        price: of 1e-8 units; 0 where there is none.
        size: as the tape counts it, round lots or shares.
        market: the letter of the market that shows it; "" where there is none.
    """

    symbol: str
    side: str
    price: int
    size: int
    market: str


def number(values: Values, name: str) -> int:
    """An integer among a message's values."""
    value = values[name]
    assert isinstance(value, int)
    return value


def text(values: Values, name: str) -> str:
    """A text among a message's values."""
    return str(values.get(name, ""))


def made(
    symbol: str, side: str, values: Values, names: tuple[str, str, int], market: str
) -> NationalSide:
    """One side with the price and size in the named fields."""
    price_name, size_name, decimals = names
    price = number(values, price_name) * multiplier(decimals)
    return NationalSide(symbol, side, price, number(values, size_name), market)


def cqs_sides(message: Message) -> Iterator[NationalSide]:
    """The sides of a national best that a CQS message changes."""
    code, values = str(message.record.code), message.values
    if code not in CQS_QUOTES or text(values, "security_status_indicator") in BANDED:
        return
    symbol = text(values, "security_symbol")
    places = CQS_PLACES.get(text(values, "national_bbo_indicator"), (NO_CHANGE, NO_CHANGE))
    own = (CQS_QUOTES[code], CQS_OFFERS[code])
    for side, place, names in zip(("bid", "offer"), places, own, strict=True):
        if place == QUOTE:
            yield made(symbol, side, values, names, text(values, "participant_id"))
        elif place in (SHORT, LONG):
            form = (f"best_{side}_price_{place}", f"best_{side}_size_{place}")
            market = text(values, f"best_{side}_participant_id")
            yield made(symbol, side, values, (*form, 2 if place == SHORT else 6), market)
        elif place == NONE:
            yield NationalSide(symbol, side, 0, 0, "")


def uqdf_sides(message: Message) -> Iterator[NationalSide]:
    """The sides of a national best that a UQDF message changes."""
    code, values = str(message.record.code), message.values
    if code not in ("QE", "QF"):
        return
    short = code == "QE"
    symbol = text(values, "symbol_short" if "symbol_short" in values else "symbol")
    place = UQDF_PLACES.get(text(values, "nbbo_appendage_indicator"), NO_CHANGE)
    for side, ours in (("bid", "bid"), ("ask", "offer")):
        if place == QUOTE:
            form = (f"{side}_price_short", f"{side}_size_short", 2)
            names = form if short else (f"{side}_price", f"{side}_size", 6)
            yield made(symbol, ours, values, names, text(values, "market_center_originator_id"))
        elif place == SHORT:
            start = f"national_best_{side}"
            names = (f"{start}_price_short", f"{start}_size_short", 2)
            yield made(symbol, ours, values, names, text(values, f"{start}_market_center"))
        elif place == LONG:
            names = (f"best_{side}_price", f"best_{side}_size", 6)
            yield made(symbol, ours, values, names, text(values, f"best_{side}_market_center"))
        elif place == NONE:
            yield NationalSide(symbol, ours, 0, 0, "")


READERS: Final[dict[str, Callable[[Message], Iterator[NationalSide]]]] = {
    "siac_cqs": cqs_sides,
    "nasdaq_uqdf": uqdf_sides,
}
