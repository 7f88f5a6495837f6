"""MEO's orders and answers as forms.

Client order ids are the numbers of orders in fifteen digits. A modify is named like a new order and
states the whole quantity, executed shares included. A cancel has an id of its own: the order's with
`REQUEST` in it, so that it collides with none. There is no fill or kill, no good till cancelled, no
hidden sweep and no hidden order that only adds. Orders are not routed on.

From general knowledge: that a blank repricing letter and the routing instruction 0 are what a plain
order has, and that a midpoint peg may say that it is displayed, which it never is. Try them against
the venue's test system first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from feedhandler.protocols.miax_meo import CHANGES, INSTRUCTIONS, MIAX_MEO
from feedhandler.transports.esesm import ESESM, HEADER_BYTES, SEQUENCED, UNSEQUENCED, wrap
from feedhandler.wire.record import Record
from router import tables as t
from router.entry.forms import (
    Choice,
    Constants,
    Encode,
    Form,
    Letters,
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
REQUEST: Final = 1 << 48  # in the id of a request that is no order; with it 15 digits still do
ENGINE: Final = 1  # of answers
TIMES: Final = {t.DAY: "R", t.IOC: "I"}
SIDES: Final = ("00", "10", "11", "12")  # side, short sale indicator
LIQUIDITY: Final = ("", "A", "R", "H", "M", "X")
CHOSEN: Final = (INSTRUCTIONS.name, "time_in_force", "order_type")
SHIFTS: Final = {part.name: part.shift for part in INSTRUCTIONS.parts}
OUTER: Final = ESESM[SEQUENCED]


def letters(given: Choice) -> Values | None:
    """The instructions and letters of an order; None where MEO has none."""
    side = side_of(given, SIDES)
    if side is None or given.tif not in TIMES or contradicts(given):
        return None
    midpoint, hidden = given.has(t.MIDPOINT), given.has(t.NOT_SHOWN)
    if hidden and not midpoint and (given.has(t.ISO) or given.has(t.POST_ONLY)):
        return None
    bits = {
        "side": int(side[0]),
        "short_sale_indicator": int(side[1]),
        "displayed": int(not hidden),
        "post_only": int(given.has(t.POST_ONLY)),
        "iso": int(given.has(t.ISO)),
    }
    kind = "M" if midpoint else "2" if given.market else "1"
    packed = sum(value << SHIFTS[name] for name, value in bits.items())
    return {INSTRUCTIONS.name: packed, "time_in_force": TIMES[given.tif], "order_type": kind}


def changed_letters(given: Choice) -> Values | None:
    """The instructions of a modify: the short sale as the order has it."""
    said = letters(given)
    if said is None:
        return None
    short = SIDES.index(side_of(given, SIDES) or SIDES[0]) - 1
    return {CHANGES.name: max(short, 0) << SHIFTS["short_sale_indicator"]}


def encoder(record: Record, constants: Values, packet: str) -> Encode:
    """The plain encoder of a message in its packet."""

    def encode(values: Values) -> bytes:
        given = {**constants, **values}
        sequence = given.pop(OUTER.fields[2].name, 0)
        assert isinstance(sequence, int)
        return wrap(packet, record.encode(given), sequence, ENGINE)

    return encode


def id_of(name: str, word: str) -> Move:
    """A client order id of an order."""
    return replace(digits(name, word, TOKEN_DIGITS), high=REQUEST - 1)


def order(
    kind: str, constants: Values, *moves: Move, said: tuple[Letters, tuple[str, ...]] | None = None
) -> Form:
    """A message of the client; its shape is its length, packet and code."""
    record = MIAX_MEO[kind]
    shape = ((0, HEADER_BYTES + 2),)
    encode = encoder(record, constants, UNSEQUENCED)
    return make_form(record.name, encode, record.by_name, moves, shape, said)


def order_forms(constants: Constants) -> dict[str, Form]:
    """The orders of a session in an instrument, by the names in `forms.ORDERS`."""
    about: Values = {"symbol_id": constants.symbol_id, "mpid": constants.firm}
    fixed: Values = {**about, "capacity": constants.capacity, "account": constants.account}
    token, old = id_of("client_order_id", "token"), id_of("original_client_order_id", "old_token")
    terms = (
        token,
        Move("symbol_id", "symbol", written=False),
        number("size", "quantity"),
        price(),
        number("min_qty", "minimum"),
        number("max_floor_qty", "shown"),
    )
    enter = order("N1", fixed, *terms, said=(letters, CHOSEN))
    change = order("M1", about, *terms, old, said=(changed_letters, (CHANGES.name,)))
    request = digits("client_order_id", "token", TOKEN_DIGITS)
    cancel = order("CO", about, request, old, Move("symbol_id", "symbol", written=False))
    return {
        "enter": enter,
        "enter full": enter,
        "replace": change,
        "replace full": change,
        "cancel": cancel,
    }


def reply(kind: str, constants: Values, *moves: Move, status: str = "") -> Form:
    """A message of the venue; a status tells it from others of its code."""
    record = MIAX_MEO[kind]
    fields = {**record.by_name, "sequence_number": OUTER.by_name["sequence_number"]}
    shape = [(0, HEADER_BYTES), (OUTER.size, OUTER.size + 2)]
    if status:
        at = OUTER.size + record.offset(status)
        shape.append((at, at + 1))
    given = (
        number("sequence_number", "sequence"),
        number("matching_engine_time", "time_ns"),
        number("symbol_id", "symbol"),
        *moves,
    )
    return make_form(record.name, encoder(record, constants, SEQUENCED), fields, given, shape)


def reply_forms(constants: Constants) -> dict[str, Form]:
    """The answers of a venue, by the names in `forms.REPLIES`."""
    fixed: Values = {"mpid": constants.firm}
    token, old = id_of("client_order_id", "token"), id_of("original_client_order_id", "old_token")
    request = digits("client_order_id", "token", TOKEN_DIGITS)
    venue, leaves = number("order_id", "venue_order"), number("leaves_qty", "leaves")
    fill = (
        token,
        number("execution_id", "execution"),
        number("trade_id", "execution"),
        price("last_price"),
        number("last_size", "quantity"),
        code("liquidity_indicator", "liquidity", LIQUIDITY),
        code("order_execution_instructions", "side", (0, 0, 1), is_read=False),
    )
    gone: Values = {**fixed, "pending_cancel_status": " "}
    return {
        "accepted": reply(
            "NR", fixed, token, venue, price(), number("size", "quantity"), status="order_status"
        ),
        "executed": reply("E1", {**fixed, "trade_status": "E"}, *fill),
        "canceled": reply("XN", gone, token, venue, number("cancel_reason", "reason")),
        "rejected": reply("NR", fixed, token, number("order_status", "reason")),
        "replaced": reply("MR", fixed, token, old, venue, price(), leaves, status="modify_status"),
        "replace rejected": reply("MR", fixed, token, number("modify_status", "reason")),
        "cancel rejected": reply("CR", fixed, request, number("cancel_status", "reason")),
    }
