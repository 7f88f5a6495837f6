"""Our end of one TCP connection to a gateway: bytes to messages, silences, the end."""

from __future__ import annotations

from abc import ABC, abstractmethod

from feedhandler.transports.transport import Transport, read_packet
from feedhandler.wire.errors import WireError
from simulator.gateways.gateway import Gateway
from simulator.gateways.session import Session
from simulator.serving.peers import Outlet


class Connection(ABC):
    """A `Peer`; the messages are the protocol's.

    Attributes:
        now_ns: the last time it was told.
        session: of the account that logged in.
        over: it has ended; what still comes is passed over.
    """

    transport: Transport
    heartbeat: bytes

    def __init__(self, gateway: Gateway, outlet: Outlet, now_ns: int) -> None:
        self.gateway, self.outlet = gateway, outlet
        self.now_ns = self._began_ns = self._heard_ns = self._sent_ns = now_ns
        self.session: Session | None = None
        self.over = False
        self._pending = b""

    @abstractmethod
    def _message(self, data: bytes, start: int, end: int) -> None:
        """Takes one message. Raises WireError when it is none."""

    def _farewell(self, why: str) -> bytes:
        """What is said to a client that was silent or cannot be understood."""
        return b""

    def _give_up(self, why: str) -> None:
        if farewell := self._farewell(why):
            self.send(farewell)
        self.fail(why)

    def send(self, packet: bytes) -> None:
        """Sends bytes to the client."""
        if not self.over:
            self._sent_ns = self.now_ns
            self.outlet.send(packet)

    def on_bytes(self, data: bytes, now_ns: int) -> None:
        """As `Peer.on_bytes`."""
        if self.over or not data:
            return
        self.now_ns = self._heard_ns = now_ns
        data = self._pending + data
        packet = read_packet(self.transport, data)
        self._pending = data[packet.consumed :]
        if self._take_all(data, packet.spans) and packet.faults:
            self._give_up(f"bytes that are no message of the protocol: {packet.faults[0][0]}")

    def _take_all(self, data: bytes, spans: list[tuple[int, int]]) -> bool:
        """Takes messages; whether the connection goes on."""
        for start, end in spans:
            try:
                self._message(data, start, end)
            except WireError as error:
                self._give_up(f"bytes that are no message of the protocol: {error.reason}")
            if self.over:
                return False
        return True

    def on_tick(self, now_ns: int) -> None:
        """As `Peer.on_tick`."""
        if self.over:
            return
        self.now_ns, pace = now_ns, self.gateway.pace
        if self.session is None and now_ns - self._began_ns >= pace.login_ns:
            self._give_up("no login came")
        elif now_ns - self._heard_ns >= pace.silence_ns:
            self._give_up("the client was silent")
        elif self.session is not None and now_ns - self._sent_ns >= pace.beat_ns:
            self.send(self.heartbeat)

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`."""
        self.now_ns = now_ns
        self._end("the connection is gone")

    def fail(self, reason: str) -> None:
        """Ends the connection; what was said is still sent."""
        self._end(reason)
        self.outlet.close()

    def _may_ask(self, session: Session) -> bool:
        """Whether a session may enter something more; else the connection has ended."""
        if session.kept < self.gateway.most_kept:
            return True
        self._give_up("the session's day is full")
        return False

    def _enter(self, session: Session) -> None:
        self.session, session.connection = session, self

    def _end(self, reason: str) -> None:
        if self.over:
            return
        self.over, self._pending = True, b""
        self.gateway.ended.append((self.outlet.peer, reason))
        if self.session is not None:
            self.session.gone(self.now_ns)
