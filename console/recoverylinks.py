"""Sockets of the recovery clients: what waits in them is taken when their owner looks."""

from __future__ import annotations

import errno
import select
import socket
from contextlib import suppress
from typing import Final

Address = tuple[str, int]
READ_BYTES: Final = 1 << 16
READS_AT_ONCE: Final = 64


class Link:
    """A TCP connection that is being made, stands, or is gone; nothing in it waits.

    Attributes:
        up: it stands, or stood.
        gone: it could not be made, or the other side ended it.
    """

    def __init__(self, address: Address) -> None:
        self.up = self.gone = False
        self._waiting = bytearray()
        self._end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._end.setblocking(False)
        self._end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = self._end.connect_ex(address)
        self.gone = code not in (0, errno.EINPROGRESS)

    def send(self, packets: list[bytes]) -> None:
        """Sends, now or when there is room."""
        for packet in packets:
            self._waiting += packet
        self._flush()

    def step(self) -> bytes:
        """What has come. Looks whether the connection stands by now."""
        if not self.up and not self.gone:
            self._look()
        self._flush()
        made = bytearray()
        for _ in range(READS_AT_ONCE):
            if not self.up or self.gone:
                break
            try:
                data = self._end.recv(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.gone = not data
            made += data
        return bytes(made)

    def close(self) -> None:
        """Ends the connection."""
        self.gone = True
        self._end.close()

    def _look(self) -> None:
        poller = select.poll()
        poller.register(self._end, select.POLLOUT)
        if poller.poll(0):
            self.gone = self._end.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
            self.up = not self.gone

    def _flush(self) -> None:
        try:
            while self._waiting and self.up and not self.gone:
                del self._waiting[: self._end.send(self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self.gone = True


class Datagrams:
    """A UDP socket to one address, or one that hears a multicast group."""

    def __init__(self, end: socket.socket, to: Address | None = None) -> None:
        self._end, self._to = end, to

    @classmethod
    def towards(cls, address: Address) -> Datagrams:
        """Sends to an address and hears its answers."""
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.setblocking(False)
        return cls(end, address)

    @classmethod
    def joined(cls, group: Address, interface: str = "0.0.0.0") -> Datagrams:
        """Hears a multicast group on the interface with an address. Raises OSError."""
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            end.setblocking(False)
            end.bind(group)
            membership = socket.inet_aton(group[0]) + socket.inet_aton(interface)
            end.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError:
            end.close()
            raise
        return cls(end)

    def send(self, packets: list[bytes]) -> None:
        """Sends datagrams; one that there is no room for is lost, as on a wire."""
        for packet in packets:
            with suppress(OSError):
                self._end.sendto(packet, self._to or ("", 0))

    def step(self) -> list[bytes]:
        """What has come; of a socket with one address only what that sent."""
        made = []
        for _ in range(READS_AT_ONCE):
            try:
                data, sender = self._end.recvfrom(READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                continue  # the other side's port is closed
            if self._to is None or sender[:2] == self._to:
                made.append(data)
        return made

    def close(self) -> None:
        """Closes the socket."""
        self._end.close()
