"""The day of one Pillar account: its orders, and its stream of what it was told.

A modify or replace counts what was executed before; it becomes open shares by the executions that
this gateway has heard of.

Source: NYSE Pillar Gateway Binary Protocol Specification 5.x, after the public dissector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedhandler.protocols.pillar_gateway import ORDER_ADD_ON, PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import wrap
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Value, Values
from simulator.gateways import pillarterms as p
from simulator.gateways.accounts import Account
from simulator.gateways.orders import Order, Request, Told
from simulator.gateways.session import Session
from simulator.gateways.terms import Terms, amount
from simulator.matching import records as r

if TYPE_CHECKING:
    from simulator.gateways.gateway import Gateway

NEW, CANCEL, MODIFY, BULK = 0x0240, 0x0280, 0x0270, 0x0281
ACKNOWLEDGED, CHANGED, PRIORITY, EXECUTED, REJECTED = 0x0260, 0x0271, 0x0262, 0x0290, 0x0263
NEW_INTEREST, SAME_ID, BULK_CANCELED, REPLACED, MODIFIED, CANCELED = 1, 3, 4, 8, 9, 11
REJECT_TYPES = {NEW: 1, MODIFY: 2, CANCEL: 3, BULK: 4}
ALL_OF_SESSION = 2
HEADER = ("msg_type", "msg_length")
SAID_AGAIN = (
    "symbol_id mpid mmid mpsubid_1 cl_ord_id orig_cl_ord_id bitfield_order_instructions order_qty "
    "min_qty user_data"
).split()
SIDE_SHIFT = 60
OWN_FLAGS = r.STP_FLAGS | r.CANCEL_ON_DISCONNECT | r.SWEEP
TO_TRADER = 2  # low word of the id of the stream that a session is told on


class PillarSession(Session):
    """See above.

    Attributes:
        packets: what the client was told: number n is `packets[n - 1]`.
        taken: sequenced messages of the client so far.
    """

    def __init__(self, gateway: Gateway, name: str, account: Account) -> None:
        super().__init__(gateway, name, account)
        self.packets: list[bytes] = []
        self.taken = 0

    @property
    def kept(self) -> int:
        """As `Session.kept`."""
        return len(self.packets)

    def end_of_day(self, now_ns: int) -> None:
        """As `Session.end_of_day`: the protocol has no word for it, the connection ends."""
        if self.connection is not None:
            self.connection.fail("the day is over")

    def _say(self, code: int, time_ns: int, values: Values) -> None:
        message = PILLAR_GATEWAY[code].encode(values, transact_time=time_ns)
        sess, number = self.account.owner, len(self.packets) + 1
        self.packets.append(wrap(message, number, sess, TO_TRADER, time_ns))
        connection: Any = self.connection
        if connection is not None:
            connection.deliver()

    def _reject(self, code: int, values: Values, reason: int, time_ns: int) -> None:
        names = ("symbol_id", "mpid", "cl_ord_id", "user_data")
        given: Values = {name: values[name] for name in names if name in values}
        given |= {"reason_code": reason, "reject_type": REJECT_TYPES[code]}
        self._say(REJECTED, time_ns, given)

    # What the client sends.

    def take(self, data: bytes, now_ns: int) -> None:
        """Takes one message of the client. Raises WireError when it is none."""
        record, values = read_message(PILLAR_GATEWAY, data, 0, len(data))
        if values["msg_length"] != len(data):
            raise WireError("bad_length", f"{record.name} states {values['msg_length']} bytes")
        body = {name: value for name, value in values.items() if name not in HEADER}
        takers = {NEW: self._order, CANCEL: self._cancel, MODIFY: self._modify, BULK: self._bulk}
        if record.code not in takers:
            raise WireError("unknown_message", f"{record.name} is the venue's")
        takers[int(record.code)](body, now_ns)

    def _bad_id(self, values: Values) -> int:
        wire = amount(values, "cl_ord_id")
        if wire == 0:
            return p.BAD_ID
        if self.orders.find(wire) is not None:
            return p.REASONS[r.DUPLICATE_TOKEN]
        return p.TOO_MANY if self.orders.full else 0

    def _order(self, values: Values, now_ns: int) -> None:
        if values["orig_cl_ord_id"]:
            self._replace(values, now_ns)
            return
        instrument = amount(values, "symbol_id")
        found = self._bad_id(values) or p.terms_of(values, amount(values, "order_qty"))
        if not 1 <= instrument <= len(self.gateway.symbols):
            found = p.REASONS[r.UNKNOWN_INSTRUMENT]
        if isinstance(found, int):
            self._reject(NEW, values, found, now_ns)
        else:
            wire, side = amount(values, "cl_ord_id"), p.SIDES[side_of(values)]
            self.submit(r.NEW, wire, instrument, side, found, values, now_ns)

    def flags_of(self, self_trade: int) -> int:
        """As `Session.flags_of`; an order may also ask for none where the venue has some."""
        prevention = self.flags(p.MODES[self_trade])
        return prevention & ~r.STP_FLAGS if self_trade == p.NO_PREVENTION else prevention

    def _replace(self, values: Values, now_ns: int) -> None:
        old = self.orders.find(amount(values, "orig_cl_ord_id"))
        if old is None:
            self._reject(NEW, values, p.REASONS[r.UNKNOWN_ORDER], now_ns)
            return
        left = amount(values, "order_qty") - old.executed_before
        found = self._bad_id(values) or p.terms_of(values, left)
        if isinstance(found, Terms) and not same_kind(found, values, old):
            found = p.NOT_ALLOWED
        if isinstance(found, int):
            self._reject(NEW, values, found, now_ns)
        elif left <= 0:
            self.ask_cancel(old, now_ns, 0, values)
        else:
            display, minimum = (min(x, left) for x in (found.display, found.minimum))
            terms = found._replace(display=display, minimum=minimum)
            wire, side = amount(values, "cl_ord_id"), p.SIDES[side_of(values)]
            self.submit(r.REPLACE, wire, old.instrument, side, terms, values, now_ns, old)

    def _named(self, code: int, values: Values, now_ns: int) -> Order | None:
        """The order that a request is about; None behind a reject."""
        order = self.orders.find(amount(values, "orig_cl_ord_id"))
        if order is None:
            self._reject(code, values, p.REASONS[r.UNKNOWN_ORDER], now_ns)
        elif self.orders.busy:
            self._reject(code, values, p.TOO_MANY, now_ns)
            return None
        return order

    def _cancel(self, values: Values, now_ns: int) -> None:
        order = self._named(CANCEL, values, now_ns)
        if order is not None:
            self.ask_cancel(order, now_ns, 0, values)

    def _modify(self, values: Values, now_ns: int) -> None:
        order = self._named(MODIFY, values, now_ns)
        if order is None:
            return
        side = amount(values, "side") or side_of(order.terms)
        left = amount(values, "order_qty") - order.executed_before
        if p.SIDES.get(side) != p.SIDES[side_of(order.terms)] or not 0 < left <= order.leaves:
            self._reject(MODIFY, values, p.NOT_ALLOWED, now_ns)
        elif left == order.leaves:
            self._modified(order, values, now_ns)
        else:
            self.ask_cancel(order, now_ns, left, values)

    def _bulk(self, values: Values, now_ns: int) -> None:
        instrument = amount(values, "symbol_id")
        if instrument > len(self.gateway.symbols):
            self._reject(BULK, values, p.REASONS[r.UNKNOWN_INSTRUMENT], now_ns)
        elif values["bulk_cancel_type"] != ALL_OF_SESSION or values["side"]:
            self._reject(BULK, values, p.BAD_INSTRUCTION, now_ns)
        elif self.orders.busy:
            self._reject(BULK, values, p.TOO_MANY, now_ns)
        else:
            self.ask_mass_cancel(now_ns, instrument, values)

    # What the matching says.

    def _acknowledge(self, order: Order, told: Told, ack_type: int) -> None:
        given: Values = {name: order.terms[name] for name in SAID_AGAIN}
        given |= {"price": order.terms["price"], "working_price": told.price}
        given |= {"order_id": told.order, "leaves_qty": told.leaves, "ack_type": ack_type}
        if p.add_on_of(order.terms):
            given[ORDER_ADD_ON.name] = order.terms[ORDER_ADD_ON.name]
        self._say(ACKNOWLEDGED, told.time_ns, given)

    def accepted(self, order: Order, told: Told) -> None:
        """As `Session.accepted`."""
        self._acknowledge(order, told, NEW_INTEREST)

    def rejected(self, order: Order, told: Told) -> None:
        """As `Session.rejected`."""
        self._reject(NEW, order.terms, p.REASONS[told.reason], told.time_ns)

    def replaced(self, old: Order, new: Order, told: Told) -> None:
        """As `Session.replaced`."""
        self._acknowledge(new, told, REPLACED)

    def replace_rejected(self, new: Order, told: Told) -> None:
        """As `Session.replace_rejected`."""
        self.rejected(new, told)

    def executed(self, order: Order, told: Told) -> None:
        """As `Session.executed`."""
        given = {**self._about(order), "cl_ord_id": order.wire, "deal_id": told.aux}
        given |= {"last_px": told.price, "last_qty": told.quantity, "leaves_qty": told.leaves}
        given |= {"cum_qty": order.executed, "liquidity_indicator": p.LIQUIDITY[told.liquidity]}
        self._say(EXECUTED, told.time_ns, given)

    def canceled(self, order: Order, told: Told, request: Request | None) -> None:
        """As `Session.canceled`: of some shares alone, a modify."""
        if request is not None and "side" in request.terms and told.leaves:
            self._modified(order, request.terms, told.time_ns)
            return
        if told.leaves:
            order.terms["order_qty"] = order.executed + told.leaves
        terms = request.terms if request is not None else {}
        reason = 0 if request is not None else p.REASONS[told.reason]
        ack_type = MODIFIED if told.leaves else CANCELED
        self._change(order, terms, ack_type, reason, told.time_ns)

    def _modified(self, order: Order, values: Values, time_ns: int) -> None:
        side = amount(values, "side")
        if side:
            order.terms["bitfield_order_instructions"] = with_side(order.terms, side)
        order.terms["order_qty"] = values["order_qty"]
        self._change(order, values, MODIFIED, 0, time_ns)

    def _change(
        self, order: Order, request: Values, ack_type: int, reason: int, time_ns: int
    ) -> None:
        given = {**self._about(order), "orig_cl_ord_id": order.wire}
        given |= {"ref_cl_ord_id": request.get("cl_ord_id", 0), "price": order.terms["price"]}
        given |= {"order_qty": order.terms["order_qty"], "leaves_qty": order.leaves}
        given |= {"side": side_of(order.terms), "reason_code": reason, "ack_type": ack_type}
        self._say(CHANGED, time_ns, given)

    def _about(self, order: Order) -> Values:
        names: Values = {name: order.terms[name] for name in ("symbol_id", "mpid", "user_data")}
        return {**names, "order_id": order.number}

    def cancel_rejected(self, request: Request, told: Told) -> None:
        """As `Session.cancel_rejected`."""
        if request.order is None:
            names: Values = {name: request.terms[name] for name in ("symbol_id", "mpid")}
            given = {**names, "ref_cl_ord_id": request.terms["cl_ord_id"]}
            self._say(CHANGED, told.time_ns, {**given, "ack_type": BULK_CANCELED})
            return
        code = CANCEL
        if "bitfield_order_instructions" in request.terms:
            code = NEW
        elif "side" in request.terms:
            code = MODIFY
        self._reject(code, request.terms, p.REASONS[told.reason], told.time_ns)

    def restated(self, order: Order, told: Told) -> None:
        """As `Session.restated`."""
        given = {**self._about(order), "cl_ord_id": order.wire, "working_price": told.price}
        more: dict[str, Value] = {"order_qty": told.leaves, "ack_type": SAME_ID}
        self._say(PRIORITY, told.time_ns, {**given, **more})


def side_of(terms: Values) -> int:
    """The side on the wire."""
    return amount(terms, "bitfield_order_instructions") >> SIDE_SHIFT


def with_side(terms: Values, side: int) -> int:
    """The order instructions with another side."""
    low = amount(terms, "bitfield_order_instructions") & (1 << SIDE_SHIFT) - 1
    return side << SIDE_SHIFT | low


def same_kind(terms: Terms, values: Values, old: Order) -> bool:
    """Whether a replace leaves what the matching cannot change."""
    before = old.command[0]
    flags = int(before["flags"]) & ~OWN_FLAGS == terms.flags & ~OWN_FLAGS
    same = int(before["type"]) == terms.kind and old.instrument == values["symbol_id"]
    times = int(before["time_in_force"]) == terms.time_in_force
    return flags and same and times and int(before["side"]) == p.SIDES[side_of(values)]
