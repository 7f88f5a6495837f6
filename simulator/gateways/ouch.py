"""Nasdaq's OUCH 5.0 gateway: a session's orders over SoupBinTCP.

Quantities of replaces and cancels count what was executed before, so they become open shares here
by the executions that this gateway has heard of. Cancels of orders that are over are passed over,
as are orders whose reference number does not rise: the client may send them again after a loss.
A replace keeps the time in force and the display's kind: the matching does not change those.

Source: Nasdaq OUCH 5.0 specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedhandler.dates import session_midnight_ns
from feedhandler.protocols.ouch50 import INBOUND, OPTIONS, OUTBOUND
from feedhandler.transports.transport import read_message
from feedhandler.wire.record import Value, Values
from feedhandler.wire.tails import integer
from simulator.gateways import ouchterms as o
from simulator.gateways.accounts import Account
from simulator.gateways.gateway import Gateway, Submit
from simulator.gateways.orders import Order, Request, Told
from simulator.gateways.soupbin import SoupConnection, SoupSession
from simulator.gateways.terms import Terms
from simulator.matching import records as r
from simulator.serving.peers import Outlet

ZONE = "America/New_York"
ECHOED = (
    "side symbol time_in_force display capacity inter_market_sweep_eligibility cross_type clordid"
).split()
REPLACED_TERMS = "time_in_force display inter_market_sweep_eligibility".split()
TAGS = {field.name: tag for tag, field in OPTIONS.items()}
OWN_FLAGS = r.STP_FLAGS | r.CANCEL_ON_DISCONNECT | r.SWEEP  # what a replace does not ask for


class OuchSession(SoupSession):
    """The day of one OUCH account.

    Attributes:
        last: the highest user reference number so far.
        ignored: orders whose reference number did not rise, cancels without an open order.
    """

    def __init__(self, gateway: Gateway, name: str, account: Account, session_id: str) -> None:
        super().__init__(gateway, name, account, session_id)
        self.last = self.ignored = self._midnight_ns = 0

    def open(self, now_ns: int) -> None:
        """The first login of the day begins the session's messages with the start of day."""
        if not self.packets:
            self._midnight_ns = session_midnight_ns(now_ns, ZONE)
            self._tell("S", now_ns, event_code="S")

    def end_of_day(self, now_ns: int) -> None:
        """As `Session.end_of_day`."""
        if self.packets:
            self._tell("S", now_ns, event_code="E")
        self.end()

    def _tell(self, code: str, time_ns: int, **values: Value) -> None:
        since = max(time_ns - self._midnight_ns, 0)
        self.say(OUTBOUND[code].encode(values, timestamp=since))

    # What the client sends.

    def take(self, data: bytes, now_ns: int) -> None:
        """As `SoupSession.take`."""
        record, values = read_message(INBOUND, data, 0, len(data))
        if record.code == "O":
            self._enter(values, now_ns)
        elif record.code == "U":
            self._replace(values, now_ns)
        elif record.code == "X":
            self._cancel(values, now_ns)
        elif record.code == "M":
            self._modify(values, now_ns)
        else:
            self._tell("Q", now_ns, next_user_ref_num=self.last + 1)

    def _rises(self, number: int) -> bool:
        if number <= self.last:
            self.ignored += 1
            return False
        self.last = number
        return True

    def _refuse(self, number: int, values: Values, code: int, now_ns: int) -> None:
        clordid = values["clordid"]
        self._tell("J", now_ns, user_ref_num=number, rejected_order_reason=code, clordid=clordid)

    def _enter(self, values: Values, now_ns: int) -> None:
        number = integer(values, "user_ref_num")
        if not self._rises(number):
            return
        options = o.options_of(values, "enter_order_appendage")
        instrument = self.gateway.numbers.get(str(values["symbol"]), 0)
        terms = o.terms_of(values, options)
        if not isinstance(terms, int) and self.orders.full:
            terms = o.THRESHOLD
        if not instrument:
            terms = o.SYMBOL
        if isinstance(terms, int):
            self._refuse(number, values, terms, now_ns)
            return
        echoed = {name: values[name] for name in ECHOED}
        kept: Values = {**echoed, "price": values["price"], "options": dict(options)}
        self._submit(r.NEW, number, instrument, terms, kept, now_ns)

    def _submit(
        self,
        kind: int,
        number: int,
        instrument: int,
        terms: Terms,
        kept: Values,
        now_ns: int,
        old: Order | None = None,
    ) -> None:
        """The client's number is the matching's as well."""
        side = o.SIDES[str(kept["side"])]
        self.submit(kind, number, instrument, side, terms, kept, now_ns, old, number)

    def _replace(self, values: Values, now_ns: int) -> None:
        number, old = integer(values, "user_ref_num"), self._named(values, "orig_user_ref_num")
        if not self._rises(number):
            return
        if old is None:
            self._refuse(number, values, o.REPLACE, now_ns)
            return
        kept: Values = {**old.terms, **{name: values[name] for name in REPLACED_TERMS}}
        kept["price"], kept["clordid"] = values["price"], values["clordid"] or kept["clordid"]
        options = o.options_of(values, "replace_order_appendage")
        before: Any = old.terms["options"]
        kept["options"] = {**before, **options}
        self._replace_by(old, number, values, kept, now_ns)

    def _replace_by(
        self, old: Order, number: int, values: Values, kept: Values, now_ns: int
    ) -> None:
        wanted, options = integer(values, "quantity"), kept["options"]
        terms = o.terms_of({**kept, "quantity": wanted}, options)  # type: ignore[arg-type]
        if isinstance(terms, int):
            self._refuse(number, values, terms, now_ns)
        elif not same_kind(terms, old):
            self._refuse(number, values, o.REPLACE, now_ns)
        elif wanted <= old.executed_before and not self.orders.busy:
            self.ask_cancel(old, now_ns, 0, values)
        elif wanted <= old.executed_before or self.orders.full:
            self._refuse(number, values, o.THRESHOLD, now_ns)
        else:
            open_shares = wanted - old.executed_before
            display, minimum = (min(x, open_shares) for x in (terms.display, terms.minimum))
            terms = terms._replace(quantity=open_shares, display=display, minimum=minimum)
            self._submit(r.REPLACE, number, old.instrument, terms, kept, now_ns, old)

    def _named(self, values: Values, name: str) -> Order | None:
        return self.orders.find(integer(values, name))

    def _cancel(self, values: Values, now_ns: int) -> None:
        order, wanted = self._named(values, "user_ref_num"), integer(values, "quantity")
        if order is None or self.orders.busy:
            self.ignored += 1
        else:
            self.ask_cancel(order, now_ns, max(wanted - order.executed_before, 0), values)

    def _modify(self, values: Values, now_ns: int) -> None:
        order, wanted = self._named(values, "user_ref_num"), integer(values, "quantity")
        if order is None:
            self.ignored += 1
            return
        side = str(values["side"])
        left = wanted - order.executed_before
        same_side = o.SIDES.get(side) == o.SIDES[str(order.terms["side"])]
        if not same_side or not 0 < left <= order.leaves or self.orders.busy:
            self._tell("I", now_ns, user_ref_num=order.token)
        elif left == order.leaves:
            self._modified(order, side, now_ns)
        else:
            self.ask_cancel(order, now_ns, left, values)

    # What the matching says.

    def _state(self, order: Order, told: Told) -> Values:
        terms: Values = {name: order.terms[name] for name in (*ECHOED, "price")}
        if terms["price"] != o.MARKET_PRICE and told.price > 0 and is_limit(order):
            terms["price"] = told.price // o.UNIT
        group = "replaced_message" if told.kind == r.REPLACED else "order_accepted"
        more: Values = {"order_reference_number": told.order, "order_state": "L"}
        appendage: Values = {f"{group}_appendage": elements(group, order.terms["options"])}
        stands: Values = {"user_ref_num": order.token, "quantity": told.leaves}
        return {**terms, **stands, **more, **appendage}

    def accepted(self, order: Order, told: Told) -> None:
        """As `Session.accepted`."""
        self._tell("A", told.time_ns, **self._state(order, told))

    def rejected(self, order: Order, told: Told) -> None:
        """As `Session.rejected`."""
        code = o.REJECTS.get(told.reason, o.OTHER)
        self._refuse(order.token, order.terms, code, told.time_ns)

    def replaced(self, old: Order, new: Order, told: Told) -> None:
        """As `Session.replaced`."""
        self._tell("U", told.time_ns, orig_user_ref_num=old.token, **self._state(new, told))

    def replace_rejected(self, new: Order, told: Told) -> None:
        """As `Session.replace_rejected`."""
        self.rejected(new, told)

    def executed(self, order: Order, told: Told) -> None:
        """As `Session.executed`."""
        adding = told.time_ns > order.entered_ns
        flag = o.liquidity_flag(told.liquidity, adding, int(order.command["time_in_force"][0]))
        self._tell(
            "E",
            told.time_ns,
            user_ref_num=order.token,
            quantity=told.quantity,
            price=told.price // o.UNIT,
            liquidity_flag=flag,
            match_number=told.aux,
        )

    def canceled(self, order: Order, told: Told, request: Request | None) -> None:
        """As `Session.canceled`."""
        if told.reason == r.SELF_TRADE:
            self._prevented(order, told)
        elif request is not None and "side" in request.terms and told.leaves:
            self._modified(order, str(request.terms["side"]), told.time_ns)
        else:
            reason = o.CANCELS.get(told.reason, o.SYSTEM_CANCEL)
            more: dict[str, Value] = {"user_ref_num": order.token, "quantity": told.quantity}
            self._tell("C", told.time_ns, cancel_order_reason=reason, **more)

    def _prevented(self, order: Order, told: Told) -> None:
        self._tell(
            "D",
            told.time_ns,
            user_ref_num=order.token,
            decrement_shares=told.quantity,
            order_cancel_reason=o.CANCELS[r.SELF_TRADE],
            quantity_prevented_from_trading=told.quantity,
            execution_price=max(told.price, 0) // o.UNIT,
            liquidity_flag="A" if told.time_ns > order.entered_ns else "R",
        )

    def _modified(self, order: Order, side: str, time_ns: int) -> None:
        order.terms["side"] = side
        self._tell("M", time_ns, user_ref_num=order.token, side=side, quantity=order.leaves)

    def cancel_rejected(self, request: Request, told: Told) -> None:
        """As `Session.cancel_rejected`: too late, or down to as many as are open, is no news."""
        if told.reason in (r.UNKNOWN_ORDER, r.BAD_QUANTITY) or request.order is None:
            self.ignored += 1
        else:
            self._tell("I", told.time_ns, user_ref_num=request.order.token)

    def restated(self, order: Order, told: Told) -> None:
        """As `Session.restated`."""
        refreshed = told.reason == r.REFRESHED
        changed = {"display_quantity": told.quantity}
        if not refreshed:
            changed = {"display_price": max(told.price, 0) // o.UNIT}
        more = {"order_restated_appendage": elements("order_restated", changed)}
        reason = "R" if refreshed else "P"
        number = order.token
        self._tell("R", told.time_ns, user_ref_num=number, order_restated_reason=reason, **more)


def elements(group: str, options: Any) -> list[Value]:
    """The elements of an appendage, from values by name; what has no tag is left out."""
    made: list[Value] = []
    for name, value in options.items():
        if name in TAGS:
            made.append({f"{group}_optional_field": TAGS[name], name: value})
    return made


def is_limit(order: Order) -> bool:
    """Whether its price is a limit."""
    return int(order.command["type"][0]) == r.LIMIT


def same_kind(terms: Terms, old: Order) -> bool:
    """Whether a replace leaves what the matching cannot change."""
    before = old.command[0]
    flags = int(before["flags"]) & ~OWN_FLAGS == terms.flags & ~OWN_FLAGS
    same = int(before["type"]) == terms.kind
    return flags and same and int(before["time_in_force"]) == terms.time_in_force


class OuchGateway(Gateway):
    """OUCH 5.0 over SoupBinTCP.

    Args:
        session_id: of the day's sessions, at most 10 characters.
    """

    widths = (6, 10)

    def __init__(
        self,
        accounts: Mapping[str, Account],
        symbols: Sequence[str],
        submit: Submit,
        *,
        session_id: str = "0000000001",
        **more: Any,
    ) -> None:
        self.session_id = session_id
        super().__init__(accounts, symbols, submit, **more)

    def make_session(self, name: str, account: Account) -> OuchSession:
        """As `Gateway.make_session`."""
        return OuchSession(self, name, account, self.session_id)

    def peer(self, outlet: Outlet, now_ns: int) -> SoupConnection:
        """As `Gateway.peer`."""
        return SoupConnection(self, outlet, now_ns)
