"""The server's end of ESesM under MEO: login, replay, heartbeats, logout.

A login names each matching engine by the entry's trading session id, 1 for the first, and says the
first number that it wants of it: 0 is what comes from now on, and so is an engine without an entry.
The response has an entry an engine, then comes what was asked for, then that this is complete.

The layout has no fields for a retransmission request, so it ends the connection with a goodbye that
says so: nothing is lost on TCP, and a login asks for what was missed. A goodbye also says why the
venue ends a connection, and answers a logout. A refused login is answered by the response alone.

Source: MIAX Pearl Equities MEO 2.6, after the public dissector. From general knowledge: the letters
of refused logins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedhandler.transports.esesm import ESESM, HEADER_BYTES, TRANSPORT, UNSEQUENCED
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.record import Value, Values
from feedhandler.wire.tails import entries, integer
from simulator.gateways.accounts import Account
from simulator.gateways.connection import Connection
from simulator.gateways.gateway import Gateway, Submit
from simulator.gateways.meosession import MeoSession
from simulator.serving.peers import Outlet

LOGIN, RESPONSE, COMPLETE, RETRANSMISSION = "l", "r", "c", "a"
LOGOUT, GOODBYE, BEAT, TEST = "X", "G", "1", "T"
GRANTED, BAD_LOGIN, NO_SESSION, BAD_NUMBER = " ", "X", "S", "N"
BAD_VERSION, BAD_APPLICATION, LOGGED_IN = "I", "A", "L"
MOST_TEXT = 60


class MeoConnection(Connection):
    """A connection of ESesM. A second login while one stands is refused.

    After the day's end a login still brings what was missed, then the goodbye.
    """

    transport = TRANSPORT
    heartbeat = ESESM["0"].encode()
    gateway: MeoGateway

    def goodbye(self, why: str) -> None:
        """Says why the connection ends, and ends it."""
        self.send(self._farewell(why))
        self.fail(why)

    def _farewell(self, why: str) -> bytes:
        return ESESM[GOODBYE].encode(text=why[:MOST_TEXT])

    def _message(self, data: bytes, start: int, end: int) -> None:
        code = select_record(ESESM, data, start, end).code
        if code == UNSEQUENCED:
            self._unsequenced(data[start + HEADER_BYTES : end])
            return
        record, values = read_message(ESESM, data, start, end)
        if code == LOGIN and self.session is None:
            self._login(values)
        elif code == LOGOUT:
            self.goodbye("the client logged out")
        elif code == RETRANSMISSION:
            self.goodbye("retransmission requests are not served: log in from what is missed")
        elif code not in (BEAT, TEST):
            self.goodbye(f"{record.name} out of its turn")

    def _unsequenced(self, message: bytes) -> None:
        if not isinstance(self.session, MeoSession):
            self.goodbye("a message before the login")
        elif self._may_ask(self.session):
            self.session.take(message, self.now_ns)

    def _login(self, values: Values) -> None:
        gateway = self.gateway
        session = gateway.session_of(str(values["username"]), str(values["computer_id"]))
        if values["version"] != gateway.version:
            self._refuse(BAD_VERSION, "the login was refused: session protocol version")
        elif values["application_protocol"] != gateway.application:
            self._refuse(BAD_APPLICATION, "the login was refused: application protocol")
        elif not isinstance(session, MeoSession):
            self._refuse(BAD_LOGIN, "the login was refused: not authorized")
        elif session.connection is not None:
            self._refuse(LOGGED_IN, "the login was refused: already logged in")
        else:
            session.begin(self.now_ns)
            self._open(session, values)

    def _open(self, session: MeoSession, values: Values) -> None:
        wanted, statuses = dict[int, int](), [GRANTED] * len(session.streams)
        for entry in entries(values, "requested"):
            engine, first = (
                integer(entry, "trading_session_id"),
                integer(entry, "requested_sequence_number"),
            )
            if not 1 <= engine <= len(session.streams) or engine in wanted:
                self._refuse(NO_SESSION, "the login was refused: no such trading session")
                return
            wanted[engine] = first
            if first > len(session.streams[engine - 1]) + 1:
                statuses[engine - 1] = BAD_NUMBER
        if set(statuses) != {GRANTED}:
            self._answer(statuses, session)
            self.fail("the login was refused: no such sequence number")
            return
        self._enter(session)
        self._answer(statuses, session)
        for engine, first in wanted.items():
            if first:
                self.send(b"".join(session.streams[engine - 1][first - 1 :]))
        self.send(ESESM[COMPLETE].encode())
        if self.gateway.closed:
            self.goodbye("the day is over")

    def _answer(self, statuses: Sequence[str], session: MeoSession | None) -> None:
        made: list[Value] = []
        for engine, status in enumerate(statuses, 1):
            highest = len(session.streams[engine - 1]) if session is not None else 0
            entry: Values = {"status": status, "trading_session_id": engine}
            made.append({**entry, "highest_sequence_number": highest})
        self.send(ESESM[RESPONSE].encode(engines=made))

    def _refuse(self, status: str, reason: str) -> None:
        self._answer([status] * self.gateway.engines, None)
        self.fail(reason)


class MeoGateway(Gateway):
    """MEO over ESesM. Symbol ids are the matching's numbers of instruments.

    Args:
        engines: matching engines; instrument n is in engine (n - 1) % engines + 1.
        version, application: that clients have to name, of the session layer and of MEO.
    """

    widths = (5, 8)

    def __init__(
        self,
        accounts: Mapping[str, Account],
        symbols: Sequence[str],
        submit: Submit,
        *,
        engines: int = 1,
        version: str = "2.6",
        application: str = "MEO2.6",
        **more: Any,
    ) -> None:
        if not 1 <= engines <= 24:
            raise ValueError(f"engines: expected 1 to 24, got {engines}")
        self.engines, self.version, self.application = engines, version, application
        super().__init__(accounts, symbols, submit, **more)

    def make_session(self, name: str, account: Account) -> MeoSession:
        """As `Gateway.make_session`."""
        return MeoSession(self, name, account, self.engines)

    def peer(self, outlet: Outlet, now_ns: int) -> MeoConnection:
        """As `Gateway.peer`."""
        return MeoConnection(self, outlet, now_ns)
