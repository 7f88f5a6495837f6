"""The server's end of one TCP connection: pieces, silences, heartbeats; messages are its own."""

from __future__ import annotations

from feedhandler.lines.session import whole_packets
from feedhandler.transports.transport import Transport, read_packet
from feedhandler.wire.errors import WireError
from simulator.services.settings import Limits
from simulator.serving.peers import Outlet


class Conversation:
    """A `Peer`. A client that says what nobody can read, or nothing for too long, is dropped.

    A subclass gives `_message`, which may raise WireError: the connection is closed then.

    Args:
        outlet: where answers go.
        now_ns: when the connection came to be.
        transport: of bare messages, or of packets with a header.
        beat: the server's heartbeat; b"" for none.
        limits: how long it waits.
    """

    silence_counts = True  # behind the login

    def __init__(
        self, outlet: Outlet, now_ns: int, transport: Transport, beat: bytes, limits: Limits
    ) -> None:
        self.outlet, self.transport, self.beat, self.limits = outlet, transport, beat, limits
        self.logged_in = self.over = False
        self.now_ns = self.heard_ns = self.sent_ns = now_ns
        self._pending = b""

    def _message(self, data: bytes) -> None:
        """Takes one message, or one packet where packets have a header."""
        raise NotImplementedError

    def on_bytes(self, data: bytes, now_ns: int) -> None:
        """As `Peer.on_bytes`."""
        if self.over:
            return
        self.now_ns = self.heard_ns = now_ns
        try:
            self._read(self._pending + data)
        except WireError:
            self.drop()

    def on_tick(self, now_ns: int) -> None:
        """As `Peer.on_tick`."""
        if self.over:
            return
        self.now_ns = now_ns
        most_ns = self.limits.silence_ns if self.logged_in else self.limits.login_ns
        counts = self.silence_counts or not self.logged_in
        if counts and now_ns - self.heard_ns >= most_ns:
            self.drop()
        elif self.logged_in:
            self._tick()
            if self.beat and now_ns - self.sent_ns >= self.limits.beat_ns:
                self.send(self.beat)

    def on_close(self, now_ns: int) -> None:
        """As `Peer.on_close`."""
        self.over = True

    def send(self, data: bytes) -> None:
        """Says something."""
        self.sent_ns = self.now_ns
        self.outlet.send(data)

    def drop(self, last: bytes = b"") -> None:
        """Ends the connection, with a last word."""
        if not self.over:
            self.send(last)
            self.over, self._pending = True, b""
            self.outlet.close()

    def _tick(self) -> None:
        """What is due because of the time, behind the login."""

    def _read(self, data: bytes) -> None:
        messages, consumed = split(self.transport, data)
        self._pending = data[consumed:]
        for message in messages:
            self._message(message)
            if self.over:
                return
        if self.transport.header is None and read_packet(self.transport, self._pending).faults:
            self.drop()


def split(transport: Transport, data: bytes) -> tuple[list[bytes], int]:
    """The whole messages (packets, where they have a header) of a stream, and their bytes.

    Raises:
        WireError: "bad_header" for a length that cannot be.
    """
    if transport.header is not None:
        return whole_packets(transport, data)
    packet = read_packet(transport, data)
    consumed = packet.spans[-1][1] if packet.spans else 0
    return [data[start:end] for start, end in packet.spans], consumed
