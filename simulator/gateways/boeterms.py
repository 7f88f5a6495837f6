"""BOE orders in the matching's terms, and the matching's words in BOE's."""

from __future__ import annotations

from typing import Final, NamedTuple

from feedhandler.actions import BUY, NO_PRICE, SELL
from feedhandler.wire.record import Values
from simulator.gateways.terms import Terms, amount, word
from simulator.matching import records as r

UNIT: Final = 10_000  # 1e-8 currency units of the wire's 4 decimals
MOST_PRICE: Final = 10**10  # a million currency units
SIDES: Final = {"1": BUY, "2": SELL, "5": SELL, "6": SELL}
TIMES: Final = {
    "": r.DAY,
    "0": r.DAY,
    "R": r.DAY,
    "2": r.OPENING,
    "3": r.IOC,
    "4": r.FOK,
    "7": r.CLOSING,
}
PEGS: Final = {"M": r.MIDPOINT_PEG, "R": r.PRIMARY_PEG}
INVISIBLE: Final = "I"
SLIDES: Final = "SLM"
ISO: Final = "f"
POST_ONLY: Final = "P"
RETAIL: Final = "R"
NOT_DONE: Final = "stop_px expire_time discretion_amount symbol_sfx display_range".split()
MODES: Final = {
    "": r.STP_NONE,
    "N": r.STP_CANCEL_NEW,
    "O": r.STP_CANCEL_OLD,
    "B": r.STP_CANCEL_BOTH,
    "D": r.STP_DECREMENT,
    "d": r.STP_DECREMENT,
}
OTHER, TOO_LATE, DUPLICATE, NO_ORDER = "Z", "J", "D", "O"
NO_SYMBOL, TOO_MANY, ADMIN = "Y", "o", "A"
# Reason and text of rejects.
REJECTS: Final = {
    r.WOULD_TAKE: ("W", "would remove liquidity"),
    r.UNKNOWN_ORDER: (TOO_LATE, "too late"),
    r.UNKNOWN_INSTRUMENT: (NO_SYMBOL, "unknown symbol"),
    r.DUPLICATE_TOKEN: (DUPLICATE, "duplicate identifier"),
    r.BAD_PRICE: (OTHER, "invalid price"),
    r.BAD_QUANTITY: ("M", "invalid quantity"),
    r.BAD_TYPE: (OTHER, "invalid order type"),
    r.HALTED: ("H", "halted"),
    r.CLOSED: (ADMIN, "closed"),
    r.OUTSIDE_BANDS: ("u", "outside the price bands"),
    r.NO_REFERENCE: (OTHER, "no reference price"),
    r.NO_LIQUIDITY: ("N", "no liquidity"),
    r.BOOK_FULL: (TOO_MANY, "too many open orders"),
    r.RISK: ("m", "risk limit"),
    r.THROTTLED: ("K", "order rate"),
}
UNFORESEEN: Final = (OTHER, "unforeseen")
CANCELS: Final = {
    r.BY_OWNER: "U",
    r.BY_MASS_CANCEL: "U",
    r.BY_DISCONNECT: "A",
    r.IOC_REMAINDER: "N",
    r.FOK_NOT_FILLED: "N",
    r.SELF_TRADE: "V",
    r.END_OF_DAY: "X",
    r.WOULD_TAKE: "W",
    r.HALTED: "H",
    r.CLOSED: "A",
    r.OUTSIDE_BANDS: "u",
    r.NO_LIQUIDITY: "N",
    r.RISK: "m",
}
# Base and sub liquidity indicator and fee code of an execution.
LIQUIDITY: Final = {
    r.ADDED: ("A", "", "V"),
    r.REMOVED: ("R", "", "N"),
    r.ADDED_HIDDEN: ("A", "H", "HA"),
    r.MIDPOINT: ("A", "m", "MM"),
    r.CROSSED: ("C", "", "AO"),
}


class Refusal(NamedTuple):
    """Why an order is refused: the reason's code and a text."""

    code: str
    text: str


def unlike(what: str) -> Refusal:
    """A refusal of a field's value."""
    return Refusal(OTHER, f"{what} is not valid here")


def good_id(text: str) -> bool:
    """Whether a client order id is printable ASCII without the separators that Cboe excludes."""
    return bool(text) and all("!" <= c <= "~" and c not in ",;@|" for c in text)


def kind_of(values: Values) -> int | None:
    """The type of an order; None for one that the venue does not do."""
    kind, instruction = word(values, "ord_type"), word(values, "exec_inst")
    if kind == "P":
        return PEGS.get(instruction)
    if instruction not in ("", ISO):
        return None
    return {"": r.LIMIT, "1": r.MARKET, "2": r.LIMIT}.get(kind)


def flags_of(values: Values) -> int:
    """The flags of an order but those of self-trade prevention."""
    made = 0
    display = word(values, "display_indicator")
    if display == INVISIBLE:
        made |= r.HIDDEN
    if word(values, "routing_inst").startswith(POST_ONLY):
        made |= r.POST_ONLY | (r.SLIDE if display and display in SLIDES else 0)
    if word(values, "exec_inst") == ISO:
        made |= r.SWEEP
    return made | (r.RETAIL if word(values, "ext_exec_inst") == RETAIL else 0)


def terms_of(values: Values, quantity: int) -> Terms | Refusal:
    """The terms of an order, or why it is refused.

    Args:
        values: of a new order, or of one as modified.
        quantity: open shares.
    """
    kind, time = kind_of(values), TIMES.get(word(values, "time_in_force"))
    mode = MODES.get(word(values, "prevent_match")[:1])
    for name in NOT_DONE:
        if values.get(name):
            return unlike(name)
    if word(values, "side") not in SIDES:
        return unlike("side")
    if kind is None:
        return unlike("ord_type or exec_inst")
    if time is None:
        return unlike("time_in_force")
    if mode is None:
        return unlike("prevent_match")
    price, offset = amount(values, "price"), amount(values, "peg_difference")
    if not max(abs(price), abs(offset)) <= MOST_PRICE:
        return unlike("price")
    price, cap = price * UNIT, NO_PRICE
    if kind in (r.MIDPOINT_PEG, r.PRIMARY_PEG):
        price, cap = offset * UNIT, price if price > 0 else NO_PRICE
    elif kind == r.MARKET:
        price = 0
    display, minimum = amount(values, "max_floor"), amount(values, "min_qty")
    return Terms(kind, time, flags_of(values), price, quantity, display, minimum, cap, mode)
