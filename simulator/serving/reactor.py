"""One thread, all of a venue's sockets: what comes is handed to its peer, what waits is sent."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from simulator.serving.peers import DatagramTaker, Peer, PeerMaker

TICK_NS: Final = 20_000_000
READ_BYTES: Final = 1 << 16
READS_AT_ONCE: Final = 64
MOST_WAITING_BYTES: Final = 64 << 20  # with more in front of it, the next send drops the client
BACKLOG: Final = 64
CLOSE_NS: Final = 10_000_000_000  # for a client to read the rest of what it was told
MOST_CONNECTIONS: Final = 512  # more are closed as they come
Address = tuple[str, int]


class Connection:
    """One accepted TCP connection: an `Outlet`.

    Attributes:
        peer: the other side's address as `HOST:PORT`.
        dropped: it was closed because it did not read.
        ours: our own address.
    """

    def __init__(self, reactor: Reactor, end: socket.socket, address: Address) -> None:
        self.peer = f"{address[0]}:{address[1]}"
        self.dropped = False
        self.ours: Address = end.getsockname()[:2]
        self._reactor, self._end = reactor, end
        self._waiting = bytearray()
        self._closing = self._closed = False
        self._closing_ns = 0
        self._handler: Peer | None = None

    def serve(self, handler: Peer) -> None:
        """From now on this peer is told what comes."""
        self._handler = handler

    def send(self, data: bytes) -> None:
        """As `Outlet.send`."""
        if self._closed or self._closing or not data:
            return
        if len(self._waiting) > MOST_WAITING_BYTES:
            self.dropped = True
            self._gone()
            return
        self._waiting += data
        self._flush()

    def close(self) -> None:
        """As `Outlet.close`."""
        if not self._closing:
            self._closing, self._closing_ns = True, self._reactor.now_ns()
        self._flush()

    def on_events(self, mask: int) -> None:
        """The socket can be read or written."""
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if mask & selectors.EVENT_READ and not self._closed:
            self._read()

    def tick(self, now_ns: int) -> None:
        """Time has passed."""
        if self._closing and now_ns - self._closing_ns >= CLOSE_NS:
            self.dropped = True
            self._gone()
        elif not self._closed and self._handler is not None:
            self._handler.on_tick(now_ns)

    def abort(self) -> None:
        """Closes at once, whatever waits."""
        self._gone()

    def _read(self) -> None:
        try:
            data = self._end.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._gone()
        elif not self._closing and self._handler is not None:
            self._handler.on_bytes(data, self._reactor.now_ns())

    def _flush(self) -> None:
        if self._closed:
            return
        try:
            while self._waiting:
                del self._waiting[: self._end.send(self._waiting)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self._gone()
            return
        if self._closing and not self._waiting:
            self._gone()
            return
        self._reactor.watch(self._end, self, writing=bool(self._waiting))

    def _gone(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._reactor.forget(self._end, self)
        self._end.close()
        if self._handler is not None:
            self._handler.on_close(self._reactor.now_ns())


class Listener:
    """A listening TCP socket."""

    def __init__(self, reactor: Reactor, end: socket.socket, make: PeerMaker) -> None:
        self._reactor, self._end, self._make = reactor, end, make

    def on_events(self, _mask: int) -> None:
        """Takes a connection that has come."""
        try:
            end, address = self._end.accept()
        except OSError:
            return
        if self._reactor.connections >= MOST_CONNECTIONS:
            end.close()
            return
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._reactor, end, address[:2])
        self._reactor.adopt(end, connection)
        connection.serve(self._make(connection, self._reactor.now_ns()))


class Datagrams:
    """A UDP socket.

    Attributes:
        address: where it stands.
    """

    def __init__(self, reactor: Reactor, end: socket.socket, take: DatagramTaker) -> None:
        self._reactor, self._end, self._take = reactor, end, take
        self.address: Address = end.getsockname()[:2]

    def on_events(self, _mask: int) -> None:
        """Takes what has come, up to a number at once so that others have their turn."""
        for _ in range(READS_AT_ONCE):
            try:
                data, sender = self._end.recvfrom(READ_BYTES)
            except OSError:
                return
            self._take(data, sender[:2], self._reactor.now_ns())

    def send(self, data: bytes, to: Address) -> None:
        """Sends a datagram; one that the kernel has no room for is lost, as on a wire."""
        with suppress(OSError):
            self._end.sendto(data, to)


class Reactor:
    """Serves sockets in the thread that calls `run_once`.

    Args:
        now_ns: the clock that peers are told.

    Everything is closed at the end of a `with` block.
    """

    def __init__(self, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.now_ns = now_ns
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._plain: list[socket.socket] = []
        self._next_tick_ns = 0

    @property
    def connections(self) -> int:
        """How many connections stand."""
        return len(self._connections)

    def listen(self, address: Address, make: PeerMaker) -> Address:
        """Listens; port 0 takes a free one. Where it listens. Raises OSError with the address."""
        end = _bound(socket.SOCK_STREAM, address)
        end.listen(BACKLOG)
        self._plain.append(end)
        self._selector.register(end, selectors.EVENT_READ, Listener(self, end, make))
        return end.getsockname()[:2]  # type: ignore[no-any-return]

    def datagrams(self, address: Address, take: DatagramTaker) -> Datagrams:
        """Opens a UDP socket; port 0 takes a free one. Raises OSError with the address."""
        end = _bound(socket.SOCK_DGRAM, address)
        made = Datagrams(self, end, take)
        self._plain.append(end)
        self._selector.register(end, selectors.EVENT_READ, made)
        return made

    def run_once(self, timeout_s: float) -> None:
        """Waits at most so long for something to do, does it, and lets time pass for the peers."""
        for key, mask in self._selector.select(timeout_s):
            key.data.on_events(mask)
        now_ns = self.now_ns()
        if now_ns >= self._next_tick_ns:
            self._next_tick_ns = now_ns + TICK_NS
            for connection in list(self._connections):
                connection.tick(now_ns)

    def adopt(self, end: socket.socket, connection: Connection) -> None:
        """A new connection."""
        self._connections.add(connection)
        self._selector.register(end, selectors.EVENT_READ, connection)

    def watch(self, end: socket.socket, connection: Connection, *, writing: bool) -> None:
        """Waits for room to write too, or no longer."""
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
        if self._selector.get_key(end).events != events:
            self._selector.modify(end, events, connection)

    def abort_at(self, address: Address) -> None:
        """Closes at once the connections that came to an address that we listen at."""
        for connection in list(self._connections):
            if connection.ours == address:
                connection.abort()

    def forget(self, end: socket.socket, connection: Connection) -> None:
        """A connection is gone."""
        self._connections.discard(connection)
        self._selector.unregister(end)

    def close(self) -> None:
        """Closes every socket; peers are told."""
        for connection in list(self._connections):
            connection.abort()
        for end in self._plain:
            end.close()
        self._plain.clear()
        self._selector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _bound(kind: socket.SocketKind, address: Address) -> socket.socket:
    end = socket.socket(socket.AF_INET, kind)
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.setblocking(False)
    try:
        end.bind(address)
    except OSError as error:
        end.close()
        raise OSError(error.errno, f"{address[0]}:{address[1]}: {error.strerror}") from None
    return end
