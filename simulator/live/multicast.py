"""Datagrams out: one socket for all groups of an interface."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Final, Self

TTL: Final = 1  # not beyond the network that it is sent into
BUFFER_BYTES: Final = 1 << 22


class MulticastSender:
    """Sends to multicast groups from the interface with an address.

    Attributes:
        lost: datagrams that the kernel had no room for.

    Raises OSError with the address, when no interface has it.
    """

    def __init__(self, host: str) -> None:
        self.lost = 0
        self._end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._end.setblocking(False)
            self._end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            self._end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
            self._end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            self._end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
            self._end.bind((host, 0))
        except OSError as error:
            self._end.close()
            raise OSError(error.errno, f"{host}: {error.strerror}") from None

    def send(self, payload: bytes, group: str, port: int) -> None:
        """Sends a datagram; one that there is no room for is lost, as on a wire."""
        try:
            self._end.sendto(payload, (group, port))
        except OSError:
            self.lost += 1

    def close(self) -> None:
        """Closes the socket."""
        self._end.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
