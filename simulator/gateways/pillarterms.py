"""Pillar orders in the matching's terms, and the matching's words in Pillar's.

NYSE publishes its reason codes and liquidity indicators apart from the message layouts, in a
document that was not at hand: those here are this venue's own.
"""

from __future__ import annotations

from typing import Any, Final

from feedhandler.actions import BUY, NO_PRICE, SELL
from feedhandler.protocols.pillar_gateway import ORDER_ADD_ON, ORDER_INSTRUCTIONS
from feedhandler.wire.record import Values
from simulator.gateways.terms import Terms, amount
from simulator.matching import records as r

MOST_PRICE: Final = 10**14  # a million currency units, 8 decimals as the matching's
SIDES: Final = {1: BUY, 2: SELL, 3: SELL, 4: SELL}
TIMES: Final = {1: r.DAY, 2: r.IOC, 3: r.OPENING, 4: r.CLOSING}
MARKET, LIMIT, PEGGED = 1, 2, 4
ISO, PRIMARY, MIDPOINT, HIDDEN = 4, 5, 7, 8
# Kind of order and flags, by order type and execution instruction.
KINDS: Final = {
    (MARKET, 0): (r.MARKET, 0),
    (MARKET, ISO): (r.MARKET, r.SWEEP),
    (LIMIT, 0): (r.LIMIT, 0),
    (LIMIT, ISO): (r.LIMIT, r.SWEEP),
    (LIMIT, HIDDEN): (r.LIMIT, r.HIDDEN),
    (LIMIT, MIDPOINT): (r.MIDPOINT_PEG, 0),
    (PEGGED, MIDPOINT): (r.MIDPOINT_PEG, 0),
    (PEGGED, PRIMARY): (r.PRIMARY_PEG, 0),
}
EXTENDED: Final = {0: 0, 1: r.POST_ONLY, 3: 0, 5: r.RETAIL, 6: r.RETAIL}
ROUTES: Final = (0, 1, 2)
CORE: Final = (2, 4, 5, 6)
CANCEL_INSTEAD: Final = 3
NO_PREVENTION: Final = 1
MODES: Final = {
    0: r.STP_NONE,
    NO_PREVENTION: r.STP_NONE,
    2: r.STP_CANCEL_NEW,
    3: r.STP_CANCEL_OLD,
    4: r.STP_CANCEL_BOTH,
    5: r.STP_DECREMENT,
}
(BAD_ID, BAD_SIDE, BAD_KIND, BAD_TIME, BAD_INSTRUCTION, BAD_ROUTE, TOO_MANY, NOT_ALLOWED) = range(
    101, 109
)
REASONS: Final = {reason: reason for reason in range(r.NO_REASON, r.REPRICED + 1)}
OWN: Final = {
    BAD_ID: "a client order id of 0",
    BAD_SIDE: "side",
    BAD_KIND: "order type with this execution instruction",
    BAD_TIME: "time in force or trading session",
    BAD_INSTRUCTION: "an instruction that the venue does not do",
    BAD_ROUTE: "routing instruction",
    TOO_MANY: "too many open orders or requests",
    NOT_ALLOWED: "a change that an order cannot have",
}
REASON_WORDS: Final = OWN | {
    r.BY_OWNER: "canceled by its owner",
    r.IOC_REMAINDER: "rest of an immediate order",
    r.FOK_NOT_FILLED: "not all of it could be filled",
    r.WOULD_TAKE: "post-only order would take",
    r.UNKNOWN_ORDER: "unknown order, or too late",
    r.UNKNOWN_INSTRUMENT: "unknown instrument",
    r.DUPLICATE_TOKEN: "client order id was used before",
    r.BAD_PRICE: "price",
    r.BAD_QUANTITY: "quantity",
    r.BAD_TYPE: "order type",
    r.HALTED: "halted",
    r.CLOSED: "closed",
    r.OUTSIDE_BANDS: "beyond the price bands",
    r.NO_REFERENCE: "no reference price",
    r.NO_LIQUIDITY: "no liquidity",
    r.BOOK_FULL: "no room",
    r.RISK: "refused by the venue's risk checks",
    r.THROTTLED: "too many messages",
}
LIQUIDITY: Final = {
    r.ADDED: "A",
    r.REMOVED: "R",
    r.ADDED_HIDDEN: "H",
    r.MIDPOINT: "M",
    r.CROSSED: "X",
}


def parts_of(instructions: int) -> dict[str, int]:
    """The order instructions, taken apart."""
    return {part.name: part.of(instructions) for part in ORDER_INSTRUCTIONS}


def add_on_of(values: Values) -> Values:
    """The order add-on, flat; empty where it is not given."""
    given: Any = values.get(ORDER_ADD_ON.name, {})
    return ORDER_ADD_ON.flatten(given)


def terms_of(values: Values, quantity: int) -> Terms | int:
    """The terms of an order, or the code of the reject.

    Args:
        values: of the request.
        quantity: open shares.
    """
    parts, add_on = parts_of(amount(values, "bitfield_order_instructions")), add_on_of(values)
    found = KINDS.get((parts["ord_type"], parts["exec_inst"]))
    time = TIMES.get(parts["time_in_force"])
    if parts["side"] not in SIDES:
        return BAD_SIDE
    if found is None:
        return BAD_KIND
    if time is None or parts["trading_session_id"] not in CORE:
        return BAD_TIME
    if parts["routing_inst"] not in ROUTES:
        return BAD_ROUTE
    if bad_instructions(parts, add_on):
        return BAD_INSTRUCTION
    kind, flags = found
    flags |= EXTENDED[parts["extended_exec_inst"]]
    if flags & r.POST_ONLY and parts["cancel_instead_of_reprice"] != CANCEL_INSTEAD:
        flags |= r.SLIDE
    price, offset = amount(values, "price"), amount(add_on, "offset_price")
    if max(abs(price), abs(offset)) > MOST_PRICE:
        return REASONS[r.BAD_PRICE]
    cap = NO_PRICE
    if kind in (r.MIDPOINT_PEG, r.PRIMARY_PEG):
        price, cap = offset, price if price > 0 else NO_PRICE
    elif kind == r.MARKET:
        price = 0
    display, minimum = amount(add_on, "max_floor"), amount(values, "min_qty")
    return Terms(
        kind, time, flags, price, quantity, display, minimum, cap, parts["self_trade_type"]
    )


def bad_instructions(parts: dict[str, int], add_on: Values) -> bool:
    """Whether something is asked for that the venue does not do."""
    unknown = parts["extended_exec_inst"] not in EXTENDED or parts["self_trade_type"] not in MODES
    special = parts["interest_type"] or parts["special_ord_type"] or parts["proactive_if_locked"]
    later = amount(add_on, "stop_px") or amount(add_on, "effective_time")
    return bool(unknown or special or later)
