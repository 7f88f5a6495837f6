"""The server's end of MEMX-TCP: login, mode, session; what a mode is for is its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from feedhandler.lines.memxsession import MOST_TOKEN, TOKEN_TYPE
from feedhandler.transports import memxtcp
from feedhandler.transports.memxtcp import MEMX_TCP
from feedhandler.transports.transport import read_message
from feedhandler.wire.errors import WireError
from feedhandler.wire.record import Record, Values
from feedhandler.wire.tails import integer
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream
from simulator.services.clients import Clients
from simulator.services.connection import Connection, Patience
from simulator.serving.peers import Outlet

MALFORMED, BAD_TYPE, REFUSED = "T", "V", "A"
NOT_ALLOWED, ALL_NOT_ALLOWED, NOT_THE_SESSION, OUT_OF_RANGE = "R", "A", "P", "S"
REQUESTS: Final = (
    memxtcp.HEARTBEAT,
    memxtcp.LOGIN_REQUEST,
    memxtcp.REPLAY_REQUEST,
    memxtcp.REPLAY_ALL_REQUEST,
    memxtcp.STREAM_REQUEST,
)


def clients_of(passwords: Mapping[str, str]) -> Clients:
    """The users of a port. Raises ValueError as `Clients`."""
    return Clients(passwords, MOST_TOKEN)


class MemxPeer(Connection):
    """A connection to a port that works in one mode.

    Args:
        publisher: whose messages and books.
        clients: who may log in.
        patience: see Patience.
        outlet, now_ns: of the connection.
    """

    mode = ""

    def __init__(
        self,
        publisher: Publisher,
        clients: Clients,
        patience: Patience,
        outlet: Outlet,
        now_ns: int,
    ) -> None:
        beat = MEMX_TCP[memxtcp.HEARTBEAT].encode()
        super().__init__(outlet, now_ns, memxtcp.TRANSPORT, beat, patience)
        self.publisher, self.clients = publisher, clients
        self.unit: UnitStream = publisher.units[0]
        session = publisher.header["session_id"]
        assert isinstance(session, int)
        self.session = session

    def _begin(self) -> None:
        """The session has started."""

    def _replay(self, first: int, count: int) -> None:
        """A request for a range."""
        self._reject(NOT_ALLOWED)

    def _replay_all(self) -> None:
        """A request for everything."""
        self._reject(ALL_NOT_ALLOWED)

    def _message(self, data: bytes) -> None:
        record, values = read_message(MEMX_TCP, data, 0, len(data))
        if record.code not in REQUESTS:
            raise WireError("unknown_message", "not a client's")
        if record.code == memxtcp.HEARTBEAT:
            return
        if (record.code == memxtcp.LOGIN_REQUEST) == self.known:
            raise WireError("unknown_message", f"{record.name} out of its turn")
        if record.code == memxtcp.LOGIN_REQUEST:
            self._login(values)
        else:
            self._asked(record, values)

    def _login(self, values: Values) -> None:
        name, colon, password = str(values["token"]).partition(":")
        code = ""
        if values["token_type"] != TOKEN_TYPE:
            code = BAD_TYPE
        elif not colon:
            code = MALFORMED
        elif not self.clients.find(name, password):
            code = REFUSED
        if code:
            last = MEMX_TCP[memxtcp.LOGIN_REJECTED].encode(login_reject_code=code)
            self.drop("login rejected", last)
            return
        self.know()
        accepted = MEMX_TCP[memxtcp.LOGIN_ACCEPTED].encode(supported_request_mode=self.mode)
        self.send(accepted, MEMX_TCP[memxtcp.START_OF_SESSION].encode(session_id=self.session))
        self._begin()

    def _asked(self, record: Record, values: Values) -> None:
        if record.code == memxtcp.STREAM_REQUEST:
            code = NOT_ALLOWED
            self.send(MEMX_TCP[memxtcp.STREAM_REJECTED].encode(stream_reject_code=code))
        elif values["session_id"] != self.session:
            self._reject(NOT_THE_SESSION)
        elif record.code == memxtcp.REPLAY_REQUEST:
            self._replay(integer(values, "next_sequence_number"), integer(values, "count"))
        else:
            self._replay_all()

    def _reject(self, code: str) -> None:
        self.send(MEMX_TCP[memxtcp.REPLAY_REJECTED].encode(replay_reject_code=code))
