"""The server's end of a TCP connection: pieces, silences, heartbeats; what is said is its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feedhandler.lines.session import SECOND_NS, whole_packets
from feedhandler.transports.transport import Transport, read_packet
from feedhandler.wire.errors import WireError
from simulator.serving.peers import Outlet

NEVER_NS: Final = (1 << 62) - 1


@dataclass(frozen=True)
class Patience:
    """How long a service waits.

    Attributes:
        login_ns: from the start of a connection to the client's being known.
        silence_ns: of a client that is known, before it counts as gone.
        beat_ns: of the server's own silence, before it says that it is there.
    """

    login_ns: int = 10 * SECOND_NS
    silence_ns: int = 15 * SECOND_NS
    beat_ns: int = SECOND_NS


class Connection:
    """A `Peer`. A client that says what nobody can read, or nothing for too long, is dropped.

    A subclass gives `_message`, which may raise WireError: the connection is closed then.

    Args:
        outlet: where answers go.
        now_ns: when the connection came to be.
        transport: of bare messages, or of packets with a header.
        beat: the server's heartbeat; b"" for none.
        patience: how long it waits.

    Attributes:
        known: the client has said who it is.
        over: the connection has ended.
        why: what it was dropped for; "" when it was not.
    """

    def __init__(
        self, outlet: Outlet, now_ns: int, transport: Transport, beat: bytes, patience: Patience
    ) -> None:
        self.outlet, self.transport, self.beat, self.patience = outlet, transport, beat, patience
        self.known = self.over = False
        self.why = ""
        self.now_ns = self.heard_ns = self.sent_ns = now_ns
        self._pending = b""

    def _message(self, data: bytes) -> None:
        """Takes one message, or one packet where packets have a header."""
        raise NotImplementedError

    def on_bytes(self, data: bytes, now_ns: int) -> None:
        """As `Peer.on_bytes`."""
        if self.over:
            return
        self.now_ns = now_ns
        if self.known:
            self.heard_ns = now_ns
        try:
            self._read(self._pending + data)
        except WireError as error:
            self.drop(f"bytes that are no message of a client: {error.reason}")

    def on_tick(self, now_ns: int) -> None:
        """As `Peer.on_tick`."""
        if self.over:
            return
        self.now_ns = now_ns
        silent_ns = now_ns - self.heard_ns
        limit_ns = self.patience.silence_ns if self.known else self.patience.login_ns
        if silent_ns >= limit_ns:
            self.drop("silence" if self.known else "no login")
        elif self.known and self.beat and now_ns - self.sent_ns >= self.patience.beat_ns:
            self.send(self.beat)

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`."""
        self.now_ns = now_ns
        self.over, self._pending = True, b""

    def know(self) -> None:
        """The client has said who it is: its silences count from here on."""
        self.known, self.heard_ns = True, self.now_ns

    def send(self, *packets: bytes) -> None:
        """Says something."""
        data = b"".join(packets)
        if data:
            self.sent_ns = self.now_ns
            self.outlet.send(data)

    def drop(self, why: str, last: bytes = b"") -> None:
        """Ends the connection, with a last word."""
        if not self.over:
            self.send(last)
            self.over, self.why, self._pending = True, why, b""
            self.outlet.close()

    def _read(self, data: bytes) -> None:
        messages, consumed, fault = split(self.transport, data)
        self._pending = data[consumed:]
        for message in messages:
            self._message(message)
            if self.over:
                return
        if fault:
            raise WireError(fault, "stream")


def split(transport: Transport, data: bytes) -> tuple[list[bytes], int, str]:
    """The whole messages (packets, where they have a header) at the start of a stream.

    Gives them, their bytes, and the fault of what stands behind them, "" when more may come.
    """
    if transport.header is not None:
        try:
            return *whole_packets(transport, data), ""
        except WireError as error:
            return [], 0, error.reason
    packet = read_packet(transport, data)
    fault = packet.faults[0][0] if packet.faults else ""
    return [data[start:end] for start, end in packet.spans], packet.consumed, fault
