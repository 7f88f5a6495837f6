"""OUCH 4.2's orders and answers as forms.

Tokens are the numbers of orders in fourteen digits. The time in force is in seconds; there is no
shown quantity, no fill or kill and no good till cancelled.
"""

from __future__ import annotations

from typing import Final

from feedhandler.protocols.ouch42 import INBOUND, OUTBOUND, TOKEN_BYTES
from feedhandler.transports.soupbintcp import wrap
from feedhandler.wire.record import Record
from router import tables as t
from router.entry import ouch50forms as o
from router.entry.forms import (
    Choice,
    Constants,
    Encode,
    Form,
    Move,
    Values,
    code,
    digits,
    make_form,
    number,
    price,
)
from router.entry.letters import contradicts, side_of

MARKET_HOURS: Final = 99_998
TIMES: Final = {t.DAY: MARKET_HOURS, t.IOC: 0}
LETTERS: Final = (
    "buy_sell_indicator", "time_in_force", "display", "intermarket_sweep_eligibility",
)  # fmt: skip
FILL_PRICE: Final = "execution_price"
REPLACEMENT: Final = "replacement_order_token_token_14"
REPLACED: Final = "replacement_order_token_alphanumeric_14"


def token(name: str = "order_token", word: str = "token") -> Move:
    """A token."""
    return digits(name, word, TOKEN_BYTES)


def letters(given: Choice) -> Values | None:
    """The letters of an order; None where OUCH has none."""
    side, display = side_of(given, o.SIDES), o.display_letter(given)
    if side is None or display is None or given.tif not in TIMES or contradicts(given):
        return None
    sweep = "Y" if given.has(t.ISO) else "N"
    made: Values = {"buy_sell_indicator": side, "display": display}
    return {**made, "time_in_force": TIMES[given.tif], "intermarket_sweep_eligibility": sweep}


def encoder(record: Record, packet: str, constants: Values) -> Encode:
    """The plain encoder of a message in its packet."""
    return lambda values: wrap(packet, record.encode({**constants, **values}))


def order(name: str, code_: str, constants: Values, *moves: Move, full: bool = True) -> Form:
    """A message of the client."""
    record = INBOUND[code_]
    chosen = tuple(item for item in LETTERS if item in record.by_name)
    encode, said = encoder(record, "U", constants), (letters, chosen) if chosen else None
    unsaid = ("shown",) if full else ()
    return make_form(name, encode, record.by_name, moves, o.SHAPE, said, unsaid)


def order_forms(constants: Constants) -> dict[str, Form]:
    """The orders of a session in an instrument, by the names in `forms.ORDERS`."""
    terms = (number("shares", "quantity"), o.PRICE, number("minimum_quantity", "minimum"))
    fixed: Values = {"stock": constants.symbol, "firm": constants.firm, "cross_type": "N"}
    fixed["capacity"] = constants.capacity
    enter = (token(), *terms, Move("stock", "symbol", written=False))
    replace = (token(REPLACEMENT), token("existing_order_token", "old_token"), *terms)
    return {
        "enter": order("enter order", "O", fixed, *enter),
        "enter full": order("enter order", "O", fixed, *enter),
        "replace": order("replace order", "U", {}, *replace),
        "replace full": order("replace order", "U", {}, *replace),
        "cancel": order("cancel order", "X", {}, token(word="old_token"), full=False),
    }


def reply(name: str, code_: str, constants: Values, *moves: Move, terms: bool = False) -> Form:
    """A message of the venue."""
    record = OUTBOUND[code_]
    given = (number("timestamp", "day_ns"), *moves)
    said = (letters, LETTERS) if terms else None
    return make_form(name, encoder(record, "S", constants), record.by_name, given, o.SHAPE, said)


def reply_forms(constants: Constants) -> dict[str, Form]:
    """The answers of a venue, by the names in `forms.REPLIES`."""
    fixed: Values = {"firm": constants.firm, "capacity": constants.capacity, "cross_type": "N"}
    fixed["order_state"] = "L"
    stands = (
        number("shares", "leaves"),
        o.PRICE,
        number("stock", "symbol"),
        number("minimum_quantity", "minimum"),
        number("order_reference_number", "venue_order"),
    )
    fill = (
        token(),
        number("executed_shares", "quantity"),
        price(FILL_PRICE),
        code("liquidity_flag", "liquidity", o.LIQUIDITY),
        number("match_number", "execution"),
    )
    canceled = (number("decrement_shares", "quantity"), number("cancel_order_reason", "reason"))
    refused = (token(), number("rejected_order_reason", "reason"))
    replaced = (token(REPLACED), token("previous_order_token", "old_token"))
    return {
        "accepted": reply("accepted", "A", fixed, token(), *stands, terms=True),
        "executed": reply("executed", "E", {}, *fill),
        "canceled": reply("canceled", "C", {}, token(), *canceled),
        "rejected": reply("rejected order", "J", {}, *refused),
        "replaced": reply("replaced", "U", fixed, *replaced, *stands, terms=True),
        "replace rejected": reply("rejected order", "J", {}, *refused),
        "cancel rejected": reply("cancel reject", "I", {}, token()),
    }
