"""What an account has for the day, whatever its connections: its orders and what it was told."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from feedhandler.wire.record import Values
from simulator.gateways.accounts import Account
from simulator.gateways.orders import Order, Orders, Request, Told, Wire, command
from simulator.gateways.terms import Terms
from simulator.matching import records as r

if TYPE_CHECKING:
    from simulator.gateways.connection import Connection
    from simulator.gateways.gateway import Gateway, Records


class Session(ABC):
    """An account's day. A subclass speaks the protocol: what it says is kept and replayed.

    Attributes:
        connection: the one that is logged in; None where there is none.
        orders: those that are not over.
    """

    def __init__(self, gateway: Gateway, name: str, account: Account) -> None:
        self.gateway, self.name, self.account = gateway, name, account
        self.connection: Connection | None = None
        self.orders = Orders(gateway.most_orders)
        self._last_token = 0

    @property
    @abstractmethod
    def kept(self) -> int:
        """Messages that are kept for replays."""

    @abstractmethod
    def accepted(self, order: Order, told: Told) -> None:
        """Says that an order stands."""

    @abstractmethod
    def rejected(self, order: Order, told: Told) -> None:
        """Says that an order is refused."""

    @abstractmethod
    def executed(self, order: Order, told: Told) -> None:
        """Says that shares of an order were executed."""

    @abstractmethod
    def canceled(self, order: Order, told: Told, request: Request | None) -> None:
        """Says that shares of an order are gone; `request` where the client asked for it."""

    @abstractmethod
    def replaced(self, old: Order, new: Order, told: Told) -> None:
        """Says that an order took the place of another."""

    @abstractmethod
    def replace_rejected(self, new: Order, told: Told) -> None:
        """Says that a replace is refused."""

    @abstractmethod
    def cancel_rejected(self, request: Request, told: Told) -> None:
        """Says that a cancel is refused, or that a mass cancel is done."""

    @abstractmethod
    def restated(self, order: Order, told: Told) -> None:
        """Says that the venue changed how an order stands."""

    @abstractmethod
    def end_of_day(self, now_ns: int) -> None:
        """Says that the day is over; the connection ends."""

    def row(self, kind: int, now_ns: int, **more: int) -> Records:
        """A command in the account's name."""
        return command(kind, now_ns, self.account.owner, **more)

    def new_token(self) -> int:
        """A token for the matching, where the client's ids are none."""
        self._last_token += 1
        return self._last_token

    def flags(self, mode: int = r.STP_NONE) -> int:
        """The flags that the account's orders have, with a mode of self-trade prevention."""
        made = r.CANCEL_ON_DISCONNECT if self.account.cancel_on_disconnect else 0
        if not self.account.group:
            return made
        return made | (mode or self.gateway.self_trade) << r.STP_SHIFT

    def flags_of(self, self_trade: int) -> int:
        """The flags of an order whose terms ask so for self-trade prevention."""
        return self.flags(self_trade)

    def submit(
        self,
        kind: int,
        wire: Wire,
        instrument: int,
        side: int,
        terms: Terms,
        kept: Values,
        now_ns: int,
        old: Order | None = None,
        token: int = 0,
    ) -> None:
        """Gives an order, or what replaces an old one, to the matching.

        Args:
            kind: NEW or REPLACE of `simulator.matching.records`.
            wire, kept: its id and its terms in the client's words.
            token: the matching's name for it; 0: a new one.
        """
        given: dict[str, int] = terms._asdict()
        given["type"] = given.pop("kind")
        given["flags"] |= self.flags_of(given.pop("self_trade"))
        token, target = token or self.new_token(), old.token if old is not None else 0
        more = {"side": side, "token": token, "target": target, "group": self.account.group}
        command = self.row(kind, now_ns, instrument=instrument, **given, **more)
        self.orders.add(Order(wire, token, instrument, kept, command, old=old))
        self.gateway.command(command)

    def gone(self, now_ns: int) -> None:
        """The connection is gone."""
        self.connection = None
        if self.account.cancel_on_disconnect and len(self.orders):
            self.gateway.command(self.row(r.DISCONNECT, now_ns))

    def ask_cancel(self, order: Order, now_ns: int, quantity: int, terms: Values) -> None:
        """Asks the matching to cancel an order down to open shares; 0: all of it."""
        number = self.orders.ask(order, terms)
        more = {"target": order.token, "token": number, "instrument": order.instrument}
        self.gateway.command(self.row(r.CANCEL, now_ns, quantity=quantity, **more))

    def ask_mass_cancel(self, now_ns: int, instrument: int, terms: Values) -> None:
        """Asks for the cancel of all orders, of one instrument when it is not 0.

        A cancel of no order goes behind it: when that is refused the mass cancel is done.
        """
        number = self.orders.ask(None, terms)
        self.gateway.command(self.row(r.MASS_CANCEL, now_ns, instrument=instrument))
        self.gateway.command(self.row(r.CANCEL, now_ns, target=number, token=number))

    def hear(self, told: Told) -> None:
        """Takes a report on one of the account's orders."""
        if told.kind == r.REPLACED:
            self._hear_replaced(told)
        elif told.kind == r.CANCEL_REJECTED:
            self._hear_refused(told)
        else:
            order = self.orders.of(told.token)
            if order is not None:
                self._hear_order(order, told)

    def _hear_order(self, order: Order, told: Told) -> None:
        if told.kind == r.ACCEPTED:
            order.leaves, order.number, order.entered_ns = told.leaves, told.order, told.time_ns
            self.accepted(order, told)
        elif told.kind == r.REJECTED:
            self.orders.drop(order)
            self.rejected(order, told)
        elif told.kind == r.RESTATED:
            self.restated(order, told)
        elif told.kind == r.EXECUTED:
            order.leaves, order.executed = told.leaves, order.executed + told.quantity
            self._drop_if_over(order)
            self.executed(order, told)
        elif told.kind == r.CANCELED:
            order.leaves = told.leaves
            request = self.orders.done(order) if told.reason == r.BY_OWNER else None
            self._drop_if_over(order)
            self.canceled(order, told, request)

    def _hear_replaced(self, told: Told) -> None:
        new, old = self.orders.of(told.token), self.orders.of(told.aux)
        if new is None or old is None:
            return
        self.orders.drop(old)
        new.old, new.executed, new.leaves = None, old.executed, told.leaves
        new.number, new.entered_ns = told.order, told.time_ns
        self.replaced(old, new, told)

    def _hear_refused(self, told: Told) -> None:
        new, request = self.orders.of(told.aux), self.orders.answered(told.aux)
        if new is not None:
            self.orders.drop(new)
            self.replace_rejected(new, told)
        elif request is not None:
            self.cancel_rejected(request, told)

    def _drop_if_over(self, order: Order) -> None:
        if order.leaves == 0:
            self.orders.drop(order)
