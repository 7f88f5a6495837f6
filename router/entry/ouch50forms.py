"""OUCH 5.0's orders and answers as forms.

A replace or cancel states the whole quantity, executed shares included; a cancel's 0 is all. There
is no fill or kill, no good till cancelled, and no hidden order that only adds.
"""

from __future__ import annotations

from typing import Final

from feedhandler.protocols.ouch50 import INBOUND, OPTIONS, OUTBOUND
from feedhandler.transports.soupbintcp import HEADER_BYTES, wrap
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record
from router import tables as t
from router.entry.forms import (
    Choice,
    Constants,
    Encode,
    Form,
    Move,
    Values,
    code,
    make_form,
    number,
    price,
)
from router.entry.letters import contradicts, side_of

MARKET_PRICE: Final = 0x7FFFFFFF
MOST_PRICE: Final = 1_999_999_900  # $199,999.99
SHAPE: Final = ((0, HEADER_BYTES + 1),)  # length, kind of packet, code
LETTERS: Final = ("side", "time_in_force", "display", "inter_market_sweep_eligibility")
LIQUIDITY: Final = ("", "A", "R", "J", "k", "M")
SIDES: Final = ("B", "S", "T", "E")
DISPLAYS: Final = {
    0: "Y",
    t.NOT_SHOWN: "N",
    t.POST_ONLY: "P",
    t.MIDPOINT: "M",
    t.MIDPOINT | t.NOT_SHOWN: "M",
    t.MIDPOINT | t.POST_ONLY: "W",
    t.MIDPOINT | t.POST_ONLY | t.NOT_SHOWN: "W",
}
TIMES: Final = {t.DAY: "0", t.IOC: "3"}
PRICE: Final = price(zero=MARKET_PRICE, high=MOST_PRICE)
FULL: Final = ("min_qty", "max_floor")


def display_letter(given: Choice) -> str | None:
    """How an order is shown."""
    return DISPLAYS.get(given.flags & (t.NOT_SHOWN | t.POST_ONLY | t.MIDPOINT))


def letters(given: Choice) -> Values | None:
    """The letters of an order; None where OUCH has none."""
    side, display, tif = side_of(given, SIDES), display_letter(given), TIMES.get(given.tif)
    if side is None or display is None or tif is None or contradicts(given):
        return None
    sweep = "Y" if given.has(t.ISO) else "N"
    made: Values = {"side": side, "display": display, "time_in_force": tif}
    made["inter_market_sweep_eligibility"] = sweep
    return made


def encoder(record: Record, packet: str, constants: Values, *, appendage: str = "") -> Encode:
    """The plain encoder of a message in its packet; options go to the appendage."""

    def encode(values: Values) -> bytes:
        given = {**constants, **values}
        if appendage:
            tag = f"{appendage.removesuffix('_appendage')}_optional_field"
            numbers = {option.name: n for n, option in OPTIONS.items()}
            given[appendage] = [{tag: numbers[name], name: given.pop(name, 0)} for name in FULL]
        return wrap(packet, record.encode(given))

    return encode


def of(record: Record) -> dict[str, Field]:
    """The fields of a message and of its options."""
    return {**record.by_name, **{option.name: option for option in OPTIONS.values()}}


def order(name: str, code_: str, constants: Values, *moves: Move, appendage: str = "") -> Form:
    """A message of the client."""
    record = INBOUND[code_]
    chosen = tuple(item for item in LETTERS if item in record.by_name)
    full = [number("min_qty", "minimum"), number("max_floor", "shown")] if appendage else []
    encode = encoder(record, "U", constants, appendage=appendage)
    said = (letters, chosen) if chosen else None
    return make_form(name, encode, of(record), (*moves, *full), SHAPE, said)


def order_forms(constants: Constants) -> dict[str, Form]:
    """The orders of a session in an instrument, by the names in `forms.ORDERS`."""
    token, old = number("user_ref_num", "token"), number("orig_user_ref_num", "old_token")
    terms = (number("quantity", "quantity"), PRICE)
    fixed: Values = {"symbol": constants.symbol, "capacity": constants.capacity, "cross_type": "N"}
    enter = (token, *terms, Move("symbol", "symbol", written=False))
    return {
        "enter": order("enter order", "O", fixed, *enter),
        "enter full": order("enter order", "O", fixed, *enter, appendage="enter_order_appendage"),
        "replace": order("replace order", "U", {}, token, old, *terms),
        "replace full": order(
            "replace order", "U", {}, token, old, *terms, appendage="replace_order_appendage"
        ),
        "cancel": order("cancel order", "X", {}, number("user_ref_num", "old_token")),
    }


def reply(name: str, code_: str, constants: Values, *moves: Move, terms: bool = False) -> Form:
    """A message of the venue."""
    record = OUTBOUND[code_]
    given = (number("timestamp", "day_ns"), *moves)
    said = (letters, LETTERS) if terms else None
    return make_form(name, encoder(record, "S", constants), of(record), given, SHAPE, said)


def reply_forms(constants: Constants) -> dict[str, Form]:
    """The answers of a venue, by the names in `forms.REPLIES`."""
    token, old = number("user_ref_num", "token"), number("orig_user_ref_num", "old_token")
    fixed: Values = {"capacity": constants.capacity, "cross_type": "N", "order_state": "L"}
    stands = (
        token,
        number("quantity", "leaves"),
        PRICE,
        number("symbol", "symbol"),
        number("order_reference_number", "venue_order"),
    )
    fill = (
        token,
        number("quantity", "quantity"),
        price(),
        code("liquidity_flag", "liquidity", LIQUIDITY),
        number("match_number", "execution"),
    )
    canceled = (token, number("quantity", "quantity"), number("cancel_order_reason", "reason"))
    refused = (token, number("rejected_order_reason", "reason"))
    return {
        "accepted": reply("order accepted", "A", fixed, *stands, terms=True),
        "executed": reply("order executed", "E", {}, *fill),
        "canceled": reply("canceled", "C", {}, *canceled),
        "rejected": reply("rejected order", "J", {}, *refused),
        "replaced": reply("replaced", "U", fixed, old, *stands, terms=True),
        "replace rejected": reply("rejected order", "J", {}, *refused),
        "cancel rejected": reply("cancel reject", "I", {}, token),
    }
