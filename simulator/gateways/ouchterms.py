"""OUCH 5.0 orders in the matching's terms, and the matching's words in OUCH's."""

from __future__ import annotations

from typing import Final

from feedhandler.actions import BUY, NO_PRICE, SELL
from feedhandler.wire.record import Values
from feedhandler.wire.tails import entries, integer
from simulator.gateways.terms import Terms, amount
from simulator.matching import records as r

UNIT: Final = 10_000  # 1e-8 currency units of the wire's 4 decimals
MARKET_PRICE: Final = 0x7FFFFFFF  # $214,748.3647
MOST_PRICE: Final = 1_999_999_900  # $199,999.99
SIDES: Final = {"B": BUY, "S": SELL, "T": SELL, "E": SELL}
POST: Final = r.POST_ONLY | r.SLIDE
# Kind of order and flags, by display.
DISPLAYS: Final = {
    "A": (r.LIMIT, 0),
    "Y": (r.LIMIT, 0),
    "Z": (r.LIMIT, 0),
    "N": (r.LIMIT, r.HIDDEN),
    "P": (r.LIMIT, POST),
    "L": (r.LIMIT, POST),
    "M": (r.MIDPOINT_PEG, 0),
    "m": (r.MIDPOINT_PEG, 0),
    "n": (r.MIDPOINT_PEG, 0),
    "W": (r.MIDPOINT_PEG, r.POST_ONLY),
    "O": (r.LIMIT, r.RETAIL),
    "T": (r.LIMIT, r.RETAIL),
}
TIMES: Final = {
    ("0", "N"): r.DAY,
    ("5", "N"): r.DAY,
    ("3", "N"): r.IOC,
    ("0", "O"): r.OPENING,
    ("0", "C"): r.CLOSING,
}
PEGS: Final = {"L": r.LIMIT, "M": r.MIDPOINT_PEG, "R": r.PRIMARY_PEG}

(CLOSED, DISPLAY, FLOOR, PEG, HALTED, SIDE, PROCESSING, FIRM, MINIMUM) = (
    2,
    3,
    4,
    5,
    7,
    9,
    10,
    12,
    13,
)
(OTHER, CROSSED, QUANTITY, CROSS, REPLACE, ROUTING, SYMBOL, PRICE, THRESHOLD) = (
    15, 18, 19, 20, 21, 22, 23, 29, 30,
)  # fmt: skip
QUOTE: Final = 1
REJECTS: Final = {
    r.WOULD_TAKE: CROSSED,
    r.UNKNOWN_ORDER: REPLACE,
    r.UNKNOWN_INSTRUMENT: SYMBOL,
    r.DUPLICATE_TOKEN: OTHER,
    r.BAD_PRICE: PRICE,
    r.BAD_QUANTITY: QUANTITY,
    r.BAD_TYPE: DISPLAY,
    r.HALTED: HALTED,
    r.CLOSED: CLOSED,
    r.OUTSIDE_BANDS: PRICE,
    r.NO_REFERENCE: QUOTE,
    r.NO_LIQUIDITY: QUOTE,
    r.BOOK_FULL: PROCESSING,
    r.RISK: FIRM,
    r.THROTTLED: PROCESSING,
}
CANCELS: Final = {
    r.BY_OWNER: "U",
    r.BY_MASS_CANCEL: "S",
    r.BY_DISCONNECT: "S",
    r.IOC_REMAINDER: "I",
    r.FOK_NOT_FILLED: "I",
    r.SELF_TRADE: "Q",
    r.END_OF_DAY: "E",
    r.WOULD_TAKE: "F",
    r.HALTED: "H",
    r.CLOSED: "E",
    r.OUTSIDE_BANDS: "X",
    r.NO_REFERENCE: "K",
    r.NO_LIQUIDITY: "C",
}
SYSTEM_CANCEL: Final = "Z"


def options_of(values: Values, group: str) -> Values:
    """The elements of an appendage, by name; of one that comes twice the last."""
    made: Values = {}
    for entry in entries(values, group):
        made.update(entry)
    return made


def terms_of(values: Values, options: Values) -> Terms | int:
    """The terms of an order, or the code of the reject.

    Args:
        values: side, quantity, price, time_in_force, display, inter_market_sweep_eligibility and
            cross_type.
    """
    display, cross = values["display"], str(values["cross_type"])
    time = TIMES.get((str(values["time_in_force"]), cross))
    if display not in DISPLAYS:
        return DISPLAY
    if values["side"] not in SIDES:
        return SIDE
    if cross not in ("N", "O", "C"):
        return CROSS
    if time is None:
        return OTHER
    kind, flags = DISPLAYS[str(display)]
    if values["inter_market_sweep_eligibility"] == "Y":
        flags |= r.SWEEP
    fault = bad_options(options)
    if fault:
        return fault
    pegged = PEGS.get(str(options.get("price_type") or "L"))
    if pegged is None:
        return PEG
    kind = kind if pegged == r.LIMIT else pegged
    if options.get("post_only") == "P":
        flags |= POST
    return priced(values, options, Terms(kind, time, flags, 0, 0, 0, 0, NO_PRICE))


def bad_options(options: Values) -> int:
    """The reject of what the venue does not do: routes and discretion; 0 for none."""
    if options.get("route"):
        return ROUTING
    return OTHER if options.get("discretion_peg_type") or options.get("discretion_price") else 0


def priced(values: Values, options: Values, terms: Terms) -> Terms | int:
    """The terms with prices and quantities, or the code of the reject."""
    wire, quantity = integer(values, "price"), integer(values, "quantity")
    minimum, floor = amount(options, "min_qty"), amount(options, "max_floor")
    if quantity == 0:
        return QUANTITY
    if minimum > quantity:
        return MINIMUM
    if floor > quantity:
        return FLOOR
    if wire > MOST_PRICE and wire != MARKET_PRICE:
        return PRICE
    price, cap, kind = wire * UNIT, NO_PRICE, terms.kind
    if kind == r.LIMIT and wire == MARKET_PRICE:
        kind, price = r.MARKET, 0
    elif kind != r.LIMIT:
        cap = price if 0 < wire < MARKET_PRICE else NO_PRICE
        price = amount(options, "peg_offset") * UNIT
    made = {"price": price, "cap": cap, "quantity": quantity, "display": floor, "minimum": minimum}
    return terms._replace(kind=kind, **made)


def liquidity_flag(liquidity: int, adding: bool, time_in_force: int) -> str:
    """The liquidity flag of an execution.

    Args:
        liquidity: the matching's code.
        adding: the order stood before; of midpoint executions alone the code does not say it.
        time_in_force: of the order; a cross is the closing one for those that were meant for it.
    """
    if liquidity == r.MIDPOINT:
        return "k" if adding else "m"
    if liquidity == r.CROSSED:
        return "L" if time_in_force == r.CLOSING else "M"
    return {r.ADDED: "A", r.REMOVED: "R", r.ADDED_HIDDEN: "J"}[liquidity]
