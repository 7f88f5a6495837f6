"""The server's end of SoupBinTCP: login, replay, heartbeats, sequenced and unsequenced data."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.record import Values
from simulator.gateways.connection import Connection
from simulator.gateways.session import Session

if TYPE_CHECKING:
    from simulator.gateways.accounts import Account
    from simulator.gateways.gateway import Gateway

HEARTBEAT = SOUPBINTCP["H"].encode()
END_OF_SESSION = SOUPBINTCP["Z"].encode()
NOT_AUTHORIZED, NOT_AVAILABLE = "A", "S"


class SoupSession(Session):
    """A session whose sequenced packets are kept: number n is `packets[n - 1]`.

    Args:
        session_id: of the day, at most 10 characters.
    """

    def __init__(self, gateway: Gateway, name: str, account: Account, session_id: str) -> None:
        super().__init__(gateway, name, account)
        self.session_id = session_id
        self.packets: list[bytes] = []

    @property
    def kept(self) -> int:
        """As `Session.kept`."""
        return len(self.packets)

    @abstractmethod
    def take(self, data: bytes, now_ns: int) -> None:
        """Takes one message of the client. Raises WireError when it is none."""

    def open(self, now_ns: int) -> None:
        """A login is about to be answered."""

    def say(self, message: bytes) -> None:
        """Tells the client one message, now or after its next login."""
        self.packets.append(wrap("S", message))
        if self.connection is not None:
            self.connection.send(self.packets[-1])

    def end(self) -> None:
        """The session ends, and with it the connection."""
        if self.connection is not None:
            self.connection.send(END_OF_SESSION)
            self.connection.fail("the day is over")


class SoupConnection(Connection):
    """A connection of SoupBinTCP 3.00.

    A second login while one stands is refused: the session is not available. After the day's end a
    login still brings what was missed, then the end of the session.
    """

    transport = TRANSPORT
    heartbeat = HEARTBEAT

    def _message(self, data: bytes, start: int, end: int) -> None:
        code = select_record(SOUPBINTCP, data, start, end).code
        if code == "U":
            self._unsequenced(data[start + HEADER_BYTES : end])
            return
        _, values = read_message(SOUPBINTCP, data, start, end)
        if code == "L" and self.session is None:
            self._login(values)
        elif code == "O":
            self.fail("the client logged out")
        elif code not in ("R", "+"):
            self.fail(f"a packet of type {code} out of its turn")

    def _unsequenced(self, message: bytes) -> None:
        if not isinstance(self.session, SoupSession):
            self.fail("a message before the login")
        elif self._may_ask(self.session):
            self.session.take(message, self.now_ns)

    def _login(self, values: Values) -> None:
        session = self.gateway.session_of(str(values["username"]), str(values["password"]))
        if not isinstance(session, SoupSession):
            self._refuse(NOT_AUTHORIZED, "the login was refused: not authorized")
        elif session.connection is not None:
            self._refuse(NOT_AVAILABLE, "the login was refused: the session is in use")
        elif values["requested_session"] not in ("", session.session_id):
            self._refuse(NOT_AVAILABLE, "the login was refused: no such session")
        else:
            session.open(self.now_ns)
            self._accept(session, values["requested_sequence_number"])

    def _accept(self, session: SoupSession, wanted: object) -> None:
        behind = len(session.packets) + 1
        first = behind if wanted == 0 else wanted
        if not isinstance(first, int) or not 1 <= first <= behind:
            self._refuse(NOT_AVAILABLE, "the login was refused: no such sequence number")
            return
        accepted = SOUPBINTCP["A"].encode(session=session.session_id, sequence_number=first)
        self._enter(session)
        self.send(accepted + b"".join(session.packets[first - 1 :]))
        if self.gateway.closed:
            session.end()

    def _refuse(self, code: str, reason: str) -> None:
        self.send(SOUPBINTCP["J"].encode(reject_reason_code=code))
        self.fail(reason)
