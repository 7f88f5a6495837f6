"""MEO orders in the matching's terms, and the matching's words in MEO's.

The layout names its statuses up to `M` and no reasons of cancels: letters beyond it, the liquidity
indicators and the meaning of the self trade instructions are this venue's own. So is that what the
layout leaves open (repricing letters, routes, collars, display ranges) is refused when it is asked
for, rather than passed over.
"""

from __future__ import annotations

from typing import Final

from feedhandler.actions import BUY, NO_PRICE, SELL
from feedhandler.protocols.miax_meo import INSTRUCTIONS, MIAX_MEO
from feedhandler.wire.record import Values
from simulator.gateways.terms import Terms, amount, word
from simulator.matching import records as r

UNIT: Final = 100  # 1e-8 currency units of the wire's 6 decimals
MOST_PRICE: Final = 10**12  # a million currency units
SIDES: Final = (BUY, SELL)
TIMES: Final = {"R": r.DAY, "I": r.IOC}
KINDS: Final = {
    "1": r.LIMIT,
    "2": r.MARKET,
    "M": r.MIDPOINT_PEG,
    "m": r.MIDPOINT_PEG,
    "R": r.PRIMARY_PEG,
    "r": r.PRIMARY_PEG,
}
PEGS: Final = (r.MIDPOINT_PEG, r.PRIMARY_PEG)
MODES: Final = (r.STP_NONE, r.STP_CANCEL_NEW, r.STP_CANCEL_OLD, r.STP_CANCEL_BOTH, r.STP_DECREMENT)
NOT_DONE: Final = (
    "price_sliding_and_reprice_frequency",
    "routing",
    "trading_collar_dollar_value",
    "display_range_qty",
)
SUCCESSFUL: Final = " "
# Statuses of the layout, and behind them our own.
DUPLICATE, CLOSED, UNAVAILABLE, NO_ORDER, NO_PREVENTION, BLOCKED = "A", "B", "C", "D", "G", "H"
BAD_PRICE, BAD_SIZE, LIMITED, BAD_ID, NO_SYMBOL = "J", "K", "L", "O", "S"
BAD_TERMS, HALTED, OUTSIDE, NO_QUOTE, TOO_MANY, TAKES, UNFORESEEN = (
    "Y",
    "U",
    "V",
    "Q",
    "R",
    "W",
    "Z",
)
OWN: Final = {
    BAD_ID: "invalid client order id",
    NO_SYMBOL: "invalid symbol id",
    BAD_TERMS: "an instruction that the venue does not do",
    HALTED: "halted",
    OUTSIDE: "outside the price bands",
    NO_QUOTE: "no reference price, or no liquidity",
    TOO_MANY: "too many open orders or requests",
    TAKES: "post only order would remove liquidity",
    UNFORESEEN: "undefined reason",
}
REJECTS: Final = {
    r.WOULD_TAKE: TAKES,
    r.UNKNOWN_ORDER: NO_ORDER,
    r.UNKNOWN_INSTRUMENT: NO_SYMBOL,
    r.DUPLICATE_TOKEN: DUPLICATE,
    r.BAD_PRICE: BAD_PRICE,
    r.BAD_QUANTITY: BAD_SIZE,
    r.BAD_TYPE: BAD_TERMS,
    r.HALTED: HALTED,
    r.CLOSED: CLOSED,
    r.OUTSIDE_BANDS: OUTSIDE,
    r.NO_REFERENCE: NO_QUOTE,
    r.NO_LIQUIDITY: NO_QUOTE,
    r.BOOK_FULL: UNAVAILABLE,
    r.RISK: LIMITED,
    r.THROTTLED: TOO_MANY,
}
CANCELS: Final = {
    r.BY_OWNER: "U",
    r.BY_MASS_CANCEL: "M",
    r.BY_DISCONNECT: "D",
    r.IOC_REMAINDER: "I",
    r.FOK_NOT_FILLED: "I",
    r.SELF_TRADE: "S",
    r.END_OF_DAY: "E",
    r.WOULD_TAKE: "W",
    r.HALTED: "H",
    r.CLOSED: "C",
    r.OUTSIDE_BANDS: "V",
    r.NO_REFERENCE: "Q",
    r.NO_LIQUIDITY: "Q",
    r.RISK: "L",
}
LIQUIDITY: Final = {
    r.ADDED: "A",
    r.REMOVED: "R",
    r.ADDED_HIDDEN: "H",
    r.MIDPOINT: "M",
    r.CROSSED: "X",
}


def parts_of(values: Values) -> dict[str, int]:
    """The order instructions, taken apart."""
    packed = amount(values, INSTRUCTIONS.name)
    return {part.name: part.of(packed) for part in INSTRUCTIONS.parts}


def side_of(values: Values) -> int:
    """The matching's side of an order."""
    return SIDES[parts_of(values)["side"]]


def good_id(text: str) -> bool:
    """Whether a client order id is printable ASCII without blanks."""
    return bool(text) and all("!" <= c <= "~" for c in text)


def prevention(values: Values) -> int:
    """The self trade instruction of an order."""
    packed = amount(values, "self_trade_protection")
    (_, instruction) = MIAX_MEO["N1"].by_name["self_trade_protection"].parts
    return instruction.of(packed)


def bad_instructions(values: Values, parts: dict[str, int]) -> bool:
    """Whether something is asked for that the venue does not do."""
    more = parts["cancel_if_not_nbbo_setter"] or parts["short_sale_indicator"] > 2
    return bool(more or any(values.get(name) for name in NOT_DONE))


def flags_of(parts: dict[str, int]) -> int:
    """The flags of an order but those of self-trade prevention."""
    made = 0 if parts["displayed"] else r.HIDDEN
    made |= r.POST_ONLY if parts["post_only"] else 0
    made |= r.SWEEP if parts["iso"] else 0
    return made | (r.RETAIL if parts["retail_order"] else 0)


def terms_of(values: Values, quantity: int) -> Terms | str:
    """The terms of an order, or the status of the refusal.

    Args:
        values: of a new order, or of one as modified.
        quantity: open shares.
    """
    kind, time = KINDS.get(word(values, "order_type")), TIMES.get(word(values, "time_in_force"))
    parts, asked = parts_of(values), prevention(values)
    if kind is None or time is None or bad_instructions(values, parts):
        return BAD_TERMS
    if asked >= len(MODES):
        return NO_PREVENTION
    price, offset = amount(values, "price"), amount(values, "peg_offset")
    if not max(price, abs(offset)) <= MOST_PRICE:
        return BAD_PRICE
    price, cap, flags = price * UNIT, NO_PRICE, flags_of(parts)
    if kind in PEGS:
        price, cap, flags = offset * UNIT, price if price > 0 else NO_PRICE, flags & ~r.HIDDEN
    elif kind == r.MARKET:
        price, flags = 0, flags & ~r.HIDDEN
    display, minimum = amount(values, "max_floor_qty"), amount(values, "min_qty")
    return Terms(kind, time, flags, price, quantity, display, minimum, cap, MODES[asked])
