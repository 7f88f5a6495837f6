"""The server's end of NYSE's Pillar stream protocol: login, streams, replay, heartbeats.

A session has three streams, told by the low word of their id, which is this venue's own numbering:
1 is written by the client, 2 tells it what became of its orders, 3 holds the symbols. The high word
is the account's number. A stream is read from any of its numbers on, 0 meaning the next one; it is
written from its next number on.

Source: NYSE Pillar Stream Protocol Specification, after the public dissector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG, TRANSPORT, wrap
from feedhandler.transports.transport import read_message, select_record
from feedhandler.wire.record import Values
from feedhandler.wire.tails import integer
from simulator.gateways.accounts import Account
from simulator.gateways.connection import Connection
from simulator.gateways.gateway import Gateway, Submit
from simulator.gateways.pillarsession import TO_TRADER, PillarSession
from simulator.serving.peers import Outlet

LOGIN, LOGIN_RESPONSE, AVAILABLE, HEARTBEAT = 0x0201, 0x0202, 0x0203, 0x0204
OPEN, OPEN_RESPONSE, CLOSE, CLOSE_RESPONSE = 0x0205, 0x0206, 0x0207, 0x0208
FROM_TRADER, SYMBOLS = 1, 3
READ, WRITE = 1, 2
ACCESS = {FROM_TRADER: WRITE, TO_TRADER: READ, SYMBOLS: READ}
SEQ_BYTES = PILLAR_STREAM[SEQ_MSG].size
SYMBOL_REFERENCE = 0x0232
(OK, NOT_LOGGED_IN, BAD_LOGIN, LOGGED_IN, SILENT, LATE, INVALID) = (0, 18, 24, 27, 28, 29, 33)
NO_PERMISSION, BAD_VERSION, OUT_OF_SEQUENCE, NO_STREAM, NOT_OPEN = 54, 81, 82, 84, 85
LATENESS = {"the client was silent": SILENT, "no login came": LATE}


class PillarConnection(Connection):
    """A connection of the stream protocol. A second login while one stands is refused."""

    transport = TRANSPORT
    heartbeat = PILLAR_STREAM[HEARTBEAT].encode()
    gateway: PillarGateway

    def __init__(self, gateway: PillarGateway, outlet: Outlet, now_ns: int) -> None:
        super().__init__(gateway, outlet, now_ns)
        self._username = ""
        self._open: dict[int, tuple[int, int]] = {}  # by stream: next number to send, last or 0

    def _farewell(self, why: str) -> bytes:
        return self._login_response(LATENESS.get(why, INVALID))

    def _login_response(self, status: int) -> bytes:
        return PILLAR_STREAM[LOGIN_RESPONSE].encode(username=self._username, status=status)

    def _message(self, data: bytes, start: int, end: int) -> None:
        code = select_record(PILLAR_STREAM, data, start, end).code
        record, values = read_message(PILLAR_STREAM, data, start, end, nested=code == SEQ_MSG)
        if code == HEARTBEAT:
            return
        if code == LOGIN:
            self._login(values)
        elif not isinstance(self.session, PillarSession):
            self._refuse(NOT_LOGGED_IN, f"{record.name} before the login")
        elif code == SEQ_MSG:
            self._sequenced(self.session, values, data[start + SEQ_BYTES : end])
        elif code == OPEN:
            self._open_stream(self.session, values)
        elif code == CLOSE:
            self._close_stream(self.session, values)
        else:
            self._refuse(INVALID, f"{record.name} out of its turn")

    def _refuse(self, status: int, reason: str) -> None:
        self.send(self._login_response(status))
        self.fail(reason)

    # Logins.

    def _login(self, values: Values) -> None:
        if self.session is not None:
            self.send(self._login_response(LOGGED_IN))
            return
        self._username = str(values["username"])
        session = self.gateway.session_of(self._username, str(values["password"]))
        if not isinstance(session, PillarSession) or values["mic"] != self.gateway.mic:
            self._refuse(BAD_LOGIN, "the login was refused: invalid details")
        elif str(values["version"]).partition(".")[0] != self.gateway.version.partition(".")[0]:
            self._refuse(BAD_VERSION, "the login was refused: invalid protocol version")
        elif session.connection is not None:
            self._refuse(LOGGED_IN, "the login was refused: already logged in")
        else:
            self._enter(session)
            self.send(self._login_response(OK))
            for stream in ACCESS:
                self._offer(session, stream)

    def _offer(self, session: PillarSession, stream: int) -> None:
        given: Values = {"sess": session.account.owner, "value": stream, "access": ACCESS[stream]}
        given["next_seq"] = self._next(session, stream)
        self.send(PILLAR_STREAM[AVAILABLE].encode(given))

    def _next(self, session: PillarSession, stream: int) -> int:
        if stream == FROM_TRADER:
            return session.taken + 1
        return len(self._packets(session, stream)) + 1

    def _packets(self, session: PillarSession, stream: int) -> Sequence[bytes]:
        return session.packets if stream == TO_TRADER else self.gateway.references[session.name]

    # Streams.

    def _known(self, session: PillarSession, values: Values) -> int:
        """The stream that a message names; 0 when it is none of the session's."""
        stream = integer(values, "value")
        return stream if values["sess"] == session.account.owner and stream in ACCESS else 0

    def _open_stream(self, session: PillarSession, values: Values) -> None:
        stream, first = self._known(session, values), integer(values, "start_seq")
        status = NO_STREAM
        if stream:
            behind = self._next(session, stream)
            first, last = first or behind, integer(values, "end_seq")
            status = (
                OK
                if first == behind or (first < behind and stream != FROM_TRADER)
                else OUT_OF_SEQUENCE
            )
            if values["access"] != ACCESS[stream]:
                status = NO_PERMISSION
            elif last and last < first:
                status = OUT_OF_SEQUENCE
        names = {name: values[name] for name in ("sess", "value", "access")}
        self.send(PILLAR_STREAM[OPEN_RESPONSE].encode(names, status=status))
        if status == OK:
            self._open[stream] = first, last
            self.deliver()

    def _close_stream(self, session: PillarSession, values: Values) -> None:
        stream = self._known(session, values)
        status = OK if stream in self._open else NOT_OPEN
        self._closed(session, values, status if stream else NO_STREAM)

    def _closed(self, session: PillarSession, values: Values, status: int) -> None:
        """Says that a stream is closed, and that it can be opened again."""
        names = {name: values[name] for name in ("sess", "value")}
        self.send(PILLAR_STREAM[CLOSE_RESPONSE].encode(names, status=status))
        stream = self._known(session, values)
        if self._open.pop(stream, None) is not None:
            self._offer(session, stream)

    def deliver(self) -> None:
        """Sends what the open streams have for the client."""
        session = self.session
        for stream in (TO_TRADER, SYMBOLS):
            if stream in self._open and isinstance(session, PillarSession) and not self.over:
                self._send_from(session, stream)

    def _send_from(self, session: PillarSession, stream: int) -> None:
        (first, last), packets = self._open[stream], self._packets(session, stream)
        end = min(last or len(packets), len(packets))
        if end >= first:
            self._open[stream] = end + 1, last
            self.send(b"".join(packets[first - 1 : end]))
        if last and end >= last:
            self._closed(session, {"sess": session.account.owner, "value": stream}, OK)

    def _sequenced(self, session: PillarSession, values: Values, message: bytes) -> None:
        stream = self._known(session, values)
        if stream != FROM_TRADER:
            self._closed(session, values, NO_PERMISSION if stream else NO_STREAM)
        elif stream not in self._open:
            self._closed(session, values, NOT_OPEN)
        elif values["seq"] != session.taken + 1:
            self._closed(session, values, OUT_OF_SEQUENCE)
        elif self._may_ask(session):
            session.taken += 1
            session.take(message, self.now_ns)


class PillarGateway(Gateway):
    """NYSE's Pillar gateway. Symbol ids are the matching's numbers of instruments.

    Args:
        mic: that clients log in to.
        version: of the protocol; clients must have its major number.
    """

    widths = (16, 32)

    def __init__(
        self,
        accounts: Mapping[str, Account],
        symbols: Sequence[str],
        submit: Submit,
        *,
        mic: str = "XNYS",
        version: str = "5.17",
        **more: Any,
    ) -> None:
        self.mic, self.version = mic, version
        super().__init__(accounts, symbols, submit, **more)
        self.references = {
            name: [
                wrap(symbol_reference(number, symbol, mic), number, account.owner, SYMBOLS)
                for number, symbol in enumerate(symbols, 1)
            ]
            for name, account in accounts.items()
        }

    def make_session(self, name: str, account: Account) -> PillarSession:
        """As `Gateway.make_session`."""
        return PillarSession(self, name, account)

    def peer(self, outlet: Outlet, now_ns: int) -> PillarConnection:
        """As `Gateway.peer`."""
        return PillarConnection(self, outlet, now_ns)


def symbol_reference(number: int, symbol: str, mic: str) -> bytes:
    """The message that says which symbol has an id."""
    record = PILLAR_GATEWAY[SYMBOL_REFERENCE]
    return record.encode(symbol_id=number, nyse_symbol=symbol, listed_mic=mic, round_lot_size=100)
