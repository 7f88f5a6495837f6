"""Pillar's orders and answers as forms.

A replace is a new order that names the one it replaces; it states the whole quantity, executed
shares included. A cancel has an id of its own: the order's with `REQUEST` in it, so that it
collides with none and the answer to it is still told to the order. There is no fill or kill, no
good till cancelled, no hidden sweep and no hidden order that only adds.
"""

from __future__ import annotations

from typing import Final

from feedhandler.protocols.pillar_gateway import ORDER_ADD_ON, ORDER_INSTRUCTIONS, PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG, wrap
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record, Value
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
    make_form,
    number,
    price,
)
from router.entry.letters import contradicts, side_of

REQUEST: Final = 1 << 62  # in the id of a request that is no order
MOST_PRICE: Final = 10**14  # a million currency units
NEW, CANCEL = 0x0240, 0x0280
INSTRUCTIONS: Final = "bitfield_order_instructions"
SIDES: Final = ("1", "2", "3", "4")
CAPACITIES: Final = {"A": 1, "P": 2, "R": 3}
TIMES: Final = {t.DAY: 1, t.IOC: 2}
MARKET, LIMIT, PEGGED = 1, 2, 4
ISO, MIDPOINT, NOT_DISPLAYED, ADD_LIQUIDITY_ONLY = 4, 7, 8, 1
EXECUTIONS: Final = {
    0: 0,
    t.ISO: ISO,
    t.NOT_SHOWN: NOT_DISPLAYED,
    t.MIDPOINT: MIDPOINT,
    t.MIDPOINT | t.NOT_SHOWN: MIDPOINT,
}
NON_ROUTABLE, CORE_SESSION = 1, 2
LIQUIDITY: Final = ("", "A", "R", "H", "M", "X")
SEQUENCED: Final = PILLAR_STREAM[SEQ_MSG]
PRICE: Final = price(high=MOST_PRICE)


def parts(given: Choice, capacity: int) -> dict[str, int] | None:
    """The order instructions taken apart; None where Pillar has none."""
    side = side_of(given, SIDES)
    execution = EXECUTIONS.get(given.flags & (t.ISO | t.NOT_SHOWN | t.MIDPOINT))
    if side is None or execution is None or given.tif not in TIMES or contradicts(given):
        return None
    adds = given.has(t.POST_ONLY)
    if (adds or given.market) and execution == NOT_DISPLAYED:
        return None
    kind = MARKET if given.market else LIMIT
    if given.market and execution == MIDPOINT:
        kind = PEGGED
    return {
        "side": int(side),
        "ord_type": kind,
        "exec_inst": execution,
        "extended_exec_inst": ADD_LIQUIDITY_ONLY if adds else 0,
        "routing_inst": NON_ROUTABLE,
        "time_in_force": TIMES[given.tif],
        "trading_session_id": CORE_SESSION,
        "order_capacity": capacity,
    }


def letters_for(constants: Constants) -> Letters:
    """What gives the order instructions of a session's orders."""
    capacity = CAPACITIES[constants.capacity]

    def letters(given: Choice) -> Values | None:
        found = parts(given, capacity)
        if found is None:
            return None
        whole = sum(found.get(part.name, 0) << part.shift for part in ORDER_INSTRUCTIONS)
        return {INSTRUCTIONS: whole}

    return letters


def encoder(record: Record, constants: Values, stream: tuple[int, int], *, add_on: bool) -> Encode:
    """The plain encoder of a message in the stream's message around it."""

    def encode(values: Values) -> bytes:
        given = {**constants, **values}
        sequence, sent_ns = int_of(given.pop("seq", 0)), int_of(given.pop("timestamp", 0))
        if add_on:
            given[ORDER_ADD_ON.name] = {"max_floor": given.pop("max_floor", 0)}
        return wrap(record.encode(given), sequence, *stream, sent_ns)

    return encode


def int_of(value: Value) -> int:
    """A number among values."""
    assert isinstance(value, int)
    return value


def form(
    kind: int,
    constants: Values,
    stream: tuple[int, int],
    *moves: Move,
    letters: Letters | None = None,
    add_on: bool = False,
    whole: tuple[str, ...] = (),
) -> Form:
    """A message; its shape is both heads and the fields in `whole`."""
    record = PILLAR_GATEWAY[kind]
    outer: dict[str, Field] = {name: SEQUENCED.by_name[name] for name in ("seq", "timestamp")}
    fields = {**ORDER_ADD_ON.by_name, **record.by_name, **outer}
    shape = [(0, 4), (SEQUENCED.size, SEQUENCED.size + 4)]
    for name in whole:
        at = SEQUENCED.size + record.offset(name)
        shape.append((at, at + record.by_name[name].width))
    given = (number("seq", "sequence"), *moves)
    said = (letters, (INSTRUCTIONS,)) if letters is not None else None
    encode = encoder(record, constants, stream, add_on=add_on)
    return make_form(record.name, encode, fields, given, shape, said)


def order_forms(constants: Constants) -> dict[str, Form]:
    """The orders of a session in an instrument, by the names in `forms.ORDERS`."""
    fixed: Values = {"symbol_id": constants.symbol_id, "mpid": constants.firm}
    stream, letters = constants.stream, letters_for(constants)
    token = number("cl_ord_id", "token", high=REQUEST - 1)
    old = number("orig_cl_ord_id", "old_token", high=REQUEST - 1)
    common = (number("timestamp", "sent_ns"), Move("symbol_id", "symbol", written=False))
    terms = (*common, token, number("order_qty", "quantity"), PRICE, number("min_qty", "minimum"))
    shown, new = number("max_floor", "shown"), ("orig_cl_ord_id",)
    return {
        "enter": form(NEW, fixed, stream, *terms, letters=letters, whole=new),
        "enter full": form(
            NEW, fixed, stream, *terms, shown, letters=letters, whole=new, add_on=True
        ),
        "replace": form(NEW, fixed, stream, *terms, old, letters=letters),
        "replace full": form(NEW, fixed, stream, *terms, shown, old, letters=letters, add_on=True),
        "cancel": form(CANCEL, fixed, stream, *common, number("cl_ord_id", "token"), old),
    }


def reply_forms(constants: Constants) -> dict[str, Form]:
    """The answers of a venue, by the names in `forms.REPLIES`."""
    fixed: Values = {"mpid": constants.firm}
    stream, letters = constants.stream, letters_for(constants)
    times = (number("timestamp", "time_ns"), number("transact_time", "time_ns"))
    common = (*times, number("symbol_id", "symbol"))
    token, venue = number("cl_ord_id", "token"), number("order_id", "venue_order")
    stands = (
        *common,
        token,
        venue,
        PRICE,
        price("working_price"),
        number("order_qty", "quantity"),
        number("min_qty", "minimum"),
        number("leaves_qty", "leaves"),
    )
    fill = (
        *common,
        token,
        venue,
        number("deal_id", "execution"),
        price("last_px"),
        number("last_qty", "quantity"),
        number("leaves_qty", "leaves"),
        number("cum_qty", "cum"),
        code("liquidity_indicator", "liquidity", LIQUIDITY),
    )
    gone = (*common, venue, number("orig_cl_ord_id", "token"), number("reason_code", "reason"))
    refused = (*common, token, number("reason_code", "reason"))
    old = number("orig_cl_ord_id", "old_token")
    order: Values = {**fixed, "reject_type": 1}
    return {
        "accepted": form(0x0260, {**fixed, "ack_type": 1}, stream, *stands, letters=letters),
        "executed": form(0x0290, fixed, stream, *fill),
        "canceled": form(0x0271, {**fixed, "ack_type": 11}, stream, *gone),
        "rejected": form(0x0263, order, stream, *refused),
        "replaced": form(0x0260, {**fixed, "ack_type": 8}, stream, *stands, old, letters=letters),
        "replace rejected": form(0x0263, order, stream, *refused),
        "cancel rejected": form(0x0263, {**fixed, "reject_type": 3}, stream, *refused),
    }
