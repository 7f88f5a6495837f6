"""The day of one MEO account: its orders, and what each matching engine told it.

Everything is sequenced but the answer to a mass cancel, and so is told again: symbol updates and
the start of system hours come first, when the account logs in for the first time. A modify's size
counts what was executed before; it becomes open shares by the executions that this gateway has
heard of.

What the layout leaves open, and is as here: a new order is answered by its response alone, without
a notification; a cancel that was asked for by its response, others by a notification; a cancel by
the exchange's id by both. A mass cancel has a blank scope and takes all orders of the account; a
block holds until it is removed, whatever the connection.

Source: MIAX Pearl Equities MEO 2.6, after the public dissector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedhandler.actions import SELL
from feedhandler.protocols.miax_meo import CHANGES, CODE_BYTES, INSTRUCTIONS, MIAX_MEO
from feedhandler.transports.esesm import SEQUENCED, UNSEQUENCED, wrap
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Value, Values
from simulator.gateways import meoterms as m
from simulator.gateways.accounts import Account
from simulator.gateways.orders import Order, Request, Told
from simulator.gateways.session import Session
from simulator.gateways.terms import amount, word
from simulator.matching import records as r

if TYPE_CHECKING:
    from simulator.gateways.gateway import Gateway

CHANGED = ("price", "size", "min_qty", "max_floor_qty", "locate_account")
SHORT_SALE = next(part for part in INSTRUCTIONS.parts if part.name == "short_sale_indicator")
BLOCK, CANCEL, BOTH, UNBLOCK = "B", "M", "X", "R"  # actions of a mass cancel
BAD_SCOPE, BAD_ACTION, BAD_GROUP, UNSTATED = "R", "A", "6", "U"
LOT = 100
VERSION = "2.6"


class MeoSession(Session):
    """See above.

    Attributes:
        streams: by matching engine, its packets: number n is `streams[engine - 1][n - 1]`.
        blocked: new orders are refused.
    """

    def __init__(self, gateway: Gateway, name: str, account: Account, engines: int) -> None:
        super().__init__(gateway, name, account)
        self.streams: list[list[bytes]] = [[] for _ in range(engines)]
        self.blocked = False
        self._listed = 0

    @property
    def kept(self) -> int:
        """As `Session.kept`; the symbols do not count."""
        return sum(map(len, self.streams)) - self._listed

    def begin(self, now_ns: int) -> None:
        """A login is about to be answered; before the first the symbols are told."""
        if self._listed:
            return
        for number, symbol in enumerate(self.gateway.symbols, 1):
            given: Values = {"symbol_id": number, "ticker_symbol": symbol, "lot_size": LOT}
            self._say("SU", self._engine(number), now_ns, {**given, "test_security_indicator": "N"})
        for engine in range(1, len(self.streams) + 1):
            self._say("SN", engine, now_ns, {"meo_version": VERSION, "system_status": "S"})
        self._listed = sum(map(len, self.streams))

    def end_of_day(self, now_ns: int) -> None:
        """As `Session.end_of_day`."""
        if self._listed:
            for engine in range(1, len(self.streams) + 1):
                self._say("SN", engine, now_ns, {"meo_version": VERSION, "system_status": "C"})
        connection: Any = self.connection
        if connection is not None:
            connection.goodbye("the day is over")

    def _engine(self, instrument: int) -> int:
        """The engine of an instrument; of one that there is not, the first."""
        known = 1 <= instrument <= len(self.gateway.symbols)
        return (instrument - 1) % len(self.streams) + 1 if known else 1

    def _say(self, code: str, engine: int, time_ns: int, values: Values) -> None:
        stream = self.streams[engine - 1]
        message = MIAX_MEO[code].encode(values, matching_engine_time=time_ns)
        stream.append(wrap(SEQUENCED, message, len(stream) + 1, engine))
        if self.connection is not None:
            self.connection.send(stream[-1])

    def _tell(self, code: str, instrument: int, time_ns: int, **values: Value) -> None:
        """A message about an instrument."""
        record = MIAX_MEO[code]
        given: Values = {"symbol_id": instrument, **values}
        known = {name: value for name, value in given.items() if name in record.by_name}
        self._say(code, self._engine(instrument), time_ns, known)

    def _refuse(self, code: str, status: str, values: Values, now_ns: int) -> None:
        """The answer of refusal to a request, which it names."""
        names = ("mpid", "client_order_id", "original_client_order_id", "order_id", "price", "size")
        given: Values = {name: values[name] for name in names if name in values}
        given |= dict.fromkeys(("order_status", "modify_status", "cancel_status"), status)
        self._tell(code, amount(values, "symbol_id"), now_ns, **given)

    # What the client sends.

    def take(self, data: bytes, now_ns: int) -> None:
        """Takes one message of the client. Raises WireError when it is none."""
        if len(data) < CODE_BYTES:
            raise WireError("short_message", "no message in the packet")
        record, values = read_message(MIAX_MEO, data, 0, len(data))
        takers = {
            "N1": self._enter,
            "M1": self._modify,
            "CO": self._cancel,
            "CX": self._cancel_by_number,
            "XQ": self._mass_cancel,
        }
        if record.code not in takers:
            raise WireError("unknown_message", f"{record.name} is the venue's")
        del values["message_type"]
        takers[str(record.code)](values, now_ns)

    def _bad_id(self, values: Values) -> str:
        wire = word(values, "client_order_id")
        if not m.good_id(wire):
            return m.BAD_ID
        if self.orders.find(wire) is not None:
            return m.DUPLICATE
        if self.blocked:
            return m.BLOCKED
        return m.TOO_MANY if self.orders.full else ""

    def _enter(self, values: Values, now_ns: int) -> None:
        instrument = amount(values, "symbol_id")
        found = self._bad_id(values) or m.terms_of(values, amount(values, "size"))
        if not 1 <= instrument <= len(self.gateway.symbols):
            found = m.NO_SYMBOL
        if isinstance(found, str):
            self._refuse("NR", found, values, now_ns)
        else:
            wire, side = word(values, "client_order_id"), m.side_of(values)
            self.submit(r.NEW, wire, instrument, side, found, values, now_ns)

    def _modify(self, values: Values, now_ns: int) -> None:
        old = self.orders.find(word(values, "original_client_order_id"))
        if old is None or values["symbol_id"] != old.instrument:
            self._refuse("MR", m.NO_ORDER, values, now_ns)
            return
        short = SHORT_SALE.of(amount(values, CHANGES.name))
        kept = {**old.terms, **{name: values[name] for name in CHANGED}}
        kept["client_order_id"] = values["client_order_id"]
        kept[INSTRUCTIONS.name] = with_short_sale(kept, short)
        left = amount(kept, "size") - old.executed_before
        found = self._bad_id(values) or m.terms_of(kept, left)
        if short and m.side_of(kept) != SELL:
            found = m.BAD_TERMS
        if isinstance(found, str):
            self._refuse("MR", found, values, now_ns)
        elif left <= 0:
            self.ask_cancel(old, now_ns, 0, values)
        else:
            display, minimum = (min(x, left) for x in (found.display, found.minimum))
            terms = found._replace(display=display, minimum=minimum)
            wire, side = word(kept, "client_order_id"), m.side_of(kept)
            self.submit(r.REPLACE, wire, old.instrument, side, terms, kept, now_ns, old)

    def _ask(self, code: str, order: Order | None, values: Values, now_ns: int) -> None:
        """A cancel of an order that its request names."""
        if order is None or values["symbol_id"] != order.instrument:
            self._refuse(code, m.NO_ORDER, values, now_ns)
        elif self.orders.busy:
            self._refuse(code, m.TOO_MANY, values, now_ns)
        else:
            self.ask_cancel(order, now_ns, 0, values)

    def _cancel(self, values: Values, now_ns: int) -> None:
        order = self.orders.find(word(values, "original_client_order_id"))
        self._ask("CR", order, values, now_ns)

    def _cancel_by_number(self, values: Values, now_ns: int) -> None:
        wanted = values["order_id"]
        found = (order for order in self.orders.open_orders() if order.number == wanted)
        self._ask("CQ", next(found, None), values, now_ns)

    def _mass_cancel(self, values: Values, now_ns: int) -> None:
        action, status = word(values, "action"), m.SUCCESSFUL
        if action not in (BLOCK, CANCEL, BOTH, UNBLOCK):
            status = BAD_ACTION
        elif word(values, "scope"):
            status = BAD_SCOPE
        elif word(values, "purge_group"):
            status = BAD_GROUP
        elif action in (CANCEL, BOTH) and self.orders.busy:
            status = UNSTATED
        if status == m.SUCCESSFUL and action != CANCEL:
            self.blocked = action != UNBLOCK
        if status == m.SUCCESSFUL and action in (CANCEL, BOTH):
            self.ask_mass_cancel(now_ns, 0, values)
        else:
            self._mass_canceled(values, status, now_ns)

    def _mass_canceled(self, values: Values, status: str, now_ns: int) -> None:
        """The answer to a mass cancel: to who is there now."""
        count = len(self.streams)
        given: Values = {"notification_time": now_ns, "mpid": values["mpid"]}
        given |= {"client_order_id": values["client_order_id"], "number_of_matching_engines": count}
        message = MIAX_MEO["XR"].encode(given, matching_engine_status=status * count)
        if self.connection is not None:
            self.connection.send(wrap(UNSEQUENCED, message))

    # What the matching says.

    def _about(self, code: str, order: Order, told: Told, **values: Value) -> None:
        """A message about an order."""
        named: Values = {"mpid": order.terms["mpid"], "client_order_id": order.wire}
        named |= {"order_id": order.number, "leaves_qty": told.leaves}
        self._tell(code, order.instrument, told.time_ns, **{**named, **values})

    def accepted(self, order: Order, told: Told) -> None:
        """As `Session.accepted`."""
        given = {name: order.terms[name] for name in ("price", "size")}
        self._about("NR", order, told, order_status=m.SUCCESSFUL, **given)

    def rejected(self, order: Order, told: Told) -> None:
        """As `Session.rejected`."""
        status = m.REJECTS.get(told.reason, m.UNFORESEEN)
        self._refuse("NR", status, {**order.terms, "symbol_id": order.instrument}, told.time_ns)

    def replaced(self, old: Order, new: Order, told: Told) -> None:
        """As `Session.replaced`."""
        given: Values = {"price": new.terms["price"], "original_client_order_id": old.wire}
        self._about("MR", new, told, modify_status=m.SUCCESSFUL, **given)

    def replace_rejected(self, new: Order, told: Told) -> None:
        """As `Session.replace_rejected`."""
        old = new.old.wire if new.old is not None else ""
        values: Values = {**new.terms, "original_client_order_id": old}
        self._refuse("MR", m.REJECTS.get(told.reason, m.UNFORESEEN), values, told.time_ns)

    def executed(self, order: Order, told: Told) -> None:
        """As `Session.executed`."""
        terms = order.terms
        self._about(
            "E1",
            order,
            told,
            trade_id=told.aux,
            execution_id=told.aux,
            trade_status="E",
            last_price=told.price // m.UNIT,
            last_size=told.quantity,
            order_execution_instructions=m.parts_of(terms)["side"],
            liquidity_indicator=m.LIQUIDITY[told.liquidity],
            locate_account=terms["locate_account"],
            original_order_capacity=terms["capacity"],
        )

    def canceled(self, order: Order, told: Told, request: Request | None) -> None:
        """As `Session.canceled`: what a request asked for is its answer."""
        terms = request.terms if request is not None else {}
        if request is not None and "size" not in terms and told.leaves == 0:
            given = {name: terms[name] for name in ("mpid", "client_order_id")}
            if "order_id" not in terms:
                given["original_client_order_id"] = order.wire
                self._about("CR", order, told, cancel_status=m.SUCCESSFUL, **given)
                return
            self._about("CQ", order, told, cancel_status=m.SUCCESSFUL, **given)
        reason = m.CANCELS.get(told.reason, m.UNFORESEEN)
        self._about("XN", order, told, cancel_reason=reason, pending_cancel_status=" ")

    def cancel_rejected(self, request: Request, told: Told) -> None:
        """As `Session.cancel_rejected`."""
        terms = request.terms
        if request.order is None:
            self._mass_canceled(terms, m.SUCCESSFUL, told.time_ns)
            return
        code = "MR" if "size" in terms else "CQ" if "order_id" in terms else "CR"
        self._refuse(code, m.REJECTS.get(told.reason, m.UNFORESEEN), terms, told.time_ns)

    def restated(self, order: Order, told: Told) -> None:
        """As `Session.restated`."""
        if told.reason == r.REFRESHED:
            self._about("RA", order, told, display_qty=told.quantity)
        else:
            price = max(told.price, 0) // m.UNIT
            self._about("PU", order, told, working_price=price, nbbo_indicator="N")


def with_short_sale(terms: Values, short: int) -> int:
    """The instructions of an order with another short sale indicator; 0 leaves them as they are."""
    packed = amount(terms, INSTRUCTIONS.name)
    if short == 0:
        return packed
    every = ((1 << SHORT_SALE.width) - 1) << SHORT_SALE.shift
    return packed & ~every | short << SHORT_SALE.shift
