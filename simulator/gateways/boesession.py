"""The day of one BOE account: its orders, what each unit told it.

Rejects are not sequenced and so not replayed, as at Cboe. A modify's quantity counts what was
executed before; it becomes open shares by the executions that this gateway has heard of.

Source: Cboe US Equities BOE specification 2.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.cboe_boe_fields import RETURNED
from feedhandler.wire.record import Record, Value, Values
from simulator.gateways import boeterms as b
from simulator.gateways.accounts import Account
from simulator.gateways.orders import Order, Request, Told
from simulator.gateways.session import Session
from simulator.gateways.terms import Terms, amount, word
from simulator.matching import records as r

if TYPE_CHECKING:
    from simulator.gateways.gateway import Gateway

NEW, CANCEL, MODIFY, PURGE = 0x38, 0x39, 0x3A, 0x47
ACKNOWLEDGED, REJECTED, MODIFIED, RESTATED, MODIFY_REJECTED = 0x25, 0x26, 0x27, 0x28, 0x29
CANCELED, CANCEL_REJECTED, EXECUTION, MASS_CANCELED, PURGE_REJECTED = 0x2A, 0x2B, 0x2C, 0x36, 0x48
REASONS = {
    REJECTED: "order_reject_reason",
    MODIFY_REJECTED: "modify_reject_reason",
    CANCEL_REJECTED: "cancel_reject_reason",
    PURGE_REJECTED: "purge_reject_reason",
}
HEADER = ("start_of_message", "message_length", "message_type", "matching_unit", "sequence_number")
CHANGED = "price ord_type exec_inst side max_floor stop_px".split()
OWN_FLAGS = r.STP_FLAGS | r.CANCEL_ON_DISCONNECT | r.SWEEP


class BoeSession(Session):
    """See above.

    Attributes:
        streams: by unit, the sequenced messages: number n is `streams[unit - 1][n - 1]`.
        received: the last sequence number that the client stated.
        bitfields: return bitfields by message type, as of the last login.
    """

    def __init__(
        self, gateway: Gateway, name: str, account: Account, sub_id: str, units: int
    ) -> None:
        super().__init__(gateway, name, account)
        self.sub_id = sub_id
        self.streams: list[list[bytes]] = [[] for _ in range(units)]
        self.received = 0
        self.bitfields: dict[int, list[int]] = {}
        self._mass_canceled = 0

    @property
    def kept(self) -> int:
        """As `Session.kept`."""
        return sum(map(len, self.streams))

    def unit_sequence(self) -> list[Value]:
        """The last sequence of each unit, as logins and logouts state it."""
        return [
            {"unit_number": unit, "sequence_number": len(stream)}
            for unit, stream in enumerate(self.streams, 1)
        ]

    def end_of_day(self, now_ns: int) -> None:
        """As `Session.end_of_day`."""
        connection: Any = self.connection
        if connection is not None:
            connection.logout("E", "the day is over")

    def _encode(self, code: int, values: Values, terms: Values) -> bytes:
        record = CBOE_BOE[code]
        if "number_of_return_bitfields" not in record.by_name:
            return record.encode(values)
        bits = self.bitfields.get(code, [])
        chosen: Values = {f"return_bitfield_{n}": value for n, value in enumerate(bits, 1)}
        returned = {name: terms[name] for name in asked_for(record, bits) if name in terms}
        return record.encode(
            {"number_of_return_bitfields": len(bits), **returned, **chosen, **values}
        )

    def _say(self, code: int, order: Order, terms: Values, **values: Value) -> None:
        """A sequenced message about an order."""
        unit = (order.instrument - 1) % len(self.streams)
        stream = self.streams[unit]
        place: Values = {"matching_unit": unit + 1, "sequence_number": len(stream) + 1}
        named: Values = {"cl_ord_id": order.wire}
        stream.append(self._encode(code, {**named, **place, **values}, terms))
        if self.connection is not None:
            self.connection.send(stream[-1])

    def _refuse(
        self, code: int, wire: str, refusal: tuple[str, str], now_ns: int, terms: Values
    ) -> None:
        """A reject: to who is there now."""
        if self.connection is None:
            return
        values: Values = {REASONS[code]: refusal[0], "text": refusal[1], "transaction_time": now_ns}
        if code != PURGE_REJECTED:
            values["cl_ord_id"] = wire
        self.connection.send(self._encode(code, values, terms))

    # What the client sends.

    def take(self, code: int, values: Values, now_ns: int) -> None:
        """Takes a message of the client."""
        self.received = amount(values, "sequence_number") or self.received
        body = {name: value for name, value in values.items() if name not in HEADER}
        if code == NEW:
            self._enter(body, now_ns)
        elif code == MODIFY:
            self._modify(body, now_ns)
        elif code == CANCEL:
            self._cancel(body, now_ns)
        elif code == PURGE:
            self._purge(body, now_ns)

    def _bad_id(self, wire: str) -> b.Refusal | None:
        if not b.good_id(wire):
            return b.unlike("cl_ord_id")
        if self.orders.find(wire) is not None:
            return b.Refusal(*b.REJECTS[r.DUPLICATE_TOKEN])
        return b.Refusal(*b.REJECTS[r.BOOK_FULL]) if self.orders.full else None

    def _enter(self, values: Values, now_ns: int) -> None:
        wire = word(values, "cl_ord_id")
        instrument = self.gateway.numbers.get(word(values, "symbol"), 0)
        found = self._bad_id(wire) or b.terms_of(values, amount(values, "order_qty"))
        if not instrument and isinstance(found, Terms):
            found = b.Refusal(*b.REJECTS[r.UNKNOWN_INSTRUMENT])
        if isinstance(found, b.Refusal):
            self._refuse(REJECTED, wire, found, now_ns, values)
        else:
            self.submit(r.NEW, wire, instrument, side_of(values), found, values, now_ns)

    def _modify(self, values: Values, now_ns: int) -> None:
        wire, old = word(values, "cl_ord_id"), self.orders.find(word(values, "orig_cl_ord_id"))
        if old is None:
            no_order = b.Refusal(b.NO_ORDER, "no such order")
            self._refuse(MODIFY_REJECTED, wire, no_order, now_ns, values)
            return
        kept: Values = {**old.terms, "cl_ord_id": wire, "orig_cl_ord_id": old.wire}
        kept |= {name: values[name] for name in CHANGED if name in values}
        kept["cancel_orig_on_reject"] = values.get("cancel_orig_on_reject", "")
        kept["order_qty"] = values.get("order_qty", kept["order_qty"])
        left = amount(kept, "order_qty") - old.executed_before
        found = self._bad_id(wire) or b.terms_of(kept, left)
        if isinstance(found, Terms) and not same_kind(found, kept, old):
            found = b.unlike("the change")
        if isinstance(found, b.Refusal):
            self._refuse(MODIFY_REJECTED, wire, found, now_ns, values)
            self._cancel_instead(old, kept, now_ns)
        elif left <= 0:
            self.ask_cancel(old, now_ns, 0, values)
        else:
            display, minimum = (min(x, left) for x in (found.display, found.minimum))
            terms = found._replace(display=display, minimum=minimum)
            self.submit(r.REPLACE, wire, old.instrument, side_of(kept), terms, kept, now_ns, old)

    def _cancel_instead(self, old: Order, terms: Values, now_ns: int) -> None:
        """Cancels an order whose modify was refused, where the client wanted that."""
        live = self.orders.of(old.token) is old and not self.orders.busy
        if live and terms.get("cancel_orig_on_reject") == "Y":
            self.ask_cancel(old, now_ns, 0, {})

    def _cancel(self, values: Values, now_ns: int) -> None:
        wire = word(values, "orig_cl_ord_id")
        order = self.orders.find(wire)
        if order is None:
            no_order = b.Refusal(b.NO_ORDER, "no such order")
            self._refuse(CANCEL_REJECTED, wire, no_order, now_ns, values)
        elif self.orders.busy:
            self._refuse(CANCEL_REJECTED, wire, b.REJECTS[r.THROTTLED], now_ns, values)
        else:
            self.ask_cancel(order, now_ns, 0, values)

    def _purge(self, values: Values, now_ns: int) -> None:
        options = bytes.fromhex(word(values, "options"))
        if any(options):
            refusal = b.Refusal(b.OTHER, "only all orders can be purged")
            self._refuse(PURGE_REJECTED, "", refusal, now_ns, values)
        elif self.orders.busy:
            self._refuse(PURGE_REJECTED, "", b.REJECTS[r.THROTTLED], now_ns, values)
        else:
            self.ask_mass_cancel(now_ns, 0, {})

    # What the matching says.

    def _terms(self, order: Order, told: Told) -> Values:
        price = max(told.price, 0) // b.UNIT
        shown = int(order.command["flags"][0]) & r.HIDDEN == 0
        stands: Values = {"leaves_qty": told.leaves, "working_price": price}
        stands |= {"display_price": price if shown else 0, "base_liquidity_indicator": "A"}
        return {"ord_type": "2", "time_in_force": "0", **order.terms, **stands}

    def accepted(self, order: Order, told: Told) -> None:
        """As `Session.accepted`."""
        terms, number = self._terms(order, told), told.order
        self._say(ACKNOWLEDGED, order, terms, transact_time=told.time_ns, order_id=number)

    def rejected(self, order: Order, told: Told) -> None:
        """As `Session.rejected`."""
        refusal = b.REJECTS.get(told.reason, b.UNFORESEEN)
        self._refuse(REJECTED, str(order.wire), refusal, told.time_ns, order.terms)

    def replaced(self, old: Order, new: Order, told: Told) -> None:
        """As `Session.replaced`."""
        terms, number = self._terms(new, told), told.order
        self._say(MODIFIED, new, terms, transaction_time=told.time_ns, order_id=number)

    def replace_rejected(self, new: Order, told: Told) -> None:
        """As `Session.replace_rejected`."""
        refusal = b.REJECTS.get(told.reason, b.UNFORESEEN)
        self._refuse(MODIFY_REJECTED, str(new.wire), refusal, told.time_ns, new.terms)
        if new.old is not None:
            self._cancel_instead(new.old, new.terms, told.time_ns)

    def executed(self, order: Order, told: Told) -> None:
        """As `Session.executed`."""
        base, sub, fee_code = b.LIQUIDITY[told.liquidity]
        if told.liquidity == r.MIDPOINT and told.time_ns == order.entered_ns:
            base = "R"
        self._say(
            EXECUTION,
            order,
            {
                **self._terms(order, told),
                "price": order.terms.get("price", 0),
                "fee_code": fee_code,
            },
            transaction_time=told.time_ns,
            exec_id=told.aux,
            last_shares=told.quantity,
            last_px=told.price // b.UNIT,
            leaves_qty=told.leaves,
            base_liquidity_indicator=base,
            sub_liquidity_indicator=sub,
        )

    def canceled(self, order: Order, told: Told, request: Request | None) -> None:
        """As `Session.canceled`: of some shares alone, a restatement."""
        terms = self._terms(order, told)
        self._mass_canceled += told.reason == r.BY_MASS_CANCEL
        if told.leaves:
            reason = "W" if told.reason == r.SELF_TRADE else "S"
            self._restate(order, told, terms, reason)
        else:
            reason = b.CANCELS.get(told.reason, b.OTHER)
            more: dict[str, Value] = {"transact_time": told.time_ns, "cancel_reason": reason}
            self._say(CANCELED, order, terms, **more)

    def cancel_rejected(self, request: Request, told: Told) -> None:
        """As `Session.cancel_rejected`."""
        if request.order is not None:
            refusal = b.REJECTS.get(told.reason, b.UNFORESEEN)
            wire, terms = str(request.order.wire), request.order.terms
            self._refuse(CANCEL_REJECTED, wire, refusal, told.time_ns, terms)
            return
        count, self._mass_canceled = self._mass_canceled, 0
        if self.connection is not None:
            values: Values = {"transaction_time": told.time_ns, "cancelled_order_count": count}
            self.connection.send(self._encode(MASS_CANCELED, values, {}))

    def restated(self, order: Order, told: Told) -> None:
        """As `Session.restated`."""
        reason = "L" if told.reason == r.REFRESHED else "P"
        self._restate(order, told, self._terms(order, told), reason)

    def _restate(self, order: Order, told: Told, terms: Values, reason: str) -> None:
        more: dict[str, Value] = {"transaction_time": told.time_ns, "order_id": order.number}
        self._say(RESTATED, order, terms, restatement_reason=reason, **more)


def asked_for(record: Record, bits: list[int]) -> list[str]:
    """The fields that return bitfields ask for and a message has behind its fixed part."""
    names = {name for tail in record.tails for name in tail.names}
    return [
        item.field.name
        for item in RETURNED
        if item.field.name in names
        and item.byte <= len(bits)
        and bits[item.byte - 1] & item.mask
        and item.field.name not in record.by_name
    ]


def side_of(values: Values) -> int:
    """The side of an order, as the matching says it."""
    return b.SIDES[word(values, "side")]


def same_kind(terms: Terms, kept: Values, old: Order) -> bool:
    """Whether a modify leaves what the matching cannot change."""
    before = old.command[0]
    flags = int(before["flags"]) & ~OWN_FLAGS == terms.flags & ~OWN_FLAGS
    same = int(before["type"]) == terms.kind
    return flags and same and int(before["side"]) == side_of(kept)
