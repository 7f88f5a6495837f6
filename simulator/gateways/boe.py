"""The server's end of a Cboe BOE v2 connection: login with unit sequences, replay, logout.

Source: Cboe US Equities BOE specification 2.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedhandler.protocols.cboe_boe import CBOE_BOE, INBOUND
from feedhandler.protocols.cboe_boe_fields import RETURNED
from feedhandler.transports.boe import TRANSPORT
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.errors import WireError
from feedhandler.wire.presence import Presence
from feedhandler.wire.record import Values
from feedhandler.wire.tails import entries, integer
from simulator.gateways.accounts import Account
from simulator.gateways.boesession import BoeSession
from simulator.gateways.connection import Connection
from simulator.gateways.gateway import SECOND_NS, Gateway, Pace, Submit
from simulator.serving.peers import Outlet

LOGIN, RESPONSE, LOGOUT_REQUEST, LOGOUT, CLIENT_HEARTBEAT = 0x37, 0x24, 0x02, 0x08, 0x03
REPLAY_COMPLETE = CBOE_BOE[0x13].encode()
UNIT_SEQUENCES, RETURN_BITFIELDS = 0x80, 0x81
FROM_CLIENT = frozenset(record.code for record in INBOUND)
TEXTS = {
    "A": "Login Accepted",
    "N": "Not authorized",
    "B": "Session in use",
    "S": "Invalid session",
    "Q": "Sequence ahead",
    "I": "Invalid unit",
    "F": "Invalid return bitfield",
    "M": "Invalid login request structure",
}


class BoeConnection(Connection):
    """A connection of BOE v2. A second login while one stands is refused: the session is in use.

    After the day's end a login still brings what was missed, then the logout.
    """

    transport = TRANSPORT
    heartbeat = CBOE_BOE[0x09].encode()

    def logout(self, reason: str, text: str) -> None:
        """Says why the connection ends, and ends it."""
        self.send(self._logout(reason, text))
        self.fail(text)

    def _logout(self, reason: str, text: str) -> bytes:
        given: Values = {"logout_reason": reason, "logout_reason_text": text[:60]}
        if isinstance(self.session, BoeSession):
            given["last_received_sequence_number"] = self.session.received
            given["unit_sequence"] = self.session.unit_sequence()
        return CBOE_BOE[LOGOUT].encode(given)

    def _farewell(self, why: str) -> bytes:
        return self._logout("!", why)

    def _message(self, data: bytes, start: int, end: int) -> None:
        code = select_record(CBOE_BOE, data, start, end).code
        if code == LOGIN and self.session is None:
            self._login(data, start, end)
            return
        record, values = read_message(CBOE_BOE, data, start, end)
        if code == LOGOUT_REQUEST:
            self.logout("U", "the client logged out")
        elif code not in FROM_CLIENT or code == LOGIN:
            self.logout("!", f"{record.name} out of its turn")
        elif code == CLIENT_HEARTBEAT:
            return
        elif not isinstance(self.session, BoeSession):
            self.logout("!", "a message before the login")
        elif self._may_ask(self.session):
            self.session.take(int(record.code), values, self.now_ns)

    def _login(self, data: bytes, start: int, end: int) -> None:
        try:
            _, values = read_message(CBOE_BOE, data, start, end)
        except WireError:
            self._refuse("M", {})
            return
        session = self.gateway.session_of(word(values, "username"), word(values, "password"))
        if not isinstance(session, BoeSession):
            self._refuse("N", values)
        elif word(values, "session_sub_id") != session.sub_id:
            self._refuse("S", values)
        elif session.connection is not None:
            self._refuse("B", values)
        else:
            self._open(session, values)

    def _open(self, session: BoeSession, values: Values) -> None:
        groups = entries(values, "param_group")
        bitfields, wanted = return_bitfields(groups), unit_sequences(groups, session)
        if isinstance(bitfields, str) or isinstance(wanted, str):
            self._refuse(bitfields if isinstance(bitfields, str) else str(wanted), values)
            return
        session.bitfields = bitfields
        self._enter(session)
        given = self._response("A", values)
        given["last_received_sequence_number"] = session.received
        given["unit_sequence"] = session.unit_sequence()
        self.send(CBOE_BOE[RESPONSE].encode(given))
        for unit, last in wanted.items():
            self.send(b"".join(session.streams[unit - 1][last:]))
        self.send(REPLAY_COMPLETE)
        if self.gateway.closed:
            self.logout("E", "the day is over")

    def _response(self, status: str, values: Values) -> Values:
        given: Values = {"login_response_status": status, "login_response_text": TEXTS[status]}
        return {**given, "param_group": values.get("param_group", [])}

    def _refuse(self, status: str, values: Values) -> None:
        self.send(CBOE_BOE[RESPONSE].encode(self._response(status, values)))
        self.fail(f"the login was refused: {TEXTS[status]}")


def word(values: Values, name: str) -> str:
    """A text among the values."""
    return str(values[name])


def return_bitfields(groups: Sequence[Values]) -> dict[int, list[int]] | str:
    """The return bitfields by message type, or the status of the refusal."""
    known = {(item.byte, item.mask) for item in RETURNED}
    made: dict[int, list[int]] = {}
    for group in groups:
        if group["type"] not in (UNIT_SEQUENCES, RETURN_BITFIELDS):
            return "M"
        if group["type"] != RETURN_BITFIELDS:
            continue
        code, given = integer(group, "message_type"), entries_of(group, "bitfields")
        bits = [
            (byte, 1 << bit)
            for byte, value in enumerate(given, 1)
            for bit in range(8)
            if value >> bit & 1
        ]
        if bits and (not has_returns(code) or not known.issuperset(bits)):
            return "F"
        made[code] = given
    return made


def entries_of(group: Values, name: str) -> list[int]:
    """A list of integers among the values."""
    given: Any = group[name]
    return list(given)


def has_returns(code: int) -> bool:
    """Whether a message type has fields that a client may choose."""
    record = CBOE_BOE.by_number.get(code)
    tails = () if record is None or code in FROM_CLIENT else record.tails
    return any(isinstance(tail, Presence) for tail in tails)


def unit_sequences(groups: Sequence[Values], session: BoeSession) -> dict[int, int] | str:
    """By unit, the last sequence that the client has; or the status of the refusal."""
    every = range(1, len(session.streams) + 1)
    made, listed = dict.fromkeys(every, 0), dict[int, int]()
    for group in groups:
        if group["type"] != UNIT_SEQUENCES:
            continue
        if group["no_unspecified_unit_replay"]:
            made = {unit: len(session.streams[unit - 1]) for unit in every}
        for entry in entries(group, "units"):
            listed[integer(entry, "unit")] = integer(entry, "sequence")
    for unit, last in listed.items():
        if unit not in made:
            return "I"
        if last > len(session.streams[unit - 1]):
            return "Q"
    return {**made, **listed}


class BoeGateway(Gateway):
    """BOE v2.

    Args:
        sub_id: the session sub-id of all accounts, at most 4 characters.
        units: matching units; instrument n is in unit (n - 1) % units + 1.
    """

    usual_pace = Pace(silence_ns=5 * SECOND_NS)
    widths = (4, 10)

    def __init__(
        self,
        accounts: Mapping[str, Account],
        symbols: Sequence[str],
        submit: Submit,
        *,
        sub_id: str = "0001",
        units: int = 1,
        **more: Any,
    ) -> None:
        if not 1 <= units <= 255:
            raise ValueError(f"units: expected 1 to 255, got {units}")
        self.sub_id, self.units = sub_id, units
        super().__init__(accounts, symbols, submit, **more)

    def make_session(self, name: str, account: Account) -> BoeSession:
        """As `Gateway.make_session`."""
        return BoeSession(self, name, account, self.sub_id, self.units)

    def peer(self, outlet: Outlet, now_ns: int) -> BoeConnection:
        """As `Gateway.peer`."""
        return BoeConnection(self, outlet, now_ns)
