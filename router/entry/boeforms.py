"""BOE v2's orders and answers as forms.

Client order ids are the numbers of orders in fifteen digits. A modify states the whole quantity,
executed shares included. Hidden orders that only add exist; a sweep pegged to the midpoint does
not. `RETURNS` is what a login has to ask for, so that answers look like the reply forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from feedhandler.protocols import cboe_boe_fields as optional
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.wire.field import Field
from feedhandler.wire.presence import Presence
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
    digits,
    make_form,
    number,
    price,
)
from router.entry.letters import contradicts, side_of

TOKEN_DIGITS: Final = 15  # what the quick way of reading numbers takes
TIMES: Final = {t.DAY: "0", t.IOC: "3", t.FOK: "4", t.GTC: "1"}
SIDES: Final = ("1", "2", "5", "6")
BOOK_ONLY, POST_ONLY, INVISIBLE, VISIBLE = "B", "P", "I", "V"
BASE: Final = ("", "A", "R", "A", "A", "C")  # by liquidity
SUB: Final = ("", "", "", "H", "m", "")
ENTER, CANCEL, MODIFY = 0x38, 0x39, 0x3A
CHOSEN: Final = "side exec_inst ord_type time_in_force routing_inst display_indicator".split()
RETURNED: Final[Mapping[int, tuple[str, ...]]] = {
    0x25: ("price", "leaves_qty"),
    0x27: ("price", "orig_cl_ord_id", "leaves_qty"),
    0x28: ("price", "leaves_qty"),
}


def return_bits(names: tuple[str, ...]) -> list[int]:
    """The return bitfields that ask for some fields."""
    asked = [item for item in optional.RETURNED if item.field.name in names]
    made = [0] * max(item.byte for item in asked)
    for item in asked:
        made[item.byte - 1] |= item.mask
    return made


RETURNS: Final = {kind: return_bits(names) for kind, names in RETURNED.items()}


def letters(given: Choice) -> Values | None:
    """The letters of an order; None where BOE has none."""
    side = side_of(given, SIDES)
    if side is None or given.tif not in TIMES or contradicts(given):
        return None
    midpoint = given.has(t.MIDPOINT)
    kind = "P" if midpoint else "1" if given.market else "2"
    made: Values = {"side": side, "ord_type": kind, "time_in_force": TIMES[given.tif]}
    made["exec_inst"] = "M" if midpoint else "f" if given.has(t.ISO) else ""
    made["routing_inst"] = POST_ONLY if given.has(t.POST_ONLY) else BOOK_ONLY
    made["display_indicator"] = INVISIBLE if given.has(t.NOT_SHOWN) else VISIBLE
    return made


def fields_of(record: Record) -> dict[str, Field]:
    """All fields of a message, those that bits announce as well."""
    announced = [
        item.field for tail in record.tails if isinstance(tail, Presence) for item in tail.fields
    ]
    return {**{item.name: item for item in announced}, **record.by_name}


def encoder(record: Record, constants: Values, announced: tuple[str, ...]) -> Encode:
    """The plain encoder of a message that has some of its optional fields, set or not."""
    known = fields_of(record)
    blank: Values = {name: 0 if known[name].is_integer else "" for name in announced}
    return lambda values: record.encode({**blank, **constants, **values})


def form(
    kind: int,
    constants: Values,
    *moves: Move,
    announced: tuple[str, ...] = (),
    chosen: tuple[str, ...] = (),
) -> Form:
    """A message; its shape is its head up to the code and its bitfields."""
    record = CBOE_BOE[kind]
    encode = encoder(record, constants, announced)
    count = encode({})[record.size - 1]
    shape = ((0, 5), (record.size - 1, record.size + count))
    given = (number("sequence_number", "sequence"), *moves)
    said = (letters, chosen) if chosen else None
    return make_form(record.name, encode, fields_of(record), given, shape, said)


def id_of(name: str, word: str) -> Move:
    """A client order id."""
    return digits(name, word, TOKEN_DIGITS)


def order_forms(constants: Constants) -> dict[str, Form]:
    """The orders of a session in an instrument, by the names in `forms.ORDERS`."""
    fixed: Values = {"symbol": constants.symbol, "capacity": constants.capacity}
    if constants.account:
        fixed["account"] = constants.account
    if constants.clearing_firm:
        fixed["clearing_firm"] = constants.clearing_firm
    token, old = id_of("cl_ord_id", "token"), id_of("orig_cl_ord_id", "old_token")
    terms = (number("order_qty", "quantity"), price())
    enter = (token, *terms, Move("symbol", "symbol", written=False))
    announced = ("price", *CHOSEN[1:])
    full = (number("min_qty", "minimum"), number("max_floor", "shown"))
    change, kinds = ("order_qty", "price", "ord_type", "exec_inst"), ("ord_type", "exec_inst")
    return {
        "enter": form(ENTER, fixed, *enter, announced=announced, chosen=tuple(CHOSEN)),
        "enter full": form(
            ENTER,
            fixed,
            *enter,
            *full,
            announced=(*announced, "min_qty", "max_floor"),
            chosen=tuple(CHOSEN),
        ),
        "replace": form(MODIFY, {}, token, old, *terms, announced=change, chosen=kinds),
        "replace full": form(
            MODIFY,
            {},
            token,
            old,
            *terms,
            number("max_floor", "shown"),
            announced=(*change, "max_floor"),
            chosen=kinds,
        ),
        "cancel": form(CANCEL, {}, old),
    }


def reply(kind: int, constants: Values, *moves: Move, time: str = "transaction_time") -> Form:
    """A message of the venue."""
    given = (number(time, "time_ns"), *moves)
    return form(kind, constants, *given, announced=RETURNED.get(kind, ()))


def reply_forms(constants: Constants) -> dict[str, Form]:
    """The answers of a venue, by the names in `forms.REPLIES`."""
    fixed: Values = {"matching_unit": constants.unit}
    token = id_of("cl_ord_id", "token")
    stands = (token, number("order_id", "venue_order"), price(), number("leaves_qty", "leaves"))
    fill = (
        token,
        number("exec_id", "execution"),
        number("last_shares", "quantity"),
        price("last_px"),
        number("leaves_qty", "leaves"),
        code("base_liquidity_indicator", "liquidity", BASE, is_read=False),
        code("sub_liquidity_indicator", "liquidity", SUB, is_read=False),
    )
    at = "transact_time"
    return {
        "accepted": reply(0x25, fixed, *stands, time=at),
        "executed": reply(0x2C, fixed, *fill),
        "canceled": reply(0x2A, fixed, token, number("cancel_reason", "reason"), time=at),
        "rejected": reply(0x26, {}, token, number("order_reject_reason", "reason")),
        "replaced": reply(0x27, fixed, *stands, id_of("orig_cl_ord_id", "old_token")),
        "replace rejected": reply(0x29, {}, token, number("modify_reject_reason", "reason")),
        "cancel rejected": reply(0x2B, {}, token, number("cancel_reject_reason", "reason")),
    }
